"""Reads JSON by three policies; which is right depends on who wrote it and what it is for.

strict
    Request lines. The uploader can still correct them, and we do not know the provider's parser.
    ``StrictJson`` accepts what the standard says, and nothing that two parsers could read
    differently. Python's own accepts ``NaN``, repeated keys and halves of surrogate pairs.
lenient
    A provider's result lines, which are paid for: ``LENIENT`` reads whatever can be read.
exact
    A model's answer, whose values we write again: ``parse_exact`` gives each number as it stands,
    or refuses the answer. ``parse_exact_at`` does so for a document in other text.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import JsonValue

from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values

MAX_DEPTH = 100
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_MAX_DIGITS_OF_64_BITS = 18
# Python neither reads nor writes longer integers:
# https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
_MAX_DIGITS_OF_PYTHON = 4300
Decoded = TypeVar("Decoded")
_TOO_DEEP = f"more than {MAX_DEPTH} levels"


def _integers(max_digits: int, read_longer: Callable[[str], Any]) -> Callable[[str], Any]:
    """How a decoder reads integers; long ones differently, since ``int`` takes quadratic time."""
    return lambda digits: int(digits) if len(digits) <= max_digits else read_longer(digits)


class StrictJson:
    """A parser for many lines; not for use by several threads."""

    def __init__(self) -> None:
        self._duplicates: list[str] = []
        self._constants: list[str] = []
        self._too_large: list[str] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=self._constants.append,
            parse_int=_integers(_MAX_DIGITS_OF_64_BITS, self._float),  # nothing here calculates with them
            parse_float=self._float,
        )

    def parse(self, content: bytes, line: int) -> tuple[Any, list[Problem]]:
        """Give the value, and those problems of its JSON that do not make it unreadable.

        Integers beyond 64 bits come back as floats. What no float holds, some parsers refuse.

        Raises:
            UserInputError: It cannot be read.
        """
        text = _decode(content, line)
        self._duplicates.clear()
        self._constants.clear()
        self._too_large.clear()
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
        problems += [Problem("json_number", line, found=digits) for digits in dict.fromkeys(self._too_large)]
        if _SURROGATE_ESCAPE.search(content) and _has_lone_surrogate(value):
            problems.append(Problem("lone_surrogate", line))
        return value, problems

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            times = Counter(key for key, _ in pairs)
            self._duplicates += [key for key, count in times.items() if count > 1]
        return value

    def _float(self, digits: str) -> float:
        value = float(digits)
        if math.isinf(value):
            self._too_large.append(digits)
        return value


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


def is_too_deep(value: Any, max_depth: int = MAX_DEPTH) -> bool:
    """Whether objects and arrays are nested more than ``max_depth`` levels deep."""
    level = [value]
    for _ in range(max_depth):
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


# Also reads raw control characters and repeated keys (the last one counts). NaN, and an integer
# too long for Python, become the text that they are written as.
LENIENT = json.JSONDecoder(strict=False, parse_constant=str, parse_int=_integers(_MAX_DIGITS_OF_PYTHON, str))


# Deeper, and it would depend on the caller's stack whether our own values can be read again.
_MAX_LENIENT_DEPTH = 500


def parse_lenient(text: str) -> Any:
    """The one document in ``text``, whatever is odd about it.

    Raises:
        ValueError: It is none, or nested more than 500 levels deep.
        RecursionError: It is nested deeper than Python reads.
    """
    value = LENIENT.decode(text)
    depth = _MAX_LENIENT_DEPTH
    if text.count("[") + text.count("{") > depth and is_too_deep(value, depth):
        raise ValueError("nested too deep")
    return value


def parse_exact(text: str, *, may_be_raw: bool = False) -> JsonValue:
    """The one document in ``text``.

    Args:
        text: The document and nothing else.
        may_be_raw: Its strings may hold line ends and other control characters as they are.

    Raises:
        ValueError: It is not one document, or it has NaN, a number too large for a float, more
            than 4,300 digits, or over 100 levels.
    """
    document: JsonValue = _told((_EXACT_BUT_RAW if may_be_raw else _EXACT).decode, text)
    if text.count("[") + text.count("{") > MAX_DEPTH and is_too_deep(document):
        raise ValueError(_TOO_DEEP)
    return document


def parse_exact_at(text: str, start: int) -> tuple[JsonValue, int]:
    """The document that begins at ``start``, which may be raw, and where it ends.

    Raises:
        ValueError: See ``parse_exact``; what follows the document does not matter.
    """
    document, end = _told(lambda text: _EXACT_BUT_RAW.raw_decode(text, start), text)
    if end - start > MAX_DEPTH and is_too_deep(document):
        raise ValueError(_TOO_DEEP)
    return document, end


def _told(decode: Callable[[str], Decoded], text: str) -> Decoded:
    try:
        return decode(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg}, character {error.pos + 1}") from error
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _refuse_integer(digits: str) -> None:
    raise ValueError(f"a number of {len(digits)} digits")


def _finite(digits: str) -> float:
    value = float(digits)
    if value in {float("inf"), float("-inf")}:
        raise ValueError(f"{digits[:20]} is too large a number")
    return value


def _exact_decoder(*, strict: bool) -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_constant=_refuse_constant,
        parse_int=_integers(_MAX_DIGITS_OF_PYTHON, _refuse_integer),
        parse_float=_finite,
        strict=strict,
    )


_EXACT, _EXACT_BUT_RAW = _exact_decoder(strict=True), _exact_decoder(strict=False)
