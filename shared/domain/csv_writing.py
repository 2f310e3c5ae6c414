"""CSV cells as RFC 4180 and Python's ``csv.writer`` quote them, several times as fast: writing is what takes longest."""

from __future__ import annotations

from collections.abc import Iterable

LINE_END = "\r\n"


def csv_cell(text: str) -> str:
    """The text, in quotes if it holds a quote, a comma or a line break."""
    if '"' in text:
        return '"' + text.replace('"', '""') + '"'
    if "," in text or "\n" in text or "\r" in text:
        return '"' + text + '"'
    return text


def csv_row(cells: Iterable[str]) -> str:
    """One line without its end. A line of one empty cell is ``""``: a blank one would be no row at all."""
    return ",".join(map(csv_cell, cells)) or '""'
