"""Reads ordinary result lines as ``careful`` does, but faster; ``None`` of any that is in doubt.

A line is in doubt if it holds anything that has no column, so nothing of it can be missed. orjson
is strict, so its texts hold no lone surrogate. It makes floats of integers beyond 64 bits, so a
line with a float in place of an integer is in doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from shared.results.columns import CODES_OF_ANSWERS, NUMBERS, TAKEN, Answer, RowStatus
from shared.results.replies.forms.parts import (
    BODY_KEYS,
    CHOICE_KEYS,
    LINE_KEYS,
    MESSAGE_KEYS,
    RESPONSE_KEYS,
    USAGE_KEYS,
    VECTOR_KEYS,
    VECTORS_KEYS,
    is_nothing,
)
from shared.results.replies.sent_again import is_sent_again

_OK = 200


def chat_answer(document: Any) -> Answer | None:
    """The one choice of a chat that has a text."""
    response = document["response"]
    body = response["body"]
    (choice,) = body["choices"]
    message, usage = choice["message"], body["usage"]
    content = message["content"]
    if not content or content.isspace() or response["status_code"] != _OK:
        return None
    usage_text = orjson.dumps(usage).decode()
    row = _columns(document["custom_id"], content, usage_text, response, body, usage, choice, message)
    if [*map(type, row)] != _KINDS or not (response["request_id"] and _is_exact(usage)):
        return None
    is_all_told = (
        (_knows_message(message) or _says_nothing_more(message, MESSAGE_KEYS))
        and (_knows_choice(choice) or _says_nothing_more(choice, CHOICE_KEYS))
        and (_knows_usage(usage) or _says_nothing_more(usage, USAGE_KEYS))
        and (_knows_body(body) or _says_nothing_more(body, BODY_KEYS))
        and (_knows_response(response) or _says_nothing_more(response, RESPONSE_KEYS))
        and (_knows_line(document) or _says_nothing_more(document, LINE_KEYS))
    )
    return _as_answer(row) if is_all_told else None


_knows_line, _knows_response, _knows_body, _knows_usage, _knows_choice, _knows_message = (
    keys.issuperset for keys in (LINE_KEYS, RESPONSE_KEYS, BODY_KEYS, USAGE_KEYS, CHOICE_KEYS, MESSAGE_KEYS)
)


def _says_nothing_more(part: Mapping[str, Any], known: frozenset[str]) -> bool:
    """Whether all that the part holds beside the known keys is null or empty."""
    for key, value in part.items():  # noqa: SIM110  # ``all`` of a generator takes twice as long
        if key not in known and not is_nothing(value):
            return False
    return True


def _columns_as_one_expression() -> Callable[..., list[object]]:
    """Write out the table of columns; looping over it for every line takes twice as long.

    It is made of a text, as ``namedtuple`` makes its methods. A column that is in no part of the
    reply has its default. A number that is not there is ``None``, which puts its line in doubt.
    """
    values = {name: repr(default) for name, default in Answer._field_defaults.items()}
    for name, (part, key) in TAKEN.items():
        found = f"{_PARTS[part]}.get({key!r})"
        values[name] = found if name in NUMBERS else f"('' if (found := {found}) is None else found)"
    values |= {"custom_id": "custom_id", "status": "answered", "content": "content", "usage": "usage_text"}
    row = ", ".join(values[name] for name in Answer._fields)
    source = f"lambda custom_id, content, usage_text, {', '.join(_PARTS)}: [{row}]"
    columns: Callable[..., list[object]] = eval(source, {"answered": RowStatus.ANSWERED})  # noqa: S307  # only our own names
    return columns


_PARTS = ("response", "body", "usage", "choice", "message")  # at RESPONSE, BODY and so on
_columns = _columns_as_one_expression()
_KINDS = [
    int if name in NUMBERS and name in TAKEN else type(value)
    for name, value in Answer("", RowStatus.ANSWERED)._asdict().items()
]
_NUMBERS_AT = [index for index, name in enumerate(Answer._fields) if name in NUMBERS & TAKEN.keys()]


def _is_exact(value: Mapping[str, Any]) -> bool:
    """Whether orjson writes it as ``json`` does: it holds only whole numbers, texts and nulls."""
    for each in value.values():
        kind = type(each)
        if not (kind in _EXACT_KINDS or (kind is dict and _is_exact(each))):
            return False
    return True


_EXACT_KINDS = frozenset({int, str, type(None)})
# ``Answer._make`` without its check of the length, which ``_KINDS`` has done.
_as_answer: Callable[[list[object]], Answer] = partial(tuple.__new__, Answer)


def vector_answer(line: bytes, document: Any) -> Answer | None:
    """The one vector of an embedding, whose floats need not be made into text again."""
    response = document["response"]
    body = response["body"]
    (item,), usage = body["data"], body["usage"]
    vector = _vector_in(line, item)
    if not vector or not _is_exact(usage) or response["status_code"] != _OK:
        return None
    usage_text = orjson.dumps(usage).decode()
    row = _columns(document["custom_id"], vector, usage_text, response, body, usage, {}, {})
    full = [*row]
    for index in _NUMBERS_AT:
        full[index] = 0 if row[index] is None else row[index]
    if [*map(type, full)] != _KINDS or not response["request_id"]:
        return None
    parts = (document, response, body, usage, item)
    return _as_answer(row) if all(map(_says_nothing_more, parts, _KEYS_OF_VECTORS)) else None


_KEYS_OF_VECTORS = (LINE_KEYS, RESPONSE_KEYS, VECTORS_KEYS, USAGE_KEYS, VECTOR_KEYS)


def refusal(document: Any) -> Answer | None:
    """A row that did not run, in the form that is documented: a code and its message."""
    error, custom_id = document["error"], document["custom_id"]
    code, message = error["code"], error["message"]
    if {str} != {*map(type, (custom_id, code, message))} or not message:
        return None
    if (
        code in CODES_OF_ANSWERS
        or document["response"] is not None
        or not (_says_nothing_more(document, LINE_KEYS) and _says_nothing_more(error, _ERROR_KEYS))
    ):
        return None
    status = RowStatus.EXPIRED if "expired" in code.lower() else RowStatus.REFUSED
    is_again = is_sent_again(code, None)
    return Answer(custom_id, status, error_code=code, error_message=message, retryable=is_again)


_ERROR_KEYS = frozenset({"code", "message"})


def _vector_in(line: bytes, item: Any) -> str | None:
    """The vector with the provider's own digits; ``None`` if in doubt."""
    start = _only_vector_start(line)
    if start is None:
        return None
    vector = line[start : line.index(b"]", start) + 1].replace(b" ", b"")
    is_whole = vector.count(b",") + 1 == len(item["embedding"])
    return vector.decode() if is_whole and vector.translate(None, _OF_NUMBERS) == b"[]" else None


def _only_vector_start(line: bytes) -> int | None:
    """Where the value of the only key ``"embedding"`` begins. An item has that as a value, too."""
    if b"\\" in line:  # a key may be written with escapes
        return None
    starts = []
    end = 0
    while (at := line.find(_VECTOR, end)) >= 0:
        end = at + len(_VECTOR)
        follower = line[end : end + 1]
        if follower == b":":
            starts.append(end + 1)
        elif follower not in _AFTER_A_VALUE:
            return None
    return starts[0] if len(starts) == 1 else None


_VECTOR = b'"embedding"'
_AFTER_A_VALUE = (b",", b"}", b"]")
_OF_NUMBERS = b"0123456789+-.eE,"
