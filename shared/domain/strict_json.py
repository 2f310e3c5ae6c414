"""JSON as the standard says, and nothing that two parsers could read in two ways.

Python's own parser accepts ``NaN``, repeated keys and halves of surrogate pairs; a provider's may not, or may
pick another of the repeated values than was checked here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from shared.domain.errors import UserInputError
from shared.domain.problems import Problem, Values

MAX_DEPTH = 100
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_MAX_INT_DIGITS = 18


class StrictJson:
    """A parser for many lines; not for use by several threads."""

    def __init__(self) -> None:
        self._duplicates: list[str] = []
        self._constants: list[str] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_constant=self._constants.append, parse_int=_number
        )

    def parse(self, content: bytes, line: int) -> tuple[Any, list[Problem]]:
        """Give the value and what is wrong with its JSON without making it unreadable.

        Integers of any length are accepted; those that no 64 bits hold come back as floats.

        Raises:
            UserInputError: It cannot be read.
        """
        text = _decode(content, line)
        self._duplicates.clear()
        self._constants.clear()
        try:
            value = self._decoder.decode(text)
        except json.JSONDecodeError as error:
            raise UserInputError([_syntax_problem(error, line)]) from error
        except RecursionError as error:
            raise UserInputError([_too_deep(line)]) from error
        if content.count(b"[") + content.count(b"{") > MAX_DEPTH and is_too_deep(value):
            raise UserInputError([_too_deep(line)])
        problems = [Problem("duplicate_key", line, key, key) for key in dict.fromkeys(self._duplicates)]
        problems += [Problem("json_constant", line, found=word) for word in dict.fromkeys(self._constants)]
        if _SURROGATE_ESCAPE.search(content) and _has_lone_surrogate(value):
            problems.append(Problem("lone_surrogate", line))
        return value, problems

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            times = Counter(key for key, _ in pairs)
            self._duplicates += [key for key, count in times.items() if count > 1]
        return value


def _number(digits: str) -> int | float:
    # int() takes quadratic time and refuses 4,300 digits; nothing here calculates with them.
    return int(digits) if len(digits) <= _MAX_INT_DIGITS else float(digits)


def _decode(content: bytes, line: int) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        wrong = content[error.start : error.start + 4].hex(" ")
        values = {"position": error.start + 1}
        raise UserInputError([Problem("invalid_utf8", line, found=wrong, values=values)]) from error


def _syntax_problem(error: json.JSONDecodeError, line: int) -> Problem:
    around = error.doc[max(0, error.pos - 20) : error.pos + 20]
    if error.doc[error.pos : error.pos + 1] == "\0":
        return Problem("nul_character", line, values={"position": error.pos + 1})
    values: Values = {"position": error.pos + 1, "reason": error.msg}
    return Problem("bad_json", line, found=around, values=values)


def _too_deep(line: int) -> Problem:
    return Problem("json_too_deep", line, values={"max_depth": MAX_DEPTH})


def is_too_deep(value: Any) -> bool:
    """Whether objects and arrays are nested more than ``MAX_DEPTH`` levels deep; no text or number is a level."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: dict[str, Any] | list[Any]) -> list[Any]:
    children = node.values() if isinstance(node, dict) else node
    return [child for child in children if isinstance(child, dict | list)]


def _has_lone_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
