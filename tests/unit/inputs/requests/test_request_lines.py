from __future__ import annotations

import json
from typing import Any

import pytest

from shared.formats.sizes import MB
from tests.support.reading import codes, jsonl, read_jsonl, request_line


def test_a_correct_file_passes_and_its_facts_are_known() -> None:
    content = jsonl(request_line(), request_line(custom_id="2", body={"temperature": 0.1}))

    rows, reader = read_jsonl(content)

    assert [row.custom_id for row in rows] == ["1", "2"]
    assert b"".join(row.request or b"" for row in rows) == content
    facts = reader.facts
    assert (facts.model, facts.endpoint, facts.thinking, facts.rows, facts.bad_rows) == (
        "qwen-plus",
        "/v1/chat/completions",
        None,
        2,
        0,
    )
    assert facts.warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "a\u2028\u2029\u0085b",
        "😀",
        "\x7f",
    ],
)
def test_bytes_are_passed_through_as_they_are(text: str) -> None:
    line = json.dumps(request_line(custom_id=text), ensure_ascii=False, separators=(" , ", " : "))

    rows, _ = read_jsonl(b"\xef\xbb\xbf" + line.encode() + b" \r\n \t\r\n")

    assert [row.request for row in rows] == [line.encode() + b" \n"]


def test_line_numbers_count_blank_lines_and_blank_lines_are_no_rows() -> None:
    rows, _ = read_jsonl(b"\n  \n" + jsonl(request_line()) + b"\n\n" + jsonl(request_line(custom_id="2")))

    assert [row.line for row in rows] == [3, 6]


WRONG_REQUESTS: list[tuple[dict[str, Any], str, str]] = [
    ({"custom_id": ...}, "custom_id_not_text", "custom_id"),
    ({"custom_id": 5}, "custom_id_not_text", "custom_id"),
    ({"custom_id": " "}, "empty_custom_id", "custom_id"),
    ({"custom_id": "x" * 257}, "custom_id_too_long", "custom_id"),
    ({"method": "GET"}, "wrong_method", "method"),
    ({"method": ...}, "wrong_method", "method"),
    ({"url": "/v1/chat/completion"}, "unsupported_url", "url"),
    ({"url": ["/v1/embeddings"]}, "unsupported_url", "url"),
    ({"body": "text"}, "body_not_an_object", "body"),
    ({"body": {"model": ...}}, "model_not_text", "body.model"),
    ({"body": {"model": ""}}, "model_not_text", "body.model"),
    ({"body": {"model": " \t"}}, "model_not_text", "body.model"),
    ({"body": {"model": 5}}, "model_not_text", "body.model"),
    ({"body": {"model": 0.5}}, "model_not_text", "body.model"),
    ({"body": {"model": True}}, "model_not_text", "body.model"),
    ({"body": {"model": ["qwen-plus"]}}, "model_not_text", "body.model"),
    ({"body": {"model": "qwen plus"}}, "not_a_model_name", "body.model"),
    ({"body": {"model": " qwen-plus"}}, "not_a_model_name", "body.model"),
    ({"body": {"model": "qwen-plus\n"}}, "not_a_model_name", "body.model"),
    ({"body": {"model": '"qwen-plus"'}}, "not_a_model_name", "body.model"),
    ({"body": {"model": "“qwen-plus”"}}, "not_a_model_name", "body.model"),
    ({"body": {"model": "'qwen-plus'"}}, "not_a_model_name", "body.model"),
    ({"body": {"model": "qwen-plus\u200b"}}, "not_a_model_name", "body.model"),
    ({"body": {"model": "ｑｗｅｎ-plus"}}, "not_a_model_name", "body.model"),
    ({"body": {"model": "qwen-plus,qwen-max"}}, "not_a_model_name", "body.model"),
    ({"body": {"model": "../qwen-plus"}}, "not_a_model_name", "body.model"),
    ({"body": {"model": "https://x.com/qwen"}}, "not_a_model_name", "body.model"),
    ({"body": {"model": "{{ model }}"}}, "not_a_model_name", "body.model"),
    ({"body": {"model": "\x1b[31mqwen"}}, "not_a_model_name", "body.model"),
    ({"body": {"model": "q" * 201}}, "not_a_model_name", "body.model"),
    ({"body": {"messages": []}}, "no_messages", "body.messages"),
    ({"body": {"messages": "hi"}}, "no_messages", "body.messages"),
    ({"body": {"enable_thinking": "false"}}, "thinking_not_bool", "body.enable_thinking"),
    ({"body": {"enable_thinking": None}}, "thinking_not_bool", "body.enable_thinking"),
    ({"body": {"enable_thinking": 0}}, "thinking_not_bool", "body.enable_thinking"),
    ({"body": {"extra_body": {"enable_thinking": False}}}, "extra_body", "body.extra_body"),
    ({"url": "/v1/embeddings", "body": {"messages": ...}}, "no_input", "body.input"),
    ({"url": "/v1/chat/ds-test"}, "mismatched_test_model", "url"),
    ({"body": {"model": "batch-test-model"}}, "mismatched_test_model", "url"),
]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"body": '{"messages": []}'}, '"{\\"messages\\": []}"'),
        ({"body": "{}"}, '"{}"'),
        ({"body": "text"}, "text"),
        ({"body": ...}, "-"),
        ({"body": {"enable_thinking": "true"}}, '"true"'),
        ({"body": {"enable_thinking": True, "stream": "false"}}, '"false"'),
        ({"custom_id": 5}, "5"),
    ],
)
def test_a_text_that_looks_right_without_its_quotes_is_shown_with_them(
    changes: dict[str, Any], found: str
) -> None:
    rows, _ = read_jsonl(jsonl(request_line(**changes)))

    assert [problem.found for problem in rows[0].problems] == [found]


