"""Writes a commented ``batch.yaml`` for a table, from its columns and its first rows."""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from scripts.operate.recipes.local_folder import LocalFolder, require_file
from scripts.operate.recipes.recipe_text import recipe_text
from scripts.operate.texts.said import Refusal, said
from scripts.terminal import typed
from shared.bucket.records.plan import Source
from shared.bucket.result_names import RECIPE_NAMES
from shared.formats.charsets.decoding import EncodingMismatch
from shared.formats.record import Record, each_record
from shared.formats.visible_text import visible
from shared.inputs.formats import FORMATS
from shared.inputs.inbox_keys import is_near_recipe
from shared.inputs.rows import Observations
from shared.inputs.tables.header_words import looks_like_header
from shared.inputs.tables.two_columns import TWO_COLUMNS
from shared.pipeline.validate.dropped_file import DroppedFile
from shared.problems.exceptions import UserInputError
from shared.problems.render import quote, render_problem
from shared.recipes.tasks.prompts import Language, language_of
from shared.results import formats as results

Tell = Callable[[str], None]

_SAMPLED_ROWS = 200
_FEWEST_CELLS = 2
# Numbers, dates, ids, links and addresses: nothing that a model would be asked about.
_NO_TEXT = re.compile(
    r"[\W\d_]*|https?://\S+|\S+@\S+|[A-Za-z]{0,8}[-_]?\d[\dA-Za-z_:.+-]*|\d[\d年月日号:：时分秒./ -]*"
)


def new_recipe(file: Path, tell: Tell) -> None:
    """Write the recipe beside the table, or raise ``Refusal``; nothing is ever overwritten."""
    require_file(file)
    _require_none(file.parent)
    format_name, records = _first_records(file)
    title_rows = _title_rows(records)
    header, *rows = records[title_rows:]
    columns = _usable(header.cells)
    if not columns:
        raise Refusal("no_columns", file=file.name)
    if len(records) == 1:
        raise Refusal("only_a_header", file=file.name, found=quote(", ".join(header.cells)))
    if _is_without_header(header.cells):
        raise Refusal("no_header", file=file.name, found=quote(", ".join(header.cells)))
    guessed = _text_column(header.cells, columns, [row.cells for row in rows])
    output = format_name if format_name in results.FORMATS and format_name != "csv" else None
    recipe = file.parent / RECIPE_NAMES[0]
    with recipe.open("x", encoding="utf-8") as written:
        text = recipe_text(
            file.name,
            columns,
            guessed,
            output,
            _language(header.cells, guessed, rows),
            line=header.line or 1,
            is_below_titles=bool(title_rows),
        )
        written.write(text)
    tell(said("recipe_written", recipe=recipe, column=guessed, typed=typed(str(file))))


def _require_none(folder: Path) -> None:
    """Raise ``Refusal`` if there is a recipe already, or what was meant to be one."""
    names = sorted(path.name for path in folder.iterdir())
    for name in filter(RECIPE_NAMES.__contains__, names):
        raise Refusal("recipe_exists", name=name, folder=folder)
    for name in filter(is_near_recipe, names):
        raise Refusal("recipe_misnamed", name=name, folder=folder)


def _first_records(file: Path) -> tuple[str, Sequence[Record]]:
    """The name of the table's format, its header and some rows.

    Raises:
        Refusal: It has no rows, or none that need a recipe.
    """
    try:
        with tempfile.TemporaryDirectory() as scratch:
            store = LocalFolder(file, Path(scratch))
            found, records = _read(file, store)
    except UserInputError as error:
        told = [render_problem(each, language) for each in error.problems for language in ("zh", "en")]
        raise Refusal("unreadable_table", *told, file=file.name) from error
    if not records:
        raise Refusal("no_columns", file=file.name)
    return found, records


def _read(path: Path, store: LocalFolder, encoding: str | None = None) -> tuple[str, Sequence[Record]]:
    head = store.head(store.key)
    if head is None:
        raise Refusal("no_such_file", file=path)
    source = Source(
        bucket="local", key=store.key, etag=head.etag, size_bytes=head.size_bytes, dropped_at=head.modified_at
    )
    with DroppedFile(store, source) as file:
        read_table = FORMATS[file.form.format].read_table
        if read_table is None:
            raise Refusal("needs_no_recipe", file=path.name, typed=typed(str(path)))
        try:
            records = each_record(read_table(file, None, Observations(tried_encoding=encoding)))
            return file.form.format, list(islice(records, _SAMPLED_ROWS))
        except EncodingMismatch as mismatch:
            return _read(path, store, mismatch.next_encoding)


def _title_rows(records: Sequence[Record]) -> int:
    """How many rows stand above the header: titles, which have one cell where others have more."""
    written = [sum(map(bool, map(str.strip, record.cells))) for record in records]
    header = next((place for place, cells in enumerate(written) if cells >= _FEWEST_CELLS), 0)
    usual = Counter(written[header if written[0] else 0 :]).most_common(1)[0][0]
    return header if usual >= _FEWEST_CELLS else 0


def _is_without_header(cells: Sequence[str]) -> bool:
    """Whether it is a row of the table that needs no recipe: an id and a text."""
    if len(cells) != len(TWO_COLUMNS) or looks_like_header(*cells):
        return False
    return any(map(str.isdigit, cells[0])) and bool(_NO_TEXT.fullmatch(cells[0].strip()))


def _usable(header: Sequence[str]) -> list[str]:
    """The columns that a recipe can name: each has a name of its own."""
    times = Counter(map(visible, header))
    return [name for name, count in times.items() if name and count == 1]


def _text_column(header: Sequence[str], columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The column with the longest texts; if none has texts, the first."""
    places = {visible(name): place for place, name in enumerate(header)}

    def length(column: str) -> int:
        place = places[column]
        return sum(_length(row[place]) for row in rows if place < len(row))

    return max(columns, key=length)


def _language(header: Sequence[str], column: str, rows: Sequence[Record]) -> Language:
    """That of most texts of the column; without any, that of the header."""
    place = [*map(visible, header)].index(column)
    texts = [row.cells[place] for row in rows if place < len(row.cells) and _length(row.cells[place])]
    return Counter(language_of([text]) for text in texts or header).most_common(1)[0][0]


def _length(cell: str) -> int:
    """How much text it is; a Chinese character is as much as three letters."""
    text = cell.strip()
    if _NO_TEXT.fullmatch(text):
        return 0
    return len(text) + 2 * sum(unicodedata.east_asian_width(each) in "WF" for each in text)
