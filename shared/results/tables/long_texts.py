"""Texts that no cell of a workbook can hold: cut there, and whole in a file beside the result."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import orjson

from shared.formats.tables.workbook_writer import MAX_CELL_CHARS
from shared.ports.store import ObjectStore, ObjectWriter
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.results.tables.part_values import Places
from shared.results.tables.side_keys import SideKeys, file_name


class LongTexts:
    """Cuts what is too long for its cell, and keeps the whole in one object for the whole result.

    Each line of that says which ``file``, ``row`` and ``column`` the ``text`` is of. With
    ``aside``, those of each workbook lie beside that key, until ``commit`` joins them.
    """

    def __init__(
        self,
        store: ObjectStore,
        keys: SideKeys,
        key: str,
        names: Sequence[str],
        places: Places,
        *,
        aside: str | None = None,
    ) -> None:
        self._store = store
        self._keys = keys
        self._wanted = key
        self.key = ""
        self._names = names
        ours = {name: places.own + index for index, name in enumerate(places.names)}
        self._code, self._message = ours.get("error_code"), ours.get("error_message")
        self._writer: ObjectWriter | None = None
        self._stack = ExitStack()
        self._aside = aside
        self.pieces: list[str] = []
        self.cut = 0

    def __enter__(self) -> LongTexts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def commit(self) -> None:
        """Publish the texts. If there are none, those of an earlier version of the file go."""
        if self.pieces:
            self._store.concatenate(self._keys.claim(self._wanted), self.pieces)
        elif self._writer is not None:
            self._writer.commit()
        elif self._keys.is_left(self._wanted):
            self._store.put(self._keys.claim(self._wanted), b"")

    def end_book(self) -> None:
        """The next texts are of another workbook."""
        if self._aside is not None and self._writer is not None:
            self._writer.commit()
            self._writer = None

    def header(self, file: str) -> list[str]:
        """The names of the columns, in the first row, as its cells can hold them."""
        self._cut(list(self._names), file, 1)
        return [fitting(name) for name in self._names]

    def shorten(self, values: list[object], file: str, row: int) -> None:
        """Cut the texts of one row that are too long; its error columns say so."""
        columns = self._cut(values, file, row)
        if columns:
            self._tell(values, columns)

    def _cut(self, values: list[Any], file: str, row: int) -> list[str]:
        """Cut these, keep them whole, and return the names of their columns."""
        long = {at: text for at, text in enumerate(values) if isinstance(text, str) and not _fits(text)}
        self.cut += len(long)
        for at, text in long.items():
            line = {"file": file, "row": row, "column": self._names[at], "text": text}
            self._write(orjson.dumps(line) + b"\n")
            values[at] = fitting(text)
        return [self._names[at] for at in long]

    def _write(self, line: bytes) -> None:
        if self._writer is None:
            self.key = self._keys.claim(self._wanted)
            self._writer = self._stack.enter_context(self._store.open_writer(self._place()))
        self._writer.write(line)

    def _place(self) -> str:
        if self._aside is None:
            return self.key
        # By which text it begins with, so whoever writes them again writes the same there.
        self.pieces.append(f"{self._aside}-{self.cut}")
        return self.pieces[-1]

    def _tell(self, values: list[object], columns: Sequence[str]) -> None:
        told = {"columns": ", ".join(columns), "file": file_name(self.key)}
        problem = Problem("cell_cut", values=told)
        if self._code is not None:
            values[self._code] = values[self._code] or problem.code
        if self._message is not None:
            said = render_both(problem)
            before = str(values[self._message] or "")
            values[self._message] = fitting(f"{said}; {before}" if before else said)


def fitting(text: str) -> str:
    """The text, or as much of its beginning as a cell can hold; then it ends in ``…``."""
    if _fits(text):
        return text
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * (MAX_CELL_CHARS - 1)]
    return kept.decode("utf-16-le", "ignore") + "…"


def _fits(text: str) -> bool:
    if len(text) <= MAX_CELL_CHARS // 2:
        return True
    return len(text.encode("utf-16-le", "surrogatepass")) <= 2 * MAX_CELL_CHARS
