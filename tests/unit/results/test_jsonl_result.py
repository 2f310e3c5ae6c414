from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ports.profile import CHAT, EMBEDDINGS
from shared.results.columns import REQUEST_COLUMNS, TABLE_COLUMNS, Answer, ResultColumns, RowStatus
from shared.results.jsonl_result import ResultLines
from tests.support.builders import rendered_rows

ANSWER = Answer(
    "q-1",
    RowStatus.ANSWERED,
    content="=1+1\u2028\u0085",
    model="m",
    prompt_tokens=3,
    created=1776432582,
    status_code=200,
    usage='{"total_tokens":5,"x":1e-05}',
)


def objects(rendered: bytes) -> list[dict[str, Any]]:
    assert rendered.endswith(b"\n")
    return [json.loads(line) for line in rendered.decode().split("\n")[:-1]]


def test_a_row_is_one_object_with_typed_values_and_nothing_guarded() -> None:
    lines = ResultLines(ResultColumns("recipe_csv", TABLE_COLUMNS), ["name", "n"], CHAT, ["mood", "tags"])

    rendered = rendered_rows(lines, [(["=cmd", "1"], ANSWER, ["good", [1, {"b": 1.5}]])])

    (row,) = objects(rendered)
    assert lines.header() == b""
    assert list(row) == ["name", "n", *TABLE_COLUMNS, "mood", "tags"]
    assert (row["name"], row["n"], row["status"]) == ("=cmd", "1", "answered")
    assert (row["content"], row["prompt_tokens"], row["total_tokens"]) == ("=1+1\u2028\u0085", 3, None)
    assert (row["mood"], row["tags"]) == ("good", [1, {"b": 1.5}])
    assert len(rendered.decode().splitlines()) == 1


def test_request_lines_have_the_columns_of_their_csv_and_usage_as_an_object() -> None:
    lines = ResultLines(ResultColumns("request_jsonl", REQUEST_COLUMNS), [], CHAT)

    rendered = rendered_rows(lines, [([], ANSWER, [])])

    (row,) = objects(rendered)
    assert list(row) == list(REQUEST_COLUMNS)
    assert (row["custom_id"], row["status_code"]) == ("q-1", 200)
    assert b'"usage":{"total_tokens":5,"x":1e-05}' in rendered


def test_the_vector_of_an_embedding_is_an_array_with_the_very_digits_of_the_provider() -> None:
    answer = Answer("1", RowStatus.ANSWERED, content="[1e-05,-0.10]")

    rendered = rendered_rows(
        ResultLines(ResultColumns("recipe_csv"), ["a"], EMBEDDINGS), [(["x"], answer, [])]
    )

    assert b'"content":[1e-05,-0.10]' in rendered


@pytest.mark.parametrize(
    "content", ["[1,\n-0.10]", "[1,\r\n-0.10]", "\n[1,-0.10]\r", '{"a":\n["\\n",-0.10]}']
)
def test_json_that_was_written_on_several_lines_is_a_value_on_one(content: str) -> None:
    answer = Answer("1", RowStatus.ANSWERED, content=content, usage='{"a":\n1}')

    rendered = rendered_rows(ResultLines(ResultColumns("request_jsonl"), [], EMBEDDINGS), [([], answer, [])])

    (row,) = objects(rendered)
    assert (row["content"], row["usage"]) == (json.loads(content), {"a": 1})
    assert b"-0.10" in rendered
    assert b"\r" not in rendered


def test_a_row_without_an_answer_has_its_reason_and_empty_values() -> None:
    answer = Answer("1", RowStatus.MISSING, error_code="missing", error_message="none")

    (row,) = objects(
        rendered_rows(ResultLines(ResultColumns("recipe_csv"), ["a"], CHAT, ["mood"]), [(["x"], answer, [])])
    )

    assert (row["status"], row["content"], row["error_code"], row["mood"]) == ("missing", "", "missing", None)


@pytest.mark.parametrize(
    ("columns", "keys"),
    [
        (["a", "a", "a"], ["a", "a_2", "a_3"]),
        (["a", "a", "a_2"], ["a", "a_3", "a_2"]),
        (["", "", "x"], ["", "_2", "x"]),
        (["status", "content"], ["status", "content"]),
    ],
)
def test_every_column_has_a_key_of_its_own(columns: list[str], keys: list[str]) -> None:
    lines = ResultLines(ResultColumns("recipe_csv"), columns, CHAT, ["mood", "status"])

    (row,) = objects(rendered_rows(lines, [([str(n) for n in range(len(columns))], ANSWER, ["good", 1])]))

    assert list(row)[: len(keys)] == keys
    assert [row[key] for key in keys] == [str(n) for n in range(len(columns))]
    assert list(row)[-1] == ("result_result_status" if "status" in columns else "result_status")


def test_ragged_rows_lose_nothing() -> None:
    lines = ResultLines(ResultColumns("recipe_csv"), ["a", "b"], CHAT)

    rows = objects(rendered_rows(lines, [(["1"], ANSWER, []), (["1", "2", "3"], ANSWER, [])]))

    assert [(row["a"], row["b"]) for row in rows] == [("1", ""), ("1", "2,3")]


@pytest.mark.parametrize(("usage", "value"), [("", None), ('{"a":NaN}', '{"a":NaN}'), ("{", "{")])
def test_usage_that_is_no_json_stays_text(usage: str, value: object) -> None:
    answer = Answer("1", RowStatus.ANSWERED, usage=usage, prompt_tokens=10**40)

    (row,) = objects(rendered_rows(ResultLines(ResultColumns("request_jsonl"), [], CHAT), [([], answer, [])]))

    assert row["usage"] == value


def test_numbers_of_any_size_keep_their_digits() -> None:
    answer = Answer("1", RowStatus.ANSWERED, prompt_tokens=10**40)

    (row,) = objects(
        rendered_rows(ResultLines(ResultColumns("recipe_csv"), [], CHAT, ["n"]), [([], answer, [-(10**30)])])
    )

    assert (row["prompt_tokens"], row["n"]) == (10**40, -(10**30))


TEXT = st.text(
    st.one_of(
        st.sampled_from("\0\r\n\"\\,\u2028\u2029\u0085\ufeff='😀"), st.characters(exclude_categories=["Cs"])
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.lists(st.tuples(TEXT, TEXT, VALUES), max_size=4))
def test_every_cell_answer_and_value_comes_back(rows: list[tuple[str, str, Any]]) -> None:
    lines = ResultLines(ResultColumns("recipe_csv"), ["cell"], CHAT, ["value"])
    made = [([c], Answer("1", RowStatus.ANSWERED, content=a), [v]) for c, a, v in rows]

    read = [json.loads(line) for line in rendered_rows(lines, made).split(b"\n")[:-1]]

    assert [(row["cell"], row["content"], row["value"]) for row in read] == rows
