"""Table rows as requests: with a header and a recipe, or Bailian's two columns without either."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, dropwhile
from typing import ClassVar

from pydantic import JsonValue

from shared.formats.json.cells import JsonCells, escaped_cells, is_written
from shared.formats.record import Record
from shared.inputs.custom_ids import CustomIds
from shared.inputs.inbox_keys import InputKind
from shared.inputs.request_encoding import RequestForm, size_problems
from shared.inputs.rows import InputRow, Observations
from shared.ports.profile import ProviderProfile, ShardLimits
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.recipes.recipe import Recipe

OpenRecords = Callable[[Observations], Iterator[Record]]

TWO_COLUMNS = ("id", "prompt")
_SYSTEM_PROMPT = b"You are a helpful assistant."  # What Bailian's console sends for such a file.
_HEADER_WORDS = frozenset({"id", "custom_id", "content"})
_HELD_EMPTY_ROWS = 10_000


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
        header = _first_record(records)
        recipe = self.recipe
        observed.columns, observed.thinking = tuple(header.cells), recipe.thinking
        observed.model, observed.endpoint = recipe.model, recipe.endpoint
        observed.warnings.extend(self.profile.model_warnings_for(recipe.model))
        rows = _RecipeRows(header, recipe, self.profile.limits_for(recipe.model), observed)
        for number, record in enumerate(_without_trailing_empty(records, observed), start=1):
            yield rows.row_for(number, record)


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
        first = _first_record(records)
        if len(first.cells) != len(TWO_COLUMNS):
            values = {"columns": len(first.cells)}
            raise UserInputError([Problem("two_columns_expected", first.line, values=values)])
        if first.cells[0].strip().lower() in _HEADER_WORDS:
            observed.warnings.add(Problem("looks_like_header", first.line, found=",".join(first.cells)))
        observed.columns = TWO_COLUMNS
        endpoint = self.profile.rules.default_endpoint_for(self.model)
        observed.model, observed.endpoint = self.model, endpoint
        observed.warnings.extend(self.profile.model_warnings_for(self.model))
        rows = _TwoColumnRows(self.model, self.profile.limits_for(self.model), observed)
        for record in _without_trailing_empty(chain([first], records), observed):
            yield rows.row_for(record)


class _RecipeRows:
    def __init__(self, header: Record, recipe: Recipe, limits: ShardLimits, observed: Observations) -> None:
        from shared.recipes.prompts import compile_prompt  # noqa: PLC0415 - loads jinja2, for a recipe only

        self._columns = len(header.cells)
        try:
            self._prompts = compile_prompt(recipe, header.cells)
        except UserInputError as error:
            raise UserInputError(_located(error, header.line)) from error
        observed.warnings.extend(self._prompts.warnings)
        self._form = _form(
            recipe.model, recipe.endpoint, recipe.parameters, has_system=recipe.system is not None
        )
        self._limits = limits
        self._warnings = observed.warnings

    def row_for(self, number: int, record: Record) -> InputRow:
        if record.problems or len(record.cells) != self._columns:
            return InputRow(
                record.line, str(number), record.cells, None, _form_problems(record, self._columns)
            )
        try:
            form, body = self._encoded(record)
        except UserInputError as error:
            return InputRow(record.line, str(number), record.cells, None, _located(error, record.line))
        # Answers of two uploads may have the same number; the digest tells them apart.
        custom_id = f"{number}-{hashlib.sha256(body).hexdigest()[:8]}"
        request = form.line(custom_id.encode(), body)
        problems = size_problems(len(request) - 1, record.line, self._limits, self._warnings)
        return InputRow(record.line, custom_id, record.cells, None if problems else request, tuple(problems))

    def _encoded(self, record: Record) -> tuple[RequestForm, bytes]:
        try:
            system, prompt = self._prompts.render_escaped(record.cells)
        except UnicodeEncodeError as error:
            raise UserInputError([Problem("lone_surrogate", field="prompt")]) from error
        if self._form is None:
            raise UserInputError([Problem("lone_surrogate", field="prompt")])
        return self._form, self._form.body(system, prompt)


class _TwoColumnRows:
    def __init__(self, model: str, limits: ShardLimits, observed: Observations) -> None:
        self._form = RequestForm(model, observed.endpoint, {}, has_system=True)
        self._limits = limits
        self._warnings = observed.warnings
        self._ids = CustomIds(limits.max_custom_id_chars)

    def row_for(self, record: Record) -> InputRow:
        custom_id = record.cells[0]
        problems = list(_form_problems(record, len(TWO_COLUMNS)))
        request = None
        if not problems:
            problems = self._ids.problems(custom_id, record.line)
            escaped_id, content = escaped_cells(record.cells)
            if not is_written(content):
                problems.append(Problem("empty_prompt", record.line, "content"))
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


def _first_record(records: Iterator[Record]) -> Record:
    first = next(records, None)
    if first is None:
        raise UserInputError([Problem("empty_file")])
    return first


def _located(error: UserInputError, line: int) -> tuple[Problem, ...]:
    return tuple(dataclasses.replace(problem, line=line) for problem in error.problems)


def _form_problems(record: Record, columns: int) -> tuple[Problem, ...]:
    if record.problems or len(record.cells) == columns:
        return record.problems
    values = {"expected": columns, "found_columns": len(record.cells)}
    return (Problem("ragged_row", record.line, values=values),)


def _is_empty(cells: Sequence[str]) -> bool:
    if isinstance(cells, JsonCells):
        return not any(map(is_written, cells.escaped))
    return not any(cell.strip() for cell in cells)


def _without_trailing_empty(records: Iterable[Record], observed: Observations) -> Iterator[Record]:
    """Mark empty rows as bad, except at the end of the file, where Excel leaves them behind."""
    held: list[Record] = []
    for record in records:
        if record.problems or not _is_empty(record.cells):
            if held:
                yield from held
                held.clear()
            yield record
            continue
        held.append(record._replace(problems=(Problem("empty_row", record.line),)))
        if len(held) == _HELD_EMPTY_ROWS:
            yield from held
            held.clear()
    if held:
        observed.warnings.add(Problem("trailing_empty_rows", held[0].line, values={"rows": len(held)}))
