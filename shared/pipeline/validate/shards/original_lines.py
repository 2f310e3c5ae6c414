"""Rows of the dropped file as they are kept, so that they come back beside their answers."""

from __future__ import annotations

from shared.formats.json.cells import JsonCells
from shared.formats.json.surrogates import without_surrogates
from shared.formats.tables.typed_cells import TypedCells
from shared.inputs.rows import InputRow
from shared.problems.render import render_both
from shared.results.kept_rows import OriginalRow, original_line


def plain_line(row: InputRow) -> bytes:
    if row.request is None:
        return _original_of_bad(row).to_line()
    if isinstance(row.cells, JsonCells):
        return original_line(row.custom_id, row.cells)
    return OriginalRow(row.custom_id, tuple(row.cells)).to_line()


def typed_line(row: InputRow) -> bytes:
    if not isinstance(row.cells, TypedCells) or any(each.code == "ragged_row" for each in row.problems):
        return plain_line(row)
    original = _original_of_bad(row) if row.request is None else OriginalRow(row.custom_id, ())
    return original._replace(cells=row.cells.typed()).to_line()


def _original_of_bad(row: InputRow) -> OriginalRow:
    # A good row was encoded already; a bad one may hold what no file can.
    custom_id, cells = without_surrogates(row.custom_id), tuple(map(without_surrogates, row.cells))
    reasons = "; ".join(map(render_both, row.problems))
    return OriginalRow(custom_id, cells, row.problems[0].code, without_surrogates(reasons))