@pytest.mark.parametrize(("changes", "code", "field"), WRONG_REQUESTS)
def test_each_rule_of_the_service_is_checked(changes: dict[str, Any], code: str, field: str) -> None:
    rows, reader = read_jsonl(jsonl(request_line(**changes)))

    assert [(problem.code, problem.line, problem.field) for problem in rows[0].problems] == [(code, 1, field)]
    assert rows[0].request is None
    assert (reader.all_problems.total, reader.facts.bad_rows) == (1, 1)


def test_all_problems_of_a_line_are_reported() -> None:
    line = b'{"custom_id": 1, "method": "post", "url": "x", "url": "y", "body": {"seed": NaN}}\n'

    _, reader = read_jsonl(line)

    assert codes(reader) == [
        "duplicate_key",
        "json_constant",
        "custom_id_not_text",
        "wrong_method",
        "unsupported_url",
        "model_not_text",
        "no_messages",
    ]


def test_an_id_may_have_256_characters_of_any_script() -> None:
    rows, _ = read_jsonl(jsonl(request_line(custom_id="号" * 256)))

    assert rows[0].problems == ()


def test_a_repeated_id_names_the_line_that_came_first() -> None:
    rows, _ = read_jsonl(jsonl(*(request_line(custom_id=name) for name in ("a", "b", "a", "a"))))

    assert [(row.line, row.problems[0].values) for row in rows if row.problems] == [
        (3, {"first_line": 1}),
        (4, {"first_line": 1}),
    ]


@pytest.mark.parametrize(
    ("second", "code"),
    [
        ({"body": {"model": "qwen-flash"}}, "mixed_model"),
        ({"url": "/v1/embeddings", "body": {"input": "x"}}, "mixed_url"),
        ({"body": {"enable_thinking": True}}, "mixed_thinking"),
    ],
)
def test_a_file_has_one_model_one_url_and_one_thinking_mode(second: dict[str, Any], code: str) -> None:
    rows, _ = read_jsonl(jsonl(request_line(), request_line(custom_id="2", **second)))

    assert rows[0].problems == ()
    assert [(problem.code, problem.values["first_line"]) for problem in rows[1].problems] == [(code, 1)]


