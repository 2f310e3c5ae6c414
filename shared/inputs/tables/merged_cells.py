"""Fills merged cells down, and tells of what people see in a sheet and the model does not."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import JsonValue

from shared.formats.csv.delimiters import DELIMITERS
from shared.formats.record import Record, SheetLayout
from shared.formats.tables.typed_cells import TypedCells
from shared.formats.visible_text import visible
from shared.inputs.tables.table_headers import in_header
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values

if TYPE_CHECKING:
    from shared.recipes.prompts import PromptTemplate

Ranges = Sequence[tuple[int, int]]
# Where these are a row's problems, its cells without such a character are right. Those of a line in
# another encoding are right only if they are ASCII.
_LEAVE_OTHER_CELLS = frozenset({"nul_character", "cut_character", "lone_surrogate"})
_DAMAGED = re.compile("[\0\ufffd\ud800-\udfff]")
_Cell = tuple[str, JsonValue]  # its text, and what a result that has types keeps of it


def filled_places(names: Sequence[str], prompts: PromptTemplate, header: Record) -> frozenset[int]:
    """The columns that ``fill_down`` names.

    Raises:
        UserInputError: The header has none, or several, of such a name.
    """
    missing = prompts.missing_of(names, "fill_down", _setting)
    problems = [in_header(each, header.line) for each in missing]
    for name in names:
        places = prompts.places_of(name)
        if len(places) > 1:
            values: Values = {
                "times": len(places),
                "columns": ", ".join(header.cells[place] for place in places),
            }
            problems.append(Problem("duplicate_column", header.line, "fill_down", name, values))
    if problems:
        raise UserInputError(problems)
    return frozenset(prompts.places_of(name)[0] for name in names)


def layout_warnings(
    layout: SheetLayout, header: Record, places: AbstractSet[int], filled: Sequence[str]
) -> Iterator[Problem]:
    """Merged cells and pictures below the header, in these columns; ``filled`` are filled down."""
    for place in sorted(places):
        name = header.cells[place]
        below = [(max(top, header.line), bottom) for top, bottom in layout.merged.get(place, ())]
        cells = sum(bottom - top for top, bottom in below if bottom > top)
        if cells:
            first = min(top for top, bottom in below if bottom > top) + 1
            values: Values = {"cells": cells, "write": _setting([*filled, name])}
            yield Problem("merged_cells", first, name, values=values)
        drawn = [row for row, column in layout.pictures if column == place and row > header.line]
        if drawn:
            yield Problem("image_in_cell", min(drawn), name, values={"cells": len(drawn)})


def _setting(names: Iterable[str]) -> str:
    """What a recipe says to fill these columns."""
    from shared.formats.yaml_values import yaml_text  # noqa: PLC0415 - loads yaml, for a recipe only

    return f"fill_down: [{', '.join(yaml_text(visible(name)) for name in names)}]"


def filled_down(
    records: Iterable[Record], columns: Sequence[str], places: AbstractSet[int], merged: Mapping[int, Ranges]
) -> Iterator[Record]:
    """Give blank cells of these columns the value above.

    Where a sheet has merged cells in a column, these are filled and no others: a cell that is blank
    by itself was meant to be. Other tables only have blank cells below a value. Below a row that
    could not be read, whose value nobody knows, they are problems.
    """
    below = [_Column(place, merged.get(place, ())) for place in sorted(places)]
    for record in records:
        if record.problems or len(record.cells) != len(columns):
            for column in below:
                column.pass_by(record, len(columns))
            yield record
            continue
        filled: dict[int, _Cell] = {}
        lost: list[Problem] = []
        for column in below:
            cell = column.cell_for(record.line, record.cells)
            if isinstance(cell, _Lost):
                values: Values = {"above": cell.line}
                lost.append(Problem("fill_down_lost", record.line, columns[column.place], values=values))
            elif cell is not None:
                filled[column.place] = cell
        if not (filled or lost):
            yield record
            continue
        yield record._replace(cells=_with(record.cells, filled), problems=tuple(lost))


def _with(cells: Sequence[str], filled: Mapping[int, _Cell]) -> Sequence[str]:
    if isinstance(cells, TypedCells):
        return cells.filled(filled)
    return tuple(filled[place][0] if place in filled else cell for place, cell in enumerate(cells))


@dataclass(frozen=True)
class _Lost:
    """The value of a row that could not be read."""

    line: int


class _Column:
    def __init__(self, place: int, merged: Ranges) -> None:
        self.place = place
        self._merged = sorted(merged, key=lambda rows: rows[1])
        self._bottoms = [bottom for _, bottom in self._merged]
        self._above: Sequence[str] = ()
        self._value: _Cell | _Lost | None = None
        self._line = 0

    def pass_by(self, record: Record, width: int) -> None:
        """Remember the value of a row that is not sent, if its cell is certain."""
        cells = record.cells
        if _is_certain(record, width, self.place):
            self.cell_for(record.line, cells)
        elif self.place or not _begins_blank(record):
            self._value, self._line = _Lost(record.line), record.line

    def cell_for(self, line: int, cells: Sequence[str]) -> _Cell | _Lost | None:
        """What the row's blank cell gets; ``None`` to leave the cell as it is."""
        if self.place >= len(cells):
            return None
        if cells[self.place].strip():
            self._above, self._value, self._line = cells, None, line
        elif self._line >= self._first_line(line):
            return self._value_above()
        return None

    def _value_above(self) -> _Cell | _Lost:
        if self._value is None:  # types are made only where a cell is filled
            above = self._above
            kept = above.typed() if isinstance(above, TypedCells) else above
            self._value = above[self.place], kept[self.place]
            self._above = ()  # which may hold a batch of rows
        return self._value

    def _first_line(self, line: int) -> int:
        """The first line whose value is that of the cell on ``line``."""
        if not self._merged:
            return 1
        number = bisect_left(self._bottoms, line)
        top = self._merged[number][0] if number < len(self._merged) else line
        return top if top < line else line


def _is_certain(record: Record, width: int, place: int) -> bool:
    """Whether the cell of a row that has problems, or another width, is what was written."""
    if len(record.cells) != width:
        return False
    cell = record.cells[place]
    is_whole = {each.code for each in record.problems} <= _LEAVE_OTHER_CELLS
    return not _DAMAGED.search(cell) and (is_whole or cell.isascii())


def _begins_blank(record: Record) -> bool:
    """Whether a row that is not cut into the right columns has nothing in the first."""
    first = record.cells[0]
    if any(each.code == "bad_quote" for each in record.problems):
        return first[:1] in DELIMITERS
    return not first.strip()
