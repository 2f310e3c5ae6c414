"""What one line of a provider's result file says about one row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from shared.domain.answers import Answer, RowStatus
from shared.domain.json_policies import LENIENT
from shared.domain.texts import without_surrogates

# Codes of rows that the provider did not run or may run next time. OpenAI's own for an expired batch is
# "batch_expired"; Bailian publishes no list, so the words are matched, not the whole code.
_RETRYABLE_WORDS = (
    "expired",
    "throttl",
    "rate_limit",
    "ratelimit",
    "timeout",
    "unavailable",
    "internal",
    "overload",
)


def parse_result_line(line: bytes) -> Answer | None:
    """Read one result line, or ``None`` if it is not one (no JSON object, no ``custom_id``).

    A row is answered if and only if ``error`` is null and ``response.status_code`` is 200, whichever file the
    line stands in. Both error shapes are read: ``error.code`` beside a null response, and an error inside the
    response's body (https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai).

    An answer was paid for, so what is merely not proper JSON is read all the same: ``NaN``, lone surrogates, raw
    control characters, repeated keys (the last one counts) and, as U+FFFD, bytes that are no UTF-8.
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
    return answer or _read_leniently(line)


def _chat_answer(custom_id: Any, response: Any, body: Any) -> Answer | None:
    """What ``_read_leniently`` makes of nearly every line, at a fraction of the time; ``None`` if in doubt.

    orjson is strict, so no text of it holds a lone surrogate; it makes floats of integers beyond 64 bits, so a line
    with a float where an integer belongs is left to the other.
    """
    choice, usage = body["choices"][0], body["usage"]
    message = choice["message"]
    reasoning = message.get("reasoning_content")
    answer = Answer(
        custom_id, RowStatus.ANSWERED, message["content"], "" if reasoning is None else reasoning, body["model"],
        choice["finish_reason"], usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"],
        response["request_id"], body["created"], response["status_code"], orjson.dumps(usage).decode(),
    )  # fmt: skip
    if (
        tuple(map(type, answer)) != _CHAT_TYPES
        or "data" in body
        or not (answer.request_id and _is_exact(usage))
    ):
        return None
    return answer


_CHAT_TYPES = (str, RowStatus, str, str, str, str, int, int, int, str, int, int, str, str, str, bool)


def _embedding_answer(line: bytes, document: Any, response: Any, body: Any) -> Answer | None:
    """The same for a vector, whose floats need not be made into text again."""
    custom_id, request_id, created = document["custom_id"], response["request_id"], body.get("created")
    types = (type(custom_id), type(request_id), type(body["model"]), type(response["status_code"]))
    is_ordinary = types == (str, str, str, int) and (created is None or type(created) is int)
    if not (is_ordinary and request_id and _is_exact(body["usage"])) or "choices" in body:
        return None
    vector = _vector_in(line, body["data"])
    if not vector or response["status_code"] != 200 or document["error"] is not None:
        return None
    answer = _answered(custom_id, {**body, "data": None})
    return answer._replace(content=vector, request_id=request_id, status_code=200)


def _is_exact(value: Mapping[str, object]) -> bool:
    """Whether orjson writes it as the standard library would: there are only whole numbers, texts and nulls in it."""
    for each in value.values():
        kind = type(each)
        if kind is dict:
            if not _is_exact(each):  # type: ignore[arg-type]  # a dict, as its type says
                return False
        elif kind is not int and kind is not str and each is not None:
            return False
    return True


def _vector_in(line: bytes, data: Any) -> str | None:
    """The one vector of an embedding with the very digits that the provider sent; ``None`` if in doubt."""
    start = _only_vector_start(line)
    if start is None or len(data) != 1:
        return None
    vector = line[start : line.index(b"]", start) + 1].replace(b" ", b"")
    is_whole = vector.count(b",") + 1 == len(data[0]["embedding"])
    return vector.decode() if is_whole and vector.translate(None, _OF_NUMBERS) == b"[]" else None


def _only_vector_start(line: bytes) -> int | None:
    """Where the value of the only key of that name begins. ``"embedding"`` is also what an item says that it is."""
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


def _read_leniently(line: bytes) -> Answer | None:
    try:
        document = LENIENT.decode(line.decode(errors="replace").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("custom_id"), str):
        return None
    response = _mapping(document.get("response"))
    body = _mapping(response.get("body"))
    error = document.get("error")
    status_code = _integer(response.get("status_code"))
    request_id = _text(response.get("request_id")) or _text(body.get("id"))
    custom_id = _text(document["custom_id"])
    if error is None and status_code == 200:
        return _answered(custom_id, body)._replace(request_id=request_id, status_code=status_code)
    reason = _mapping(error) or _mapping(body.get("error")) or body
    return _refused(custom_id, reason, error, status_code, request_id)


def _answered(custom_id: str, body: Mapping[str, object]) -> Answer:
    usage = _mapping(body.get("usage"))
    content, reasoning, finish_reason = _content_of(body)
    return Answer(
        custom_id=custom_id,
        status=RowStatus.ANSWERED,
        content=content,
        reasoning_content=reasoning,
        finish_reason=finish_reason,
        model=_text(body.get("model")),
        prompt_tokens=_integer(usage.get("prompt_tokens")),
        completion_tokens=_integer(usage.get("completion_tokens")),
        total_tokens=_integer(usage.get("total_tokens")),
        created=_integer(body.get("created")),
        usage=_text(usage) if usage else "",
    )


def _refused(
    custom_id: str, reason: Mapping[str, object], error: object, status_code: int | None, request_id: str
) -> Answer:
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
        request_id=request_id,
        status_code=status_code,
        error_code=code,
        error_message=message,
        retryable=_is_retryable(code, status_code),
    )


def _is_retryable(code: str, status_code: int | None) -> bool:
    if status_code is not None and (status_code in {408, 429} or status_code >= 500):
        return True
    return any(word in code.lower() for word in _RETRYABLE_WORDS)


def _content_of(body: Mapping[str, object]) -> tuple[str, str, str]:
    """Content, reasoning and finish reason of a chat answer; of an embedding, its vector as a JSON array."""
    vectors = body.get("data")
    if isinstance(vectors, list):
        arrays = [_mapping(item).get("embedding") for item in vectors]
        return without_surrogates(_compact(arrays[0] if len(arrays) == 1 else arrays)), "", ""
    choices = body.get("choices")
    choice = _mapping(choices[0]) if isinstance(choices, list) and choices else {}
    message = _mapping(choice.get("message"))
    content = message.get("content")
    if content is None and message.get("tool_calls"):
        content = message["tool_calls"]
    return _text(content), _text(message.get("reasoning_content")), _text(choice.get("finish_reason"))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    """Text as it is, nothing for null, JSON for anything else; a lone surrogate, which no file can hold, is U+FFFD."""
    if value is None:
        return ""
    return without_surrogates(value if isinstance(value, str) else _compact(value))


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
