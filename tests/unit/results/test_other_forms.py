"""A paid text that came in another form than OpenAI's stands in content, if there is only one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.results.columns import RowStatus
from shared.results.replies.result_lines import parse_result_line
from tests.unit.results.test_paid_content import CALL, USAGE, chat, choice, extra, read

COUNTS = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
MESSAGE = {"role": "assistant", "content": "text"}
GEMINI = {"parts": [{"text": "why", "thought": True}, {"text": "te"}, {"text": "xt"}], "role": "model"}
RESPONSE = [
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "why"}]},
    {"type": "message", "content": [{"type": "output_text", "text": "text", "annotations": []}]},
]


@pytest.mark.parametrize(
    ("body", "reason", "thinking", "tokens", "beside"),
    [
        ({"message": MESSAGE, "done": True, "done_reason": "stop", "prompt_eval_count": 1, "eval_count": 2}, "stop", "", (1, 2, None), {"done": True, "prompt_eval_count": 1, "eval_count": 2}),
        ({"message": {**MESSAGE, "thinking": "why"}, "done_reason": "length"}, "length", "why", (), None),
        ({"response": "text", "thinking": "why", "context": [1]}, "", "why", (), {"context": [1]}),
        ({"output": {"text": "text", "finish_reason": "stop"}, "usage": COUNTS}, "stop", "", (1, 2, 3), None),
        ({"output": {"text": None, "choices": [choice(content=[{"text": "text"}], reasoning_content="why")]}, "usage": COUNTS}, "stop", "why", (1, 2, 3), None),
        ({"candidates": [{"content": GEMINI, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3}}, "stop", "why", (1, 2, 3), {"usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3}}),
        ({"candidates": [{"content": GEMINI, "finishReason": "MAX_TOKENS"}]}, "length", "why", (), None),
        ({"object": "response", "status": "completed", "output": RESPONSE, "usage": COUNTS}, "stop", "why", (1, 2, 3), None),
        ({"object": "response", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": RESPONSE, "output_text": "text"}, "length", "why", (), {"status": "incomplete"}),
        ({"output": [{"type": "message", "content": {"type": "output_text", "text": "text"}}]}, "", "", (), None),
        ({"choices": [{"text": "text", "index": 0, "logprobs": None, "finish_reason": "length"}], "usage": USAGE}, "length", "", (5, 7, 12), None),
        ({"choices": [{"delta": MESSAGE, "index": 0, "finish_reason": "stop"}]}, "stop", "", (), None),
        ({"content": [{"type": "thinking", "thinking": "why"}, {"type": "text", "text": "text"}], "stop_reason": "end_turn", "usage": COUNTS}, "stop", "why", (1, 2, 3), None),
        ({"content": "text", "stop": True}, "", "", (), {"stop": True}),
        ({"output": {"message": {"content": [{"text": "text"}]}}, "stopReason": "max_tokens"}, "length", "", (), None),
        ({"code": 0, "msg": "ok", "data": chat(choice(content="text"))}, "stop", "", (5, 7, 12), {"code": 0, "msg": "ok"}),
        ({"result": chat(choice(content="text")), "success": True}, "stop", "", (5, 7, 12), {"success": True}),
        ([{"generated_text": "text"}], "", "", (), None),
        ({"text": ["text"], "usage": 5}, "", "", (), {"usage": 5}),
        ({"result": "text", "error_code": 0}, "", "", (), {"error_code": 0}),
        ({"output": "text", "output_text": "text", "error": None}, "", "", (), None),
    ],
)  # fmt: skip
def test_the_one_text_is_the_answer(
    body: Any, reason: str, thinking: str, tokens: tuple[Any, ...], beside: Any
) -> None:
    answer = read(body)

    assert (answer.status, answer.error_code) == (RowStatus.ANSWERED, "answer_in_other_form")
    assert (answer.content, answer.reasoning_content, answer.finish_reason) == ("text", thinking, reason)
    assert (answer.prompt_tokens, answer.completion_tokens, answer.total_tokens) == (tokens or (None,) * 3)
    assert extra(answer) == beside
    assert answer.error_message.endswith("[answer_in_other_form]")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": "a", "response": "b"}, "no_answer"),
        ({"output": {"text": "a"}, "result": "b"}, "no_answer"),
        ({"text": ["a", "b"]}, "no_answer"),
        ({"predictions": ["a"]}, "no_answer"),
        ({"response": 17}, "no_answer"),
        ({"status": "error", "text": "a"}, "no_answer"),
        ({"success": False, "result": "a"}, "no_answer"),
        ({"code": "Throttling", "text": "a"}, "Throttling"),
        ({"error": {"code": "c", "message": "m"}, "response": "a"}, "c"),
        ({"code": 500, "data": chat(choice(content="a"))}, "500"),
        ({"status": "FAILED", "result": "quota exceeded"}, "no_answer"),
        ({"status": "Error", "text": "a"}, "no_answer"),
        ({"status": "cancelled", "text": "a"}, "no_answer"),
        ({"status": 500, "result": "quota exceeded"}, "no_answer"),
        ({"success": "false", "result": "a"}, "no_answer"),
        ({"success": "False", "data": {"text": "a"}}, "no_answer"),
        ({"success": 0, "text": "a"}, "no_answer"),
        ({"ok": False, "text": "a"}, "no_answer"),
        ({"output": {"task_status": "FAILED", "text": "none"}}, "no_answer"),
        ({"output": {"task_status": "Running", "text": "half"}}, "no_answer"),
        ({"task_status": "failed", "output": {"text": "a"}}, "no_answer"),
        ({"result": "queued"}, "no_answer"),
        ({"result": "OK"}, "no_answer"),
        ({"result": "In progress"}, "no_answer"),
        ({"data": {"result": "success"}}, "no_answer"),
        ({"candidates": [{"content": {"parts": [None]}}]}, "no_answer"),
        ({"candidates": [{"content": {"parts": [[], "", None]}}]}, "no_answer"),
        ({"content": [None]}, "no_answer"),
        ({"data": {"data": {"data": {"data": {"text": "a"}}}}}, "no_answer"),
    ],
)
def test_what_is_in_doubt_is_no_answer_and_kept(body: dict[str, Any], code: str) -> None:
    answer = read(body)

    assert (answer.status, answer.error_code, answer.content) == (RowStatus.REFUSED, code, "")
    said = {"code", "error", "success"}  # which are told, or silent
    assert extra(answer) == {key: value for key, value in body.items() if key not in said}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "Service busy", "result": "fail"}, "Service busy"),
        ({"message": "Service busy", "result": "try later"}, "Service busy"),
        ({"msg": "排队中", "result": "请稍候"}, "排队中"),
        ({"msg": "请求未成功", "result": "请稍候"}, "请求未成功"),
        ({"detail": "Not found", "response": "none"}, "Not found"),
        ({"error_message": "quota", "text": "none"}, "quota"),
    ],
)
def test_words_of_the_service_are_no_answer(body: dict[str, Any], message: str) -> None:
    answer = read(body)

    assert (answer.status, answer.error_message, answer.content) == (RowStatus.REFUSED, message, "")


@pytest.mark.parametrize(
    "body",
    [
        {"candidates": ["text"]},
        {"data": {"choices": ["text"]}},
        {"output": {"choices": ["text"]}, "done_reason": "stop"},
        {"candidates": [{"content": "text"}]},
        {"candidates": [{"content": {"parts": [None, "text"]}}]},
        {"data": {"data": {"data": {"text": "text"}}}},
        {"code": 0, "message": "操作成功", "result": "text"},
        {"success": True, "message": "done", "result": "text"},
        {"message": "OK", "result": "text"},
        {"message": "请求成功", "result": "text"},
        {"msg": "Success", "result": "text"},
        {"error": False, "text": "text"},
        {"error": None, "detail": "", "text": "text"},
        {"errors": [], "code": {}, "text": "text"},
        {"status": "SUCCEEDED", "output": {"text": "text"}},
        {"text": "text", "result": "ok"},
        {"response": "text", "thinking": True},
        {"response": "text", "reasoning": {"effort": "low"}},
        {"message": {"content": "text", "thinking": False}},
    ],
)
def test_odd_replies_with_one_text_are_read(body: dict[str, Any]) -> None:
    answer = read(body)

    assert (answer.status, answer.error_code) == (RowStatus.ANSWERED, "answer_in_other_form")
    assert (answer.content, answer.reasoning_content) == ("text", "")


def test_a_switch_for_thinking_is_kept_and_is_no_thinking() -> None:
    kept = [
        extra(read(body))
        for body in (
            {"response": "text", "thinking": True},
            {"message": {"content": "text", "thinking": True}},
            chat(choice(content="text", reasoning=False)),
        )
    ]

    assert kept == [{"thinking": True}, {"thinking": True}, {"reasoning": False}]


def test_a_body_of_an_unknown_form_is_said_to_stand_in_extra() -> None:
    message = read({"predictions": ["a"]}).error_message

    assert "返回的其他内容都在 extra 列" in message
    assert "Whatever else came back is in extra" in message


def test_several_choices_of_an_older_form_are_all_kept() -> None:
    answer = read({"choices": [{"text": "b", "index": 1}, {"text": "a", "index": 0}]})

    assert (answer.error_code, answer.content) == ("answer_in_other_form", '["a","b"]')


def test_calls_are_an_answer_too() -> None:
    answer = read({"message": {"content": "", "tool_calls": [CALL]}})

    assert (answer.error_code, json.loads(answer.content)) == ("answer_in_other_form", [CALL])


@pytest.mark.parametrize("response", [chat(choice(content="text")), {"text": "text"}])
@pytest.mark.parametrize("body", [{}, {"body": None}])
def test_a_reply_without_its_box_is_read(response: dict[str, Any], body: dict[str, Any]) -> None:
    line = {"custom_id": "q", "response": {"status_code": 200, **response, **body}, "error": None}

    answer = parse_result_line(json.dumps(line).encode())

    assert answer is not None
    assert (answer.status, answer.content) == (RowStatus.ANSWERED, "text")


V, W = [0.5, -1.5], [2, 3.5]


@pytest.mark.parametrize(
    ("body", "content", "beside"),
    [
        ({"model": "e", "embeddings": [V], "total_duration": 3}, V, {"total_duration": 3}),
        ({"model": "e", "embeddings": [V, W]}, [V, W], None),
        ({"embedding": V}, V, None),
        ({"output": {"embeddings": [{"text_index": 1, "embedding": W}, {"text_index": 0, "embedding": V}]}}, [V, W], None),
        ({"output": {"embeddings": [{"text_index": 0, "embedding": V, "sparse": 1}]}}, V, {"sparse": 1}),
        ({"id": "c", "embeddings": {"float": [V, W]}, "texts": ["a", "b"]}, [V, W], {"texts": ["a", "b"]}),
        ({"embeddings": {"int8": [[1, -2]]}}, [1, -2], None),
        ([V], V, None),
        ([V, W], [V, W], None),
        ({"code": 0, "message": "ok", "embeddings": [V]}, V, {"code": 0, "message": "ok"}),
    ],
)  # fmt: skip
def test_vectors_in_other_forms(body: Any, content: Any, beside: Any) -> None:
    answer = read(body)

    assert (answer.status, answer.error_code) == (RowStatus.ANSWERED, "answer_in_other_form")
    assert (json.loads(answer.content), extra(answer)) == (content, beside)


def test_the_tokens_of_vectors_in_other_forms_are_counted() -> None:
    answer = read({"output": {"embeddings": [{"embedding": V}]}, "usage": {"total_tokens": 3}})

    assert (answer.total_tokens, json.loads(answer.usage)) == (3, {"total_tokens": 3})


@pytest.mark.parametrize(
    "body",
    [
        {"embeddings": []}, {"embeddings": [[]]}, {"embeddings": [["a"]]}, {"embeddings": [[True]]}, [1, 2, 3], ["a"],
        {"embeddings": {"float": [V], "int8": [[1]]}}, {"embeddings": [V, {"embedding": None}]}, [V, "a"],
        {"output": {"embeddings": [{"sparse_embedding": [{"index": 1, "value": 2.0}]}]}},
        {"embeddings": [V], "error": "bad"}, {"embeddings": [V], "status": "failed"},
    ],
)  # fmt: skip
def test_what_may_be_no_vector_is_none(body: Any) -> None:
    assert read(body).status is RowStatus.REFUSED


@pytest.mark.parametrize(
    ("body", "is_again"),
    [
        ({"output": {"text": "text", "finish_reason": "stop"}, "usage": COUNTS}, False),
        ({"message": MESSAGE, "done_reason": "length"}, False),
        ({"candidates": [{"content": GEMINI, "finishReason": "STOP"}]}, False),
        ({"content": [{"type": "text", "text": "text"}], "stop_reason": "end_turn"}, False),
        ({"data": chat(choice(content="text"))}, False),
        ({"data": {"output": {"text": "text", "finish_reason": "stop"}, "code": "Internal"}}, False),
        ({"output": {"text": "text", "finish_reason": "null"}}, True),
        ({"output": {"text": "", "finish_reason": "stop"}}, True),
        ({"output": {"text": "text", "finish_reason": "error"}}, True),
        ({"text": "try later"}, True),
        ({"output": None}, True),
    ],
)
@pytest.mark.parametrize(
    "error",
    [
        {"code": "InternalError", "error_message": "x"},
        {"error": {"code": "server_error", "message": "x"}},
        {"error": "x", "code": 503},
    ],
)
@pytest.mark.parametrize("status", [200, 500])
def test_a_text_beside_an_error_of_its_body_is_kept_and_not_paid_for_again(
    status: int, error: dict[str, Any], body: dict[str, Any], is_again: bool
) -> None:
    line = {"custom_id": "1", "response": {"status_code": status, "body": {**body, **error}}, "error": None}

    answer = parse_result_line(json.dumps(line).encode())

    assert answer is not None
    assert (answer.status, answer.retryable) == (RowStatus.REFUSED, is_again)
    if not is_again:
        assert "te" in answer.extra + answer.error_message
