"""Refuses files that are not text, by their first bytes."""

from __future__ import annotations

from codecs import BOM_UTF8

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


def refuse_binary(head: bytes, wanted: str | None = None) -> None:
    """Raise ``UserInputError`` if a file that begins with ``head`` is not text."""
    written = head.removeprefix(BOM_UTF8).lstrip()
    for magic, name in _MAGIC:
        if written.startswith(magic):
            raise UserInputError([Problem("not_a_text_file", values={"reason": name})])
    if wanted == "utf-16" or any(head.startswith(bom) for bom, _ in BOMS):
        return
    controls = len(head.translate(None, _TEXT_BYTES))
    if controls >= _FEWEST_CONTROLS and controls > len(head) * _CONTROLS_IN_TEXT:
        name = "UTF-16 without BOM" if _looks_like_utf16(head) else "binary"
        raise UserInputError([Problem("not_a_text_file", values={"reason": name})])


def _looks_like_utf16(head: bytes) -> bool:
    # In ASCII text every other byte is NUL; in Chinese text, at least at line feeds and digits.
    even, odd = head[::2].count(0), head[1::2].count(0)
    return min(even, odd) * 20 < max(even, odd)
