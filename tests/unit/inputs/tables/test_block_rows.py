"""Rows that are made in blocks, beside the same rows made one by one."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.bucket.attempt import JobId
from shared.formats.csv.files import CsvHints, csv_file_records
from shared.formats.record import Records, each_record
from shared.inputs.inbox_keys import FileForm
from shared.inputs.reading import RowReader
from shared.inputs.rows import InputRow, Observations
from shared.inputs.tables.table_headers import header_test_for
from shared.inputs.tables.table_rows import RecipeTable
from shared.pipeline.sample.choose_rows import ChooseRows
from shared.pipeline.validate.shards.write_shards import ShardWriter
from shared.providers.bailian.profile import BAILIAN, BAILIAN_LIMITS
from tests.support.fakes import MemoryStore
from tests.support.reading import in_chunks, recipe

# Twenty rows are looked at before any is made; these and the rest of their 64 KiB go one by one.
FIRST = [[f"{number}", "long" * 700, "好"] for number in range(30)]
GOOD = ["好", "fine, really", "（一）", '"', "a\nb", "\\", "中\u2028文", " x", "x" * 40]
UNSEEN = " \u200b\u3000\u2060 "
ODD = ["", " ", "\u3000", "NaN", "\u200b", UNSEEN, "\\N", "0"]
RAGGED = [[""], ["好"], ["a", "b", "c"], ["A", "b", "c"], ["好"] * 4, ["", "", ""]]
ROWS = st.builds(
    lambda good, odd: [*good[:11], *odd, *good[11:]],
    st.lists(st.tuples(*map(st.sampled_from, (GOOD, ["q", "b", ""], GOOD))).map(list), max_size=40),
    st.lists(
        st.lists(st.sampled_from([*GOOD, *ODD]), min_size=3, max_size=3) | st.sampled_from(RAGGED), max_size=2
    ),
)
RECIPES = [
    "prompt: '{{ c }}'\n",
    "prompt: '{{ c }} {{ a }}'\n",
    "prompt: '说：{{ a }}'\nsystem: 你是客服。\n",
    "prompt: '{{ c }}'\nsystem: '{{ a }}'\n",
    "prompt: '{{ c }}'\non_empty: skip\n",
    "prompt: '{{ c }}'\non_empty: refuse\nsystem: You are kind.\nparameters: {temperature: 0.5}\n",
    "prompt: '{{ c if a else b }}'\n",
    "prompt: '{{ c }}'\nfill_down: [a]\n",
    "prompt: ' {{ c }}\u200b'\non_empty: send\n",
]
TABLES = given(rows=ROWS, recipe_text=st.sampled_from(RECIPES), warn_line_bytes=st.sampled_from([165, 1_000]))
QUICK = settings(max_examples=60)


def reader_of(rows: list[list[str]], recipe_text: str, *, warn_line_bytes: int, in_blocks: bool) -> RowReader:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([["a", "b", "c"], *FIRST, *rows])
    content = written.getvalue().encode()
    asked = recipe(f"model: qwen-plus\n{recipe_text}")
    limits = replace(BAILIAN_LIMITS, warn_line_bytes=warn_line_bytes, max_line_bytes=185)
    hints = CsvHints(is_header=header_test_for(asked))

    def records(observed: Observations) -> Records:
        found = csv_file_records(lambda: in_chunks(content, 500), hints, observed)
        return found if in_blocks else each_record(found)

    profile = replace(BAILIAN, limits_for=lambda _: limits)
    return RowReader(RecipeTable(records, asked, profile), FileForm("csv", is_text=True))


@QUICK
@TABLES
@example(rows=[["x", "q", "好"], ["x", "q", UNSEEN]], recipe_text=RECIPES[0], warn_line_bytes=1_000)
def test_rows_in_blocks_are_those_one_by_one(
    rows: list[list[str]], recipe_text: str, warn_line_bytes: int
) -> None:
    def seen(*, in_blocks: bool) -> tuple[Any, ...]:
        reader = reader_of(rows, recipe_text, warn_line_bytes=warn_line_bytes, in_blocks=in_blocks)
        return list(reader.rows()), reader.facts, reader.all_problems.first, reader.problems.first

    assert seen(in_blocks=True) == seen(in_blocks=False)


@pytest.mark.parametrize("asks_once", [True, False])
@QUICK
@TABLES
def test_shards_written_in_blocks_are_those_of_single_rows(
    rows: list[list[str]], recipe_text: str, warn_line_bytes: int, asks_once: bool
) -> None:
    limits = replace(BAILIAN_LIMITS, max_requests=40, max_bytes=6_000)

    def written(*, in_blocks: bool) -> tuple[Any, ...]:
        reader = reader_of(rows, recipe_text, warn_line_bytes=warn_line_bytes, in_blocks=True)
        store, sample = MemoryStore(), ChooseRows(9)
        sample.expect_at = 0
        with ShardWriter(store, JobId("0" * 16), "run", asks_once=asks_once, sample=sample) as writer:
            for item in reader.blocks() if in_blocks else reader.rows():
                writer.add(item, limits)
            shards = writer.finish()
        objects = [(store.get(each.rows_key), store.get(each.requests_key)) for each in shards]
        return shards, objects, sample.chosen()

    assert written(in_blocks=True) == written(in_blocks=False)


@pytest.mark.parametrize("recipe_text", RECIPES[:3])
def test_good_rows_are_made_in_blocks_around_one_that_is_bad(recipe_text: str) -> None:
    rows = [["a good one", "b", "c"]] * 64
    rows[40] = ["too short"]

    reader = reader_of(rows, recipe_text, warn_line_bytes=1_000, in_blocks=True)
    alone = [item for item in reader.blocks() if isinstance(item, InputRow)]

    assert reader.facts.rows == len(FIRST) + len(rows)
    assert len(alone) < len(FIRST) + 16
    assert sum(row.request is None for row in alone) == 1
