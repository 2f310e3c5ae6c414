"""Table rows as requests: with a header and a recipe, or Bailian's two columns without either."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, dropwhile
from typing import TYPE_CHECKING, ClassVar

from pydantic import JsonValue

from shared.formats.json.cells import escaped_cells, is_written
from shared.formats.record import Record
from shared.inputs.inbox_keys import InputKind
from shared.inputs.requests.custom_ids import CustomIds
from shared.inputs.requests.request_encoding import RequestForm, size_problems
from shared.inputs.rows import InputRow, Observations
from shared.inputs.tables.header_rows import without_repetitions, without_rule
from shared.inputs.tables.header_words import looks_like_header
from shared.inputs.tables.merged_cells import filled_down, filled_places, layout_warnings
from shared.inputs.tables.table_headers import (
    Header,
    find_in_sheets,
    find_unusual_separator,
    take_first,
    take_header,
)
from shared.inputs.tables.table_shapes import TableShape, written_rows
from shared.ports.profile import ProviderProfile, ShardLimits
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values
from shared.recipes.recipe import Recipe
from shared.recipes.templates.empty_cells import EMPTY_IN_JSON, LONGEST_IN_JSON, EmptyCells

if TYPE_CHECKING:
    from shared.recipes.prompts import PromptTemplate

OpenRecords = Callable[[Observations], Iterator[Record]]

TWO_COLUMNS = ("id", "prompt")
_NO_HEADER = frozenset({"missing_column", "empty_file", "header_row_not_there"})
_WHY_EMPTY = frozenset({"merged_cells", "image_in_cell", "formula_without_value"})
_SYSTEM_PROMPT = b"You are a helpful assistant."  # What Bailian's console sends for such a file.


@dataclasses.dataclass(frozen=True)
class RecipeTable:
    """The rows of a table with a header, each made into a request by the recipe."""

    kind: ClassVar = InputKind.RECIPE_CSV
    open_records: OpenRecords
    recipe: Recipe
    profile: ProviderProfile

    def rows(self, observed: Observations) -> Iterator[InputRow]:
        """Yield a row for each record below the header.

        Raises:
            EncodingMismatch: Start over in its ``next_encoding``.
            UserInputError: The file cannot be used: from here on, or because of its header.
        """
        records = self.open_records(observed)
        recipe = self.recipe
        observed.thinking = recipe.thinking
        observed.model, observed.endpoint = recipe.model, recipe.endpoint
        observed.warnings.extend(self.profile.model_warnings_for(recipe.model))
        header = self._header(records, observed)
        columns = header.record.cells
        shape = TableShape(columns, is_sheet=observed.sheet is not None)
        below = without_repetitions(records, columns, observed.warnings)
        written = without_rule(written_rows(below, observed.warnings), observed.warnings)
        written = shape.learn(written, observed.warnings)
        observed.columns = tuple(columns[: shape.width])
        written = self._filled(written, header, shape, observed)
        rows = _RecipeRows(header.prompts, shape, recipe, self.profile.limits_for(recipe.model), observed)
        number = 0
        for number, record in enumerate(written, start=1):
            yield rows.row_for(number, record)
        shape.warn(observed.warnings)
        try:
            rows.empty.finish(number, observed.warnings)
        except UserInputError as error:
            whys = [each for each in observed.warnings.first if each.code in _WHY_EMPTY]
            raise UserInputError([*whys, *error.problems]) from error

    def _header(self, records: Iterator[Record], observed: Observations) -> Header:
        try:
            return take_header(records, self.recipe, observed.warnings)
        except UserInputError as error:
            if error.problems[0].code not in _NO_HEADER:
                raise
            found = find_in_sheets(observed.other_sheets(), self.recipe, instead_of=records)
            if found is None:
                raise
            values: Values = {"sheet": observed.sheet or "", "header_line": found[1].line}
            raise UserInputError([Problem("header_in_other_sheet", found=found[0], values=values)]) from error

    def _filled(
        self, records: Iterator[Record], header: Header, shape: TableShape, observed: Observations
    ) -> Iterator[Record]:
        names, layout, prompts = self.recipe.fill_down, observed.layout, header.prompts
        places = filled_places(names, prompts, header.record)
        observed.warnings.extend(layout_warnings(layout, header.record, prompts.used_places - places, names))
        return filled_down(map(shape.fitted, records), places, layout.merged) if places else records


@dataclasses.dataclass(frozen=True)
class TwoColumnTable:
    """The rows of Bailian's own table: an id and a prompt, without a header."""

    kind: ClassVar = InputKind.TWO_COLUMN_CSV
    open_records: OpenRecords
    model: str
    profile: ProviderProfile

    def rows(self, observed: Observations) -> Iterator[InputRow]:
        """Yield a row for each record; raises as ``RecipeTable.rows`` does."""
        # Line 0 is Parquet's header, not a row of the file; only a recipe needs it.
        records = dropwhile(lambda record: record.line == 0, self.open_records(observed))
        shape = TableShape(TWO_COLUMNS, is_sheet=False)
        written = shape.learn(written_rows(records, observed.warnings), observed.warnings)
        first = take_first(written)
        _refuse_first(shape.fitted(first))
        observed.columns = TWO_COLUMNS
        endpoint = self.profile.rules.default_endpoint_for(self.model)
        observed.model, observed.endpoint = self.model, endpoint
        observed.warnings.extend(self.profile.model_warnings_for(self.model))
        rows = _TwoColumnRows(shape, self.model, self.profile.limits_for(self.model), observed)
        for record in chain([first], written):
            yield rows.row_for(record)
        shape.warn(observed.warnings)
        rows.empty.finish(rows.count, observed.warnings)


