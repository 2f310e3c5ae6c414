"""CSV files into rows: with a header and a recipe, or Bailian's two columns (id, content) without either."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pydantic import JsonValue

from shared.domain.binary_files import refuse_binary
from shared.domain.csv_blocks import Record
from shared.domain.csv_records import TextLines, delimiter_in, read_records
from shared.domain.custom_ids import CustomIds
from shared.domain.damaged_utf8 import is_mostly_utf8
from shared.domain.encodings import (
    MAX_LINE_BYTES,
    Encoding,
    LineDecoder,
    Undecodable,
    decodable_chunks,
    encoding_for,
    explained,
    peek,
)
from shared.domain.errors import UserInputError
from shared.domain.inputs import InputRow, Observations
from shared.domain.json_cells import JsonCells, escaped_cells, is_written
from shared.domain.limits import ShardLimits
from shared.domain.line_source import LineSource
from shared.domain.problems import Problem
from shared.domain.provider_profile import ProviderProfile
from shared.domain.recipe import Recipe
from shared.domain.request_encoding import RequestForm, size_problems

OpenChunks = Callable[[], Iterable[bytes]]

TWO_COLUMNS = ("id", "prompt")
_SYSTEM_PROMPT = b"You are a helpful assistant."  # What Bailian's console sends for such a file.
_HEADER_WORDS = frozenset({"id", "custom_id", "content"})
_HELD_EMPTY_ROWS = 10_000


@dataclasses.dataclass(frozen=True)
class TableFormat:
    """What is known of a table before it is read; ``None`` is to be detected."""

    encoding: str | None = None
    delimiter: str | None = None
    tried_encoding: str | None = None


def recipe_rows(
    open_chunks: OpenChunks,
    table: TableFormat,
    recipe: Recipe,
    profile: ProviderProfile,
    observed: Observations,
) -> Iterator[InputRow]:
    """Yield a row for each record below the header.

    Raises:
        EncodingMismatch: Start over in its ``next_encoding``.
        UserInputError: The file as a whole cannot be used: from here on, or because of its header.
    """
    return rows_of_recipe(_read_table(open_chunks, table, observed), recipe, profile, observed)


def rows_of_recipe(
    records: Iterator[Record], recipe: Recipe, profile: ProviderProfile, observed: Observations
) -> Iterator[InputRow]:
    """The same for records of any origin, the header the first of them."""
    header = _first_record(records)
    observed.columns, observed.thinking = tuple(header.cells), recipe.thinking
    observed.model, observed.endpoint = recipe.model, recipe.endpoint
    observed.warnings.extend(profile.model_warnings_for(recipe.model))
    rows = _RecipeRows(header, recipe, profile.limits_for(recipe.model), observed)
    for number, record in enumerate(_without_trailing_empty(records, observed), start=1):
        yield rows.row_for(number, record)


def two_column_rows(
    open_chunks: OpenChunks, table: TableFormat, model: str, profile: ProviderProfile, observed: Observations
) -> Iterator[InputRow]:
    """Yield a row for each record; raises as ``recipe_rows`` does."""
    return rows_of_two_columns(_read_table(open_chunks, table, observed), model, profile, observed)


def rows_of_two_columns(
    records: Iterator[Record], model: str, profile: ProviderProfile, observed: Observations
) -> Iterator[InputRow]:
    """The same for records of any origin."""
    first = _first_record(records)
    if len(first.cells) != len(TWO_COLUMNS):
        values = {"columns": len(first.cells)}
        raise UserInputError([Problem("two_columns_expected", first.line, values=values)])
    if first.cells[0].strip().lower() in _HEADER_WORDS:
        observed.warnings.add(Problem("looks_like_header", first.line, found=",".join(first.cells)))
    observed.columns = TWO_COLUMNS
    observed.model, observed.endpoint = model, profile.rules.default_endpoint_for(model)
    observed.warnings.extend(profile.model_warnings_for(model))
    rows = _TwoColumnRows(model, profile.limits_for(model), observed)
    for record in _without_trailing_empty(_starting_with(first, records), observed):
        yield rows.row_for(record)


class _RecipeRows:
    def __init__(self, header: Record, recipe: Recipe, limits: ShardLimits, observed: Observations) -> None:
        from shared.domain.prompts import compile_prompt  # noqa: PLC0415 - loads jinja2, for a recipe only

        self._columns = len(header.cells)
        try:
            self._prompts = compile_prompt(recipe, header.cells)
        except UserInputError as error:
            raise UserInputError(_located(error, header.line)) from error
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
        # The digest lets two answers that got the same number in different uploads be told apart.
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
    """``None`` if no request can be made: something of the recipe cannot be encoded."""
    try:
        return RequestForm(model, endpoint, parameters, has_system=has_system)
    except UnicodeEncodeError:
        return None


def _read_table(open_chunks: OpenChunks, table: TableFormat, observed: Observations) -> Iterator[Record]:
    head, chunks = peek(open_chunks())
    refuse_binary(head, table.encoding)
    encoding = encoding_for(head, table.encoding, table.tried_encoding)
    if encoding == Encoding("gb18030") and _is_damaged_utf8(open_chunks, head, table):
        encoding = Encoding("utf-8", is_certain=True)
    observed.encoding = encoding.name
    lines = _text_lines(chunks, encoding)
    try:
        header = lines.take_first_written()
        observed.delimiter = table.delimiter or delimiter_in(header)
        yield from read_records(lines, observed.delimiter)
    except Undecodable as damage:
        raise explained(damage, open_chunks) from damage


def _is_damaged_utf8(open_chunks: OpenChunks, head: bytes, table: TableFormat) -> bool:
    """Judged by the head; where that gave no reason to think of GB18030, by the whole file, which is rare."""
    complete = head[: head.rfind(b"\n") + 1] or head
    chunks = open_chunks() if table.tried_encoding else [complete]
    return is_mostly_utf8(chunks, MAX_LINE_BYTES)


def _text_lines(chunks: Iterable[bytes], encoding: Encoding) -> TextLines:
    chunks, encoding = decodable_chunks(chunks, encoding)
    return TextLines(LineSource(chunks, MAX_LINE_BYTES), LineDecoder(encoding))


def _first_record(records: Iterator[Record]) -> Record:
    first = next(records, None)
    if first is None:
        raise UserInputError([Problem("empty_file")])
    return first


def _starting_with(first: Record, rest: Iterator[Record]) -> Iterator[Record]:
    yield first
    yield from rest


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
    """Mark rows of nothing but empty cells as bad, except at the end of the file, where Excel leaves them behind."""
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
