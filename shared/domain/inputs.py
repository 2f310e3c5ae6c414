"""One input row as every input format yields it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.problems import Problem


@dataclass(frozen=True)
class InputRow:
    r"""One row of the dropped file, in input order.

    Attributes:
        line: The line of the file on which the row starts, from 1.
        custom_id: The id under which its request is sent; for a bad row whatever id it has, or ``""``.
        cells: The original columns; empty for request JSONL.
        request: The encoded request line with its ``\n``, or ``None`` if the row is bad.
        problems: Why it is bad; empty for a good row.
    """

    line: int
    custom_id: str
    cells: tuple[str, ...]
    request: bytes | None
    problems: tuple[Problem, ...] = ()
