"""What a link's folder holds: names in it, and nothing beside or above it."""

from __future__ import annotations

from shared.bucket.keys import INBOX, REJECTED, RESULTS
from shared.bucket.result_names import has_dot_segment

# https://help.aliyun.com/zh/oss/user-guide/object-naming-conventions
MAX_KEY_BYTES = 1023


def checked_folder(folder: str) -> str:
    """The folder, if it is one below ``inbox/``; ``""`` is all of it.

    Raises:
        ValueError: It begins with a slash or does not end with one, has a part that is empty,
            ``.`` or ``..``, or characters that no name has.
    """
    if folder and not (folder.endswith("/") and _is_path(folder[:-1])):
        message = "must be a folder such as reviews/, with a slash at its end and none before it"
        raise ValueError(message)
    return folder


def key_in(folder: str, path: str) -> str | None:
    """The inbox key of a path that is given relative to a folder; ``None`` if it is none in it."""
    key = f"{INBOX}{folder}{path}"
    return key if _is_path(path) and len(key.encode()) <= MAX_KEY_BYTES else None


def path_in(folder: str, key: str) -> str | None:
    """The inverse of ``key_in``; ``None`` for what lies elsewhere."""
    prefix = f"{INBOX}{folder}"
    return key[len(prefix) :] if key.startswith(prefix) else None


def is_shown_in(folder: str, key: str) -> bool:
    """Whether a result or a report belongs to a folder's files.

    Its key comes from a record. Whatever that says, nothing else is handed out.
    """
    return key.startswith((f"{RESULTS}{folder}", f"{REJECTED}{folder}")) and not has_dot_segment(key)


def _is_path(path: str) -> bool:
    is_plain = not any(character < " " or character == "\x7f" for character in path)
    return is_plain and all(path.split("/")) and not has_dot_segment(path) and _is_text(path)


def _is_text(path: str) -> bool:
    """Whether it can be encoded: half of a surrogate pair cannot."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
