"""What an object in the inbox is, by its key: an input, a recipe, or nothing to start a job for."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import Enum

from shared.bucket.result_names import APPROVALS, NOTIFY_NAMES, RECIPE_NAMES
from shared.formats.visible_text import folded

# What file managers and office programs leave beside people's files, and the recipe to copy from in
# a fresh inbox.
_LEFTOVERS = frozenset({"thumbs.db", "desktop.ini", "batch.yaml.example"})

# What file managers and editors add to a name, once its spaces and its case are gone.
_COPY = (
    r"(?:[-_.]*(?:\(\d+\)|\[\d+\]|的?副本(?:\(?\d+\)?)?|copy(?:\(?\d+\)?)?|backup|备份|\d{1,2}|v\d+|~)){0,2}"
)
_YAML = r"(?:ya?ml|ymal|yalm|yam|yml)"
_MORE = r"(?:\.(?:txt|bak|old|orig|tmp|rtf|docx?|html?|gz|zip)){0,2}"
_YAML_NAME = re.compile(rf"(?P<stem>.*?){_COPY}(?:[.,。·_-]+{_YAML}){{1,3}}{_COPY}{_MORE}{_COPY}")
# Without "yaml" it may as well be a part of a table: "batch1.txt", "Batch 2".
_TEXT_NAME = re.compile(rf"(?P<stem>batch)(?:{_YAML}{_COPY}(?:\.txt)?|(?:(?:\(\d+\))?\.txt)?)")
_COPY_OF = re.compile(r"(?:copyof|复件|副本|新建|\(\d+\)|[-_]){1,3}")
_MAX_NAME_CHARS = 100
# How much of a name's stem must be "batch": a slip of two letters, as in "bacth", that makes no
# other word.
_NEAR = 0.8
_OTHER_WORDS = frozenset({"bach", "bath", "bathe", "baths", "beach", "bitch", "botch", "brach", "butch"})


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
    NOTIFY = "notify"
    APPROVAL = "approval"
    FOLDER_MARKER = "folder_marker"
    HIDDEN = "hidden"


def key_role_for(key: str) -> KeyRole:
    if key.endswith("/"):
        return KeyRole.FOLDER_MARKER
    *folders, name = key.split("/")
    if name in RECIPE_NAMES:
        return KeyRole.RECIPE
    if name in NOTIFY_NAMES:
        return KeyRole.NOTIFY
    hidden = name.startswith((".", "~$")) or name.lower() in _LEFTOVERS or "__MACOSX" in folders
    if hidden:
        return KeyRole.HIDDEN
    return KeyRole.APPROVAL if approved_key(key) else KeyRole.INPUT


def approved_key(key: str) -> str | None:
    """Of an approval, the file that it approves: ``a.csv`` of ``a.csv.approve``."""
    for suffix in APPROVALS:
        if key.lower().endswith(suffix) and not key[: -len(suffix)].endswith("/"):
            return key[: -len(suffix)]
    return None


def is_yaml_name(name: str) -> bool:
    """Whether the name, which is not a recipe's, can only be meant for one."""
    match = _YAML_NAME.fullmatch(folded(name)) if len(name) <= _MAX_NAME_CHARS else None
    return match is not None or is_near_recipe(name)


def is_near_recipe(name: str, *, only_yaml: bool = False) -> bool:
    """Whether somebody probably meant ``batch.yaml`` and wrote it in another way.

    Args:
        name: Without its folders.
        only_yaml: Ask for an ending such as that of YAML.
    """
    if name in RECIPE_NAMES or len(name) > _MAX_NAME_CHARS:
        return False
    written = folded(name)
    match = _YAML_NAME.fullmatch(written) or (None if only_yaml else _TEXT_NAME.fullmatch(written))
    if match is None:
        return False
    stem = _COPY_OF.sub("", match["stem"], count=1).strip("-_.")
    if stem in _OTHER_WORDS or not stem.startswith("b") or abs(len(stem) - len("batch")) > 1:
        return False
    return difflib.SequenceMatcher(None, stem, "batch").ratio() >= _NEAR
