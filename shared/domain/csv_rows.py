"""CSV files into rows: with a header and a recipe, or Bailian's two columns (id, content) without either."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator

from shared.domain.csv_records import Record, delimiter_in, first_written_line, read_records
from shared.domain.custom_ids import CustomIds
from shared.domain.encodings import encoding_for, peek, refuse_binary, table_lines
from shared.domain.errors import UserInputError
from shared.domain.inputs import InputRow, Observations
from shared.domain.limits import EMBEDDINGS, ShardLimits
from shared.domain.models import default_endpoint_for, model_warnings_for
from shared.domain.problems import Problem
from shared.domain.recipe import Recipe
from shared.domain.request_encoding import (
    chat_body,
    embeddings_body,
    encode_json,
    encode_request,
    size_problems,
)

OpenChunks = Callable[[], Iterable[bytes]]

TWO_COLUMNS = ("id", "prompt")
SYSTEM_PROMPT = "You are a helpful assistant."  # What Bailian's console sends for such a file.
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
    limits: ShardLimits,
    observed: Observations,
) -> Iterator[InputRow]:
    """Yield a row for each record below the header.

    Raises:
        EncodingMismatch: Start over in its ``next_encoding``.
        UserInputError: The file as a whole cannot be used: from here on, or because of its header.
    """
    return rows_of_recipe(_read_table(open_chunks, table, observed), recipe, limits, observed)


def rows_of_recipe(
    records: Iterator[Record], recipe: Recipe, limits: ShardLimits, observed: Observations
) -> Iterator[InputRow]:
    """The same for records of any origin, the header the first of them."""
    header = _first_record(records)
    observed.columns, observed.thinking = header.cells, recipe.thinking
    observed.model, observed.endpoint = recipe.model, recipe.endpoint
    observed.warnings.extend(model_warnings_for(recipe.model))
    rows = _RecipeRows(header, recipe, limits, observed)
    for number, record in enumerate(_without_trailing_empty(records, observed), start=1):
        yield rows.row_for(number, record)


def two_column_rows(
    open_chunks: OpenChunks, table: TableFormat, model: str, limits: ShardLimits, observed: Observations
) -> Iterator[InputRow]:
    """Yield a row for each record; raises as ``recipe_rows`` does."""
    return rows_of_two_columns(_read_table(open_chunks, table, observed), model, limits, observed)


def rows_of_two_columns(
    records: Iterator[Record], model: str, limits: ShardLimits, observed: Observations
) -> Iterator[InputRow]:
    """The same for records of any origin."""
    first = _first_record(records)
    if len(first.cells) != len(TWO_COLUMNS):
        values = {"columns": len(first.cells)}
        raise UserInputError([Problem("two_columns_expected", first.line, values=values)])
    if first.cells[0].strip().lower() in _HEADER_WORDS:
        observed.warnings.add(Problem("looks_like_header", first.line, found=",".join(first.cells)))
    observed.columns = TWO_COLUMNS
    observed.model, observed.endpoint = model, default_endpoint_for(model)
    observed.warnings.extend(model_warnings_for(model))
    rows = _TwoColumnRows(model, limits, observed)
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
        self._recipe = recipe
        self._limits = limits
        self._warnings = observed.warnings

    def row_for(self, number: int, record: Record) -> InputRow:
        problems = _form_problems(record, self._columns)
        if problems:
            return InputRow(record.line, str(number), record.cells, None, tuple(problems))
        try:
            body = self._body(record)
        except UserInputError as error:
            return InputRow(record.line, str(number), record.cells, None, _located(error, record.line))
        # The digest lets two answers that got the same number in different uploads be told apart.
        custom_id = f"{number}-{hashlib.sha256(body).hexdigest()[:8]}"
        request = encode_request(custom_id, self._recipe.endpoint, body)
        problems = size_problems(len(request) - 1, record.line, self._limits, self._warnings)
        return InputRow(record.line, custom_id, record.cells, None if problems else request, tuple(problems))

    def _body(self, record: Record) -> bytes:
        recipe = self._recipe
        system, prompt = self._prompts.render(record.cells)
        if recipe.endpoint == EMBEDDINGS:
            body = embeddings_body(recipe.model, prompt, recipe.parameters)
        else:
            body = chat_body(recipe.model, system, prompt, recipe.parameters)
        try:
            return encode_json(body)
        except UnicodeEncodeError as error:
            raise UserInputError([Problem("lone_surrogate", field="prompt")]) from error


class _TwoColumnRows:
    def __init__(self, model: str, limits: ShardLimits, observed: Observations) -> None:
        self._model = model
        self._url = observed.endpoint
        self._limits = limits
        self._warnings = observed.warnings
        self._ids = CustomIds(limits.max_custom_id_chars)

    def row_for(self, record: Record) -> InputRow:
        custom_id = record.cells[0]
        problems = _form_problems(record, len(TWO_COLUMNS))
        request = None
        if not problems:
            problems = self._ids.problems(custom_id, record.line)
            content = record.cells[1]
            if not content.strip():
                problems.append(Problem("empty_prompt", record.line, "content"))
            request = self._request(custom_id, content)
            problems += size_problems(len(request) - 1, record.line, self._limits, self._warnings)
        return InputRow(record.line, custom_id, record.cells, None if problems else request, tuple(problems))

    def _request(self, custom_id: str, content: str) -> bytes:
        if self._url == EMBEDDINGS:
            body = embeddings_body(self._model, content, {})
        else:
            body = chat_body(self._model, SYSTEM_PROMPT, content, {})
        return encode_request(custom_id, self._url, encode_json(body))


def _read_table(open_chunks: OpenChunks, table: TableFormat, observed: Observations) -> Iterator[Record]:
    head, chunks = peek(open_chunks())
    refuse_binary(head)
    encoding = encoding_for(head, table.encoding, table.tried_encoding)
    header, lines = first_written_line(table_lines(open_chunks, chunks, encoding))
    observed.encoding = encoding.name
    observed.delimiter = table.delimiter or delimiter_in(header)
    return read_records(lines, observed.delimiter)


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


def _form_problems(record: Record, columns: int) -> list[Problem]:
    if record.problems or len(record.cells) == columns:
        return list(record.problems)
    values = {"expected": columns, "found_columns": len(record.cells)}
    return [Problem("ragged_row", record.line, values=values)]


def _without_trailing_empty(records: Iterable[Record], observed: Observations) -> Iterator[Record]:
    """Mark rows of nothing but empty cells as bad, except at the end of the file, where Excel leaves them behind."""
    held: list[Record] = []
    for record in records:
        if record.problems or any(cell.strip() for cell in record.cells):
            yield from held
            held.clear()
            yield record
            continue
        held.append(dataclasses.replace(record, problems=(Problem("empty_row", record.line),)))
        if len(held) == _HELD_EMPTY_ROWS:
            yield from held
            held.clear()
    if held:
        observed.warnings.add(Problem("trailing_empty_rows", held[0].line, values={"rows": len(held)}))
