"""Settles the rows of one attempt whose batch has ended: writes its answers or its part, and proposes the outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.domain.answer_columns import AnswerColumns
from shared.domain.answers import RowStatus
from shared.domain.batches import BatchState, BatchStatus
from shared.domain.errors import PipelineError, ProviderRejected
from shared.domain.keys import ShardAttempt, attempt_key
from shared.domain.records import Outcome, Plan
from shared.domain.result_columns import ResultRow
from shared.domain.result_formats import rendering_for, result_row
from shared.domain.settling import BatchVerdict, stopped_by_quota
from shared.ports import BatchProvider, Clock, ObjectStore
from shared.services.answer_spool import AnswerSpool
from shared.services.shard_rows import ShardRows

QUOTA_BACKOFF = timedelta(minutes=5)
MAX_QUOTA_BACKOFF = timedelta(minutes=80)
# A provider's longest completion window; a quota that has stopped a job for so long is its end.
REQUEUE_FOR = timedelta(days=14)
_ROWS_A_WRITE = 500
_CHARS_A_WRITE = 1024 * 1024


class ResultsIncomplete(PipelineError):
    """The provider has more results than can be read now; worth waiting for a while."""

    code = "results_incomplete"


@dataclass(frozen=True)
class SettleAttempt:
    """Reads all that the provider returned, joins it with the rows, and keeps it before anything is deleted."""

    store: ObjectStore
    provider: BatchProvider
    clock: Clock
    run_id: str

    def __call__(
        self, plan: Plan, unit: ShardAttempt, state: BatchState, *, may_be_incomplete: bool = False
    ) -> Outcome:
        """Write answers or part, and propose the outcome; only creating its record makes it the one.

        Raises:
            ResultsIncomplete: A result file cannot be read, or holds fewer lines than the provider counted, unless
                ``may_be_incomplete``.
        """
        rows = ShardRows(self.store, plan, unit)
        requeues = sum(1 for outcome in rows.earlier_outcomes if outcome.kind == "requeue")
        if stopped_by_quota(state) and self.clock.now() - plan.created_at < REQUEUE_FOR:
            return self._requeue(state, requeues)
        verdict = BatchVerdict(state, may_resend=unit.attempt - requeues < plan.attempts)
        with AnswerSpool(rows.open_ids()) as spool:
            for file_id in state.result_files:
                self._read(file_id, state, spool, may_be_incomplete=may_be_incomplete)
            if not may_be_incomplete and _lacks_lines(state, spool):
                raise ResultsIncomplete(f"{spool.found} of {len(spool.asked)} rows have a line")
            resent = sum(1 for _ in _open_rows(spool, verdict))
            name = f"answers-{self.run_id}.jsonl" if resent else f"part-{self.run_id}.{plan.part_format}"
            content_key = attempt_key(unit, name)
            if resent:
                counts, unread = self._write_answers(content_key, spool, verdict), Counter[str]()
            else:
                counts, unread = self._write_part(content_key, plan, unit, spool, verdict)
            return Outcome(
                kind="resend" if resent else "final",
                batch_id=state.batch_id or None,
                batch_status=state.raw_status,
                decided_at=self.clock.now(),
                content_key=content_key,
                settled=counts.total(),
                resent=resent,
                by_status=dict(counts),
                unread_answers=dict(unread),
                tokens=spool.tokens,
                unknown_ids=spool.unknown_ids,
                repeated_ids=spool.repeated_ids,
                unreadable_lines=spool.unreadable_lines,
            )

    def _read(self, file_id: str, state: BatchState, spool: AnswerSpool, *, may_be_incomplete: bool) -> None:
        """One file at a time: what is wrong with one must not cost the answers in the other."""
        try:
            spool.add_lines(self.provider.results(replace(state, result_files=(file_id,))))
        except ProviderRejected as error:
            if not may_be_incomplete:
                raise ResultsIncomplete(f"result file {file_id}: {error}") from error

    def _requeue(self, state: BatchState, requeues: int) -> Outcome:
        now = self.clock.now()
        return Outcome(
            kind="requeue",
            batch_id=state.batch_id or None,
            batch_status=state.raw_status,
            decided_at=now,
            settled=0,
            not_before=now + min(QUOTA_BACKOFF * 2 ** min(requeues, 10), MAX_QUOTA_BACKOFF),
        )

    def _write_answers(self, key: str, spool: AnswerSpool, verdict: BatchVerdict) -> Counter[str]:
        counts: Counter[str] = Counter()
        with self.store.open_writer(key) as writer:
            for line, custom_id in enumerate(spool.asked, 1):
                answer = verdict.settle(custom_id, line, spool.find(custom_id))
                if answer is not None:
                    counts[answer.status.value] += 1
                    writer.write(answer.to_line())
            writer.commit()
        return counts

    def _write_part(
        self, key: str, plan: Plan, unit: ShardAttempt, spool: AnswerSpool, verdict: BatchVerdict
    ) -> tuple[Counter[str], Counter[str]]:
        """Count the rows by status, and those whose answer could not be taken apart by their code."""
        counts: Counter[str] = Counter()
        unread: Counter[str] = Counter()
        rendering = rendering_for(plan)
        with self.store.open_writer(key) as writer:
            if unit.shard == 1:
                writer.write(rendering.header())
            pending, chars = [], 0
            for row in self._result_rows(plan, unit, spool, verdict):
                answer = row.answer
                counts[answer.status.value] += 1
                if answer.status is RowStatus.ANSWERED and answer.error_code:
                    unread[answer.error_code] += 1
                pending.append(row)
                chars += sum(map(len, row.cells)) + len(answer.content) + len(answer.reasoning_content)
                if len(pending) == _ROWS_A_WRITE or chars > _CHARS_A_WRITE:
                    writer.write(rendering.lines(pending))
                    pending.clear()
                    chars = 0
            writer.write(rendering.lines(pending))
            writer.commit()
        return counts, unread

    def _result_rows(
        self, plan: Plan, unit: ShardAttempt, spool: AnswerSpool, verdict: BatchVerdict
    ) -> Iterator[ResultRow]:
        columns = AnswerColumns(plan.answer_columns) if plan.answer_columns else None
        line = 0
        for row, answer in ShardRows(self.store, plan, unit).walk():
            settled = answer
            if answer is None:
                line += 1
                settled = verdict.settle(row.custom_id, line, spool.find(row.custom_id))
            if settled is None:
                raise AssertionError(f"row {row.custom_id!r} of {unit} is open in a final part")
            yield result_row(row.cells, settled, columns)


def _lacks_lines(state: BatchState, spool: AnswerSpool) -> bool:
    """Whether a completed batch promises lines that are not there (yet). Its counts may be null or too low."""
    if state.status is not BatchStatus.COMPLETED or spool.found == len(spool.asked):
        return False
    return not state.result_files or state.requests_completed + state.requests_failed > spool.found


def _open_rows(spool: AnswerSpool, verdict: BatchVerdict) -> Iterator[str]:
    for line, custom_id in enumerate(spool.asked, 1):
        if verdict.settle(custom_id, line, spool.find(custom_id)) is None:
            yield custom_id
