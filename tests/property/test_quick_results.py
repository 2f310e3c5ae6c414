"""What is read and rendered in one step is what reading slowly and rendering by the rules makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from shared.domain import answers
from shared.domain.answers import RowStatus
from shared.domain.quick_results import QuickAnswer, QuickReader, read_for_requests, read_for_table
from shared.domain.result_columns import ResultTable
from tests.builders import answered_line, refused_line
from tests.property.test_result_lines import broken_lines, chat_line, lines

READERS: list[tuple[QuickReader, str]] = [
    (read_for_table, "recipe_csv"),
    (read_for_requests, "request_jsonl"),
]


def slowly(line: bytes, kind: str, *, guard: bool) -> QuickAnswer | None:
    answer = answers._read_leniently(line)
    if answer is None or answer.status is not RowStatus.ANSWERED:
        return None
    rendered = ResultTable(kind, ["a"], "utf-8", guard=guard).answer(answer)
    tokens = (answer.prompt_tokens, answer.completion_tokens, answer.total_tokens)
    return QuickAnswer(answer.custom_id, rendered, *tokens)  # type: ignore[arg-type]


def assert_agrees(line: bytes) -> None:
    for read, kind in READERS:
        quick = read(line)
        assert quick is None or [quick, quick] == [slowly(line, kind, guard=guard) for guard in (True, False)]


@settings(max_examples=400)
@given(lines())
def test_a_line_read_quickly_is_the_line_read_slowly(line: bytes) -> None:
    assert_agrees(line)


@settings(max_examples=400)
@given(broken_lines())
def test_a_broken_line_is_never_read_quickly_as_something_else(line: bytes) -> None:
    assert_agrees(line)


@pytest.mark.parametrize(
    "content", ["", "fine", "a,b", "a\nb", "a\rb", 'say "yes"', '"', "你好，世界", " x\u2028", "a\0"]
)
def test_every_ordinary_content_is_quoted_by_the_rules(content: str) -> None:
    assert_agrees(answered_line("q-1", content))


@pytest.mark.parametrize(("read", "_"), READERS)
def test_ordinary_answers_are_read_quickly(read: QuickReader, _: str) -> None:
    assert read(answered_line("q-1", 'A "good" answer,\nwith all.')) is not None
    assert read(chat_line(b'"\\u4f60"')) is not None


@pytest.mark.parametrize(("read", "_"), READERS)
@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        refused_line("q-1"),
        answered_line("q-1", "=1+1"),
        answered_line("q-1", "'=1+1"),
        answered_line("q-1", "＝1"),
        answered_line("q-1").replace(b"stop", b"=stop"),
        answered_line("q-1").replace(b"req-", b"a,b"),
        answered_line("q-1").replace(b"200", b"200.0"),
        answered_line("q-1").replace(b'"qwen-flash"', b"null"),
        answered_line("q-1").replace(b'"total_tokens": 5', b'"total_tokens": "5"'),
        answered_line("q-1").replace(b'"total_tokens": 5', b'"total_tokens": 12345678901234567890123'),
        answered_line("q-1").replace(b'"error": null', b'"error": {}'),
        chat_line(b'"\\ud83d"'),
        answered_line("q-1")[:-1] + b',"n":NaN}',
    ],
)  # fmt: skip
def test_what_is_not_surely_ordinary_is_left_to_the_others(read: QuickReader, _: str, line: bytes) -> None:
    assert read(line) is None
