"""Fills merged cells down, and tells of what people see in a sheet and the model does not."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from shared.formats.record import Record, SheetLayout
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values, nearest

if TYPE_CHECKING:
    from shared.recipes.prompts import PromptTemplate

Ranges = Sequence[tuple[int, int]]


def filled_places(names: Sequence[str], prompts: PromptTemplate, header: Record) -> frozenset[int]:
    """The columns that ``fill_down`` names.

    Raises:
        UserInputError: The header has none, or several, of such a name.
    """
    problems = []
    for name in names:
        places = prompts.places_of(name)
        if not places:
            near = nearest(name, header.cells)
            values: Values = {
                "nearest": near,
                "write": f"fill_down: [{near}]",
                "columns": ", ".join(header.cells),
            }
            problems.append(Problem("missing_column", header.line, "fill_down", name, values))
        elif len(places) > 1:
            values = {"times": len(places), "columns": ", ".join(header.cells[place] for place in places)}
            problems.append(Problem("duplicate_column", header.line, "fill_down", name, values))
    if problems:
        raise UserInputError(problems)
    return frozenset(prompts.places_of(name)[0] for name in names)


def layout_warnings(layout: SheetLayout, header: Record, places: AbstractSet[int]) -> Iterator[Problem]:
    """Merged cells and pictures below the header, in these columns."""
    for place in sorted(places):
        name = header.cells[place]
        below = [(max(top, header.line), bottom) for top, bottom in layout.merged.get(place, ())]
        cells = sum(bottom - top for top, bottom in below if bottom > top)
        if cells:
            first = min(top for top, bottom in below if bottom > top) + 1
            yield Problem("merged_cells", first, name, values={"cells": cells})
        drawn = [row for row, column in layout.pictures if column == place and row > header.line]
        if drawn:
            yield Problem("image_in_cell", min(drawn), name, values={"cells": len(drawn)})


def filled_down(
    records: Iterable[Record], places: AbstractSet[int], merged: Mapping[int, Ranges]
) -> Iterator[Record]:
    """Give blank cells of these columns the value above.

    Where a sheet has merged cells in a column, these are filled and no others: a cell that is blank
    by itself was meant to be. Other tables only have blank cells below a value.
    """
    columns = [_Column(place, merged.get(place, ())) for place in sorted(places)]
    for record in records:
        cells = list(record.cells)
        for column in columns if not record.problems else ():
            column.fill(record.line, cells)
        yield record if cells == list(record.cells) else record._replace(cells=tuple(cells))


class _Column:
    def __init__(self, place: int, merged: Ranges) -> None:
        self._place = place
        self._merged = sorted(merged, key=lambda rows: rows[1])
        self._bottoms = [bottom for _, bottom in self._merged]
        self._value = ""
        self._line = 0

    def fill(self, line: int, cells: list[str]) -> None:
        if self._place >= len(cells):
            return
        if cells[self._place].strip():
            self._value, self._line = cells[self._place], line
        elif self._line >= self._first_line(line):
            cells[self._place] = self._value

    def _first_line(self, line: int) -> int:
        """The first line whose value is that of the cell on ``line``."""
        if not self._merged:
            return 1
        number = bisect_left(self._bottoms, line)
        top = self._merged[number][0] if number < len(self._merged) else line
        return top if top < line else line
