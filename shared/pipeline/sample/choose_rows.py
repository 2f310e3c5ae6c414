"""Chooses rows spread over the lengths of a whole file while it streams by, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from heapq import heappush, heapreplace
from typing import NamedTuple
from zlib import crc32

from shared.formats.json.compact import compact_json

# Of requests of about the same length so many bytes are kept, and always one.
_KEPT_BYTES = 1024 * 1024


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
    """Rows of about the same length: how many there were, and those of the smallest digests."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[tuple[int, int, SampledRow]] = []  # a heap, the largest digest first
        self.count = 0

    def wants(self, digest: int) -> bool:
        """Whether to keep the next row, which has that digest."""
        self.count += 1
        return len(self._kept) < self._most or -digest > self._kept[0][0]

    def keep(self, digest: int, row: SampledRow) -> None:
        entry = (-digest, self.count, row)  # no two rows are compared
        if len(self._kept) < self._most:
            heappush(self._kept, entry)
        else:
            heapreplace(self._kept, entry)

    def any_of(self, wanted: int) -> list[SampledRow]:
        """As likely these as any others, and the same of the same file."""
        return [row for _, _, row in sorted(self._kept, reverse=True)[:wanted]]


class ChooseRows:
    """A reservoir for each length class, of lengths up to twice as long as the shortest of it.

    Args:
        most: How many rows are wanted.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._classes: dict[int, _Alike] = {}
        self.expect_at: int | None = None

    def see(self, shard: int, first: int, requests: bytes, rows: Sequence[Sequence[str]]) -> None:
        """Look at rows that are sent, with their request lines, of which ``first`` is the place."""
        for index, request in enumerate(requests.split(b"\n")[:-1]):
            length, digest = len(request).bit_length(), crc32(request)
            alike = self._classes.get(length)
            if alike is None:
                alike = self._classes[length] = _Alike(max(min(self._most, _KEPT_BYTES >> length), 1))
            if alike.wants(digest):
                row = SampledRow(shard, first + index, request.decode(), self._expected(rows[index]))
                alike.keep(digest, row)

    def _expected(self, cells: Sequence[str]) -> str:
        at = self.expect_at
        return "" if at is None or at >= len(cells) else str(cells[at])

    def chosen(self) -> list[SampledRow]:
        """The sample in the order of the file: of each length as many as its share of all rows.

        Long rows of which fewer could be kept have fewer.
        """
        return sorted(self._by_length(), key=lambda row: (row.shard, row.place))

    def _by_length(self) -> Iterator[SampledRow]:
        total = sum(each.count for each in self._classes.values())
        wanted, passed, given = min(self._most, total), 0, 0
        for length in sorted(self._classes):
            alike = self._classes[length]
            passed += alike.count
            due = (2 * wanted * passed + total) // (2 * total)  # rounded
            yield from alike.any_of(due - given)
            given = due
