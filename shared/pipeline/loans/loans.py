"""Reads the answers that other shards lend to one."""

from __future__ import annotations

from types import TracebackType

from shared.bucket.attempt import JobId
from shared.bucket.keys import loan_key
from shared.bucket.records.plan import Plan
from shared.formats.lines import byte_lines
from shared.ports.store import ObjectStore
from shared.results.kept_rows import OriginalRow
from shared.results.lent.lent_answers import LentAnswers
from shared.results.rendering import SettledAnswer


class Loans:
    """Those of one shard. What a lender wrote for it is read when its first row asks for it."""

    def __init__(self, store: ObjectStore, plan: Plan, shard: int) -> None:
        self._store = store
        self._job_id = JobId(plan.job_id)
        self._shard = shard
        self._read: set[int] = set()
        self._lent = LentAnswers()

    def __enter__(self) -> Loans:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lent.__exit__(kind, error, trace)

    def answer_for(self, row: OriginalRow) -> SettledAnswer:
        """What a row gets whose lender is in another shard.

        Raises:
            ObjectMissing: Somebody has deleted what the job needs.
        """
        lender, _ = row.lender  # type: ignore[misc]  # of such a row it is a pair
        if lender not in self._read:
            self._read.add(lender)
            for line in byte_lines(self._store.read(loan_key(self._job_id, lender, self._shard))):
                answer = SettledAnswer.from_line(line)
                self._lent.keep((lender, int(answer.custom_id)), answer)
        return self._lent.answer_for(row)
