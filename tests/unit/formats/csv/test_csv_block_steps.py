"""How much work a record costs, counted in steps: the clock is no judge."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from shared.formats.charsets.decoding import Encoding, LineDecoder
from shared.formats.csv import records as csv_records
from shared.formats.csv.blocks import CsvBlock
from shared.formats.csv.quirks import Quirks
from shared.formats.json.cells import JsonCells
from shared.formats.line_blocks import LineSource
from shared.formats.record import each_record
from shared.formats.sizes import MAX_LINE_BYTES
from tests.support.reading import in_chunks

UTF8 = Encoding("utf-8", is_certain=True)


def block_of(raw: bytes) -> CsvBlock:
    return CsvBlock(raw, 1, LineDecoder(UTF8), Quirks(","))


@pytest.mark.parametrize("before", ['"', 'x,"', 'x,"y",z,"'])
def test_a_run_of_quotes_takes_as_many_steps_as_a_short_one(before: str) -> None:
    def steps(quotes: int) -> int:
        block = block_of((before + '""' * quotes + 'a"\n').encode())
        calls = 0

        def count(frame: FrameType, _event: str, _argument: object) -> None:
            nonlocal calls
            # Hypothesis, loaded by other tests, is called at every collection of garbage.
            calls += frame.f_globals["__name__"].startswith("shared.")

        sys.setprofile(count)
        try:
            records = list(block.read().records())
        finally:
            sys.setprofile(None)
        assert records[0].cells[-1] == '"' * quotes + "a"
        return calls

    assert steps(2_000) == steps(20)


@pytest.mark.parametrize("begun", ["\\", "\\\\", "x,\\", 'x,"y",\\'])
def test_a_cell_that_begins_with_a_backslash_is_not_taken_for_a_quoted_one(begun: str) -> None:
    block = block_of(f'{begun}"""b"\n'.encode())

    assert list(block.read().records()) == []
    assert not block.is_certain


@pytest.mark.parametrize(
    ("row", "is_read_as_a_whole"),
    [
        (",".join(['"cell"'] * 20), False),
        (",".join(['"cell"', "5"] * 10), True),
        (",".join(['"cell"', "5"] * 100), False),
        (",".join(['"cell"'] * 2), True),
        (",".join(['"cell"', "5"] * 3), True),
        (
            ",".join(
                ['"a cell of so much text that its two quotes hardly count"', "and another one without"] * 10
            ),
            True,
        ),
        (",".join(["cell"] * 200), True),
    ],
)
def test_a_block_with_more_quotes_than_it_is_worth_is_left_to_csv(row: str, is_read_as_a_whole: bool) -> None:
    content = f"{row}\n".encode() * 2_000
    lines = csv_records.TextLines(
        LineSource(in_chunks(content, 64 * 1024), MAX_LINE_BYTES), LineDecoder(UTF8)
    )

    _, *records = each_record(csv_records.read_records(lines, Quirks(",")))

    cells = [cell.strip('"') for cell in row.split(",")]
    assert [(record.line, list(record.cells)) for record in records] == [(n, cells) for n in range(2, 2_001)]
    assert {isinstance(record.cells, JsonCells) for record in records} == {is_read_as_a_whole}


def test_a_record_of_many_blocks_is_taken_for_a_block_only_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed_bytes = 0

    class CountedBlock(CsvBlock):
        def __init__(self, raw: bytes, *others: Any) -> None:
            nonlocal parsed_bytes
            parsed_bytes += len(raw)
            super().__init__(raw, *others)

    monkeypatch.setattr(csv_records, "CsvBlock", CountedBlock)
    content = b"a,b\n1,2\n" + b'3,"' + b"a line of a long text\n" * 20_000 + b'"\n' + b"5,6\n" * 20_000
    lines = csv_records.TextLines(
        LineSource(in_chunks(content, 64 * 1024), MAX_LINE_BYTES), LineDecoder(UTF8)
    )

    records = list(each_record(csv_records.read_records(lines, Quirks(","))))

    assert [record.line for record in records[1:4]] == [2, 3, 20_004]
    assert len(records) == 3 + 20_000
    assert parsed_bytes < len(content)
