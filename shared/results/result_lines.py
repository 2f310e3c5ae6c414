"""What one line of a provider's result file says about one row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from shared.formats.json.compact import compact_json
from shared.formats.json.policies import LENIENT
from shared.formats.json.surrogates import without_surrogates
from shared.ports.profile import RowCodes
from shared.results.columns import BODY, COLUMNS, MESSAGE, NUMBERS, RESPONSE, TAKEN, Answer, Parts, RowStatus


def parse_result_line(line: bytes, codes: RowCodes) -> Answer | None:
    """Read one result line, or ``None`` if it is not one (no JSON object, no ``custom_id``).

    A row is answered if and only if ``error`` is null and ``response.status_code`` is 200, in
    either file. Both error shapes are read: ``error.code`` beside a null response, and an error
    inside the response's body
    (https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai).

    An answer was paid for, so sloppy JSON is read, too: ``NaN``, lone surrogates, raw control
    characters, repeated keys (the last one counts) and, as U+FFFD, bytes that are no UTF-8.
    """
    try:
        document = orjson.loads(line)
        response, body = document["response"], document["response"]["body"]
        if document["error"] is None and "choices" in body and response["status_code"] == 200:
            answer = _chat_answer(document["custom_id"], response, body)
        else:
            answer = _embedding_answer(line, document, response, body)
    except (ValueError, AttributeError, LookupError, TypeError):
        answer = None
    return answer or _read_leniently(line, codes)


def _chat_answer(custom_id: Any, response: Any, body: Any) -> Answer | None:
    """The same as ``_read_leniently`` for nearly every line, but faster; ``None`` if in doubt.

    orjson is strict, so its texts hold no lone surrogate. It makes floats of integers beyond 64
    bits, so a line with a float in place of an integer is in doubt.
    """
    choice, usage = body["choices"][0], body["usage"]
    message = choice["message"]
    usage_text = orjson.dumps(usage).decode()
    row = _columns(custom_id, message["content"], usage_text, response, body, usage, choice, message)
    if [*map(type, row)] != _KINDS or "data" in body or not (response["request_id"] and _is_exact(usage)):
        return None
    return Answer._make(row)


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


def _embedding_answer(line: bytes, document: Any, response: Any, body: Any) -> Answer | None:
    """The same for a vector, whose floats need not be made into text again."""
    custom_id = document["custom_id"]
    if "choices" in body or response["status_code"] != 200 or document["error"] is not None:
        return None
    vector = _vector_in(line, body["data"])
    parts: Parts = (response, body, body["usage"], {}, {})
    values = {name: parts[part].get(key) for name, (part, key) in TAKEN.items()}
    if not vector or type(custom_id) is not str or not _is_exact(values):
        return None
    return _answered(custom_id, vector, parts)


def _is_exact(value: Mapping[str, object]) -> bool:
    """Whether orjson writes it as ``json`` does: it holds only whole numbers, texts and nulls."""
    for each in value.values():
        kind = type(each)
        if kind is dict:
            if not _is_exact(each):  # type: ignore[arg-type]  # a dict, as its type says
                return False
        elif kind is not int and kind is not str and each is not None:
            return False
    return True


def _vector_in(line: bytes, data: Any) -> str | None:
    """The one vector of an embedding with the provider's own digits; ``None`` if in doubt."""
    start = _only_vector_start(line)
    if start is None or len(data) != 1:
        return None
    vector = line[start : line.index(b"]", start) + 1].replace(b" ", b"")
    is_whole = vector.count(b",") + 1 == len(data[0]["embedding"])
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


def _read_leniently(line: bytes, codes: RowCodes) -> Answer | None:
    try:
        document = LENIENT.decode(line.decode(errors="replace").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("custom_id"), str):
        return None
    parts = _parts_of(_mapping(document.get("response")))
    body, error = parts[BODY], document.get("error")
    custom_id = _text(document["custom_id"])
    if error is None and _integer(parts[RESPONSE].get("status_code")) == 200:
        return _answered(custom_id, _content_of(parts), parts)
    reason = _mapping(error) or _mapping(body.get("error")) or body
    refused = _refused(custom_id, reason, error, parts)
    return refused._replace(retryable=_is_retryable(refused.error_code, refused.status_code, codes))


def _parts_of(response: Mapping[str, Any]) -> Parts:
    body = _mapping(response.get("body"))
    choices = body.get("choices")
    choice: Mapping[str, Any] = {}
    # What has vectors is no chat, whatever else is in it.
    if isinstance(choices, list) and choices and not isinstance(body.get("data"), list):
        choice = _mapping(choices[0])
    return response, body, _mapping(body.get("usage")), choice, _mapping(choice.get("message"))


def _answered(custom_id: str, content: str, parts: Parts) -> Answer:
    values: dict[str, Any] = {}
    for name, (part, key) in TAKEN.items():
        value = parts[part].get(key)
        if COLUMNS[name].is_json:
            value = _mapping(value) or None
        values[name] = _integer(value) if name in NUMBERS else _text(value)
    values["request_id"] = _request_id(parts)
    return Answer(custom_id, RowStatus.ANSWERED, content, **values)


def _request_id(parts: Parts) -> str:
    return _text(parts[RESPONSE].get("request_id")) or _text(parts[BODY].get("id"))


def _refused(custom_id: str, reason: Mapping[str, object], error: object, parts: Parts) -> Answer:
    status_code = _integer(parts[RESPONSE].get("status_code"))
    code = (
        _text(reason.get("code"))
        or _text(reason.get("type"))
        or (str(status_code) if status_code else "unknown")
    )
    message = _text(reason.get("message")) or _text(error)
    status = RowStatus.EXPIRED if "expired" in code.lower() else RowStatus.REFUSED
    return Answer(
        custom_id=custom_id,
        status=status,
        request_id=_request_id(parts),
        status_code=status_code,
        error_code=code,
        error_message=message,
    )


def _is_retryable(code: str, status_code: int | None, codes: RowCodes) -> bool:
    if status_code is not None and (status_code in {408, 429} or status_code >= 500):
        return True
    return any(word in code.lower() for word in codes.retryable)


def _content_of(parts: Parts) -> str:
    """Content of a chat answer; of an embedding, its vector as a JSON array."""
    vectors, message = parts[BODY].get("data"), parts[MESSAGE]
    if isinstance(vectors, list):
        arrays = [_mapping(item).get("embedding") for item in vectors]
        return without_surrogates(compact_json(arrays[0] if len(arrays) == 1 else arrays))
    content = message.get("content")
    if content is None and message.get("tool_calls"):
        content = message["tool_calls"]
    return _text(content)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    """A text, "" for null, JSON for anything else. No file can hold a lone surrogate: U+FFFD."""
    if value is None:
        return ""
    return without_surrogates(value if isinstance(value, str) else compact_json(value))
