"""Text that every encoding of a result can hold."""

from __future__ import annotations


def without_surrogates(text: str) -> str:
    """The text with each lone surrogate, which UTF-8 and GB18030 cannot express, as U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def joined_surrogates(text: str) -> str:
    """The text with each whole surrogate pair as the one character that it means; lone ones stay."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
