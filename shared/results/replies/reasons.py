"""Finds a provider's own words for why a row has no answer, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.results.replies.parts import is_nothing, text

# The first that says anything. A type is wider than a code (OpenAI's "invalid_request_error"), and
# all that there is where the code is null.
_CODE_KEYS = ("code", "error_code", "errcode", "type")
# An error is most often an object of its own; otherwise its words stand beside its code.
_INNER_KEYS = ("error", "errors", "detail", "details")
_MESSAGE_KEYS = ("message", "error_message", "error_msg", "errmsg", "msg", "error_description")
_LAST_KEYS = (*_INNER_KEYS, "description", "title", "reason")
_SILENT = frozenset({"object", "success", "status", "request_id", "id", "timestamp"})
_SUCCESS = re.compile(
    r"|0|200|ok|true|success(ful|fully)?|succeeded|done|completed|\w{0,4}(?<![不未])成功[。!！]?", re.I
)


class Told(NamedTuple):
    """A code, what it means, and what else is said. Each may be empty."""

    code: str = ""
    message: str = ""
    more: Mapping[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self.code or self.message)

    def __add__(self, other: Told) -> Told:  # type: ignore[override]  # what a tuple does with +, nobody needs
        """What two places say of the same row; the first one's code counts."""
        code = self.code or other.code
        message = " / ".join(dict.fromkeys(filter(None, (self.message, other.message))))
        left = {"code": other.code} if other.code not in {"", code} else {}
        return Told(code, message, {**left, **other.more, **self.more})


def is_success(word: str) -> bool:
    return bool(_SUCCESS.fullmatch(word.strip()))


def error_in(value: Any) -> Told:
    """The same of what is called an error, which may say that there was none."""
    told = told_in(value)
    return Told() if value is False or (told and is_success(told.code or told.message)) else told


def told_in(value: Any) -> Told:
    """What an error says: a sentence, an object, or an object in an object or a list."""
    if isinstance(value, list) and len(value) == 1:
        return told_in(value[0])
    if not isinstance(value, dict):
        return Told() if is_nothing(value) else Told(message=text(value).strip())
    more = {key: each for key, each in value.items() if not is_nothing(each)}
    names = {key.lower(): key for key in reversed(more)}
    inner = next(
        (names[key] for key in _INNER_KEYS if isinstance(more.get(names.get(key, "")), dict | list)), None
    )
    key = inner or next((names[key] for key in (*_MESSAGE_KEYS, *_LAST_KEYS) if key in names), None)
    within = told_in(more.pop(key)) if key else Told()
    code_key = next((names[key] for key in _CODE_KEYS if names.get(key) in more), None)
    code = within.code or (text(more.pop(code_key)) if code_key else "")
    beside = {key: each for key, each in more.items() if key not in _SILENT}
    return Told(code, within.message, {**beside, **within.more})
