"""The registry of input formats: the endings of file names, and what reads such files.

A new format is a reader and one row in ``FORMATS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import IO, Protocol

from shared.formats.csv.files import CsvHints, csv_file_records
from shared.formats.record import Records
from shared.inputs.inbox_keys import FileForm, is_yaml_name
from shared.inputs.reading import RowSource
from shared.inputs.rows import Observations
from shared.inputs.tables.table_headers import header_test_for
from shared.inputs.tables.table_rows import RecipeTable
from shared.inputs.tables.two_columns import TwoColumnTable
from shared.ports.profile import ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.recipes.recipe import Recipe


class InputFile(Protocol):
    """A dropped file, unpacked, as its format needs it; each form may be asked for repeatedly."""

    def chunks(self) -> Iterator[bytes]:
        """The file as a stream, from its start."""

    def local_copy(self) -> IO[bytes]:
        """The file with random access, at its start; the reader leaves it open."""


TableReader = Callable[[InputFile, Recipe | None, Observations], Records]


@dataclass(frozen=True)
class InputFormat:
    """One way to write rows down.

    Attributes:
        endings: Of file names, in lower case; ``.gz`` may follow any of them.
        read_table: Reads a file as records; ``None`` if its lines are requests.
        is_text: It has an encoding, which the report names.
    """

    endings: tuple[str, ...]
    read_table: TableReader | None
    is_text: bool = False


def _csv(
    file: InputFile, recipe: Recipe | None, observed: Observations, *, usual_delimiter: str | None = None
) -> Records:
    hints = CsvHints(usual_delimiter=usual_delimiter)
    if recipe:
        hints = CsvHints(recipe.encoding, recipe.delimiter, usual_delimiter, header_test_for(recipe))
    return csv_file_records(file.chunks, hints, observed)


def _workbook(file: InputFile, recipe: Recipe | None, observed: Observations) -> Records:
    from shared.formats.tables.workbook import workbook_records  # noqa: PLC0415  # few files are workbooks

    return workbook_records(file.local_copy(), recipe.sheet if recipe else None, observed)


def _parquet(file: InputFile, _recipe: Recipe | None, observed: Observations) -> Records:
    from shared.formats.tables.parquet import parquet_records  # noqa: PLC0415  # few files are Parquet

    return parquet_records(file.local_copy(), observed)


# By name, as plans and reports say it.
FORMATS: Mapping[str, InputFormat] = {
    "csv": InputFormat((".csv",), _csv, is_text=True),
    "tsv": InputFormat((".tsv",), partial(_csv, usual_delimiter="\t"), is_text=True),
    "jsonl": InputFormat((".jsonl", ".ndjson"), None, is_text=True),
    "xlsx": InputFormat((".xlsx", ".xlsm"), _workbook),
    "parquet": InputFormat((".parquet",), _parquet),
}

_GZIP = ".gz"
ACCEPTED = f"{' '.join(ending for each in FORMATS.values() for ending in each.endings)} ({_GZIP})"

# How much memory these take is unknown before they are loaded, and calamine leaves out their error
# values.
_SPREADSHEETS = (".xls", ".xlsb", ".et", ".ods", ".numbers")
_COMPRESSED = (".zip", _GZIP, ".tgz", ".rar", ".7z", ".bz2", ".xz", ".zst")


def file_form_for(key: str, size_bytes: int) -> FileForm:
    """The format of a dropped file, by the ending of its name.

    Raises:
        UserInputError: Files of this name cannot be read, or the file is empty.
    """
    file_name = key.rsplit("/", 1)[-1].lower()
    unpacked = file_name.removesuffix(_GZIP)
    for name, each in FORMATS.items():
        if unpacked.endswith(each.endings):
            if size_bytes == 0:
                raise UserInputError([Problem("empty_file")])
            return FileForm(name, each.is_text, is_gzip=unpacked != file_name)
    raise UserInputError([_unreadable(key.rsplit("/", 1)[-1])])


def _unreadable(written: str) -> Problem:
    name = written.lower()
    if is_yaml_name(written):
        return Problem("recipe_name", found=written)
    if name.endswith(_SPREADSHEETS):
        return Problem("spreadsheet_file", found=written)
    if name.endswith(_COMPRESSED):
        return Problem("compressed_file", found=written, values={"accepted": ACCEPTED})
    if name.endswith(".json"):
        return Problem("json_file", found=written)
    if name.endswith((".txt", ".txt.gz")):
        return Problem("text_file", found=written)
    return Problem("unknown_file_type", found=written, values={"accepted": ACCEPTED})


def has_request_lines(form: FileForm) -> bool:
    """Whether its lines are requests already, so that no recipe is needed."""
    return FORMATS[form.format].read_table is None


def row_source_for(
    form: FileForm,
    file: InputFile,
    recipe: Recipe | None,
    profile: ProviderProfile,
    default_model: str,
) -> RowSource:
    """What reads the rows of a file.

    Args:
        form: By the file's name.
        file: Not opened yet.
        recipe: For tables, and for lines without a model; a table without one has two columns and
            no header.
        profile: The provider's, to which the rows go.
        default_model: For tables without a recipe.
    """
    read_table = FORMATS[form.format].read_table
    if read_table is None:
        from shared.inputs.requests.request_lines import RequestLines  # noqa: PLC0415 - tables need none

        return RequestLines(file.chunks, profile, recipe)
    records = partial(read_table, file, recipe)
    if recipe is None:
        return TwoColumnTable(records, default_model, profile)
    return RecipeTable(records, recipe, profile)
