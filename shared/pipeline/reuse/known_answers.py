"""What a folder's earlier jobs were answered, for the rows of a new one that ask the same."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.formats.write_blocks import Blocks
from shared.pipeline.loans.questions import Questions
from shared.pipeline.reuse.lend_answers import ANSWERS, DIGESTS
from shared.ports.clock import Clock
from shared.ports.store import ObjectHead, ObjectStore, ObjectWriter
from shared.problems.exceptions import ObjectMissing
from shared.results.kept_rows import DIGEST_BYTES
from shared.results.lent.reused_answers import digest_in

# Each shard is a call.
MAX_ANSWERS = 1_000_000
MAX_SHARDS = 200


class AnswersWithdrawn(Exception):
    """What a row was to have is not lent any more; the rows are read again."""


class KnownAnswers:
    """Finds answers by the digest of what is asked. Of several the newest counts.

    Answers are copied once it is known which.

    Attributes:
        left_out: How many answers there are beyond what is looked through.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._questions = Questions()
        self._lenders: list[str] = []
        # How many answers there are before each lender's.
        self._starts: list[int] = []
        self._withdrawn: set[int] = set()
        self.left_out = 0

    def __enter__(self) -> KnownAnswers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._questions.close()

    def add(self, key: str, digests: bytes) -> None:
        """Know what a lent shard was asked, too; the newest shard comes first.

        Args:
            key: Of its objects, without their endings.
            digests: All of them, in one, in the order of its answers.
        """
        self._lenders.append(key)
        self._starts.append(self._questions.count)
        starts = range(0, len(digests) - DIGEST_BYTES + 1, DIGEST_BYTES)
        self._questions.add([digests[start : start + DIGEST_BYTES] for start in starts])

    def find_all(self, digests: Sequence[bytes]) -> dict[int, int]:
        """Of these questions, those that are answered, by their index, each with its answer."""
        if not self._questions.count:
            return {}
        found = {}
        for index, numbers in self._questions.find_all(digests):
            answer = numbers[0] if len(numbers) == 1 and not self._withdrawn else self._newest(numbers)
            if answer is not None:
                found[index] = answer
        return found

    def find(self, digest: bytes) -> int | None:
        return self._newest(self._questions.find(digest))

    def _newest(self, numbers: Sequence[int]) -> int | None:
        left = [each for each in numbers if self._lender_of(each) not in self._withdrawn]
        return min(left, default=None)

    def _lender_of(self, answer: int) -> int:
        return bisect_right(self._starts, answer) - 1

    def copy(self, wanted: Iterable[int], writer: ObjectWriter) -> None:
        """Write these answers, each once.

        Raises:
            AnswersWithdrawn: One is gone, or its job is being erased. It is not found again.
        """
        by_lender: dict[int, set[int]] = defaultdict(set)
        for answer in wanted:
            lender = self._lender_of(answer)
            by_lender[lender].add(answer - self._starts[lender])
        blocks = Blocks(writer.write)
        for lender, places in by_lender.items():
            self._copy(lender, sorted(places), blocks)
        blocks.flush()

    def _copy(self, lender: int, places: Sequence[int], blocks: Blocks) -> None:
        digests, left = self._questions.digests(self._starts[lender], places[-1] + 1), len(places)
        try:
            lines = _lines_at(places, self._store.read(self._lenders[lender] + ANSWERS))
            for place, line in zip(places, lines, strict=False):
                if (
                    digest_in(line)
                    != digests[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES].hex().encode()
                ):
                    break
                blocks.add(line + b"\n")
                left -= 1
        except ObjectMissing:
            pass
        # Behind the look: an erasure says first what it erases.
        if left or self._is_erased(self._lenders[lender]):
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
        """Those that were answered ``within`` so long. The caller closes them."""
        since = self.clock.now() - within
        lent = [head for head in self.store.list(lends_to) if head.key.endswith(DIGESTS)]
        lent = sorted((each for each in lent if each.modified_at >= since), key=lambda each: each.modified_at)
        with ExitStack() as on_failure:
            known = on_failure.enter_context(KnownAnswers(self.store))
            self._add_newest(known, lent)
            on_failure.pop_all()
        return known

    def _add_newest(self, known: KnownAnswers, lent: Sequence[ObjectHead]) -> None:
        shards = answers = 0
        for head in reversed(lent):
            count = head.size_bytes // DIGEST_BYTES
            if shards == self.max_shards or answers + count > self.max_answers:
                known.left_out += count
                continue
            try:
                known.add(head.key.removesuffix(DIGESTS), self.store.get(head.key))
            except ObjectMissing:
                continue  # erased, or expired, a moment ago
            shards, answers = shards + 1, answers + count


def _lines_at(places: Sequence[int], chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines at these places, which ascend, without their line ends."""
    wanted, first, begun = 0, 0, b""
    for chunk in chunks:
        *lines, begun = (begun + chunk).split(b"\n")
        end = bisect_left(places, first + len(lines), wanted)
        for place in places[wanted:end]:
            yield lines[place - first]
        wanted, first = end, first + len(lines)
        if wanted == len(places):
            return
