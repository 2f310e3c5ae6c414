"""Finds the header of a table: the row that has every column that the prompt uses."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from shared.formats.csv.delimiters import DELIMITERS, HEADER_ROWS, UNUSUAL, looks_like_json, shown_delimiter
from shared.formats.record import Record
from shared.inputs.tables.header_words import is_id_name
from shared.inputs.tables.table_shapes import is_blank
from shared.problems.exceptions import UserInputError
from shared.problems.messages.inputs.table import AT_LINE
from shared.problems.problem import Bilingual, Problem, ProblemList, Values
from shared.recipes.recipe import Recipe

if TYPE_CHECKING:
    from shared.recipes.prompts import PromptTemplate


@dataclasses.dataclass(frozen=True)
class Header:
    """The header of a table, and the prompts that put the cells below it in."""

    record: Record
    prompts: PromptTemplate


def header_test_for(recipe: Recipe) -> Callable[[Sequence[str]], bool]:
    """Whether some cells are a header for this recipe."""

    def is_header(cells: Sequence[str]) -> bool:
        from shared.recipes.templates.prompt_check import check_prompt  # noqa: PLC0415 - loads jinja2, for a recipe only

        try:
            check_prompt(recipe, cells)
        except UserInputError:
            return False
        return True

    return is_header


def take_header(records: Iterator[Record], recipe: Recipe, warnings: ProblemList) -> Header:
    """Take the records up to the header; the rows are left.

    Raises:
        UserInputError: There is none. The problem names the line that looks like one.
    """
    first = take_first(records)
    if recipe.header_row == "auto":
        first = _below_titles(first, records, recipe, warnings)
    elif recipe.header_row is not None and first.line:
        first = _at_line(recipe.header_row, chain([first], records))
    try:
        header = Header(first, _compiled(recipe, first.cells))
    except UserInputError as error:
        raise _explained(error, first, records, recipe) from error
    warnings.extend((*first.problems, *header.prompts.warnings))
    return header


def take_first(records: Iterator[Record]) -> Record:
    """The first record that holds anything."""
    first = next((each for each in records if each.problems or not is_blank(each.cells)), None)
    if first is None:
        raise UserInputError([Problem("empty_file")])
    return first


def _compiled(recipe: Recipe, columns: Sequence[str]) -> PromptTemplate:
    from shared.recipes.prompts import compile_prompt  # noqa: PLC0415 - loads jinja2, for a recipe only

    return compile_prompt(recipe, columns)


def _below_titles(first: Record, records: Iterator[Record], recipe: Recipe, warnings: ProblemList) -> Record:
    is_header = header_test_for(recipe)
    for record in _first_rows(first, records):
        if is_header(record.cells):
            if record is not first:
                warnings.add(Problem("rows_above_header", first.line, values={"header_line": record.line}))
            return record
    return first


def _first_rows(first: Record, records: Iterator[Record]) -> Iterator[Record]:
    return islice(chain([first], records), HEADER_ROWS)


def _at_line(line: int, records: Iterator[Record]) -> Record:
    last = 0
    for record in records:
        if record.line == line:
            return record
        if record.line > line:
            break
        last = record.line
    raise UserInputError(
        [Problem("header_row_not_there", field="header_row", found=str(line), values={"last": last})]
    )


def _explained(
    error: UserInputError, header: Record, records: Iterator[Record], recipe: Recipe
) -> UserInputError:
    """What is really wrong: another row is the header, or the header itself is damaged."""
    below = _find_below(header, records, recipe) if recipe.header_row is None else None
    if below is not None:
        return UserInputError([below])
    other = find_other_form(header, header_test_for(recipe))
    if other is not None:
        return UserInputError([other])
    if header.problems:
        return UserInputError(header.problems)
    separator = find_unusual_separator(header.cells)
    if separator:
        values = {"separator": separator}
        return UserInputError(
            [Problem("unusual_delimiter", header.line, found=header.cells[0], values=values)]
        )
    return UserInputError([in_header(problem, header.line) for problem in error.problems])


def in_header(problem: Problem, line: int) -> Problem:
    """The problem with the line of the header, which is not that of a recipe's key."""
    if problem.code != "missing_column":
        return dataclasses.replace(problem, line=line)
    at = Bilingual(*(text.format(line=line) if line else "" for text in AT_LINE))
    return dataclasses.replace(problem, values={**problem.values, "at": at})


def find_other_form(first: Record, is_header: Callable[[Sequence[str]], bool]) -> Problem | None:
    """What is wrong with a first row that is JSON, or as a whole one cell (a header if cut)."""
    text = _joined(first.cells)
    if looks_like_json(text):
        return Problem("json_in_table", first.line, found=text)
    for delimiter in DELIMITERS if len(first.cells) == 1 and not first.problems else ():
        cut = _first_row(text, delimiter)
        if len(cut) > 1 and is_header(cut):
            values: Values = {"separator": shown_delimiter(delimiter)}
            return Problem("row_in_one_cell", first.line, found=text, values=values)
    return None


def _first_row(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:  # of a NUL, before Python 3.11
        return []


def find_unusual_separator(cells: Sequence[str]) -> str:
    """What seems to stand between the columns if the reader sees only one; ``""`` if nothing."""
    if len(cells) != 1:
        return ""
    return next((each for each in UNUSUAL if each in cells[0]), "")


def _find_below(first: Record, records: Iterator[Record], recipe: Recipe) -> Problem | None:
    """The header below other rows; where these look like the table's, it was sorted among them."""
    is_header = header_test_for(recipe)
    widths: set[int] = set()
    try:
        for row in _first_rows(first, records):
            if is_header(row.cells):
                # A first row that names an id is a header, too: the table has two lines of it.
                is_sorted = widths == {_written(row.cells)} != {1} and not any(map(is_id_name, first.cells))
                code = "header_amid_rows" if is_sorted else "header_below"
                values: Values = {"header_line": row.line}
                return Problem(code, row.line, found=_joined(first.cells), values=values)
            widths.add(_written(row.cells))
    except UserInputError:
        pass  # of a row below; the header's own problem comes first
    return None


def _joined(cells: Sequence[str]) -> str:
    return ",".join(cells)


def _written(cells: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)
