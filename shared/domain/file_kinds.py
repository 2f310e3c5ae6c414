"""What an object in the inbox is, by its key: an input of some format, a recipe, or nothing to start a job for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shared.domain.errors import UserInputError
from shared.domain.keys import RECIPE_NAMES
from shared.domain.problems import Problem

ACCEPTED = ".csv .tsv .jsonl .ndjson .xlsx .xlsm .parquet (.gz)"

_GZIP = ".gz"
# Of these nobody can say before they are loaded how much memory that takes, and calamine leaves out their error values.
_SPREADSHEETS = (".xls", ".xlsb", ".et", ".ods", ".numbers")
_COMPRESSED = (".zip", _GZIP, ".tgz", ".rar", ".7z", ".bz2", ".xz", ".zst")
# What file managers and office programs leave beside the files that people mean to upload, and the recipe to copy from
# that a fresh inbox holds.
_LEFTOVERS = frozenset({"thumbs.db", "desktop.ini", "batch.yaml.example"})


class InputKind(Enum):
    """What the rows of a dropped file are; a table may come in any ``FileFormat`` but JSONL."""

    REQUEST_JSONL = "request_jsonl"
    RECIPE_CSV = "recipe_csv"
    TWO_COLUMN_CSV = "two_column_csv"


class FileFormat(Enum):
    """How the rows are written down."""

    JSONL = "jsonl"
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"

    @property
    def is_text(self) -> bool:
        """Read as it streams by; the others are read from a file, at places of their reader's choice."""
        return self in {FileFormat.JSONL, FileFormat.CSV}


_FORMATS = {
    ".jsonl": FileFormat.JSONL,
    ".ndjson": FileFormat.JSONL,
    ".csv": FileFormat.CSV,
    ".tsv": FileFormat.CSV,
    ".xlsx": FileFormat.XLSX,
    ".xlsm": FileFormat.XLSX,
    ".parquet": FileFormat.PARQUET,
}


@dataclass(frozen=True)
class FileForm:
    """How a dropped file is written down, by its name."""

    format: FileFormat
    is_gzip: bool = False


class KeyRole(Enum):
    """What a key in the inbox means; only an input starts a job or is refused with a report."""

    INPUT = "input"
    RECIPE = "recipe"
    FOLDER_MARKER = "folder_marker"
    HIDDEN = "hidden"


def key_role_for(key: str) -> KeyRole:
    if key.endswith("/"):
        return KeyRole.FOLDER_MARKER
    *folders, name = key.split("/")
    if name in RECIPE_NAMES:
        return KeyRole.RECIPE
    hidden = name.startswith((".", "~$")) or name.lower() in _LEFTOVERS or "__MACOSX" in folders
    return KeyRole.HIDDEN if hidden else KeyRole.INPUT


def input_kind_for(key: str, has_recipe: bool, *, size_bytes: int | None = None) -> InputKind:
    """Say which format a dropped file claims to have.

    Args:
        key: Of an object whose role is ``KeyRole.INPUT``.
        has_recipe: Whether a recipe was found in its folder or above.
        size_bytes: Lets an empty file be refused before it is opened.

    Raises:
        UserInputError: Not a kind of file that can be read, or empty.
    """
    form = file_form_for(key)
    if size_bytes == 0:
        raise UserInputError([Problem("empty_file")])
    if form.format is FileFormat.JSONL:
        return InputKind.REQUEST_JSONL
    return InputKind.RECIPE_CSV if has_recipe else InputKind.TWO_COLUMN_CSV


def file_form_for(key: str) -> FileForm:
    """How a dropped file claims to be written down.

    Raises:
        UserInputError: In no way that can be read.
    """
    name = key.rsplit("/", 1)[-1].lower()
    unpacked = name.removesuffix(_GZIP)
    for ending, file_format in _FORMATS.items():
        if unpacked.endswith(ending):
            return FileForm(file_format, is_gzip=unpacked != name)
    raise UserInputError([_unreadable(name)])


def _unreadable(name: str) -> Problem:
    if name.endswith(_SPREADSHEETS):
        return Problem("spreadsheet_file", found=name)
    if name.endswith(_COMPRESSED):
        return Problem("compressed_file", found=name, values={"accepted": ACCEPTED})
    if name.endswith(".json"):
        return Problem("json_file", found=name)
    return Problem("unknown_file_type", found=name, values={"accepted": ACCEPTED})
