"""A record of a table in any format, and what a reader notes of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.problems.problem import Problem, ProblemList


class Record(NamedTuple):
    """One record. If its quotes are wrong, its raw text is its only cell."""

    line: int
    cells: Sequence[str]
    problems: tuple[Problem, ...] = ()


@dataclass
class TableNotes:
    """What a reader learns of a file, and what an earlier reading of it learnt.

    Attributes:
        tried_encoding: The ``next_encoding`` of the ``EncodingMismatch`` that ended the last
            reading.
        column_types: Of a file whose columns have types, Arrow's names of them.
    """

    tried_encoding: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    sheet: str | None = None
    column_types: tuple[str, ...] = ()
    warnings: ProblemList = field(default_factory=ProblemList)
