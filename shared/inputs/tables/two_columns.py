"""The rows of Bailian's own table as requests: an id and a prompt, without a header or a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, dropwhile
from typing import ClassVar

from shared.formats.json.cells import escaped_cells, is_written
from shared.formats.record import Record, each_record
from shared.inputs.inbox_keys import InputKind
from shared.inputs.requests.custom_ids import CustomIds
from shared.inputs.requests.request_encoding import RequestForm, size_problems
from shared.inputs.rows import InputRow, Observations, OpenRecords
from shared.inputs.tables.header_words import looks_like_header
from shared.inputs.tables.other_sheets import has_ids_like, unread_sheets
from shared.inputs.tables.table_headers import find_other_form, find_unusual_separator, take_first
from shared.inputs.tables.table_shapes import (
    Beside,
    TableShape,
    form_problems,
    without_blank_end,
    written_rows,
)
from shared.ports.profile import ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values
from shared.recipes.templates.empty_cells import EMPTY_IN_JSON, LONGEST_IN_JSON, EmptyCells

TWO_COLUMNS = ("id", "prompt")
_SYSTEM_PROMPT = b"You are a helpful assistant."  # What Bailian's console sends for such a file.


@dataclass(frozen=True)
class TwoColumnTable:
    """The rows of Bailian's own table: an id and a prompt, without a header."""

    kind: ClassVar = InputKind.TWO_COLUMN_CSV
    open_records: OpenRecords
    model: str
    profile: ProviderProfile

    def rows(self, observed: Observations) -> Iterator[InputRow]:
        """Yield a row for each record; raises as ``RecipeTable.rows`` does."""
        # Line 0 is Parquet's header, not a row of the file; only a recipe needs it.
        opened = each_record(self.open_records(observed))
        records = dropwhile(lambda record: record.line == 0, opened)
        written = each_record(written_rows(records, observed.warnings))
        first = take_first(written)
        shape = _shape(observed)
        written = each_record(shape.learn(chain([first], written), observed.warnings))
        first = next(written)
        if len(without_blank_end(first.cells)) <= shape.width:  # else it has another column
            first = shape.fitted(first)
        _refuse_first(first)
        observed.columns = TWO_COLUMNS
        observed.warnings.extend(
            unread_sheets(observed, has_ids_like(first.cells), "unread_sheets_of_two_columns")
        )
        endpoint = self.profile.rules.default_endpoint_for(self.model)
        observed.model, observed.endpoint = self.model, endpoint
        observed.warnings.extend(self.profile.model_warnings_for(self.model))
        rows = _TwoColumnRows(shape, self.profile, observed)
        for record in chain([first], written):
            yield rows.row_for(record)
        shape.finish(rows.count, observed.warnings)
        rows.empty.finish(rows.count, observed.warnings)


def _shape(observed: Observations) -> TableShape:
    first_column = observed.layout.first_column if observed.sheet is not None else 0
    return TableShape(TWO_COLUMNS, first_column, Beside("cells_beside_two_columns", "two_columns_expected"))


def _refuse_first(first: Record) -> None:
    """Refuse a table that is not one of an id and a prompt, or that begins with a header."""
    other = find_other_form(first, lambda cells: len(cells) == len(TWO_COLUMNS))
    if other is not None:
        raise UserInputError([other])
    separator = find_unusual_separator(first.cells)
    if separator:
        values: Values = {"separator": separator}
        raise UserInputError([Problem("unusual_delimiter", first.line, found=first.cells[0], values=values)])
    if len(first.cells) != len(TWO_COLUMNS):
        values = {"columns": len(first.cells)}
        raise UserInputError([Problem("two_columns_expected", first.line, values=values)])
    if looks_like_header(*first.cells):
        raise UserInputError([Problem("looks_like_header", first.line, found=",".join(first.cells))])


class _TwoColumnRows:
    def __init__(self, shape: TableShape, profile: ProviderProfile, observed: Observations) -> None:
        limits, form = profile.limits_for(observed.model), profile.rules.form
        self._shape = shape
        self._form = RequestForm(observed.model, observed.endpoint, {}, has_system=True, form=form)
        self._limits = limits
        self._warnings = observed.warnings
        self._ids = CustomIds(limits.max_custom_id_chars)
        self.empty = EmptyCells({"content": 1}, "send", "empty_contents")
        self.count = 0

    def row_for(self, record: Record) -> InputRow:
        self.count += 1
        problems: list[Problem] = []
        if record.problems or len(record.cells) != len(TWO_COLUMNS):
            record = self._shape.fitted(record)
            problems = list(form_problems(record, len(TWO_COLUMNS)))
        custom_id = record.cells[0]
        request = None
        if not problems:
            problems = self._ids.problems(custom_id, record.line)
            escaped_id, content = escaped_cells(record.cells)
            if not is_written(content):
                problems.append(Problem("empty_prompt", record.line, "content"))
            elif len(content) <= LONGEST_IN_JSON and content in EMPTY_IN_JSON:
                self.empty.note(record.line, record.cells)
            request = self._form.line(escaped_id, self._form.body(_SYSTEM_PROMPT, content))
            problems += size_problems(len(request) - 1, record.line, self._limits, self._warnings)
        return InputRow(record.line, custom_id, record.cells, None if problems else request, tuple(problems))