@pytest.mark.parametrize(
    "model", ["qwen-plus", "Qwen/Qwen2.5-7B", "ep-2024:free", "qwen3:4b", "5", "通义千问"]
)
def test_any_other_name_of_a_model_is_taken(model: str) -> None:
    rows, reader = read_jsonl(
        jsonl(*(request_line(custom_id=name, body={"model": model}) for name in ("a", "b")))
    )

    assert [row.problems for row in rows] == [(), ()]
    assert reader.facts.model == model


def test_a_line_whose_model_is_no_name_does_not_decide_what_the_others_must_be() -> None:
    first = request_line(body={"model": "qwen max"})

    rows, reader = read_jsonl(jsonl(first, request_line(custom_id="2"), request_line(custom_id="3")))

    assert [bool(row.problems) for row in rows] == [True, False, False]
    assert reader.facts.model == "qwen-plus"


def test_a_wrong_first_line_does_not_decide_what_the_others_must_be() -> None:
    first = request_line(url="/chat", body={"model": ..., "enable_thinking": "no"})

    rows, reader = read_jsonl(
        jsonl(first, *(request_line(custom_id=name, body={"enable_thinking": False}) for name in "ab"))
    )

    assert [bool(row.problems) for row in rows] == [True, False, False]
    assert reader.facts.thinking is False


WRONG_LINES = [
    (b'{"custom_id": "1"', "bad_json"),
    (b"{'custom_id': 1}", "bad_json"),
    (b'{"a": 1} {"b": 2}', "bad_json"),
    (b'{"a": "tab\there"}', "bad_json"),
    (b'{"a": "nul\0here"}', "nul_character"),
    (b"[1, 2]", "not_an_object"),
    (b"null", "not_an_object"),
    ("{“custom_id”: 1}".encode(), "bad_json"),
    ('{"a": "你好"}'.encode("gb18030"), "invalid_utf8"),
    (b'{"a": "\xed\xa0\x80"}', "invalid_utf8"),
    (b"[" * 100_000, "json_too_deep"),
    (b'{"a":' * 100_000, "json_too_deep"),
    (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "json_too_deep"),
    (b"\x0b", "bad_json"),
]


@pytest.mark.parametrize(("line", "code"), WRONG_LINES, ids=range(len(WRONG_LINES)))
def test_lines_that_are_no_strict_json_are_refused_and_the_next_is_read(line: bytes, code: str) -> None:
    rows, reader = read_jsonl(line + b"\n" + jsonl(request_line()))

    assert codes(reader)[0] == code
    assert [(row.line, row.request is None) for row in rows] == [(1, True), (2, False)]


def test_the_position_of_a_wrong_byte_is_told() -> None:
    _, reader = read_jsonl(b'\n{"a": "\xff"}\n')

    problem = reader.all_problems.first[0]
    assert (problem.code, problem.line, problem.values, problem.found) == (
        "invalid_utf8",
        2,
        {"position": 8},
        "ff 22 7d",
    )


@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_json_does_not_have_are_refused(constant: bytes) -> None:
    _, reader = read_jsonl(
        jsonl(request_line(body={"top_p": 7})).replace(b'"top_p": 7', b'"top_p": ' + constant)
    )

    assert codes(reader) == ["json_constant"]


def test_half_a_surrogate_pair_is_refused_and_a_whole_pair_is_not() -> None:
    line = jsonl(request_line(custom_id="HERE"))

    _, half = read_jsonl(line.replace(b"HERE", rb"\uD83D"))
    _, whole = read_jsonl(line.replace(b"HERE", rb"\uD83D\uDE00"))
    _, escaped = read_jsonl(line.replace(b"HERE", rb"\\uD83D"))

    assert codes(half) == ["lone_surrogate"]
    assert codes(whole) == codes(escaped) == []


