"""Refuses files that are not text, by their first bytes."""

from __future__ import annotations

from codecs import BOM_UTF8

from shared.formats.charsets import languages
from shared.formats.heads import BOMS
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

_MAGIC = (
    (b"PK\x03\x04", "Excel / zip"),
    (b"\xd0\xcf\x11\xe0", "Excel 97-2003"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF-", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"PAR1", "Parquet"),
    (b"SQLite format 3\0", "SQLite"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"{\\rtf", "RTF"),
    (b"<!DOCTYPE html", "HTML"),
    (b"<!doctype html", "HTML"),
    (b"<html", "HTML"),
    (b"<?xml", "XML"),
)

# Text has tabs, line ends and perhaps a form feed or an escape; old exports have ASCII's
# separators. Of random bytes, every twelfth is another control character.
_TEXT_BYTES = bytes(byte for byte in range(256) if byte >= 0x1C or byte in b"\t\n\v\f\r\x1a\x1b")
_FEWEST_CONTROLS = 16
_CONTROLS_IN_TEXT = 0.04
_FEWEST_WIDE = 8
_LAST_PLANE = 0x10
_FREQUENT = frozenset(
    "".join(
        characters
        for language in (languages.CHINESE, languages.JAPANESE, languages.KOREAN)
        for characters, _ in language.frequent
    )
)


def refuse_binary(head: bytes, wanted: str | None = None) -> None:
    """Raise ``UserInputError`` if a file that begins with ``head`` is not text."""
    written = head.removeprefix(BOM_UTF8).lstrip()
    for magic, name in _MAGIC:
        if written.startswith(magic):
            raise UserInputError([Problem("not_a_text_file", values={"reason": name})])
    if (wanted or "").startswith(("utf-16", "utf-32")) or any(head.startswith(bom) for bom, _ in BOMS):
        return
    if wide := _wide_encoding(head):
        raise UserInputError([Problem("not_a_text_file", values={"reason": f"{wide} without BOM"})])
    controls = len(head.translate(None, _TEXT_BYTES))
    if controls >= _FEWEST_CONTROLS and controls > len(head) * _CONTROLS_IN_TEXT:
        raise UserInputError([Problem("not_a_text_file", values={"reason": "binary"})])


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 or UTF-32, if digits, commas or line ends give it away, of which a byte is NUL."""
    if b"\0" not in head or len(head) < _FEWEST_WIDE:
        return None
    for first, second in ((head[3::4], head[2::4]), (head[::4], head[1::4])):
        if not any(first) and max(second) <= _LAST_PLANE:
            return "UTF-32"
    even, odd = head[::2].count(0), head[1::2].count(0)
    if min(even, odd) * 20 >= max(even, odd):
        return None
    text = head[: len(head) // 2 * 2].decode("utf-16-be" if even > odd else "utf-16-le", "replace")
    # Text of one byte a character would be rare hanzi in pairs; a NUL within it makes no letter.
    known = sum(each.isascii() or each in _FREQUENT for each in text)
    return "UTF-16" if 4 * known > 3 * len(text) else None
