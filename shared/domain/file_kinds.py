"""What an object in the inbox is, by its key: an input of some format, a recipe, or nothing to start a job for."""

from __future__ import annotations

from enum import Enum

from shared.domain.errors import UserInputError
from shared.domain.keys import RECIPE_NAMES
from shared.domain.problems import Problem

ACCEPTED = ".csv .tsv .jsonl .ndjson"

_REQUEST_LINES = (".jsonl", ".ndjson")
_TABLES = (".csv", ".tsv")
_SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".et", ".ods", ".numbers")
_COMPRESSED = (".zip", ".gz", ".tgz", ".rar", ".7z", ".bz2", ".xz", ".zst")
# What file managers and office programs leave beside the files that people mean to upload.
_LEFTOVERS = frozenset({"thumbs.db", "desktop.ini"})


class InputKind(Enum):
    """The formats of a dropped file."""

    REQUEST_JSONL = "request_jsonl"
    RECIPE_CSV = "recipe_csv"
    TWO_COLUMN_CSV = "two_column_csv"


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
    name = key.rsplit("/", 1)[-1].lower()
    if not name.endswith(_REQUEST_LINES + _TABLES):
        raise UserInputError([_unreadable(name)])
    if size_bytes == 0:
        raise UserInputError([Problem("empty_file")])
    if name.endswith(_REQUEST_LINES):
        return InputKind.REQUEST_JSONL
    return InputKind.RECIPE_CSV if has_recipe else InputKind.TWO_COLUMN_CSV


def _unreadable(name: str) -> Problem:
    if name.endswith(_SPREADSHEETS):
        return Problem("spreadsheet_file", found=name)
    if name.endswith(_COMPRESSED):
        return Problem("compressed_file", found=name, values={"accepted": ACCEPTED})
    if name.endswith(".json"):
        return Problem("json_file", found=name)
    return Problem("unknown_file_type", found=name, values={"accepted": ACCEPTED})
