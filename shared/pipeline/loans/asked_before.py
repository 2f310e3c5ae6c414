"""Remembers where in a job a question was sent, in a fixed amount of memory."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared.pipeline.loans.questions import Questions

Lender = tuple[int, int]
"""A shard, and which of its requests, from 0."""

# Each takes 4 bytes until the plan is made. After so many, questions are sent again.
MOST_LOANS = 4_000_000


class AskedBefore:
    """The requests of a job, and which of their answers later shards are to get.

    The newest million are known, or two. Either all requests have a digest or none.
    """

    def __init__(self) -> None:
        self._questions = Questions()
        # How many requests stand in the job before each shard's.
        self._starts: list[int] = []
        self._loans = 0
        self._borrowers: dict[int, dict[int, array[int]]] = defaultdict(dict)

    def close(self) -> None:
        self._questions.close()

    @property
    def requests(self) -> int:
        """How many there are in all shards."""
        return self._questions.count

    def start_shard(self) -> None:
        """What is asked from now on is sent in the next shard."""
        self._starts.append(self.requests)

    def take(self, digests: Sequence[bytes]) -> list[int]:
        """Which of all requests asks each of these; new ones are the next ``requests``."""
        return self._questions.take(digests, self._oldest())

    def _oldest(self) -> int:
        """The first request whose answer may be shared."""
        return self._starts[-1] if self._loans >= MOST_LOANS else 0

    def lender(self, request: int) -> int | Lender:
        """Which one it is of the last shard's, from 0; or of which earlier shard which one."""
        place = request - self._starts[-1]
        return place if place >= 0 else self._lender(request)

    def _lender(self, request: int) -> Lender:
        shard = bisect_right(self._starts, request)
        return shard, request - self._starts[shard - 1]

    def lend(self, borrower: int, requests: Iterable[int]) -> None:
        """Note whose answers a shard is to get."""
        places: dict[int, array[int]] = defaultdict(lambda: array("I"))
        for lender, place in map(self._lender, sorted({*requests})):
            places[lender].append(place)
        for lender, each in places.items():
            self._borrowers[lender][borrower] = each
            self._loans += len(each)

    def borrowers(self) -> Iterator[tuple[int, Mapping[int, Sequence[int]]]]:
        """The shards that lend, each with the requests whose answers other shards get."""
        return iter(sorted(self._borrowers.items()))
