"""What other lines say of an answered row stands beside its answer; nothing paid goes unsaid."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.bucket.records.usage import Tokens
from shared.results.columns import ResultColumns, columns_of
from shared.results.rendering import AnswerRenderer
from shared.results.spool.answer_spool import AnswerSpool
from tests.support.builders import answered_line, failed_in_output_line, refused_line
from tests.unit.results.test_part_rows import plan_of

FORMATS = pytest.mark.parametrize("output_format", ["csv", "jsonl", "parquet", "xlsx"])
KINDS = pytest.mark.parametrize("kind", ["recipe_csv", "request_jsonl"])


def plan(kind: str, output_format: str, answer_columns: dict[str, str]) -> Any:
    made = plan_of(kind, output_format, "utf-8", ["a"] if kind != "request_jsonl" else [])
    return made.model_copy(update={"result_columns": columns_of(kind), "answer_columns": answer_columns})


def row_of(
    *files: list[bytes], kind: str = "recipe_csv", output_format: str = "csv", columns: Any = None
) -> tuple[dict[str, Any], str, AnswerSpool]:
    """The answer of the row ``q`` after these files were read, by column, and its code."""
    job = plan(kind, output_format, columns or {})
    render = AnswerRenderer(job)
    with AnswerSpool(["p", "q"], render, [].append) as spool:
        for lines in files:
            spool.add_lines(lines)
        rendered, unread, _ = spool.rendered(1)
    names = ResultColumns(job.kind, job.result_columns).names
    values = dict(zip(names, render.rendering.read_answer(rendered), strict=False))
    extra = values["extra"]
    return (
        {**values, "extra": json.loads(extra) if isinstance(extra, str) and extra else extra},
        unread,
        spool,
    )


FIRST, SECOND, THIRD = (answered_line("q", text) for text in ("first, “一”\n", "=second", "third"))
BAD = refused_line("q", "Bad", "no, it is not")
BUSY = failed_in_output_line("q", 500, "Internal")


@KINDS
@FORMATS
@pytest.mark.parametrize(
    ("files", "others"),
    [
        ([[FIRST, SECOND]], ["=second"]),
        ([[FIRST], [SECOND]], ["=second"]),
        ([[FIRST, SECOND, THIRD]], ["=second", "third"]),
        ([[FIRST, SECOND, FIRST, SECOND]], ["=second"]),
        ([[FIRST, answered_line("p", "x"), SECOND]], ["=second"]),
    ],
)
def test_two_answers_that_differ(
    files: list[list[bytes]], others: list[str], kind: str, output_format: str
) -> None:
    row, code, spool = row_of(*files, kind=kind, output_format=output_format)

    assert (row["content"], row["error_code"], code) == ("first, “一”\n", "answers_differ", "answers_differ")
    assert [each["content"] for each in row["extra"]["other_lines"]] == others
    assert row["error_message"].startswith("模型服务对这一行返回了不止一个答案")
    tokens = Tokens(prompt=3, completion=2, total=5)
    answers = 1 + len(others) + any(b'"p"' in line for lines in files for line in lines)
    assert spool.usage.tokens == sum([tokens] * answers, Tokens())


@KINDS
@FORMATS
@pytest.mark.parametrize("files", [[[FIRST, FIRST]], [[FIRST], [FIRST]], [[FIRST] * 3]])
def test_the_same_answer_twice_is_no_matter(files: list[list[bytes]], kind: str, output_format: str) -> None:
    again = [[each.replace(b'"req-q"', b'"another"', 1) for each in lines] for lines in files[1:]]
    row, code, spool = row_of(files[0], *again, kind=kind, output_format=output_format)

    assert (row["error_code"], code, row["extra"] or None) == ("", "", None)
    assert spool.usage.tokens.total == 5


@KINDS
@FORMATS
@pytest.mark.parametrize(
    ("files", "error"),
    [
        ([[FIRST, BAD]], "Bad"),
        ([[BAD, FIRST]], "Bad"),
        ([[FIRST], [BAD]], "Bad"),
        ([[BAD], [FIRST]], "Bad"),
        ([[BUSY, FIRST]], "Internal"),
        ([[FIRST, BAD, BAD]], "Bad"),
        ([[b'{"custom_id":"q","response":{"bo'], [FIRST]], "line_unreadable"),
    ],
)
def test_an_error_beside_an_answer(
    files: list[list[bytes]], error: str, kind: str, output_format: str
) -> None:
    row, code, _ = row_of(*files, kind=kind, output_format=output_format)

    assert (row["content"], row["error_code"], code) == (
        "first, “一”\n", "answer_with_error", "answer_with_error",
    )  # fmt: skip
    (other,) = row["extra"]["other_lines"]
    assert other["error_code"] == error
    assert f"：{error}: " in row["error_message"]


def test_an_error_and_two_answers_are_all_told() -> None:
    row, code, _ = row_of([BAD, FIRST], [SECOND])

    assert (row["error_code"], code) == ("answers_differ", "answers_differ")
    assert [each.get("content", each.get("error_code")) for each in row["extra"]["other_lines"]] == [
        "Bad", "=second",
    ]  # fmt: skip
    assert "Bad: no, it is not" in row["error_message"]


@FORMATS
def test_what_else_the_row_has_stays_as_it_was(output_format: str) -> None:
    first = answered_line("q", '{"mood": "=1+1"}').replace(
        b'"usage": {', b'"cited": [12345678901234567890123, 0.5], "usage": {"cost": 1, '
    )
    alone, _, _ = row_of([first], output_format=output_format, columns={"mood": "mood"})

    row, _, _ = row_of([first], [SECOND], output_format=output_format, columns={"mood": "mood"})

    told = {"error_code", "error_message", "extra"}
    assert {name: row[name] for name in row.keys() - told} == {
        name: alone[name] for name in alone.keys() - told
    }
    assert {**alone["extra"], "other_lines": row["extra"]["other_lines"]} == row["extra"]
    assert [each["content"] for each in row["extra"]["other_lines"]] == ["=second"]


def test_vectors_that_differ() -> None:
    def line(*numbers: float) -> bytes:
        body = {"data": [{"embedding": [*numbers], "index": 0}], "model": "e", "usage": {"total_tokens": 1}}
        response = {"status_code": 200, "request_id": "r", "body": body}
        return json.dumps({"custom_id": "q", "response": response, "error": None}).encode()

    same, _, _ = row_of([line(0.5, 1.25), line(0.5, 1.25)])
    row, code, _ = row_of([line(0.5, 1.25), line(0.5, 1.5)])

    assert same["error_code"] == ""
    assert (json.loads(row["content"]), code) == ([0.5, 1.25], "answers_differ")
    assert json.loads(row["extra"]["other_lines"][0]["content"]) == [0.5, 1.5]


@pytest.mark.parametrize(
    "others",
    [
        [answered_line("q", f"text {number}") for number in range(200)],
        [refused_line("q", "Bad", f"words {number}") for number in range(200)],
    ],
)
def test_of_a_row_with_any_number_of_lines_whole_lines_are_kept(others: list[bytes]) -> None:
    kept: list[bytes] = []
    with AnswerSpool(["q"], AnswerRenderer(plan("recipe_csv", "csv", {})), kept.append) as spool:
        spool.add_lines([FIRST, *others])

        assert spool.is_answered(0)
        assert len(spool.rendered(0)[0]) < 30_000
        assert kept == others[20:]
        assert (spool.unmatched_lines, spool.repeated_ids, spool.has_strays) == (180, 200, True)


def test_an_answer_counts_however_many_lines_came_before() -> None:
    lines = [answered_line("q", f"text {number}")[:-1] for number in range(50)]

    row, _, spool = row_of(*([line] for line in lines), [BAD, FIRST])

    assert row["content"] == "first, “一”\n"
    assert spool.unmatched_lines == 29


@pytest.mark.parametrize(
    ("lines", "has_strays"),
    [([FIRST, SECOND], True), ([FIRST, FIRST], False), ([FIRST, BAD], False), ([BAD, FIRST], False)],
)
def test_another_answer_of_a_row_may_be_that_of_a_row_without_any(
    lines: list[bytes], has_strays: bool
) -> None:
    assert row_of(lines)[2].has_strays == has_strays


EMPTY = answered_line("q", "")
PART = FIRST.replace(b'"error": null', b'"error": {"code": "Cut", "message": "broke off"}')


@KINDS
@FORMATS
@pytest.mark.parametrize(
    ("lines", "others"),
    [
        ([EMPTY, SECOND], [("", "answer_empty")]),
        ([PART, SECOND], [("first, “一”\n", "answer_with_error")]),
        ([SECOND, PART], [("first, “一”\n", "answer_with_error")]),
        ([SECOND, EMPTY], [("", "answer_empty")]),
    ],
)
def test_a_plain_answer_counts_more_than_an_empty_one_or_one_with_an_error(
    lines: list[bytes], others: list[tuple[str, str]], kind: str, output_format: str
) -> None:
    row, code, spool = row_of(lines, kind=kind, output_format=output_format)

    assert (row["content"].lstrip("'"), code) == ("=second", "answers_differ")
    assert [(each.get("content", ""), each["error_code"]) for each in row["extra"]["other_lines"]] == others
    assert spool.usage.tokens.total == 10


def test_what_stood_beside_the_empty_answer_stays_when_another_takes_its_place() -> None:
    row, code, _ = row_of([EMPTY, BAD, PART], [THIRD, EMPTY])

    assert (row["content"], code) == ("third", "answers_differ")
    (empty, *_) = row["extra"]["other_lines"]
    others = json.loads(empty["extra"])["other_lines"]
    assert [each["error_code"] for each in others] == ["Bad", "answer_with_error"]


def test_a_refusal_stays_when_a_second_answer_takes_the_place_of_the_first() -> None:
    row, _, _ = row_of([BAD, EMPTY, THIRD])

    (empty,) = row["extra"]["other_lines"]
    assert [each["error_code"] for each in json.loads(empty["extra"])["other_lines"]] == ["Bad"]


def test_the_same_answer_without_its_error_leaves_the_error() -> None:
    row, code, _ = row_of([PART, FIRST])

    assert (row["content"], code) == ("first, “一”\n", "answer_with_error")
    assert "broke off" in row["error_message"]


def test_a_third_answer_does_not_take_the_place_of_the_second() -> None:
    row, _, _ = row_of([EMPTY, SECOND, THIRD])

    assert row["content"].lstrip("'") == "=second"
    assert [each.get("content", "") for each in row["extra"]["other_lines"]] == ["", "third"]


def test_the_finish_reason_is_that_of_the_answer_that_counts() -> None:
    cut = PART.replace(b'"finish_reason": "stop"', b'"finish_reason": "length"')
    assert cut != PART
    with AnswerSpool(["q"], AnswerRenderer(plan("recipe_csv", "csv", {})), [].append) as spool:
        spool.add_lines([cut, SECOND])

        assert spool.rendered(0)[1:] == ("answers_differ", "")


def thinking(line: bytes, text: str) -> bytes:
    return line.replace(
        b'"role": "assistant"', b'"role": "assistant", "reasoning_content": "%b"' % text.encode()
    )


def test_the_same_answer_with_other_thinking_is_told() -> None:
    row, code, _ = row_of([thinking(FIRST, "one"), thinking(FIRST, "two"), thinking(FIRST, "one")])

    assert (row["reasoning_content"], code) == ("one", "answers_differ")
    assert [each["reasoning_content"] for each in row["extra"]["other_lines"]] == ["two"]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_refusal_keeps_what_another_one_thought(is_first: bool) -> None:
    body = {"error": {"code": "Busy", "message": "no"}, "choices": [
        {"index": 0, "finish_reason": None, "message": {"role": "assistant", "content": None, "reasoning_content": "hm"}}
    ]}  # fmt: skip
    response = {"status_code": 400, "request_id": "r", "body": body}
    thought = json.dumps({"custom_id": "q", "response": response, "error": None}).encode()
    with AnswerSpool(["q"], AnswerRenderer(plan("recipe_csv", "csv", {})), [].append) as spool:
        spool.add_lines([thought, BAD] if is_first else [BAD, thought, thought])
        reason = spool.reason(0)

    assert reason is not None
    if is_first:
        assert (reason.error_code, reason.reasoning_content, reason.extra) == ("Busy", "hm", "")
    else:
        (other,) = json.loads(reason.extra)["other_lines"]
        assert (reason.error_code, other["reasoning_content"]) == ("Bad", "hm")


@pytest.mark.parametrize(("thoughts", "total"), [("a", 5), ("aa", 5), ("ab", 10), ("abcb", 15)])
def test_tokens_of_each_refusal_that_thought_something_else_count(thoughts: str, total: int) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    with AnswerSpool(["q"], AnswerRenderer(plan("recipe_csv", "csv", {})), [].append) as spool:
        for thought in thoughts:
            message = {"role": "assistant", "content": None, "reasoning_content": thought}
            choice = {"index": 0, "finish_reason": None, "message": message}
            body = {"error": {"code": "Busy", "message": "no"}, "choices": [choice], "usage": usage}
            response = {"status_code": 400, "request_id": "r", "body": body}
            spool.add_lines([json.dumps({"custom_id": "q", "response": response, "error": None}).encode()])

        assert spool.usage.tokens.total == total


@pytest.mark.parametrize("rows", [1, 2, 50, 200])
@pytest.mark.parametrize("between", [b",", b"\n", b", " + b"x" * 1000])
def test_of_a_text_that_names_many_rows_with_enough_lines_each_piece_is_set_aside_once(
    rows: int, between: bytes
) -> None:
    ids = [f"r{number}" for number in range(rows)]
    text = b'{"x": [' + between.join(b'{"custom_id": "%b", "e' % each.encode() for each in ids)
    kept: list[bytes] = []
    with AnswerSpool(ids, AnswerRenderer(plan("recipe_csv", "csv", {})), kept.append) as spool:
        spool.add_lines(answered_line(each, f"a{number}") for number in range(21) for each in ids)
        spool.add_lines([text])

        assert spool.unmatched_lines == rows
    assert "".join(json.loads(piece)["line"] for piece in kept).encode() == text
