"""What people type and see: folders, progress bars, tables."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from shared.problems.escapes import escaped, escaped_line

# At 80 columns they leave room for a state in two languages.
NAME_CELLS, BAR_CELLS = 31, 10


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
    return Path(os.environ.get("CALLED_FROM", ""), Path(text).expanduser())


class ProgressView:
    """Shows named lines, each with a fraction done and a state."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_terminal = out.isatty()
        self._drawn = 0
        self._said: dict[str, str] = {}

    def show(self, lines: Iterable[tuple[str, int, int, str]]) -> None:
        """Redraw ``(name, done, total, state)`` lines; without a terminal, print the changes."""
        rows = [(escaped_line(name), done, total, escaped_line(state)) for name, done, total, state in lines]
        if self._is_terminal:
            self._redraw(rows)
            return
        for name, done, total, state in rows:
            text = f"{name}: {done}/{total} 行 rows, {state}"
            if self._said.get(name) != text:
                self._said[name] = text
                say(text, self._out)

    def _redraw(self, rows: Sequence[tuple[str, int, int, str]]) -> None:
        width = shutil.get_terminal_size().columns - 1
        if self._drawn:
            self._out.write(f"\x1b[{self._drawn}F")
        for name, done, total, state in rows:
            filled = BAR_CELLS * done // max(total, 1)
            bar = "█" * filled + "░" * (BAR_CELLS - filled)
            line = fit(f"{fit(name, NAME_CELLS, pad=True)} {bar} {f'{done}/{total}':>9} {state}", width)
            self._out.write(f"\x1b[2K{line}\n")
        self._drawn = len(rows)
        self._out.flush()


def render_table(header: Sequence[str], rows: Iterable[Sequence[str]], cell_width: int = 26) -> str:
    """A table of fixed columns; long cells are cut, line breaks are ⏎, Chinese takes two cells."""
    table = [[escaped_line(cell) for cell in row] for row in (header, *rows)]
    widths = [min(cell_width, max(_width(row[n]) for row in table)) for n in range(len(header))]
    lines = [
        "  ".join(fit(cell, width, pad=True) for cell, width in zip(row, widths, strict=True))
        for row in table
    ]
    return "\n".join(f"    {line}".rstrip() for line in lines)


def fit(text: str, width: int, *, pad: bool = False) -> str:
    """Cut ``text`` to ``width`` terminal cells, with an ellipsis where something is missing."""
    if _width(text) > width:
        while _width(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - _width(text)) if pad else text


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
