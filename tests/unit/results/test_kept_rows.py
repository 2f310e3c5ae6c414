"""The id of a kept row is found without reading its cells, whatever these hold."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from shared.formats.json.cells import JsonCells, escape
from shared.results.kept_rows import (
    OriginalRow,
    borrowed_line,
    lender_in,
    original_line,
    reusing_line,
    sent_id,
)

# What may look like the end of an id, of the cells or of the line.
ODD = st.lists(
    st.sampled_from(['"', "\\", "]", "[", ",", '"],"",""]', '",["', "\n", "\u2028", "a", "行"]), max_size=6
)
TEXT = ODD.map("".join)
CELL = st.one_of(TEXT, st.integers(-9, 9), st.none(), st.lists(TEXT, max_size=2))


@example(OriginalRow("q-1", ["a"], "x", '"],"",""]'))
@example(OriginalRow("q-1", ["a"], '],"', ""))
@example(OriginalRow("", [], "", ""))
@example(OriginalRow("q-1", ["a"], lender=0))
@given(
    st.builds(
        OriginalRow,
        TEXT,
        st.lists(CELL, max_size=3),
        TEXT,
        TEXT,
        lender=st.none(),
        reuses=st.sampled_from(["", "0f"]),
    )
)
def test_only_a_row_without_a_code_and_a_lender_is_sent(row: OriginalRow) -> None:
    read = OriginalRow.from_line(row.to_line()[:-1])

    assert sent_id(row.to_line()[:-1]) == (read.custom_id if read.is_sent else None)
    assert read.is_sent == (row.error_code == "" and row.lender is None and not row.reuses)


@given(TEXT, st.lists(TEXT, min_size=1, max_size=3))
def test_a_row_that_is_kept_with_escaped_cells_is_sent(custom_id: str, cells: list[str]) -> None:
    line = original_line(custom_id, JsonCells([*map(escape, cells)]))[:-1]

    assert sent_id(line) == custom_id
    assert lender_in(line) is None


@given(TEXT, st.lists(CELL, max_size=3), st.integers(0, 99))
def test_a_row_is_kept_with_the_place_of_its_lender(custom_id: str, cells: list[Any], lender: int) -> None:
    row = OriginalRow(custom_id, cells)

    line = borrowed_line(row.to_line()[:-1], lender)

    assert line + b"\n" == row._replace(lender=lender).to_line()
    assert OriginalRow.from_line(line) == row._replace(lender=lender)
    assert (lender_in(line), sent_id(line)) == (lender, None)


@given(TEXT, st.lists(CELL, max_size=3), st.binary(min_size=32, max_size=32))
def test_a_row_is_kept_with_the_question_that_was_answered(
    custom_id: str, cells: list[Any], digest: bytes
) -> None:
    row = OriginalRow(custom_id, cells)

    line = reusing_line(row.to_line()[:-1], digest)

    assert line + b"\n" == row._replace(reuses=digest[:16].hex()).to_line()
    assert OriginalRow.from_line(line) == row._replace(reuses=digest[:16].hex())
    assert (lender_in(line), sent_id(line)) == (None, None)
