"""Stops a stream that holds nothing but blank lines and empty cells for very long.

A gzip file of 45 MB may hold ten thousand million of them, more than can be read in the time of a
function.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.formats.sizes import MIB
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

# A sheet of a million blank rows and fifty columns, saved as CSV, has 50 MB.
MAX_BLANK_BYTES = 256 * MIB
# Separators are among them, and the zero bytes of UTF-16.
_BLANK = b" \t\r\n\0,;|"


def without_endless_blanks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same chunks.

    Raises:
        UserInputError: Too many in a row are blank.
    """
    blank_bytes = 0
    for chunk in chunks:
        # ``strip`` stops at once at both ends of what is not blank.
        blank_bytes = 0 if chunk.strip(_BLANK) else blank_bytes + len(chunk)
        if blank_bytes > MAX_BLANK_BYTES:
            raise UserInputError([Problem("endless_blanks", values={"max_bytes": MAX_BLANK_BYTES})])
        yield chunk
