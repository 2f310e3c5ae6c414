"""What an object in the inbox is, by its key: an input, a recipe, or nothing to start a job for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shared.bucket.result_names import RECIPE_NAMES

# What file managers and office programs leave beside people's files, and the recipe to copy from in
# a fresh inbox.
_LEFTOVERS = frozenset({"thumbs.db", "desktop.ini", "batch.yaml.example"})


class InputKind(Enum):
    """What the rows of a dropped file are; a table may come in any format but JSONL."""

    REQUEST_JSONL = "request_jsonl"
    RECIPE_CSV = "recipe_csv"
    TWO_COLUMN_CSV = "two_column_csv"


@dataclass(frozen=True)
class FileForm:
    """The format of a dropped file, by its name.

    Attributes:
        format: As plans and reports name it, such as ``xlsx``.
        is_text: It is read as a stream; the others need random access.
    """

    format: str
    is_text: bool
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
