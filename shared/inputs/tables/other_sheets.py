"""The sheets of a workbook beside the one that is read: what is in them that may be meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice

from shared.formats.csv.delimiters import HEADER_ROWS
from shared.formats.record import Record, TableNotes
from shared.formats.visible_text import visible
from shared.inputs.tables.table_headers import Header, header_test_for
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values
from shared.recipes.recipe import Recipe

_MAX_SHEETS = 20
_DIGITS = re.compile(r"\d+")


def find_in_sheets(
    sheets: Iterable[tuple[str, Iterator[Record]]], recipe: Recipe, instead_of: Iterator[object]
) -> tuple[str, Record] | None:
    """The first sheet among whose first rows there is a header for the recipe, and that row.

    Each may fill the memory: ``instead_of``, the sheet that was read before, is closed first.
    """
    if isinstance(instead_of, Generator):
        instead_of.close()
    is_header = header_test_for(recipe)
    for name, records in islice(sheets, _MAX_SHEETS):
        with suppress(UserInputError):  # it is too large, or damaged; nobody asked for it
            header = next(filter(lambda row: is_header(row.cells), islice(records, HEADER_ROWS)), None)
            if header is not None:
                return name, header
    return None


def unread_sheets(
    notes: TableNotes, is_alike: Callable[[Sequence[str]], bool], code: str = "unread_sheets"
) -> Iterator[Problem]:
    """What to say if other sheets of the workbook have such a row, with others below it."""
    alike = [
        name
        for name, rows in islice(notes.beginnings(HEADER_ROWS), _MAX_SHEETS)
        if any(map(is_alike, rows[:-1]))
    ]
    if alike:
        values: Values = {"sheet": notes.sheet or "", "first": alike[0]}
        yield Problem(code, found=", ".join(alike), values=values)


def has_columns_of(header: Header) -> Callable[[Sequence[str]], bool]:
    """Whether some cells have the columns that the prompt takes from this header."""
    used = {visible(header.record.cells[place]) for place in header.prompts.used_places}
    return lambda cells: bool(used) and used <= {*map(visible, cells)}


def has_ids_like(first: Sequence[str]) -> Callable[[Sequence[str]], bool]:
    """Whether some cells are as many, and begin with an id that differs in its digits only."""
    form = _DIGITS.sub("0", first[0])
    return lambda cells: len(cells) == len(first) and _DIGITS.sub("0", cells[0]) == form
