"""A recipe as text, whatever it was saved as."""

from __future__ import annotations

from shared.formats.charsets.utf8 import is_mostly_utf8
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

RECIPE_FILE = "batch.yaml"
MAX_RECIPE_BYTES = 64 * 1024
_SAMPLE_BYTES = 4 * 1024


def decode(content: bytes) -> str:
    """The text, from UTF-8 or GB18030.

    Raises:
        UserInputError: It is neither, or no plain text, or too long.
    """
    if len(content) > MAX_RECIPE_BYTES:
        values = {"size_bytes": len(content), "max_bytes": MAX_RECIPE_BYTES}
        raise UserInputError([Problem("recipe_too_large", values=values)])
    if content.startswith(b"{\\rtf"):
        raise UserInputError([Problem("recipe_rich_text")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError as error:
        raise UserInputError([_wrong_bytes(content, error.start)]) from error
    from shared.formats.charsets.comparison import is_chinese  # noqa: PLC0415 - most recipes are UTF-8
    from shared.formats.charsets.likelihood import readings  # noqa: PLC0415 - the same

    sample = b"".join(line + b"\n" for line in content.split(b"\n") if not line.isascii())[:_SAMPLE_BYTES]
    if is_mostly_utf8([content]) or not is_chinese(sample, readings(sample)):
        first = next(at for at, byte in enumerate(content) if byte >= 0x80)
        raise UserInputError([_wrong_bytes(content, first)])
    return text


def _wrong_bytes(content: bytes, at: int) -> Problem:
    found = content[at : at + 4].hex(" ")
    return Problem("recipe_encoding", content.count(b"\n", 0, at) + 1, found=found)