def _refuse_first(first: Record) -> None:
    """Refuse a table that is not one of an id and a prompt, or that begins with a header."""
    separator = find_unusual_separator(first.cells)
    if separator:
        values: Values = {"separator": separator}
        raise UserInputError([Problem("unusual_delimiter", first.line, found=first.cells[0], values=values)])
    if len(first.cells) != len(TWO_COLUMNS):
        values = {"columns": len(first.cells)}
        raise UserInputError([Problem("two_columns_expected", first.line, values=values)])
    if looks_like_header(*first.cells):
        raise UserInputError([Problem("looks_like_header", first.line, found=",".join(first.cells))])


class _RecipeRows:
    def __init__(
        self,
        prompts: PromptTemplate,
        shape: TableShape,
        recipe: Recipe,
        limits: ShardLimits,
        observed: Observations,
    ) -> None:
        self._prompts = prompts
        self.empty = prompts.empty
        self._shape = shape
        self._columns = shape.width
        self._form = _form(
            recipe.model, recipe.endpoint, recipe.parameters, has_system=recipe.system is not None
        )
        self._limits = limits
        self._warnings = observed.warnings

    def row_for(self, number: int, record: Record) -> InputRow:
        if record.problems or len(record.cells) != self._columns:
            record = self._shape.fitted(record)
            problems = _form_problems(record, self._columns)
            if problems:
                return InputRow(record.line, str(number), record.cells, None, problems)
        try:
            form, body = self._encoded(record)
        except UserInputError as error:
            left_out = self._left_out(number, record) if self.empty.is_skipped else None
            located = _located(error, record.line)
            return left_out or InputRow(record.line, str(number), record.cells, None, located)
        if self.empty.suspected and (left_out := self._left_out(number, record)):
            return left_out
        # Answers of two uploads may have the same number; the digest tells them apart.
        custom_id = f"{number}-{hashlib.sha256(body).hexdigest()[:8]}"
        request = form.line(custom_id.encode(), body)
        problems = tuple(size_problems(len(request) - 1, record.line, self._limits, self._warnings))
        return InputRow(record.line, custom_id, record.cells, None if problems else request, problems)

    def _left_out(self, number: int, record: Record) -> InputRow | None:
        """The row, if the recipe does not want it to be sent because a cell is empty."""
        problem = self.empty.note(record.line, record.cells)
        if problem is None:
            return None
        return InputRow(record.line, str(number), record.cells, None, (problem,), is_left_out=True)

    def _encoded(self, record: Record) -> tuple[RequestForm, bytes]:
        try:
            system, prompt = self._prompts.render_escaped(record.cells)
        except UnicodeEncodeError as error:
            raise UserInputError([Problem("lone_surrogate", field="prompt")]) from error
        if self._form is None:
            raise UserInputError([Problem("lone_surrogate", field="prompt")])
        return self._form, self._form.body(system, prompt)


class _TwoColumnRows:
    def __init__(self, shape: TableShape, model: str, limits: ShardLimits, observed: Observations) -> None:
        self._shape = shape
        self._form = RequestForm(model, observed.endpoint, {}, has_system=True)
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
            problems = list(_form_problems(record, len(TWO_COLUMNS)))
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


def _form(
    model: str, endpoint: str, parameters: Mapping[str, JsonValue], *, has_system: bool
) -> RequestForm | None:
    """``None`` if something of the recipe cannot be encoded, so that no request can be made."""
    try:
        return RequestForm(model, endpoint, parameters, has_system=has_system)
    except UnicodeEncodeError:
        return None


def _located(error: UserInputError, line: int) -> tuple[Problem, ...]:
    return tuple(dataclasses.replace(problem, line=line) for problem in error.problems)


def _form_problems(record: Record, columns: int) -> tuple[Problem, ...]:
    if record.problems or len(record.cells) == columns:
        return record.problems
    values = {"expected": columns, "found_columns": len(record.cells)}
    return (Problem("ragged_row", record.line, values=values),)
