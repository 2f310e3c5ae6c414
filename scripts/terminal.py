"""What people type and see: paths, sentences, tables."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import NoReturn, TextIO

from shared.problems.escapes import escaped, escaped_line


def say(text: object, file: TextIO | None = None) -> None:
    """Print lines for people: what stands in them of others cannot command the terminal."""
    print(shown(str(text)), file=file or sys.stdout, flush=True)


def shown(text: str) -> str:
    """The text as ``say`` prints it, for what Python itself prints."""
    return escaped(text.replace("\r\n", "\n"))


def named(name: str) -> str:
    """A name in a sentence: as it is, or as it is typed if a terminal would not show it so."""
    return name if _is_shown(name) else typed(name)


def typed(name: str) -> str:
    """A name as it is typed in bash or zsh: what a terminal would obey stands in ``$'…'``."""
    return shlex.quote(name) if _is_shown(name) else f"$'{''.join(map(_typed_character, name))}'"


def _typed_character(each: str) -> str:
    if _is_shown(each) and each not in "\\'":
        return each
    # Octal, which every shell ends after three digits.
    return "".join(f"\\{byte:03o}" for byte in each.encode("utf-8", "surrogateescape"))


def _is_shown(text: str) -> bool:
    return "\t" not in text and escaped_line(text) == text


class Parser(argparse.ArgumentParser):
    """Its errors quote what was typed, perhaps by a shell: the names of files."""

    def error(self, message: str) -> NoReturn:
        super().error(shown(message))


def typed_path(text: str) -> Path:
    """A path as somebody typed it: the launchers change to the checkout and say from where."""
    path = Path(text)
    with suppress(RuntimeError):  # ``~$a.xlsx`` is what a spreadsheet leaves, and nobody's home
        path = path.expanduser()
    path = Path(os.environ.get("CALLED_FROM", ""), path)
    return path.resolve() if ".." in path.parts else path


def render_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], cell_width: int = 26, cell_lines: int = 1
) -> str:
    """A table of fixed columns; what is longer than a cell's lines is cut, line breaks are ⏎.

    Chinese takes two cells of a terminal.
    """
    # A row that was read from a file's beginning may be short.
    table = [
        [escaped_line(cell) for cell in (*row, *[""] * len(header))][: len(header)] for row in (header, *rows)
    ]
    widths = [min(cell_width, max(width_of(row[n]) for row in table)) for n in range(len(header))]
    lines = [line for row in table for line in _lines(row, widths, cell_lines)]
    return "\n".join(f"    {line}".rstrip() for line in lines)


def _lines(row: Sequence[str], widths: Sequence[int], most: int) -> Iterator[str]:
    cells = [[*_folded(cell, width, most)] for cell, width in zip(row, widths, strict=True)]
    for line in zip_longest(*cells, fillvalue=""):
        yield "  ".join(fit(cell, width, pad=True) for cell, width in zip(line, widths, strict=True))


def _folded(text: str, width: int, most: int) -> Iterator[str]:
    """Its lines of that width, the last of which may have too much."""
    for _ in range(most - 1):
        if width_of(text[: width + 1]) <= width:
            break
        line = text[:width]
        while width_of(line) > width:
            line = line[:-1]
        yield line
        text = text[len(line) :]
    yield text


def fit(text: str, width: int, *, pad: bool = False) -> str:
    """Cut ``text`` to ``width`` terminal cells, with an ellipsis where something is missing."""
    text = text[: width + 1]  # each character takes a cell at least, but for marks on others
    if width_of(text) > width:
        while width_of(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - width_of(text)) if pad else text


def width_of(text: str) -> int:
    """How many cells of a terminal it takes."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
