"""What a command answers: sentences for people, or one JSON object a line for programs."""

from __future__ import annotations

import json
import sys

from scripts.operate.texts.said import Refusal, Said
from scripts.terminal import say

DONE, NOT_POSSIBLE, MISUSED, HAS_FAILED_ROWS, INTERRUPTED, NOT_READ = 0, 1, 2, 3, 130, 141


class Reply:
    """Collects what is said. With ``is_json`` nothing but JSON goes to standard output.

    Its last line has ``exit_code``; what a command shows while it runs stands in lines before it.
    """

    def __init__(self, *, is_json: bool) -> None:
        self.is_json = is_json
        self._facts: dict[str, object] = {}
        self._said: list[dict[str, str]] = []

    @property
    def is_watched(self) -> bool:
        """Whether a person reads it as it is said, and no program or file keeps it."""
        return not self.is_json and sys.stdout.isatty()

    def tell(self, text: str) -> None:
        """A sentence or a line of a table; programs get sentences only, facts by ``show``."""
        if not self.is_json:
            say(text)
        elif isinstance(text, Said):
            self._said.append(_parts(text))

    def agrees(self) -> bool | None:
        """Whether somebody types yes in full; None if nobody can be asked, as of a program."""
        if self.is_json:
            return None
        try:
            return input("输入 yes 确认 / Type yes to confirm: ").strip().lower() == "yes"
        except EOFError:  # nobody is there
            say("")
            return None

    def show(self, **facts: object) -> None:
        """What programs read at the end."""
        self._facts |= facts

    def event(self, **facts: object) -> None:
        """What programs read at once."""
        if self.is_json:
            _print(facts)

    def refuse(self, refusal: Refusal) -> int:
        return self.fail(refusal.said, *refusal.lines)

    def fail(self, told: Said, *lines: str, exit_code: int = NOT_POSSIBLE) -> int:
        if not self.is_json:
            say("\n".join([told, *lines]), sys.stderr)
        return self._end(exit_code, error=_parts(told) | ({"lines": lines} if lines else {}))

    def misused(self, zh: str, en: str, usage: str = "") -> int:
        if not self.is_json:
            say(f"{usage}{zh}\n{en}".lstrip("\n"), sys.stderr)
        return self._end(MISUSED, error={"code": "usage", "zh": zh, "en": f"{usage}{en}"})

    def end(self, exit_code: int) -> int:
        return self._end(exit_code)

    def _end(self, exit_code: int, **more: object) -> int:
        if self.is_json:
            _print({"exit_code": exit_code, **more, **self._facts, "said": self._said})
        return exit_code


def _parts(told: Said) -> dict[str, str]:
    return {"code": told.code, "zh": told.zh, "en": told.en}


def _print(facts: object) -> None:
    # What ``say`` escapes is, in JSON, another way to write the same.
    say(json.dumps(facts, ensure_ascii=False, default=str))
