"""What a folder's earlier jobs were answered, for the rows of a new one that ask the same."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.formats.lines import byte_lines
from shared.formats.write_blocks import Blocks
from shared.pipeline.reuse.lend_answers import ANSWERS, DIGESTS
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore, ObjectWriter
from shared.problems.exceptions import ObjectMissing
from shared.results.kept_rows import DIGEST_BYTES
from shared.results.lent.reused_answers import digest_in

# A million take about 20 MB, and 60 while they are sorted. Each shard is a call.
MAX_ANSWERS = 1_000_000
MAX_SHARDS = 200
_HEAD_BYTES = 8
_PLACE_BYTES = 2
_TAIL_BYTES = DIGEST_BYTES - _HEAD_BYTES + _PLACE_BYTES


class AnswersWithdrawn(Exception):
    """What a row was to have is not lent any more; the rows are read again."""


class KnownAnswers:
    """Finds who lends an answer, by the digest of what is asked. The newest answer counts.

    In memory are only digests. Answers are copied once it is known which.

    Attributes:
        left_out: How many answers there are beyond what is looked through.
    """

    def __init__(self, store: ObjectStore, lenders: Sequence[tuple[str, bytes]], left_out: int = 0) -> None:
        """Prepare to look.

        Args:
            store: The bucket.
            lenders: The key of each lent shard, without its ending, and all its digests, in one;
                newest first.
            left_out: See there.
        """
        self._store = store
        self._lenders = [key for key, _ in lenders]
        self._withdrawn: set[int] = set()
        self.left_out = left_out
        # Numbers are found faster than texts, and the half of a digest tells nearly all apart.
        self._heads = array("Q")
        self._tails = bytearray()
        for entries in _sorted_by_first_byte(lenders):
            self._heads.extend(map(_head_of, entries))
            self._tails += b"".join([entry[_HEAD_BYTES:] for entry in entries])

    def find_all(self, digests: Sequence[bytes]) -> dict[bytes, int]:
        """Of these questions, those that are answered, each with its lender."""
        found = {digest: self.find(digest) for digest in digests} if self._heads else {}
        return {digest: lender for digest, lender in found.items() if lender is not None}

    def find(self, digest: bytes) -> int | None:
        heads, head, tail = self._heads, _head_of(digest), digest[_HEAD_BYTES:DIGEST_BYTES]
        at = bisect_left(heads, head)
        while at < len(heads) and heads[at] == head:
            entry = self._tails[at * _TAIL_BYTES : (at + 1) * _TAIL_BYTES]
            lender = int.from_bytes(entry[-_PLACE_BYTES:], "big")
            if entry.startswith(tail) and lender not in self._withdrawn:
                return lender
            at += 1
        return None

    def copy(self, wanted: Mapping[bytes, int], writer: ObjectWriter) -> None:
        """Write the answers to these questions, each once.

        Raises:
            AnswersWithdrawn: One is gone, or its job is being erased. It is not found again.
        """
        by_lender: dict[int, set[bytes]] = defaultdict(set)
        for digest, lender in wanted.items():
            by_lender[lender].add(digest[:DIGEST_BYTES].hex().encode())
        blocks = Blocks(writer.write)
        for lender, questions in by_lender.items():
            self._copy(lender, questions, blocks)
        blocks.flush()

    def _copy(self, lender: int, questions: set[bytes], blocks: Blocks) -> None:
        try:
            for line in byte_lines(self._store.read(self._lenders[lender] + ANSWERS)):
                if digest_in(line) in questions:
                    questions.remove(digest_in(line))
                    blocks.add(line + b"\n")
        except ObjectMissing:
            pass
        # Behind the look: an erasure says first what it erases.
        if questions or self._is_erased(self._lenders[lender]):
            self._withdrawn.add(lender)
            raise AnswersWithdrawn(self._lenders[lender])

    def _is_erased(self, key: str) -> bool:
        job_id = JobId(key.rpartition("/")[2].partition("-")[0])
        ledger = BucketRecords(self._store).find_ledger(job_id)
        return ledger is not None and ledger.erased_at is not None


@dataclass(frozen=True)
class FindAnswers:
    """Reads which questions of a folder are answered, in constant memory: the newest count."""

    store: ObjectStore
    clock: Clock
    max_answers: int = MAX_ANSWERS
    max_shards: int = MAX_SHARDS

    def __call__(self, lends_to: str, within: timedelta) -> KnownAnswers:
        """Those that were answered ``within`` so long."""
        since = self.clock.now() - within
        lent = [head for head in self.store.list(lends_to) if head.key.endswith(DIGESTS)]
        lent = sorted((each for each in lent if each.modified_at >= since), key=lambda each: each.modified_at)
        lenders: list[tuple[str, bytes]] = []
        answers = left_out = 0
        for head in reversed(lent):
            count = head.size_bytes // DIGEST_BYTES
            if len(lenders) == self.max_shards or answers + count > self.max_answers:
                left_out += count
                continue
            try:
                lenders.append((head.key.removesuffix(DIGESTS), self.store.get(head.key)))
            except ObjectMissing:
                continue  # erased, or expired, a moment ago
            answers += count
        return KnownAnswers(self.store, lenders, left_out)


def _sorted_by_first_byte(lenders: Sequence[tuple[str, bytes]]) -> Iterator[list[bytes]]:
    """Each digest with the place of its lender. A list of all would take four times the memory."""
    piles = [bytearray() for _ in range(256)]
    for place, (_, digests) in enumerate(lenders):
        behind = place.to_bytes(_PLACE_BYTES, "big")
        for start in range(0, len(digests), DIGEST_BYTES):
            piles[digests[start]] += digests[start : start + DIGEST_BYTES] + behind
    for pile in piles:
        starts = range(0, len(pile), DIGEST_BYTES + _PLACE_BYTES)
        yield sorted(bytes(pile[start : start + DIGEST_BYTES + _PLACE_BYTES]) for start in starts)
        pile.clear()


def _head_of(digest: bytes) -> int:
    return int.from_bytes(digest[:_HEAD_BYTES], "big")
