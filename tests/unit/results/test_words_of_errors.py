"""What a provider says of an error reaches the row, wherever it stands; an empty error is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.results.columns import Answer, RowStatus
from shared.results.replies.result_lines import parse_result_line
from tests.unit.results.test_paid_content import chat, choice, extra, read


def line_of(response: Any, error: Any = None) -> Answer:
    answer = parse_result_line(json.dumps({"custom_id": "q", "response": response, "error": error}).encode())
    assert answer is not None
    return answer


GOOGLE = [{"@type": "type.googleapis.com/google.rpc.BadRequest"}]
INNER = [{"code": "X1", "message": "Inner"}]


@pytest.mark.parametrize(
    ("body", "code", "message", "beside"),
    [
        ({"error": {"code": 400, "message": "Invalid", "status": "INVALID_ARGUMENT", "details": GOOGLE}},
         "400", "Invalid", {"status": "INVALID_ARGUMENT", "details": GOOGLE}),
        ({"error": {"code": 400, "message": "Outer", "details": INNER}}, "400", "Outer", {"details": INNER}),
        ({"code": "X", "message": "m", "details": {"reason": "r"}}, "X", "m", {"details": {"reason": "r"}}),
        ({"code": 3, "message": "m", "details": []}, "3", "m", None),
        ({"message": "", "details": INNER}, "X1", "Inner", None),
        ({"error": {"code": 403, "message": "Top", "errors": [{"reason": "a"}, {"reason": "b"}]}},
         "403", "Top", {"errors": [{"reason": "a"}, {"reason": "b"}]}),
        ({"errors": {"model": ["may not be empty"]}}, "400", '{"model":["may not be empty"]}', None),
        ({"errors": {"messages": ["required"], "usage": ["bad"]}}, "400",
         '{"messages":["required"],"usage":["bad"]}', None),
        ({"detail": {"model": "unknown field"}}, "400", '{"model":"unknown field"}', None),
        ({"error": {"status": "NOT_FOUND"}}, "400", '{"status":"NOT_FOUND"}', None),
        ({"error": {"message": "m", "model": "qwen-x", "created": 5, "usage": {"a": 1}, "request_id": "r"}},
         "400", "m", {"model": "qwen-x", "created": 5, "usage": {"a": 1}, "request_id": "r"}),
        ({"timestamp": "t", "status": 400, "error": "Bad Request", "path": "/p"}, "400", "Bad Request",
         {"timestamp": "t", "status": 400, "path": "/p"}),
        ({"Response": {"Error": {"Code": "FailedOperation", "Message": "quota"}, "RequestId": "x"}},
         "FailedOperation", "quota", {"RequestId": "x"}),
        ({"ResponseMetadata": {"Error": {"Code": "C", "Message": "M"}}}, "C", "M", None),
        ({"message": "Too many tokens", "__type": "ThrottlingException"}, "ThrottlingException", "Too many tokens", None),
        ({"base_resp": {"status_code": 1026, "status_msg": "new_sensitive"}}, "1026", "new_sensitive", None),
    ],
)  # fmt: skip
def test_the_words_beside_the_code_are_the_message(body: Any, code: str, message: str, beside: Any) -> None:
    answer = read(body, 400)

    assert (answer.status, answer.error_code, answer.error_message) == (RowStatus.REFUSED, code, message)
    assert extra(answer) == beside


@pytest.mark.parametrize("key", ["status", "state", "task_status"])
@pytest.mark.parametrize("word", ["failed", "FAILED", "error", "cancelled"])
def test_a_state_under_http_200_is_kept(key: str, word: str) -> None:
    answer = read({key: word})

    assert (answer.status, answer.error_code, extra(answer)) == (RowStatus.REFUSED, "no_answer", {key: word})


@pytest.mark.parametrize(
    ("response", "code", "message"),
    [
        ("504 Gateway Time-out", "unknown", "504 Gateway Time-out"),
        ("<html>502</html>", "unknown", "<html>502</html>"),
        (["a", "b"], "unknown", '["a","b"]'),
        ([{"code": "x", "message": "m"}], "x", "m"),
        ({"code": "x", "message": "m"}, "x", "m"),
        ('{"code": "x", "message": "m"}', "x", "m"),
        (503, "unknown", "503"),
        (False, "unknown", "false"),
    ],
)
def test_a_response_that_is_no_object_is_told(response: Any, code: str, message: str) -> None:
    answer = line_of(response)

    assert (answer.status, answer.error_code, answer.error_message) == (RowStatus.REFUSED, code, message)


SUCCEEDED = {"role": "assistant", "content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn"}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"body": chat(choice(content="x"))}, ""),
        ({"body": chat(choice(content="x")), "status_code": 200}, ""),
        (chat(choice(content="x")), ""),
        ({"response": {}, "body": chat(choice(content="x"))}, ""),
        ({"result": {"type": "succeeded", "message": SUCCEEDED}}, "answer_in_other_form"),
        ({"body": {"output": {"text": "x"}}}, "answer_in_other_form"),
    ],
)
def test_an_answer_in_the_place_of_the_response_is_one(line: dict[str, Any], code: str) -> None:
    answer = parse_result_line(json.dumps({"custom_id": "q", "error": None, **line}).encode())

    assert answer is not None
    assert (answer.status, answer.error_code, answer.content) == (RowStatus.ANSWERED, code, "x")


def test_an_error_in_the_place_of_the_response_is_told() -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "bad"}}
    line = {"custom_id": "q", "result": {"type": "errored", "error": error}}

    answer = parse_result_line(json.dumps(line).encode())

    assert answer is not None
    assert (answer.status, answer.error_code, answer.error_message) == (
        RowStatus.REFUSED, "invalid_request_error", "bad",
    )  # fmt: skip


def test_a_status_of_0_is_none() -> None:
    answer = read(chat(choice(content="x")), 0)

    assert (answer.status, answer.error_code, answer.content) == (RowStatus.ANSWERED, "", "x")


@pytest.mark.parametrize("as_text", [True, False])
def test_a_response_in_a_text_or_a_list_is_one(as_text: bool) -> None:
    response = {"status_code": 200, "request_id": "r", "body": chat(choice(content="x"))}

    answer = line_of(json.dumps(response) if as_text else [response])

    assert (answer.status, answer.content, answer.request_id) == (RowStatus.ANSWERED, "x", "r")


@pytest.mark.parametrize(
    ("response", "error", "code"),
    [
        (None, None, "unknown"),
        ({}, {}, "unknown"),
        ("", "", "unknown"),
        (None, {"code": "", "message": ""}, "unknown"),
        (None, "null", "unknown"),
        ({"status_code": 400, "body": {}}, None, "400"),
        ({"status_code": 500}, None, "500"),
        ({"status_code": 503, "body": "null"}, None, "503"),
    ],
)
def test_a_row_without_any_words_says_so(response: Any, error: Any, code: str) -> None:
    answer = line_of(response, error)

    assert (answer.status, answer.error_code) == (RowStatus.REFUSED, code)
    assert answer.error_message.endswith("[unknown]")


NONE = [
    {"code": "", "message": ""}, {"code": None, "message": None}, {"code": None}, "null", "None", "NULL",
    "nil", "undefined", "N/A", "-", False, 0, {"code": "Success", "message": ""}, {"code": "null", "message": "null"},
    {"code": 0, "message": "success"}, {"code": 200, "message": "OK"}, [None], {"code": "", "type": "", "param": None},
]  # fmt: skip


@pytest.mark.parametrize("error", NONE)
def test_an_empty_error_beside_an_answer_is_none(error: Any) -> None:
    beside = read(chat(choice(content="x")), error=error)
    within = read(chat(choice(content="x"), error=error))

    assert (beside.status, beside.content, beside.error_code) == (RowStatus.ANSWERED, "x", "")
    assert (within.status, within.content, within.error_code) == (RowStatus.ANSWERED, "x", "")


@pytest.mark.parametrize(
    "error", [True, "nothing left", {"code": "null", "message": "Boom"}, {"code": "Bad"}, {"status": "BAD"}]
)
def test_an_error_that_says_anything_is_told_beside_the_answer(error: Any) -> None:
    answer = read(chat(choice(content="x")), error=error)

    assert (answer.status, answer.error_code) == (RowStatus.ANSWERED, "answer_with_error")
    assert extra(answer) == {"error": error}


@pytest.mark.parametrize("choices", ["busy", 7, True])
def test_choices_that_are_none_are_kept(choices: Any) -> None:
    assert extra(read({"choices": choices}, 400)) == {"choices": choices}


@pytest.mark.parametrize("code", [0, "0", 200, "200", "ok", "Success"])
@pytest.mark.parametrize("response", [None, {"status_code": 200, "body": {}}])
def test_a_sentence_beside_a_code_of_success_is_told(code: object, response: Any) -> None:
    answer = line_of(response, {"code": code, "message": "quota exceeded for model"})

    assert (answer.status, answer.error_code, answer.error_message, answer.retryable) == (
        RowStatus.REFUSED, str(code), "quota exceeded for model", False,
    )  # fmt: skip


def test_a_sentence_in_the_place_of_the_response_is_told() -> None:
    line = {"custom_id": "q", "code": 0, "message": "quota exceeded"}

    answer = parse_result_line(json.dumps(line).encode())

    assert answer is not None
    assert (answer.error_message, answer.retryable) == ("quota exceeded", False)


def test_a_sentence_beside_an_answer_and_a_code_of_success_is_told() -> None:
    error = {"code": 0, "message": "output was cut by the moderation"}

    answer = line_of({"status_code": 200, "request_id": "r", "body": chat(choice(content="x"))}, error)

    assert (answer.content, answer.error_code) == ("x", "answer_with_error")
    assert "output was cut by the moderation" in answer.error_message


IN_OTHER_FORMS: list[tuple[dict[str, Any], str]] = [
    ({"output": {"text": "x"}, "usage": {"total_tokens": 3}}, "x"),
    ({"response": "x", "done": True}, "x"),
    ({"generated_text": "x"}, "x"),
    ({"result": "x"}, "x"),
    ({"candidates": [{"content": {"parts": [{"text": "x"}]}}]}, "x"),
    ({"embeddings": [[1.0]]}, "[1.0]"),
]


@pytest.mark.parametrize("code", [0, "0", 200, "ok", "Success"])
@pytest.mark.parametrize("said", ["cache miss", "see the log", "已排队处理", "warning: slow", "x" * 300])
@pytest.mark.parametrize(("body", "content"), IN_OTHER_FORMS)
def test_so_it_is_beside_an_answer_in_another_form(
    body: dict[str, Any], content: str, said: str, code: object
) -> None:
    answer = line_of({"status_code": 200, "body": body}, {"code": code, "message": said})

    assert (answer.status, answer.error_code) == (RowStatus.ANSWERED, "answer_with_error")
    assert answer.content == content
    assert said[:50] in answer.error_message


@pytest.mark.parametrize(("body", "content"), IN_OTHER_FORMS)
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, {"code": 17, "message": "cache miss"}),
        (200, {"message": "cache miss"}),
        (200, "cache miss"),
        (500, {"code": 0, "message": "cache miss"}),
        (429, {"code": "Success", "message": "cache miss"}),
    ],
)
def test_beside_another_code_or_status_it_is_no_answer(
    status: int, error: Any, body: dict[str, Any], content: str
) -> None:
    answer = line_of({"status_code": status, "body": body}, error)

    assert (answer.status, answer.error_message) == (RowStatus.REFUSED, "cache miss")
    assert answer.content in (content, "")


@pytest.mark.parametrize(
    "error",
    [
        {"code": 0, "message": "ok"}, {"code": 0}, {"code": "200", "message": ""}, {"message": "success"},
        *({"code": 0, "message": said} for said in (
            "Success.", "OK!", "ok.", "no error", "No errors.", "Request succeeded", "The request succeeded.",
            "Request processed successfully", "successfully processed", "normal", "Task completed", "completed.",
            "成功。", "处理完成", "任务已完成。", "请求已成功处理", "调用成功！", "正常", "正常。", "无错误", "没有错误",
        )),
        "no error", "Success.",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("body", "code"),
    [(chat(choice(content="x")), ""), *((body, "answer_in_other_form") for body, _ in IN_OTHER_FORMS)],
)
def test_an_error_that_says_success_is_none(body: dict[str, Any], code: str, error: Any) -> None:
    answer = line_of({"status_code": 200, "request_id": "r", "body": body}, error)

    assert (answer.status, answer.error_code) == (RowStatus.ANSWERED, code)


@pytest.mark.parametrize(
    "said",
    [
        "不成功", "未成功", "请求未成功。", "没有成功", "没成功", "未完成", "不能完成", "无法完成", "等待完成", "尚未处理完成",
        "部分成功", "部分完成", "不正常", "not ok", "not successful", "unsuccessful", "not completed", "abnormal",
        "request not processed", "error", "no", "无", "有错误",
    ],
)  # fmt: skip
def test_a_word_that_says_the_contrary_is_told(said: str) -> None:
    answer = line_of({"status_code": 200, "body": {}}, {"code": 0, "message": said})

    assert (answer.status, answer.error_message) == (RowStatus.REFUSED, said)