@pytest.mark.parametrize("digits", [40, 308])
def test_integers_that_a_float_holds_pass_through(digits: int) -> None:
    line = jsonl(request_line(body={"seed": 7})).replace(b'"seed": 7', b'"seed": ' + b"9" * digits)

    rows, _ = read_jsonl(line)

    assert rows[0].request == line


@pytest.mark.parametrize("number", [b"9" * 309, b"-" + b"9" * 1_000_000, b"1e999", b"0.1e400"])
def test_a_number_that_no_float_holds_is_refused_since_it_may_fail_the_batch(number: bytes) -> None:
    line = jsonl(request_line(body={"seed": 7})).replace(b'"seed": 7', b'"seed": ' + number)

    rows, _ = read_jsonl(line)

    assert [problem.code for problem in rows[0].problems] == ["json_number"]


def test_nesting_of_a_hundred_levels_is_accepted() -> None:
    line = jsonl(request_line(body={"x": 7})).replace(b'"x": 7', b'"x": ' + b"[" * 98 + b"]" * 98)

    rows, _ = read_jsonl(line)

    assert rows[0].problems == ()


def test_many_brackets_side_by_side_are_not_deep() -> None:
    rows, _ = read_jsonl(jsonl(request_line(body={"messages": [{"role": "user", "content": "{[("}] * 200})))

    assert rows[0].problems == ()


def test_a_line_over_the_limit_is_refused_and_a_long_one_is_warned_of() -> None:
    long = request_line(custom_id="2", body={"user": "x" * (MB + 1)})
    too_long = request_line(custom_id="3", body={"user": "x" * (6 * MB)})

    rows, reader = read_jsonl(jsonl(request_line(), long, too_long, request_line(custom_id="4")))

    assert [[problem.code for problem in row.problems] for row in rows] == [[], [], ["line_too_large"], []]
    assert [(warning.code, warning.line) for warning in reader.facts.warnings] == [("line_large", 2)]


def test_the_test_model_has_a_smaller_line_limit() -> None:
    line = request_line(url="/v1/chat/ds-test", body={"model": "batch-test-model", "user": "x" * MB})

    _, reader = read_jsonl(jsonl(line))

    assert codes(reader) == ["line_too_large"]


def test_an_unknown_model_is_a_warning_with_the_nearest_name() -> None:
    rows, reader = read_jsonl(jsonl(request_line(body={"model": "qwen-pluss"})))

    assert rows[0].problems == ()
    assert [(warning.code, warning.values) for warning in reader.facts.warnings] == [
        ("unknown_model", {"nearest": "qwen-plus"})
    ]


@pytest.mark.parametrize(
    "model", ["gtp-4o", "gpt-4o-mini", "llama3", "kimi-k2", "gemini-2.5-flash", "通义千问"]
)
def test_a_model_that_is_like_none_is_a_warning_without_a_guess(model: str) -> None:
    _, reader = read_jsonl(jsonl(request_line(body={"model": model})))

    assert [warning.code for warning in reader.facts.warnings] == ["unfamiliar_model"]
    assert "nearest" not in reader.facts.warnings[0].values


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"\n \r\n\t\n", "empty_file"),
        (b"PK\x03\x04....", "not_a_text_file"),
        ('{"a": 1}'.encode("utf-16"), "utf16_jsonl"),
    ],
)
def test_files_without_a_single_line_to_read_are_refused_as_a_whole(content: bytes, code: str) -> None:
    rows, reader = read_jsonl(content)

    assert rows == []
    assert [problem.code for problem in reader.problems.first] == [code]


def test_only_the_first_hundred_problems_are_kept_and_all_are_counted() -> None:
    _, reader = read_jsonl(b"x\n" * 250)

    assert len(reader.all_problems.first) == 100
    assert reader.all_problems.by_code == {"bad_json": 250}
    assert reader.all_problems.total == 250
