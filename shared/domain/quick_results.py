"""Ordinary chat answers, from the provider's line to the columns of the result CSV in one step.

Nearly all of a result is such lines, and most of collecting is reading and rendering them. What is not surely
ordinary is left to ``parse_result_line`` and ``ResultTable``, whose bytes these are: a test holds them together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from shared.domain.answers import is_exact
from shared.domain.formulas import MAY_BE_GUARDED


class QuickAnswer(NamedTuple):
    """An answered row: its columns in UTF-8, and the tokens that it took."""

    custom_id: str
    rendered: bytes
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


QuickReader = Callable[[bytes], QuickAnswer | None]


def read_for_table(line: bytes) -> QuickAnswer | None:
    """The answer's columns as they stand behind those of a table; ``None`` if in doubt."""
    return _read(line, _table_columns)


def read_for_requests(line: bytes) -> QuickAnswer | None:
    """The answer's columns in the result of raw request lines; ``None`` if in doubt."""
    return _read(line, _request_columns)


def _read(line: bytes, columns: Callable[..., bytes]) -> QuickAnswer | None:
    try:
        document = orjson.loads(line)
        response = document["response"]
        body = response["body"]
        if document["error"] is not None or response["status_code"] != 200 or "data" in body:
            return None
        usage = body["usage"]
        prompt, completion, total = usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]
        numbers = (response["status_code"], body["created"], prompt, completion, total)
        # orjson makes floats of integers beyond 64 bits.
        if tuple(map(type, numbers)) != _INTEGERS:
            return None
        custom_id = document["custom_id"]
        rendered = columns(custom_id, response["request_id"], body, body["choices"][0], usage)
    except _NOT_ORDINARY:
        return None
    return QuickAnswer(custom_id, rendered, prompt, completion, total)


_INTEGERS = (int,) * 5
_NOT_ORDINARY = (orjson.JSONDecodeError, LookupError, TypeError, AttributeError)


def _table_columns(custom_id: Any, request_id: Any, body: Any, choice: Any, usage: Any) -> bytes:
    if type(custom_id) is not str:
        raise LookupError
    message, model, finish_reason = choice["message"], body["model"], choice["finish_reason"]
    _check_plain(model, finish_reason, request_id)
    rest = (
        f"{model},{finish_reason},{usage['prompt_tokens']},{usage['completion_tokens']},{usage['total_tokens']},"
        f"{request_id},{body['created']},,"
    )
    return b"answered,%b,%b,%b" % (_cell(message["content"]), _thinking(message), rest.encode())


def _request_columns(custom_id: Any, request_id: Any, body: Any, choice: Any, usage: Any) -> bytes:
    message, model = choice["message"], body["model"]
    _check_plain(custom_id, model, request_id)
    # The reason why it ended is no column, but what is odd about it is for others to judge.
    _check_plain(choice["finish_reason"])
    if not is_exact(usage):
        raise LookupError
    front = f"{custom_id},{model},{request_id},200,,,{body['created']}"
    shown = orjson.dumps(usage).replace(b'"', b'""')
    return b'%b,%b,"%b",%b' % (front.encode(), _cell(message["content"]), shown, _thinking(message))


# A comma stands only before another name, so there is one way to match and nothing to try twice.
_are_plain = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*(?:,[A-Za-z0-9][A-Za-z0-9._:/-]*)*").fullmatch


def _check_plain(*names: str) -> None:
    """See to it that these are texts which are themselves in CSV, guarded or not.

    Raises:
        LookupError: One of them may have to be quoted or guarded, or is empty.
        TypeError: One of them is no text.
    """
    joined = ",".join(names)
    if not _are_plain(joined) or joined.count(",") >= len(names):
        raise LookupError


def _thinking(message: Any) -> bytes:
    reasoning = message.get("reasoning_content")
    return b"" if reasoning is None else _cell(reasoning)


def _cell(text: str) -> bytes:
    """As ``csv_cell``, of a text that no guard changes.

    Raises:
        LookupError: A guard might.
        AttributeError: It is no text.
    """
    content = text.encode()
    if text[:1] in MAY_BE_GUARDED:
        raise LookupError
    if b'"' in content:
        return b'"%b"' % content.replace(b'"', b'""')
    if b"," in content or b"\n" in content or b"\r" in content:
        return b'"%b"' % content
    return content
