"""How far several things are, on a terminal and elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from scripts.terminal import say
from shared.problems.escapes import escaped_line

# At 80 columns they leave room for a state in two languages.
NAME_CELLS, BAR_CELLS = 31, 10


class ProgressView:
    """Shows named lines, each with a fraction done and a state.

    On a terminal rich draws them; elsewhere each change is a line.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._said: dict[str, str] = {}
        self._bars: dict[str, TaskID] = {}
        self._drawn = Progress(
            TextColumn("{task.description}", markup=False, table_column=_column(NAME_CELLS)),
            BarColumn(BAR_CELLS),
            TextColumn("{task.completed:.0f}/{task.total:.0f}", markup=False, justify="right"),
            TextColumn("{task.fields[state]}", markup=False, table_column=_column()),
            console=Console(file=self._out, highlight=False),
            auto_refresh=False,
        )

    def __enter__(self) -> ProgressView:
        if self._out.isatty():
            self._drawn.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._out.isatty():
            self._drawn.stop()

    def show(self, lines: Iterable[tuple[str, int, int, str]]) -> None:
        """Redraw ``(name, done, total, state)`` lines; without a terminal, print the changes."""
        for name, done, total, state in lines:
            if self._out.isatty():
                self._draw(escaped_line(name), done, total, escaped_line(state))
            else:
                counted = f"{done}/{total} 行 rows, " if total else ""
                self._say(escaped_line(name), counted + escaped_line(state))
        if self._out.isatty():
            self._drawn.refresh()

    def _say(self, name: str, text: str) -> None:
        if self._said.get(name) != text:
            self._said[name] = text
            say(f"{name}: {text}", self._out)

    def _draw(self, name: str, done: int, total: int, state: str) -> None:
        if name not in self._bars:
            self._bars[name] = self._drawn.add_task(name, total=max(total, 1), state=state)
        self._drawn.update(self._bars[name], completed=done, total=max(total, 1), state=state)


def _column(width: int | None = None) -> Column:
    return Column(no_wrap=True, overflow="ellipsis", width=width)
