"""A row is answered if there is an answer; if not, the provider's words say why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.pipeline.collect.rows.verdict import BatchVerdict
from shared.ports.provider import BatchId, BatchState, BatchStatus
from shared.problems.render import MESSAGES
from shared.results.columns import Answer, RowStatus
from shared.results.replies.result_lines import parse_result_line
from shared.results.replies.sent_again import OWN_CODES, is_sent_again
from tests.unit.results.test_paid_content import USAGE, chat, choice, extra, item, read

ZERO = {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5}
THOUGHT = {"type": "thinking", "thinking": "so"}
ANSWERED, REFUSED, EXPIRED = RowStatus.ANSWERED, RowStatus.REFUSED, RowStatus.EXPIRED


@pytest.mark.parametrize(
    ("body", "code", "is_again"),
    [
        (chat(), "no_answer", False),
        (chat(choice(content=None)), "no_answer", False),
        (chat(choice()), "no_answer", False),
        (chat(choice("length", content="")), "no_answer", False),
        (chat(choice("length", content=None, reasoning_content="thinking")), "no_answer", False),
        (chat(choice("tool_calls", content="", tool_calls=[])), "no_answer", False),
        (chat(choice(None, content="")), "no_answer", False),
        (chat(choice(content=None), choice(content=None, index=1)), "no_answer", False),
        (chat(None), "no_answer", False),
        ({"choices": None}, "no_answer", False),
        ({"id": "c", "usage": USAGE}, "no_answer", False),
        ({"data": []}, "no_answer", False),
        ({"data": [item(None)], "usage": USAGE}, "no_answer", False),
        ({"data": [item([])], "usage": USAGE}, "no_answer", False),
        ({"data": [item(None), item(None, 1)]}, "no_answer", False),
        (chat(choice("content_filter", content="")), "answer_filtered", False),
        (chat(choice("content_filter", content=None)), "answer_filtered", False),
        (chat(choice("sensitive", content="")), "answer_filtered", False),
        (chat(choice("insufficient_system_resource", content=""), usage=None), "answer_interrupted", True),
        (chat(choice("network_error", content=None), usage={"prompt_tokens": 5}), "answer_interrupted", True),
        (chat(choice("network_error", content=""), usage=ZERO), "answer_interrupted", True),
        (chat(choice("insufficient_system_resource", content="")), "no_answer", False),
        (chat(choice("network_error", content=None, reasoning_content="so"), usage=ZERO), "no_answer", False),
        (chat(choice("network_error", content="", reasoning="so"), usage=None), "no_answer", False),
        (chat(choice("network_error", content=[THOUGHT]), usage=None), "no_answer", False),
        (chat(choice("network_error", content=""), usage={"output_tokens": 9}), "no_answer", False),
        (chat(choice("network_error"), choice("network_error", 1, thinking="so"), usage=None), "no_answer", False),
        (chat(choice("model_context_window_exceeded", content="")), "no_answer", False),
        ({}, "empty_body", True),
        (None, "empty_body", True),
        ("", "empty_body", True),
        ([], "empty_body", True),
        (chat(choice(content=[None])), "no_answer", False),
        (chat(choice("length", content=["", [], {}])), "no_answer", False),
        (chat(choice("content_filter", content=""), text="cannot"), "answer_filtered", False),
        (chat(choice("content_filter", content=None), output={"text": "a"}), "answer_filtered", False),
        (chat({"index": 0, "message": None}, message={"content": "a"}), "no_answer", False),
        ({"candidates": [{"finishReason": "SAFETY"}]}, "answer_filtered", False),
        ({"candidates": [{"finishReason": "PROHIBITED_CONTENT", "content": {}}]}, "answer_filtered", False),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "answer_filtered", False),
        ({"output": {"text": "", "finish_reason": "content_filter"}}, "answer_filtered", False),
        ({"type": "message", "content": [], "stop_reason": "refusal"}, "answer_filtered", False),
        ({"object": "response", "incomplete_details": {"reason": "content_filter"}}, "answer_filtered", False),
        ({"response": "", "done_reason": "network_error"}, "no_answer", False),
    ],
)  # fmt: skip
def test_a_success_without_an_answer_is_refused_in_our_words(body: Any, code: str, is_again: bool) -> None:
    answer = read(body)

    assert (answer.status, answer.error_code, answer.retryable) == (REFUSED, code, is_again)
    assert f"[{code}] / " in answer.error_message
    assert answer.error_message.endswith(f"[{code}]")


def test_of_a_row_without_an_answer_everything_else_is_kept() -> None:
    answer = read(chat(choice("length", content=None, reasoning_content="so far"), note="n"))

    assert "finish_reason：length" in answer.error_message
    assert (answer.reasoning_content, answer.finish_reason, answer.total_tokens) == ("so far", "length", 12)
    assert extra(answer) == {"note": "n"}


@pytest.mark.parametrize("content", ["", " ", "\n\n"])
def test_a_model_may_have_nothing_to_say(content: str) -> None:
    answer = read(chat(choice("stop", content=content)))

    assert (answer.status, answer.error_code, answer.content) == (ANSWERED, "answer_empty", content)


@pytest.mark.parametrize("beside", [{"result": "ok"}, {"text": "a"}, {"output": {"text": "a"}}])
def test_beside_choices_nothing_else_is_the_answer(beside: dict[str, Any]) -> None:
    answer = read(chat(choice("stop", content=""), **beside))

    assert (answer.status, answer.error_code, answer.content) == (ANSWERED, "answer_empty", "")
    assert extra(answer) == beside


@pytest.mark.parametrize("body", [{}, {"body": None}, {"body": {}}, {"body": []}, {"body": ""}])
@pytest.mark.parametrize(
    "beside",
    [
        {"headers": {"x": "y"}}, {"latency_ms": 5}, {"result": "success"}, {"message": "OK"},
        {"code": "0", "msg": "success"}, {"trace": ["a"], "success": True},
    ],
)  # fmt: skip
def test_an_empty_body_is_one_whatever_else_the_response_holds(
    body: dict[str, Any], beside: dict[str, Any]
) -> None:
    response = {"status_code": 200, "request_id": "r", **body, **beside}

    answer = parse_result_line(json.dumps({"custom_id": "q", "response": response}).encode())

    assert answer is not None
    assert (answer.status, answer.error_code, answer.retryable) == (REFUSED, "empty_body", True)
    assert extra(answer) == beside


@pytest.mark.parametrize(
    ("beside", "code"),
    [
        ({"error": {"code": "c", "message": "m"}}, "c"),
        ({"usage": USAGE}, "no_answer"),
        ({"message": "quota", "headers": {"x": "y"}}, "no_answer"),
    ],
)
def test_a_response_without_its_box_may_say_why_there_is_no_answer(beside: dict[str, Any], code: str) -> None:
    response = {"status_code": 200, "request_id": "r", "body": {}, **beside}

    answer = parse_result_line(json.dumps({"custom_id": "q", "response": response}).encode())

    assert answer is not None
    assert (answer.status, answer.error_code, answer.retryable) == (REFUSED, code, False)


@pytest.mark.parametrize(
    ("reason", "code"),
    [("stop", ""), ("length", ""), ("content_filter", ""), ("network_error", ""), ("new_reason", "")],
)
def test_a_text_is_an_answer_however_it_ended(reason: str, code: str) -> None:
    answer = read(chat(choice(reason, content="half a sen")))

    assert (answer.status, answer.error_code, answer.finish_reason) == (ANSWERED, code, reason)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": {"message": "too long", "type": "BadRequestError", "code": 400}}, "400", "too long"),
        ({"error": {"message": "too long", "type": "BadRequestError"}}, "BadRequestError", "too long"),
        ({"error": "plain words"}, "no_answer", "plain words"),
        ({"error": "Unauthorized", "message": "no key"}, "no_answer", "no key"),
        ({"detail": "Not Found"}, "no_answer", "Not Found"),
        ({"detail": [{"loc": ["body"], "msg": "field required", "type": "missing"}]}, "missing", "field required"),
        ({"detail": [{"msg": "a"}, {"msg": "b"}]}, "no_answer", '[{"msg":"a"},{"msg":"b"}]'),
        ({"code": "InvalidParameter", "message": "参数错误"}, "InvalidParameter", "参数错误"),
        ({"object": "error", "message": "too long", "code": 40303}, "40303", "too long"),
        ({"error_code": 17, "error_msg": "quota"}, "17", "quota"),
        ({"Code": "Denied", "Message": "no"}, "Denied", "no"),
        ({"errors": [{"code": 1000, "message": "no model"}], "success": False}, "1000", "no model"),
        ({"error": {"error": {"code": "deep", "message": "words"}}}, "deep", "words"),
        ([{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}], "503", "overloaded"),
        ('{"error": {"code": "x", "message": "in a text"}}', "x", "in a text"),
        ("upstream connect error", "no_answer", "upstream connect error"),
        ("<html>502 Bad Gateway</html>\n", "no_answer", "<html>502 Bad Gateway</html>"),
        ({"choices": [], "error": {"code": "blocked", "message": "unsafe"}}, "blocked", "unsafe"),
        (chat({"index": 0, "error": {"code": 502, "message": "lost"}, "message": {}}), "502", "lost"),
        (chat(choice("error", content=""), error={"code": "c", "message": "m"}), "c", "m"),
    ],
)  # fmt: skip
def test_an_error_under_http_200_is_no_answer(body: Any, code: str, message: str) -> None:
    answer = read(body)

    assert (answer.status, answer.error_code, answer.error_message) == (REFUSED, code, message)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": "plain words"}, "400", "plain words"),
        ({"detail": "words"}, "400", "words"),
        ({"message": "words"}, "400", "words"),
        ({"msg": "words"}, "400", "words"),
        ({"error": {"message": "words", "code": "c"}}, "c", "words"),
        ({"error": {"code": "c"}}, "c", ""),
        ("plain words", "400", "plain words"),
        (" plain words\n", "400", "plain words"),
    ],
)
def test_the_providers_words_reach_the_error_message(body: Any, code: str, message: str) -> None:
    answer = read(body, 400)

    assert (answer.status, answer.error_code, answer.error_message) == (REFUSED, code, message)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ("the whole batch failed", "unknown", "the whole batch failed"),
        ({"code": "A", "message": "b"}, "A", "b"),
        ({"message": "b"}, "unknown", "b"),
        ({"code": "A", "message": None}, "A", ""),
        ({"code": "batch_expired", "message": "late"}, "batch_expired", "late"),
        ([{"code": "A", "message": "b"}], "A", "b"),
        ({"code": "A", "message": {"code": "B", "message": "inner"}}, "B", "inner"),
    ],
)
def test_an_error_beside_no_response(error: Any, code: str, message: str) -> None:
    answer = parse_result_line(json.dumps({"custom_id": "q", "response": None, "error": error}).encode())

    assert answer is not None
    assert answer.status is (EXPIRED if "expired" in code else REFUSED)
    assert (answer.error_code, answer.error_message) == (code, message)


def test_what_else_an_error_says_is_kept() -> None:
    error = {"code": "c", "message": "m", "param": "messages", "type": None, "innererror": {"filtered": True}}

    answer = read({"error": error, "trace": "t"}, 400)

    assert extra(answer) == {"param": "messages", "innererror": {"filtered": True}, "trace": "t"}


def test_two_errors_of_one_row_are_both_told() -> None:
    answer = read({"error": {"code": "B", "message": "inner"}}, 500, error={"code": "A", "message": "outer"})

    assert (answer.error_code, answer.error_message) == ("A", "outer / inner")
    assert extra(answer) == {"code": "B"}


@pytest.mark.parametrize("status_code", [200, 201, "200", None])
def test_an_answer_counts_under_any_status_of_success(status_code: Any) -> None:
    answer = read(chat(choice(content="x")), status_code)

    assert (answer.status, answer.content) == (ANSWERED, "x")


LIMITED = {"code": "rate_limit_exceeded", "message": "slow down"}
NATIVE = {"output": {"text": "x", "finish_reason": "stop"}, "usage": {"input_tokens": 5, "output_tokens": 7}}
VECTOR = {"data": [item([0.5, 1.5])], "model": "e", "usage": USAGE}


@pytest.mark.parametrize(
    ("body", "status_code", "error", "content", "words"),
    [
        (chat(choice(content="x")), 500, None, "x", "500"),
        (chat(choice(content="x")), 503, None, "x", "503"),
        (chat(choice(content="x")), 429, None, "x", "429"),
        (chat(choice(content="x")), 400, None, "x", "400"),
        (chat(choice(content="x")), "500", None, "x", "500"),
        (chat(choice(None, content="x"), usage=None), 500, None, "x", "500"),
        ({"choices": [{"message": {"content": "x"}}]}, 500, None, "x", "500"),
        (chat(choice("length", content="half a sen")), 500, None, "half a sen", "500"),
        (chat(choice("error", content="half")), 500, None, "half", "500"),
        (chat(choice(content="x")), 200, LIMITED, "x", "rate_limit_exceeded: slow down"),
        (chat(choice(content="x")), None, LIMITED, "x", "rate_limit_exceeded: slow down"),
        (chat(choice(content="x")), 429, LIMITED, "x", "rate_limit_exceeded: slow down"),
        (chat(choice(content="x")), 200, {"code": "batch_expired", "message": "late"}, "x", "batch_expired: late"),
        (chat(choice(content="x")), 200, "server_error", "x", "200: server_error"),
        (chat(choice(content="x"), error={"code": 502, "message": "lost"}), 200, None, "x", "502: lost"),
        (chat(choice(content="x"), error={"code": 502, "message": "lost"}), 502, None, "x", "502: lost"),
        (chat(choice("tool_calls", content=None, tool_calls=[{"id": "1"}])), 500, None, '[{"id":"1"}]', "500"),
        (chat(choice(content="a"), choice(content="b", index=1)), 500, None, '["a","b"]', "500"),
        (VECTOR, 500, None, "[0.5,1.5]", "500"),
        (VECTOR, 200, LIMITED, "[0.5,1.5]", "rate_limit_exceeded: slow down"),
        (NATIVE, 500, None, "x", "500"),
        (json.dumps(chat(choice(content="x"))), 500, None, "x", "500"),
    ],
)  # fmt: skip
def test_an_answer_is_one_whatever_error_came_with_it(
    body: Any, status_code: Any, error: Any, content: str, words: str
) -> None:
    answer = read(body, status_code, error=error)

    assert (answer.status, answer.error_code, answer.retryable) == (ANSWERED, "answer_with_error", False)
    assert answer.content == content
    assert f"：{words}。" in answer.error_message
    assert (extra(answer) or {}).get("error") == (error or (body.get("error") if "error" in body else None))


@pytest.mark.parametrize(
    "error", [{}, [], "", False, {"code": None}, {"code": "0", "message": "success"}, "OK"]
)
def test_an_error_that_says_there_was_none_is_none(error: Any) -> None:
    answer = read(chat(choice(content="x")), error=error)

    assert (answer.status, answer.error_code, answer.error_message) == (ANSWERED, "", "")


@pytest.mark.parametrize(
    ("body", "status_code", "error"),
    [
        (chat(choice("stop", content=None, reasoning_content="so far")), 500, None),
        (chat(choice("stop", content="", reasoning="so far")), 200, LIMITED),
        (chat(choice(None, content=[THOUGHT])), 503, None),
    ],
)
def test_thinking_that_came_with_an_error_is_not_lost_by_sending_the_row_again(
    body: Any, status_code: int, error: Any
) -> None:
    answer = read(body, status_code, error=error)

    assert (answer.status, answer.retryable) == (REFUSED, False)
    assert answer.reasoning_content


@pytest.mark.parametrize(
    "body",
    [
        chat(choice(None, content="")), chat(choice("stop", content=" ")), chat(), None, "Bad Gateway",
        {"message": "Internal error"}, {"content": "Service Unavailable"}, {"text": "try again"},
        {"error": {"message": "busy"}}, chat(choice(content=None), error={"message": "busy"}),
    ],
)  # fmt: skip
def test_an_error_without_an_answer_is_sent_again(body: Any) -> None:
    answer = read(body, 500)

    assert (answer.status, answer.retryable) == (REFUSED, True)


_PASSING = (
    "limit_requests", "LimitRequests", "Limit.Requests", "TooManyRequests", "Too Many Requests", "too-many-requests",
    "TooManyRequestsException", "ServerError", "system_error", "SystemError", "ModelServingError", "BadGateway",
    "bad_gateway", "BadGatewayError", "APIConnectionError", "APITimeoutError", "connection error", "TimedOut",
    "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "INTERNAL", "Rate limit reached", "ServerOverloaded",
    "RateLimitExceeded.EndpointTPMExceeded", "rpm_rate_limit_exceeded", "api_error",
    "RequestBurstTooFast", "InflightBatchsizeExceeded", "QuotaExceeded", "SetLimitExceeded", "AccountOverdueError",
    "OperationDenied.ServiceOverdue",
    "1120", "1234", "1302", "1303", "1305", "1312", "336501", "336502",
)  # fmt: skip
_LASTING = (
    "insufficient_quota", "exceeded_current_quota_error", "DataInspectionFailed", "data_inspection_failed", "Arrearage",
    "InvalidApiKey", "model_not_found", "context_length_exceeded", "AccessDenied", "BadRequest",
    "PERMISSION_DENIED", "1000", "1001", "1002", "1113", "1301", "1304", "1308", "13020", "01302", "336503",
)  # fmt: skip


@pytest.mark.parametrize(
    ("code", "status_code", "is_again"),
    [
        ("InvalidParameter", 400, False),
        ("InvalidParameter", None, False),
        ("x", 408, True),
        ("x", 429, True),
        ("x", 500, True),
        ("x", 503, True),
        ("429", 200, True),
        ("503", 200, True),
        ("400", 200, False),
        ("1000", 200, False),
        ("Throttling.RateQuota", None, True),
        ("rate_limit_exceeded", 400, True),
        ("RequestTimeOut", None, True),
        ("ServiceUnavailable", None, True),
        ("InternalError.Algo", 400, True),
        ("overloaded_error", 200, True),
        ("server_error", 200, True),
        ("batch_expired", None, True),
        ("missing", 400, False),
        ("unknown", None, False),
        *((code, None, True) for code in _PASSING),
        *((code, None, False) for code in _LASTING),
    ],
)
def test_which_of_the_providers_codes_are_sent_again(
    code: str, status_code: int | None, is_again: bool
) -> None:
    assert is_sent_again(code, status_code) is is_again


@pytest.mark.parametrize(
    ("status", "problems", "row", "code"),
    [
        (BatchStatus.COMPLETED, (), RowStatus.MISSING, "missing"),
        (BatchStatus.EXPIRED, (), RowStatus.EXPIRED, "expired"),
        (BatchStatus.CANCELLED, (), RowStatus.CANCELLED, "cancelled"),
        (BatchStatus.UNKNOWN, (), RowStatus.EXPIRED, "never_ended"),
        (BatchStatus.RUNNING, (), RowStatus.EXPIRED, "never_ended"),
        (BatchStatus.FAILED, (), RowStatus.REFUSED, "batch_failed"),
    ],
)
def test_the_end_of_a_batch_gives_reasons_in_both_languages(
    status: BatchStatus, problems: tuple[Any, ...], row: RowStatus, code: str
) -> None:
    state = BatchState(BatchId("b"), status, status.value, problems=problems)

    once, again = (
        BatchVerdict(state, ("cancel",), attempts_left=left).settle("q", 1, None) for left in (0, 1)
    )

    assert isinstance(once, Answer)
    assert (once.status, once.error_code, again is None) == (row, code, OWN_CODES[code])
    assert f"[{code}] / " in once.error_message


def test_rows_whose_batch_broke_off_say_why_and_are_sent_again() -> None:
    state = BatchState(BatchId("b"), BatchStatus.EXPIRED, "FAILED", broken_off="FAILED (no such image)")

    once, again = (
        BatchVerdict(state, ("cancel",), attempts_left=left).settle("q", 1, None) for left in (0, 1)
    )

    assert again is None
    assert isinstance(once, Answer)
    assert (once.status, once.error_code) == (RowStatus.EXPIRED, "broken_off")
    assert once.error_message.endswith(" / FAILED (no such image)")


def test_every_code_of_ours_has_its_texts() -> None:
    assert OWN_CODES.keys() <= MESSAGES.keys()
