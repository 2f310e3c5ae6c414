"""Remembers where in a job a question was sent, in a fixed amount of memory."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

Lender = tuple[int, int]
"""A shard, and which of its requests, from 0."""

# A digest's first 17 bits say in which bucket these bytes are kept: together more than 128 bits.
_KEPT = slice(3, 17)
_BUCKETS = 1 << 17
_PLACE_BYTES = 4
_ENTRY_BYTES = _KEPT.stop - _KEPT.start + _PLACE_BYTES
# The table takes 19 MB, and holds the newest million questions: of each bucket the newest eight.
_ENTRIES = 8
_BUCKET_BYTES = _ENTRIES * _ENTRY_BYTES
# Each takes 4 bytes until the plan is made. After so many, questions are sent again.
MOST_LOANS = 4_000_000


class AskedBefore:
    """The questions of earlier shards, and which of their answers later ones are to get.

    Python's own dictionary would take 130 bytes for each question.
    """

    def __init__(self) -> None:
        self._table = bytearray()
        # Of each bucket the entry that is written next.
        self._next_entries = bytearray()
        # How many requests stand in the job before each shard's.
        self._starts: list[int] = []
        self._requests = 0
        self._loans = 0
        self._borrowers: dict[int, dict[int, array[int]]] = defaultdict(dict)

    def find(self, digest: bytes) -> Lender | None:
        """Who asked the same in an earlier shard, if that is known still."""
        return self.find_all((digest,)).get(digest)

    def find_all(self, digests: Iterable[bytes]) -> dict[bytes, Lender]:
        """The same for those that are known."""
        if not self._starts or self._loans >= MOST_LOANS:
            return {}
        find, size = self._table.find, _BUCKET_BYTES
        found = [
            (each, at)
            for each in digests
            if (
                at := find(
                    each[_KEPT], start := (each[0] << 9 | each[1] << 1 | each[2] >> 7) * size, start + size
                )
            )
            >= 0
        ]
        return {digest: self._lender(at) for digest, at in found if at % _ENTRY_BYTES == 0}

    def _lender(self, at: int) -> Lender:
        end = at + _ENTRY_BYTES
        place = int.from_bytes(self._table[end - _PLACE_BYTES : end], "big")
        shard = bisect_right(self._starts, place)
        return shard, place - self._starts[shard - 1]

    def add_shard(self, asked: Mapping[bytes, int], requests: int) -> None:
        """Note what the next shard asks, in the order of their numbers, from 1.

        Args:
            asked: By digest, which of its requests asks that.
            requests: How many it has.
        """
        if not self._starts:  # the table takes its memory only where there are several shards
            self._table = bytearray(_BUCKET_BYTES * _BUCKETS)
            self._next_entries = bytearray(_BUCKETS)
        table, entries, first = self._table, self._next_entries, self._requests
        for digest, place in asked.items():
            bucket = digest[0] << 9 | digest[1] << 1 | digest[2] >> 7
            entry, start = entries[bucket], bucket * _BUCKET_BYTES + entries[bucket] * _ENTRY_BYTES
            table[start : start + _ENTRY_BYTES] = digest[_KEPT] + (first + place).to_bytes(
                _PLACE_BYTES, "big"
            )
            entries[bucket] = (entry + 1) % _ENTRIES
        self._starts.append(first)
        self._requests += requests

    def lend(self, borrower: int, lenders: Iterable[Lender]) -> None:
        """Note whose answers a shard is to get."""
        places = defaultdict(list)
        for lender, place in lenders:
            places[lender].append(place)
        for lender, each in places.items():
            self._borrowers[lender][borrower] = array("I", sorted(each))
            self._loans += len(each)

    def borrowers(self) -> Iterator[tuple[int, Mapping[int, Sequence[int]]]]:
        """The shards that lend, each with the requests whose answers other shards get."""
        return iter(sorted(self._borrowers.items()))
