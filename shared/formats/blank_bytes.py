"""Stops a stream that holds nothing but blank lines and empty cells for very long.

A gzip file of 45 MB may hold ten thousand million of them, more than can be read in the time of a
function.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.formats.sizes import MIB
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

# A sheet of a million blank rows and fifty columns, saved as CSV, has 50 MB. Lines are walked
# through one by one, which takes longer than their bytes.
MAX_BLANK_BYTES = 256 * MIB
MAX_BLANK_LINES = 5_000_000
# Separators are among them, and the zero bytes of UTF-16.
_BLANK = b" \t\r\n\0,;|"


def without_endless_blanks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same chunks.

    Raises:
        UserInputError: Too many in a row are blank.
    """
    blank_bytes = blank_lines = 0
    for chunk in chunks:
        # ``strip`` stops at once at both ends of what is not blank.
        if chunk.strip(_BLANK):
            blank_bytes = blank_lines = 0
        else:
            blank_bytes += len(chunk)
            blank_lines += max(chunk.count(b"\n"), chunk.count(b"\r"))
        if blank_bytes > MAX_BLANK_BYTES or blank_lines > MAX_BLANK_LINES:
            values = {"blank_bytes": blank_bytes, "blank_lines": blank_lines}
            raise UserInputError([Problem("endless_blanks", values=values)])
        yield chunk
