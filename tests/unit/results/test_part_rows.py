"""A written part is taken apart into the very bytes of its answers, whatever is in its cells."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bucket.records.plan import Plan, Source
from shared.formats.csv.cells import csv_cell
from shared.results.columns import Answer, RowStatus
from shared.results.csv_result import csv_records
from shared.results.kept_rows import OriginalRow, PartUnreadable
from shared.results.rendering import AnswerRenderer, SettledAnswer, answered_rows

NOW = datetime(2026, 11, 21, tzinfo=timezone.utc)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", '"', '""', "\r\n", "\n", ",", "=1+1", "'", "\ufeff", "\u2028", "answered", "客户，“名单”", '","\r\n']
)
codes = texts.filter(bool)
# What a workbook's cells are kept as, for results that keep types.
typed = (
    texts
    | st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.just({"date": "2026-01-31"})
)


def plan_of(kind: str, output_format: str, encoding: str, columns: list[str]) -> Plan:
    return Plan(
        job_id="0" * 16,
        source=Source(bucket="b", key="inbox/a.csv", etag="E", size_bytes=1, dropped_at=NOW),
        kind=kind, encoding="utf-8", delimiter=",", columns=tuple(columns), model="m",
        endpoint="/v1/chat/completions", completion_window=24 * 3600, attempts=1, output_encoding=encoding,  # type: ignore[arg-type]
        output_format=output_format, formula_guard=True, answer_columns={"mood": "mood"} if kind != "request_jsonl" else {},
        result_key="results/a.csv", rows=1, bad_rows=0, shards=(), created_at=NOW,
    )  # fmt: skip


@st.composite
def settled_parts(draw: st.DrawFn) -> tuple[Plan, list[tuple[OriginalRow, SettledAnswer]]]:
    kind = draw(st.sampled_from(["recipe_csv", "request_jsonl"]))
    columns = draw(st.lists(texts, min_size=1, max_size=3)) if kind != "request_jsonl" else []
    plan = plan_of(
        kind,
        draw(st.sampled_from(["csv", "jsonl", "parquet", "xlsx"])),
        draw(st.sampled_from(["utf-8-sig", "utf-8", "gb18030"])),
        columns,
    )
    render = AnswerRenderer(plan)
    rows = []
    for number in range(draw(st.integers(0, 4))):
        kinds = typed if plan.output_format in {"parquet", "xlsx"} else texts
        cells = draw(st.lists(kinds, min_size=len(columns), max_size=len(columns)))
        is_bad = draw(st.booleans())
        row = OriginalRow(f"r{number}", cells, *(("ragged_row", "bad") if is_bad else ()))
        rows.append((row, render.settled(row.own_answer() if is_bad else draw(answers(row.custom_id)))))
    return plan, rows


@st.composite
def answers(draw: st.DrawFn, custom_id: str) -> Answer:
    if draw(st.booleans()):
        content = draw(texts | st.just('{"mood": "good"}'))
        return Answer(custom_id, RowStatus.ANSWERED, content, draw(texts), "m", usage="{}", status_code=200)
    return Answer(
        custom_id,
        draw(st.sampled_from([RowStatus.REFUSED, RowStatus.MISSING, RowStatus.CANCELLED])),
        status_code=draw(st.sampled_from([None, 200, 400])),
        error_code=draw(codes),
        error_message=draw(texts),
    )


@given(settled_parts(), st.integers(1, 2), st.integers(1, 40))
def test_what_a_part_says_of_its_answered_rows_comes_back_byte_by_byte(
    made: tuple[Plan, list[tuple[OriginalRow, SettledAnswer]]], shard: int, chunk_bytes: int
) -> None:
    plan, rows = made
    rendering = AnswerRenderer(plan).rendering
    part = rendering.encode(b"".join([rendering.row(row.cells, settled.rendered) for row, settled in rows]))
    if shard == 1:
        part = rendering.header() + part
    chunks = [part[start : start + chunk_bytes] for start in range(0, len(part), chunk_bytes)]

    found = list(answered_rows(plan, shard, [row for row, _ in rows], chunks))

    assert found == [settled for row, settled in rows if row.is_sent and settled.status == "answered"]


@given(st.lists(st.lists(texts, min_size=1, max_size=3), max_size=5))
def test_records_end_where_all_quotes_are_closed(table: list[list[str]]) -> None:
    written = [f"{','.join(map(csv_cell, cells))}\r\n".encode() for cells in table]

    assert list(csv_records([b"".join(written)])) == written


def test_a_part_that_breaks_off_is_refused() -> None:
    with pytest.raises(PartUnreadable):
        list(csv_records([b'a,"b\r\n']))


@pytest.mark.parametrize("code", ["answer_in_other_form", "answer_with_error"])
def test_an_answer_with_an_odd_reply_is_read_into_columns_too(code: str) -> None:
    render = AnswerRenderer(plan_of("recipe_csv", "jsonl", "utf-8", ["a"]))
    answer = Answer("r", RowStatus.ANSWERED, '{"mood": "good"}', error_code=code, error_message="why")

    read, unread = render(answer)
    both, unfit = render(answer._replace(content="good"))

    assert b'"mood":"good"' in read
    assert (unread, unfit) == (code, "answer_not_json")
    assert b"[answer_not_json]; why" in both
