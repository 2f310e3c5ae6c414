"""A row's cells, escaped all at once, are what each is by itself."""

from __future__ import annotations

import json
import random

import pytest

from shared.formats.json.cells import JsonCells, escape, escaped_cells

# What has a meaning between the cells of a row in JSON, line ends, and characters of 1 to 4 bytes.
PARTS = ('"', ",", '","', "\\", "\n", "\t", "\0", "\u2028", "\u2029", "\x85", "a", "é", "中", "😀", "")


def test_a_row_is_escaped_as_its_cells_are() -> None:
    random_ = random.Random(20261126)
    for _ in range(3_000):
        cells = ["".join(random_.choices(PARTS, k=random_.randrange(4))) for _ in range(random_.randrange(5))]

        escaped = escaped_cells(cells)

        assert list(escaped) == [escape(cell) for cell in cells], cells
        assert [json.loads(b'"%b"' % cell) for cell in escaped] == cells


def test_half_of_a_surrogate_pair_is_found_in_any_cell() -> None:
    with pytest.raises(UnicodeEncodeError, match="surrogates not allowed"):
        escaped_cells(["good", 'a "quoted" one', "\ud83d"])


def test_escaped_cells_are_taken_as_they_are() -> None:
    cells = JsonCells([b"1", b"a\\nb"])

    assert escaped_cells(cells) is cells.escaped
