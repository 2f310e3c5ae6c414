"""Walks a shard's original rows in input order, beside what earlier attempts settled."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan
from shared.formats.lines import byte_lines
from shared.pipeline.later_versions import require_known_outcomes
from shared.ports.store import ObjectStore
from shared.results.columns import Answer
from shared.results.kept_rows import OriginalRow, lender_in, sent_id
from shared.results.rendering import AnswerRenderer, SettledAnswer


class ShardRows:
    """The rows of one shard as they stand before ``attempt`` is settled.

    An attempt's answers are kept in row order, so rows and answers are merged in one pass, in
    constant memory. An answer with ``misfits`` settles no row: it is the best so far.
    """

    def __init__(self, store: ObjectStore, plan: Plan, attempt: Attempt) -> None:
        self._store = store
        self.plan = plan
        self._job_id = attempt.job_id
        self._shard = plan.shards[attempt.shard - 1]
        records = BucketRecords(store)
        earlier = [Attempt(attempt.job_id, number, attempt.shard) for number in range(1, attempt.number)]
        outcomes = [records.find_outcome(past) for past in earlier]
        self.earlier_outcomes = [outcome for outcome in outcomes if outcome]
        require_known_outcomes(self.earlier_outcomes)
        kept = (each for each in self.earlier_outcomes if each.leaves_rows or each.kind == "borrowing")
        self._answer_keys = [each.content_key for each in kept]

    @property
    def asked_again(self) -> bool:
        """Whether any of the rows may have an answer that does not fit."""
        return any(each.asked_again for each in self.earlier_outcomes)

    def walk(self) -> Iterator[tuple[OriginalRow, SettledAnswer | None]]:
        """Each row with the answer that it has from earlier attempts, if it has one."""
        settled = [self._answers(key) for key in self._answer_keys]
        waiting = [next(answers, None) for answers in settled]
        rows = map(OriginalRow.from_line, self._lines())
        if not waiting:
            for row in rows:
                yield row, None
        for row in rows:
            answer = None
            for index, head in enumerate(waiting):
                if row.is_good and head is not None and head.custom_id == row.custom_id:
                    answer = head
                    waiting[index] = next(settled[index], None)
            yield row, answer

    def open_ids(self) -> Iterator[str]:
        """The ids that this attempt sent, in the order of its request lines."""
        if self._answer_keys:
            return (custom_id for custom_id, _ in self.open_rows())
        ids = map(sent_id, self._lines())
        return (custom_id for custom_id in ids if custom_id is not None)

    def open_rows(self) -> Iterator[tuple[str, SettledAnswer | None]]:
        """The same, each with the answer that it has, if it is asked again."""
        for row, answer in self.walk():
            if row.is_sent and (answer is None or answer.misfits):
                yield row.custom_id, answer

    def open_requests(self) -> Iterator[tuple[bytes, SettledAnswer | None]]:
        """The same rows, with the line of each in the shard's first requests."""
        first = Attempt(self._job_id, 1, self._shard.shard)
        lines = byte_lines(self._store.read(self.plan.requests_key(first)))
        for row, answer in self.walk():
            if row.is_sent:
                line = next(lines)
                if answer is None or answer.misfits:
                    yield line, answer

    def lent_places(self) -> Collection[int]:
        """Which of the first attempt's requests have answers that further rows get."""
        if not self._shard.same:
            return ()
        lenders = map(lender_in, self._lines())
        return {place for place in lenders if isinstance(place, int)}

    def reused_answers(self) -> Iterator[bytes]:
        """Those of earlier jobs, as they are kept."""
        key = self._shard.reused_key
        return byte_lines(self._store.read(key)) if key else iter(())

    def _lines(self) -> Iterator[bytes]:
        return byte_lines(self._store.read(self._shard.rows_key))

    def _answers(self, key: str) -> Iterator[SettledAnswer]:
        render = AnswerRenderer(self.plan)
        return (_settled(line, render) for line in byte_lines(self._store.read(key)))


def _settled(line: bytes, render: AnswerRenderer) -> SettledAnswer:
    try:
        return SettledAnswer.from_line(line)
    except ValueError:
        # An earlier version, whose attempt may still be in flight, kept answers as they were read.
        return render.settled(Answer.from_line(line))
