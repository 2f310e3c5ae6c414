"""What one code says, in both languages; the same placeholders in both."""

from __future__ import annotations

from typing import NamedTuple


class Message(NamedTuple):
    """The text of one code.

    ``{found}`` is the quoted input, ``{reason}`` what a parser said, in the reader's language; the
    other placeholders are the problem's values.
    """

    zh: str
    en: str
