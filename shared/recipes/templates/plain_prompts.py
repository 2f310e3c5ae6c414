"""Fills templates that only put cells between fixed text, as most do, without Jinja2.

Jinja2 itself parses them, so it decides what is fixed text and what is a column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from types import MappingProxyType

from jinja2 import nodes

from shared.formats.json.cells import escape, is_written
from shared.recipes.templates.column_names import SPECIAL_NAMES
from shared.recipes.templates.empty_cells import EMPTY_IN_JSON, LONGEST_IN_JSON, EmptyCells
from shared.recipes.templates.filling import UNSEEN

_UNSEEN = re.compile("|".join(UNSEEN).encode())
# The first bytes of these, of spaces, and of the escapes of line ends.
_MAY_BE_UNSEEN = b" \\\xc2\xe1\xe2\xe3\xef"


class PlainPrompt:
    """The pieces of one template: fixed text, escaped, and the positions of the cells in it.

    Attributes:
        fixed: The prompt of every row; ``None`` if it has cells in it, or is empty.
    """

    def __init__(self, pieces: Sequence[bytes | int], max_bytes: int, empty: EmptyCells) -> None:
        self._pieces = [b"" if isinstance(piece, int) else piece for piece in pieces]
        self._slots = [(place, piece) for place, piece in enumerate(pieces) if isinstance(piece, int)]
        self._is_always_written = any(map(is_written, self._pieces))
        self._max_bytes = max_bytes
        self._empty = empty
        self.fixed = None if self._slots or not self._is_always_written else b"".join(self._pieces)

    def fill(self, cells: Sequence[bytes]) -> bytes | None:
        """The escaped prompt; ``None`` if it is empty or too long, which Jinja2 must report."""
        if self.fixed is not None:
            return self.fixed
        pieces = self._pieces.copy()
        for place, column in self._slots:
            pieces[place] = cell = cells[column]
            if len(cell) <= LONGEST_IN_JSON and cell in EMPTY_IN_JSON:
                self._empty.suspected = True
        if not self._is_always_written and not any(map(is_written, pieces)):
            return None
        text = b"".join(pieces)
        if not self._is_always_written and not _is_seen(text):
            return None
        return text if len(text) <= self._max_bytes else None

    def fill_all(self, rows: Sequence[Sequence[bytes]]) -> Sequence[bytes] | None:
        """What ``fill`` makes of each row; ``None`` if a cell may be empty, or a prompt is."""
        if self.fixed is not None:
            return [self.fixed] * len(rows)
        if not self._slots:
            return None
        columns = [[cells[column] for cells in rows] for _, column in self._slots]
        for cells in columns:
            if not EMPTY_IN_JSON.isdisjoint([cell for cell in cells if len(cell) <= LONGEST_IN_JSON]):
                return None
        texts = self._joined(columns)
        if not self._is_always_written and not all(map(_is_seen, texts)):
            return None
        return texts if max(map(len, texts)) <= self._max_bytes else None

    def _joined(self, columns: Sequence[Sequence[bytes]]) -> Sequence[bytes]:
        if len(self._pieces) == 1:
            return columns[0]
        pieces: list[Iterable[bytes]] = [*map(repeat, self._pieces)]
        for (place, _), cells in zip(self._slots, columns, strict=True):
            pieces[place] = cells
        return [*map(b"".join, zip(*pieces, strict=False))]  # fixed pieces are repeated without end


def _is_seen(text: bytes) -> bool:
    """Whether a prompt has anything that is drawn."""
    return bool(text) and (text[0] not in _MAY_BE_UNSEEN or is_written(_UNSEEN.sub(b"", text)))


def plain_prompt(
    tree: nodes.Template, positions: Mapping[str, int], row_name: str, max_bytes: int, empty: EmptyCells
) -> PlainPrompt | None:
    """The template's pieces; ``None`` if it does more than put cells in.

    Args:
        tree: As Jinja2 parsed it.
        positions: The column of each name.
        row_name: The variable that holds all cells by their names.
        max_bytes: Longer prompts are left to Jinja2.
        empty: Is told of cells that may be empty.
    """
    pieces: list[bytes | int] = []
    for statement in tree.body:
        if not isinstance(statement, nodes.Output):
            return None
        for node in statement.nodes:
            piece = _piece(node, positions, row_name)
            if piece is None:
                return None
            pieces.append(piece)
    return PlainPrompt(pieces, max_bytes, empty)


def _piece(node: nodes.Node, positions: Mapping[str, int], row_name: str) -> bytes | int | None:
    if isinstance(node, nodes.TemplateData):
        return _fixed(node.data)
    name = _column(node, row_name)
    return None if name is None else positions.get(name)


def _fixed(text: str) -> bytes | None:
    try:
        return escape(text)
    except UnicodeEncodeError:
        return None


def _column(node: nodes.Node, row_name: str) -> str | None:
    if isinstance(node, nodes.Name):
        return None if node.name == row_name or node.name in SPECIAL_NAMES else node.name
    if not isinstance(node, nodes.Getitem | nodes.Getattr):
        return None
    if not isinstance(node.node, nodes.Name) or node.node.name != row_name:
        return None
    if isinstance(node, nodes.Getattr):
        # If the mapping has an attribute of this name, Jinja2 gives that.
        is_own = node.attr.startswith("_") or hasattr(MappingProxyType, node.attr)
        return None if is_own else node.attr
    return _constant_text(node.arg)


def _constant_text(node: nodes.Node) -> str | None:
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else None
