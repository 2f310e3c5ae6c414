"""Fills merged cells down, and tells of what people see in a sheet and the model does not."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from pydantic import JsonValue

from shared.formats.record import Record, SheetLayout
from shared.formats.tables.typed_cells import TypedCells
from shared.formats.visible_text import visible
from shared.inputs.tables.table_headers import in_header
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values

if TYPE_CHECKING:
    from shared.recipes.prompts import PromptTemplate

Ranges = Sequence[tuple[int, int]]
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
    records: Iterable[Record], places: AbstractSet[int], merged: Mapping[int, Ranges]
) -> Iterator[Record]:
    """Give blank cells of these columns the value above.

    Where a sheet has merged cells in a column, these are filled and no others: a cell that is blank
    by itself was meant to be. Other tables only have blank cells below a value.
    """
    columns = [_Column(place, merged.get(place, ())) for place in sorted(places)]
    for record in records:
        filled: dict[int, _Cell] = {}
        for column in columns if not record.problems else ():
            cell = column.cell_for(record.line, record.cells)
            if cell is not None:
                filled[column.place] = cell
        yield record._replace(cells=_with(record.cells, filled)) if filled else record


def _with(cells: Sequence[str], filled: Mapping[int, _Cell]) -> Sequence[str]:
    if isinstance(cells, TypedCells):
        return cells.filled(filled)
    return tuple(filled[place][0] if place in filled else cell for place, cell in enumerate(cells))


class _Column:
    def __init__(self, place: int, merged: Ranges) -> None:
        self.place = place
        self._merged = sorted(merged, key=lambda rows: rows[1])
        self._bottoms = [bottom for _, bottom in self._merged]
        self._above: Sequence[str] = ()
        self._value: _Cell | None = None
        self._line = 0

    def cell_for(self, line: int, cells: Sequence[str]) -> _Cell | None:
        """What the row's blank cell gets; ``None`` to leave the cell as it is."""
        if self.place >= len(cells):
            return None
        if cells[self.place].strip():
            self._above, self._value, self._line = cells, None, line
        elif self._line >= self._first_line(line):
            return self._value_above()
        return None

    def _value_above(self) -> _Cell:
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
