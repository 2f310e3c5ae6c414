"""Chooses rows spread over the lengths of a whole file while it streams by, in constant memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from math import log, log1p
from operator import attrgetter, itemgetter
from typing import NamedTuple

from shared.formats.json.cells import JsonCells
from shared.formats.json.compact import compact_json

# Of requests of about the same length so many bytes are kept, and always one.
_KEPT_BYTES = 1024 * 1024
# No line is as long as 2**40 bytes.
_LENGTHS = 41


class SampledRow(NamedTuple):
    """One row of the sample.

    Attributes:
        shard: Where it stands.
        place: Which of the shard's requests it is, from 0.
        request: Its request line, without a line end.
        expected: What the file says is the right answer; ``""`` if nothing.
    """

    shard: int
    place: int
    request: str
    expected: str = ""

    def to_line(self) -> bytes:
        return compact_json(self).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> SampledRow:
        return cls(*json.loads(line))


class _Alike:
    """Rows of about the same length: how many there were, and some, each as likely as any other.

    Which row is kept next is drawn whenever one is kept, so that nothing is done for the others:
    https://en.wikipedia.org/wiki/Reservoir_sampling#Optimal:_Algorithm_L.

    Attributes:
        count: How many rows there were.
        next: Which of them, from 1, is to be kept.
    """

    __slots__ = ("_drawn", "_kept", "_most", "_name", "_share", "count", "next")

    def __init__(self, most: int, name: int) -> None:
        self._most = most
        self._name = name
        self._drawn = 0
        self._share = 1.0
        self._kept: list[tuple[float, SampledRow]] = []  # each with a number that was drawn
        self.count = 0
        self.next = 1

    def keep(self, row: SampledRow) -> None:
        entry = (self._draw(), row)
        if len(self._kept) < self._most:
            self._kept.append(entry)
        else:
            self._kept[int(self._draw() * self._most)] = entry
        self.next += 1 if len(self._kept) < self._most else self._distance()

    def _distance(self) -> int:
        self._share *= self._draw() ** (1 / self._most)
        return int(log(self._draw()) / log1p(-self._share)) + 1

    def _draw(self) -> float:
        """A number between 0 and 1: the same ones for the same file."""
        self._drawn += 1
        digest = sha256(f"{self._name} {self._drawn}".encode()).digest()
        return (int.from_bytes(digest[:6], "big") + 0.5) / 2**48

    def any_of(self, wanted: int) -> list[SampledRow]:
        """As likely these as any others."""
        return [row for _, row in sorted(self._kept, key=itemgetter(0))[:wanted]]


class ChooseRows:
    """A reservoir for each length class, of lengths up to twice as long as the shortest of it.

    Args:
        most: How many rows are wanted.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._classes = [
            _Alike(max(min(most, _KEPT_BYTES >> length), 1), length) for length in range(_LENGTHS)
        ]
        self.expect_at: int | None = None

    def see(
        self,
        shard: int,
        first: int,
        requests: bytes,
        sizes: Sequence[int],
        cells: Sequence[Sequence[bytes]],
    ) -> None:
        """Look at rows of a table that are sent.

        Args:
            shard: Where they stand, from the request ``first`` on.
            first: From 0.
            requests: Their request lines.
            sizes: Of each line, without its line end.
            cells: Of each row, as the inside of JSON strings.
        """
        lengths = [*map(int.bit_length, sizes)]
        for length, times in Counter(lengths).items():
            alike = self._classes[length]
            seen = alike.count
            alike.count += times
            if alike.count < alike.next:
                continue
            places = [place for place, each in enumerate(lengths) if each == length]
            while alike.next <= alike.count:
                place = places[alike.next - seen - 1]
                start = sum(sizes[:place]) + place
                request = requests[start : start + sizes[place]].decode()
                self._keep(alike, SampledRow(shard, first + place, request), JsonCells(cells[place]))

    def see_row(self, shard: int, place: int, request: bytes, cells: Sequence[str]) -> None:
        """Look at one row; of request lines each comes alone."""
        alike = self._classes[(len(request) - 1).bit_length()]
        alike.count += 1
        if alike.count == alike.next:
            self._keep(alike, SampledRow(shard, place, request[:-1].decode()), cells)

    def _keep(self, alike: _Alike, row: SampledRow, cells: Sequence[str]) -> None:
        alike.keep(row._replace(expected=self._expected(cells)))

    def _expected(self, cells: Sequence[str]) -> str:
        at = self.expect_at
        return "" if at is None or at >= len(cells) else str(cells[at])

    def chosen(self) -> list[SampledRow]:
        """The sample in the order of the file: of each length as many as its share of all rows.

        Long rows of which fewer could be kept have fewer.
        """
        return sorted(self._by_length(), key=lambda row: (row.shard, row.place))

    def _by_length(self) -> Iterator[SampledRow]:
        total = sum(each.count for each in self._classes)
        wanted, passed, given = min(self._most, total), 0, 0
        for alike in filter(attrgetter("count"), self._classes):
            passed += alike.count
            due = (2 * wanted * passed + total) // (2 * total)  # rounded
            yield from alike.any_of(due - given)
            given = due
