r"""JSONL files as the service reads them: split on ``\n`` only, in constant memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from random import Random
from typing import BinaryIO, NamedTuple


class Line(NamedTuple):
    """One line with content; ``number`` counts every line from 1."""

    number: int
    content: bytes


def read_lines(path: Path, max_bytes: int) -> Iterator[Line]:
    """The lines that are not blank; of one longer than ``max_bytes``, little more than that."""
    number = 0
    with path.open("rb") as file:
        while line := file.readline(max_bytes + 2):
            number += 1
            if len(line) > max_bytes:
                _skip_rest(file, line, max_bytes)
            if not line.isspace():
                yield Line(number, line.rstrip(b"\r\n"))


def _skip_rest(file: BinaryIO, rest: bytes, max_bytes: int) -> None:
    while rest and not rest.endswith(b"\n"):
        rest = file.readline(max_bytes)


def shuffled_lines(path: Path) -> Iterator[bytes]:
    """The lines that are not blank, in a repeatable order that is not the file's."""
    starts, ends = _bounds(path)
    order = list(range(len(starts)))
    Random(len(order)).shuffle(order)
    if order == sorted(order):
        order.reverse()
    if order:
        # Without a call into the system for each line, where other threads would take their turns.
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            for index in order:
                yield content[starts[index] : ends[index]].rstrip(b"\r\n")


def _bounds(path: Path) -> tuple[array[int], array[int]]:
    """Where each line that is not blank starts and ends."""
    starts, ends = array("q"), array("q")
    position = 0
    with path.open("rb") as file:
        for line in file:
            if not line.isspace():
                starts.append(position)
                ends.append(position + len(line))
            position += len(line)
    return starts, ends


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
