"""The rows of a table with a header as requests, by a recipe."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from shared.formats.record import FirstRecords, Record, RecordBlock, Records, each_record
from shared.inputs.inbox_keys import InputKind
from shared.inputs.requests.request_encoding import RequestForm, body_digest, numbered_id, size_problems
from shared.inputs.rows import InputRow, Observations, OpenRecords, RowBlock
from shared.inputs.tables.block_rows import BlockRows
from shared.inputs.tables.header_rows import without_repetitions, without_rule
from shared.inputs.tables.merged_cells import filled_down, filled_places, layout_warnings
from shared.inputs.tables.other_sheets import find_in_sheets, has_columns_of, unread_sheets
from shared.inputs.tables.second_headers import with_second_header_told
from shared.inputs.tables.table_headers import Header, take_header
from shared.inputs.tables.table_shapes import TableShape, form_problems, written_rows
from shared.ports.profile import ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values
from shared.recipes.recipe import Recipe

if TYPE_CHECKING:
    from shared.recipes.prompts import PromptTemplate

_NO_HEADER = frozenset({"missing_column", "empty_file", "header_row_not_there"})
_FEWEST_AT_ONCE = 8
_WHY_EMPTY = frozenset({"merged_cells", "image_in_cell", "formula_without_value"})


@dataclasses.dataclass(frozen=True)
class RecipeTable:
    """The rows of a table with a header, each made into a request by the recipe."""

    kind: ClassVar = InputKind.RECIPE_CSV
    open_records: OpenRecords
    recipe: Recipe
    profile: ProviderProfile

    def rows(self, observed: Observations) -> Iterator[InputRow | RowBlock]:
        """Yield a row for each record below the header; good ones in blocks where these are read.

        Raises:
            EncodingMismatch: Start over in its ``next_encoding``.
            UserInputError: The file cannot be used: from here on, or because of its header.
        """
        records = self.open_records(observed)
        recipe = self.recipe
        observed.thinking = recipe.thinking
        observed.model, observed.endpoint = recipe.model, recipe.endpoint
        observed.warnings.extend(self.profile.model_warnings_for(recipe.model))
        alone = FirstRecords(records)
        try:
            header = take_header(alone, recipe, observed.warnings)
        except UserInputError as error:
            raise self._explained(error, records, observed) from error
        columns = header.record.cells
        if recipe.sheet is None:
            observed.warnings.extend(unread_sheets(observed, has_columns_of(header)))
        shape = TableShape(columns, observed.layout.first_column if observed.sheet is not None else 0)
        below = without_repetitions(alone.rest(), columns, observed.warnings)
        written = written_rows(below, observed.warnings)
        if observed.delimiter is not None:  # programs draw rules in texts only
            written = without_rule(written, observed.warnings)
        written = with_second_header_told(written, observed.warnings)
        written = shape.learn(written, observed.warnings, header.prompts.used_places)
        observed.columns = tuple(columns[: shape.width])
        written = self._filled(written, header, shape, observed)
        rows = _RecipeRows(header.prompts, shape, recipe, self.profile, observed)
        for item in written:
            yield from rows.rows_for(item)
        shape.finish(rows.count, observed.warnings)
        try:
            rows.empty.finish(rows.count, observed.warnings)
        except UserInputError as error:
            whys = [each for each in observed.warnings.first if each.code in _WHY_EMPTY]
            raise UserInputError([*whys, *error.problems]) from error

    def _explained(self, error: UserInputError, records: Records, observed: Observations) -> UserInputError:
        """Why there is no header: perhaps it is in another sheet."""
        if error.problems[0].code not in _NO_HEADER:
            return error
        found = find_in_sheets(observed.other_sheets(), self.recipe, instead_of=records)
        if found is None:
            return error
        values: Values = {"sheet": observed.sheet or "", "header_line": found[1].line}
        return UserInputError([Problem("header_in_other_sheet", found=found[0], values=values)])

    def _filled(self, records: Records, header: Header, shape: TableShape, observed: Observations) -> Records:
        names, layout, prompts = self.recipe.fill_down, observed.layout, header.prompts
        places = filled_places(names, prompts, header.record)
        observed.warnings.extend(layout_warnings(layout, header.record, prompts.used_places - places, names))
        if not places:
            return records
        columns = header.record.cells[: shape.width]
        return filled_down(map(shape.fitted, each_record(records)), columns, places, layout.merged)


class _RecipeRows:
    def __init__(
        self,
        prompts: PromptTemplate,
        shape: TableShape,
        recipe: Recipe,
        profile: ProviderProfile,
        observed: Observations,
    ) -> None:
        self._prompts = prompts
        self.empty = prompts.empty
        self._shape = shape
        self._columns = shape.width
        self._form = _form(recipe, profile)
        self._limits = profile.limits_for(recipe.model)
        self._warnings = observed.warnings
        self._blocks = BlockRows(prompts, self._form, self._columns, self._limits)
        self.count = 0

    def rows_for(self, item: Record | RecordBlock) -> Iterable[InputRow | RowBlock]:
        if isinstance(item, Record):
            self.count += 1
            return (self.row_for(self.count, item),)
        block = self._blocks.find_rows(self.count + 1, item)
        if block is not None:
            self.count += len(item.rows)
            return (block,)
        # Of a block with an odd row, most rows are still made at once.
        parts = item.halves() if len(item.rows) > _FEWEST_AT_ONCE else item.records()
        return chain.from_iterable(map(self.rows_for, parts))

    def row_for(self, number: int, record: Record) -> InputRow:
        if record.problems or len(record.cells) != self._columns:
            record = self._shape.fitted(record)
            problems = form_problems(record, self._columns)
            if problems:
                return InputRow(record.line, str(number), record.cells, None, problems)
        try:
            form, body = self._encoded(record)
        except UserInputError as error:
            located = _located(error, record.line)
            if self._prompts.is_spent:  # each further row would fail for it
                raise UserInputError(located) from error
            is_nothing_else = any(problem.code == "empty_prompt" for problem in located)
            left_out = None
            if self.empty.is_skipped or is_nothing_else:
                left_out = self._left_out(number, record, is_nothing_else=is_nothing_else)
            return left_out or InputRow(record.line, str(number), record.cells, None, located)
        if self.empty.suspected and (left_out := self._left_out(number, record)):
            return left_out
        digest = body_digest(body)
        custom_id = numbered_id(number, digest)
        request = form.line(custom_id.encode(), body)
        problems = tuple(size_problems(len(request) - 1, record.line, self._limits, self._warnings))
        if problems:
            return InputRow(record.line, custom_id, record.cells, None, problems)
        return InputRow(record.line, custom_id, record.cells, request, digest=digest)

    def _left_out(self, number: int, record: Record, *, is_nothing_else: bool = False) -> InputRow | None:
        """The row, if it is not sent because a cell is empty: by its recipe, or alone in it."""
        problem = self.empty.note(record.line, record.cells, is_nothing_else=is_nothing_else)
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


def _form(recipe: Recipe, profile: ProviderProfile) -> RequestForm | None:
    """``None`` if something of the recipe cannot be encoded, so that no request can be made."""
    has_system = recipe.system is not None
    try:
        return RequestForm(
            recipe.model, recipe.endpoint, recipe.parameters, has_system=has_system, form=profile.rules.form
        )
    except UnicodeEncodeError:
        return None


def _located(error: UserInputError, line: int) -> tuple[Problem, ...]:
    return tuple(dataclasses.replace(problem, line=line) for problem in error.problems)
