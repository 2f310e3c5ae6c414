from __future__ import annotations

import json
from typing import Any

import pytest

from shared.problems.render import render_problem
from tests.support.reading import codes, jsonl, read_jsonl, request_line

GOOD = request_line(custom_id="good")
CHAT = [{"role": "user", "content": "x"}]
LINES: dict[str, tuple[dict[str, Any], str, str]] = {
    "Anthropic": (
        {"custom_id": "1", "params": {"model": "claude", "max_tokens": 9, "messages": CHAT}},
        "Anthropic",
        "Anthropic",
    ),
    "Gemini": ({"key": "1", "request": {"contents": [{"parts": [{"text": "x"}]}]}}, "Gemini", "Gemini"),
    "Vertex": ({"request": {"contents": [{"role": "user", "parts": []}]}}, "Gemini", "Gemini"),
    "Gemini, bodies": ({"contents": [{"parts": [{"text": "x"}]}]}, "Gemini", "Gemini"),
    "Bedrock": ({"recordId": "1", "modelInput": {"messages": CHAT}}, "Bedrock", "Bedrock"),
    "bodies": (
        {"model": "qwen-plus", "messages": CHAT},
        "只有请求内容、缺少 custom_id 等外层字段的数据",
        "request bodies without custom_id, method and url",
    ),
    "results": (
        {"id": "r", "custom_id": "1", "response": {"status_code": 200, "body": {}}, "error": None},
        "批量任务的结果",
        "the results of a batch",
    ),
    "fine-tuning": ({"messages": [*CHAT, {"role": "assistant", "content": "y"}]}, "微调数据", "fine-tuning"),
    "ShareGPT": ({"id": "1", "conversations": [{"from": "human", "value": "x"}]}, "微调数据", "fine-tuning"),
    "Alpaca": ({"instruction": "x", "input": "", "output": "y"}, "微调数据", "fine-tuning"),
}


@pytest.mark.parametrize("count", [1, 3, 2000])
@pytest.mark.parametrize(("line", "zh", "en"), LINES.values(), ids=LINES)
def test_a_file_in_another_form_is_one_problem_that_names_the_form(
    line: dict[str, Any], zh: str, en: str, count: int
) -> None:
    rows, reader = read_jsonl(jsonl(*[line] * count))

    assert (codes(reader), rows) == (["foreign_lines"], [])
    (problem,) = reader.problems.first
    for language, form in (("zh", zh), ("en", en)):
        told = render_problem(problem, language)
        assert form in told
        assert '{"custom_id": "q-001", "method": "POST"' in told


@pytest.mark.parametrize(("line", "zh", "en"), LINES.values(), ids=LINES)
def test_single_lines_of_another_form_are_judged_one_by_one(line: dict[str, Any], zh: str, en: str) -> None:
    for lines in ([line, GOOD], [GOOD, line]):
        rows, reader = read_jsonl(jsonl(*lines).removesuffix(b"\n"))

        assert sorted(row.request is None for row in rows) == [False, True]
        assert "foreign_lines" not in codes(reader)


def test_a_line_that_only_lacks_a_field_is_told_which() -> None:
    _, reader = read_jsonl(jsonl(request_line(method=...), {"custom_id": "2", "text": "x"}))

    assert codes(reader)[0] == "wrong_method"


def test_a_line_that_is_longer_than_what_is_looked_at_is_judged_by_itself() -> None:
    line = json.dumps({"messages": [{"role": "user", "content": "x" * 70_000}]}).encode()

    assert "body_not_an_object" in codes(read_jsonl(line, chunk_bytes=1000)[1])


@pytest.mark.parametrize(
    ("lines", "form"),
    [
        (['{"id": 1, "text": "a"}', '{"id": 2, "text": "b", "more": null}'], "each line is a row of data"),
        (['{"prompt": "x"}'], "each line is a row of data"),
        (['{"custom_id": "1", "text": "a"}'], "each line is a row of data"),
        (["custom_id,body", "1,x", '2,"a ""b"""'], "cells with commas or tabs"),
        (["编号\t内容", "1\t很好"], "cells with commas or tabs"),
        (["1;good", "2;bad"], "cells with commas or tabs"),
    ],
)
def test_rows_of_a_table_are_one_problem_that_says_how_to_have_them_read(lines: list[str], form: str) -> None:
    rows, reader = read_jsonl("\n".join(lines).encode())

    assert (codes(reader), rows) == (["table_as_jsonl"], [])
    told = render_problem(reader.problems.first[0], "en")
    assert form in told
    assert ".csv or .xlsx" in told


@pytest.mark.parametrize(
    ("written", "form"),
    [(repr, "as Python writes it"), (lambda line: "\x1e" + json.dumps(line), "record separator")],
)
@pytest.mark.parametrize("count", [1, 2])
def test_lines_that_are_not_quite_json_are_one_problem(written: Any, form: str, count: int) -> None:
    rows, reader = read_jsonl("\n".join([written(GOOD)] * count).encode())

    assert (codes(reader), rows) == (["json_document"], [])
    assert form in render_problem(reader.problems.first[0], "en")


@pytest.mark.parametrize(
    "line",
    [
        '{"Custom_ID": "1", "Body": {}}',
        '{"custom_id": "1", "method": "POST"}',
        "// a, b {",
        "{}",
        '{"a": {}}',
    ],
)
def test_a_line_that_may_be_meant_as_a_request_is_told_what_it_lacks(line: str) -> None:
    _, reader = read_jsonl(line.encode())

    assert not {"table_as_jsonl", "foreign_lines"} & {*codes(reader)}
