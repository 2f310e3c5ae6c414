"""Result lines as Ark writes them: answers with foreign headers, errors without a response."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.results.columns import Answer, RowStatus
from shared.results.replies.careful import read_carefully
from shared.results.replies.result_lines import parse_result_line

HEADERS = {"HttpHeader": {"X-Client-Request-Id": ["r"], "Date": ["Sat, 21 Nov 2026 11:50:00 GMT"]}}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def line(body: Any, **more: Any) -> bytes:
    response = {"request_id": "r-1", "status_code": 200, "body": body}
    return json.dumps({"id": "1", "custom_id": "a", "error": None, "response": response, **more}).encode()


def chat(**more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "4", "reasoning_content": "2 + 2"}
    choices = [{"finish_reason": "stop", "index": 0, "logprobs": None, "message": message}]
    return {
        "id": "c", "object": "chat.completion", "created": 1, "model": "doubao-seed-2-1-pro-260628",
        "service_tier": "default", "choices": choices, "usage": USAGE, **more,
    }  # fmt: skip


def vector(**more: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": 0, "embedding": [0.5, -1]}]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return {
        "id": "c",
        "object": "list",
        "created": 1,
        "model": "doubao-embedding",
        "data": data,
        "usage": usage,
        **more,
    }


def parsed(content: bytes) -> Answer:
    answer = parse_result_line(content)
    assert answer
    return answer


@pytest.mark.parametrize("body", [chat, vector])
def test_the_headers_of_the_reply_are_no_part_of_the_answer(body: Any) -> None:
    plain, with_headers = line(body()), line(body(**HEADERS))

    answer = parsed(with_headers)

    assert answer.status is RowStatus.ANSWERED
    assert answer == parsed(plain) == read_carefully(with_headers)
    assert "HttpHeader" not in answer.extra


def test_what_else_a_body_holds_is_kept_beside_the_headers() -> None:
    assert json.loads(parsed(line(chat(moderation_hit_type="violence", **HEADERS))).extra) == {
        "moderation_hit_type": "violence"
    }


@pytest.mark.parametrize(
    ("code", "is_sent_again"),
    [
        ("MissingParameter", False),
        ("InvalidParameter.UnsupportedModel", False),
        ("SensitiveContentDetected", False),
        ("SensitiveContentDetected.Violence", False),
        ("InvalidEndpoint.ClosedEndpoint", False),
        ("OutofContextError", False),
        ("AuthenticationError", False),
        ("AccessDenied", False),
        ("OperationDenied.PermissionDenied", False),
        ("InvalidEndpointOrModel.NotFound", False),
        ("ModelNotOpen", False),
        ("NotFound.Model", False),
        ("AccountOverdueError", True),
        ("OperationDenied.ServiceOverdue", True),
        ("RateLimitExceeded.EndpointRPMExceeded", True),
        ("ModelAccountRpmRateLimitExceeded", True),
        ("ModelAccountTpmRateLimitExceeded", True),
        ("AccountRateLimitExceeded", True),
        ("ServerOverloaded", True),
        ("RequestBurstTooFast", True),
        ("InflightBatchsizeExceeded", True),
        ("QuotaExceeded", True),
        ("SetLimitExceeded", True),
        ("InternalServiceError", True),
    ],
)
def test_an_error_has_no_response_and_its_code_says_whether_it_passes(
    code: str, *, is_sent_again: bool
) -> None:
    error = {"code": code, "type": "BadRequest", "message": "It is so."}

    answer = parsed(json.dumps({"id": "1", "custom_id": "a", "response": None, "error": error}).encode())

    assert (answer.status, answer.error_code) == (RowStatus.REFUSED, code)
    assert answer.error_message == "It is so."
    assert answer.retryable == is_sent_again
