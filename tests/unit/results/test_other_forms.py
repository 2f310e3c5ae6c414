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
        ({"candidates": [{"finishReason": "SAFETY"}]}, "no_answer"),
        ({"text": ["a", "b"]}, "no_answer"),
        ({"predictions": ["a"]}, "no_answer"),
        ({"response": 17}, "no_answer"),
        ({"status": "error", "text": "a"}, "no_answer"),
        ({"success": False, "result": "a"}, "no_answer"),
        ({"code": "Throttling", "text": "a"}, "Throttling"),
        ({"error": {"code": "c", "message": "m"}, "response": "a"}, "c"),
        ({"code": 500, "data": chat(choice(content="a"))}, "500"),
    ],
)
def test_what_is_in_doubt_is_no_answer_and_kept(body: dict[str, Any], code: str) -> None:
    answer = read(body)

    assert (answer.status, answer.error_code, answer.content) == (RowStatus.REFUSED, code, "")
    said = {"code", "error", "status", "success"}
    assert extra(answer) == {key: value for key, value in body.items() if key not in said}


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
