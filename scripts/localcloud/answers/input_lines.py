r"""JSONL files as the service reads them: split on ``\n`` only, in constant memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random


@dataclass(frozen=True)
class Line:
    """One line with content; ``number`` counts every line from 1."""

    number: int
    content: bytes


def read_lines(path: Path, max_bytes: int) -> Iterator[Line]:
    """The lines that are not blank; of one longer than ``max_bytes``, little more than that."""
    number = 0
    with path.open("rb") as file:
        while line := file.readline(max_bytes + 2):
            number += 1
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = file.readline(max_bytes)
            if line.strip():
                yield Line(number, line.rstrip(b"\r\n"))


def shuffled_lines(path: Path) -> Iterator[bytes]:
    """The lines that are not blank, in a repeatable order that is not the file's."""
    offsets = _line_offsets(path)
    order = list(range(len(offsets)))
    Random(len(order)).shuffle(order)
    if order == sorted(order):
        order.reverse()
    with path.open("rb") as file:
        for index in order:
            file.seek(offsets[index])
            yield file.readline().rstrip(b"\r\n")


def _line_offsets(path: Path) -> array[int]:
    offsets = array("q")
    position = 0
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                offsets.append(position)
            position += len(line)
    return offsets


def cut_torn_line(path: Path) -> None:
    """Remove an unfinished last line, which a killed process has left."""
    if not path.exists():
        return
    whole = 0
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                whole += len(line)
    with path.open("rb+") as file:
        file.truncate(whole)
