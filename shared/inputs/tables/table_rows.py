"""The rows of a table with a header as requests, by a recipe."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from shared.formats.record import Record
from shared.inputs.inbox_keys import InputKind
from shared.inputs.requests.request_encoding import RequestForm, size_problems
from shared.inputs.rows import InputRow, Observations, OpenRecords
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
_WHY_EMPTY = frozenset({"merged_cells", "image_in_cell", "formula_without_value"})


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
        if recipe.sheet is None:
            observed.warnings.extend(unread_sheets(observed, has_columns_of(header)))
        shape = TableShape(columns, observed.layout.first_column if observed.sheet is not None else 0)
        below = without_repetitions(records, columns, observed.warnings)
        written = written_rows(below, observed.warnings)
        if observed.delimiter is not None:  # programs draw rules in texts only
            written = without_rule(written, observed.warnings)
        written = with_second_header_told(written, observed.warnings)
        written = shape.learn(written, observed.warnings, header.prompts.used_places)
        observed.columns = tuple(columns[: shape.width])
        written = self._filled(written, header, shape, observed)
        rows = _RecipeRows(header.prompts, shape, recipe, self.profile, observed)
        number = 0
        for number, record in enumerate(written, start=1):
            yield rows.row_for(number, record)
        shape.finish(number, observed.warnings)
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
        if not places:
            return records
        columns = header.record.cells[: shape.width]
        return filled_down(map(shape.fitted, records), columns, places, layout.merged)


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
        # Answers of two uploads may have the same number; the digest tells them apart.
        custom_id = f"{number}-{hashlib.sha256(body).hexdigest()[:8]}"
        request = form.line(custom_id.encode(), body)
        problems = tuple(size_problems(len(request) - 1, record.line, self._limits, self._warnings))
        return InputRow(record.line, custom_id, record.cells, None if problems else request, problems)

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
