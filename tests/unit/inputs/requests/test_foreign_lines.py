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
