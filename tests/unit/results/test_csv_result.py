"""What stands in a result CSV is what Python's csv, DuckDB and pandas read from it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.formats.csv.cells import FORMULA_START, guard_formula
from shared.results.columns import Answer, ResultColumns, RowStatus
from shared.results.csv_result import ResultTable
from tests.support.builders import rendered_rows

SLOW = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
# Without NUL: a dropped CSV with one is refused. In an answer it is U+FFFD by then, or breaks
# Python's own reader before 3.11.
CHARACTERS = st.one_of(
    st.sampled_from("\",;\t\n\r |'=+-@{}\\#%\u2028\u2029\u0085\x0b\x0c\x1c\x7f\ufeff\xa0\u3000，＝😀"),
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
)
CELLS = st.text(CHARACTERS, max_size=10)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6)
ODD = [
    "",
    " ",
    "\r",
    "\n",
    "\r\n",
    '"',
    '""',
    "a\rb",
    "\ufeffx",
    "\u2028",
    "=1+1",
    "'=1",
    "-5",
    "NA",
    "null",
    "😀",
    "\\",
    "\\N",
    "#",
    "'",
]
ALL_ODD = [(cell, other, cell + other) for cell in ODD for other in ODD]


def rendered(rows: list[tuple[str, str, str]], *, guard: bool, encoding: str) -> bytes:
    table = ResultTable(
        ResultColumns("recipe_csv"), ["one", "two"], encoding, guard=guard, answer_names=["value"]
    )
    made = [
        ([one, two], Answer("1", RowStatus.ANSWERED, content=content, prompt_tokens=7), [two])
        for one, two, content in rows
    ]
    return table.header() + rendered_rows(table, made)


def expected(rows: list[tuple[str, str, str]], *, guard: bool) -> list[tuple[str, ...]]:
    kept = guard_formula if guard else str
    return [(kept(one), kept(two), kept(content), kept(two), "7") for one, two, content in rows]


NAMES = ["one", "two", "content", "value", "prompt_tokens"]


@SLOW
@example(rows=ALL_ODD, guard=False, encoding="utf-8-sig")
@example(rows=ALL_ODD, guard=True, encoding="gb18030")
@given(rows=ROWS, guard=st.booleans(), encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]))
def test_pythons_csv_reads_every_character(
    rows: list[tuple[str, str, str]], guard: bool, encoding: str
) -> None:
    text = rendered(rows, guard=guard, encoding=encoding).decode(encoding)

    read = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))

    assert [tuple(row[name] for name in NAMES) for row in read] == expected(rows, guard=guard)


@SLOW
@example(rows=ALL_ODD, guard=False)
@example(rows=ALL_ODD, guard=True)
@given(rows=ROWS, guard=st.booleans())
def test_pandas_reads_every_character(rows: list[tuple[str, str, str]], guard: bool) -> None:
    content = rendered(rows, guard=guard, encoding="utf-8-sig")

    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig")

    assert list(frame[NAMES].itertuples(index=False, name=None)) == expected(rows, guard=guard)


@SLOW
@example(rows=ALL_ODD, guard=False)
@example(rows=ALL_ODD, guard=True)
@given(rows=ROWS, guard=st.booleans())
def test_duckdb_reads_every_character(rows: list[tuple[str, str, str]], guard: bool, tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    path.write_bytes(rendered(rows, guard=guard, encoding="utf-8-sig"))

    read = duckdb.read_csv(
        str(path), header=True, all_varchar=True, sep=",", quotechar='"', escapechar='"', na_values="\1none"
    )

    assert read.project(", ".join(NAMES)).fetchall() == expected(rows, guard=guard)


@pytest.mark.parametrize("cell", ODD)
def test_the_guard_is_undone_as_the_readme_says(cell: str) -> None:
    (row,) = csv.DictReader(
        io.StringIO(rendered([(cell, "", "")], guard=True, encoding="utf-8").decode(), newline="")
    )

    shown = row["one"]
    assert (shown[1:] if re.match(f"'{FORMULA_START}", shown) else shown) == cell
