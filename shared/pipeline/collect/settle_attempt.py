"""Settles the rows of one attempt whose batch has ended: writes its answers or its part, and proposes the outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.bucket.attempt import Attempt
from shared.bucket.blocks import Blocks
from shared.bucket.keys import work_key
from shared.bucket.records import Outcome, Plan
from shared.bucket.tickets import WaitingFor
from shared.pipeline.account_problems import waiting_for
from shared.pipeline.collect.shard_rows import ShardRows
from shared.pipeline.deadlines import REQUEUE_FOR
from shared.pipeline.waiting import asked_of_provider, backoff
from shared.ports.clock import Clock
from shared.ports.provider import BatchState, BatchStatus, FailedFor
from shared.ports.providers import Provider
from shared.ports.store import ObjectStore
from shared.problems.exceptions import PipelineError, ProviderRejected, ProviderTrouble
from shared.results.answer_spool import AnswerSpool
from shared.results.columns import Answer, RowStatus
from shared.results.formats import format_of
from shared.results.rendering import AnswerRenderer, SettledAnswer
from shared.results.verdict import BatchVerdict


class ResultsIncomplete(PipelineError):
    """The provider has more results than can be read now; worth waiting for a while."""

    code = "results_incomplete"


@dataclass(frozen=True)
class SettleAttempt:
    """Reads all that the provider returned, joins it with the rows, and keeps it before anything is deleted.

    Attributes:
        run_id: Unique to one invocation; what it writes lies under names of its own.
        job_is_cancelled: Nothing is sent again; answers are kept, since they were paid for.
    """

    store: ObjectStore
    provider: Provider
    clock: Clock
    run_id: str
    job_is_cancelled: bool = False

    def __call__(
        self, plan: Plan, attempt: Attempt, state: BatchState, *, may_be_incomplete: bool = False
    ) -> Outcome:
        """Write answers or part, and propose the outcome; only creating its record makes it the one.

        Raises:
            ResultsIncomplete: A result file cannot be read, or holds fewer lines than the provider counted, unless
                ``may_be_incomplete``.
        """
        rows = ShardRows(self.store, plan, attempt)
        requeues = sum(1 for outcome in rows.earlier_outcomes if outcome.kind == "requeue")
        if state.failed_for in {FailedFor.ACCOUNT, FailedFor.QUOTA}:
            if self.job_is_cancelled:
                state = replace(state, status=BatchStatus.CANCELLED)
            elif self.clock.now() - self._stopped_since(rows.earlier_outcomes) < REQUEUE_FOR:
                return self._requeue(state, requeues, self._reason(state, rows.earlier_outcomes))
        may_resend = attempt.number - requeues < plan.attempts
        codes = self.provider.profile.row_codes
        verdict = BatchVerdict(state, codes, may_resend=may_resend, job_is_cancelled=self.job_is_cancelled)
        render = AnswerRenderer(plan)
        with AnswerSpool(rows.open_ids(), render, codes) as spool:
            for file_id in state.result_files:
                self._read(file_id, state, spool, may_be_incomplete=may_be_incomplete)
            if not may_be_incomplete and _lacks_lines(state, spool):
                raise ResultsIncomplete(f"{spool.found} of {len(spool.asked)} rows have a line")
            settler = _Settler(spool, verdict, render)
            resent = settler.open_rows()
            suffix = format_of(plan).part_suffix
            name = f"answers-{self.run_id}.jsonl" if resent else f"part-{self.run_id}.{suffix}"
            content_key = work_key(attempt, name)
            if resent:
                counts, unread = self._write_answers(content_key, settler)
            else:
                counts, unread = self._write_part(content_key, plan, attempt, settler)
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

    def _stopped_since(self, earlier: Sequence[Outcome]) -> datetime:
        """When a quota or the account stopped the shard first, since it last ran."""
        since = self.clock.now()
        for outcome in reversed(earlier):
            if outcome.kind != "requeue":
                break
            since = outcome.decided_at
        return since

    def _read(self, file_id: str, state: BatchState, spool: AnswerSpool, *, may_be_incomplete: bool) -> None:
        """One file at a time: what is wrong with one must not cost the answers in the other."""
        try:
            with asked_of_provider():
                spool.add_lines(self.provider.batches.results(replace(state, result_files=(file_id,))))
        except ProviderRejected as error:
            if not may_be_incomplete:
                raise ResultsIncomplete(f"result file {file_id}: {error}") from error

    def _reason(self, state: BatchState, earlier: Sequence[Outcome]) -> WaitingFor | None:
        """What somebody must do, waited for since it stopped the attempts before this one, too."""
        if state.failed_for is not FailedFor.ACCOUNT:
            return None
        first = state.problems[0]
        trouble = ProviderTrouble(f"{first.message} (code {first.code})", state.trouble)
        last = earlier[-1].waiting_for if earlier else None
        return waiting_for(trouble, last.since if last else self.clock.now(), self.provider.profile.terms)

    def _requeue(self, state: BatchState, requeues: int, reason: WaitingFor | None) -> Outcome:
        now = self.clock.now()
        return Outcome(
            kind="requeue",
            batch_id=state.batch_id or None,
            batch_status=state.raw_status,
            decided_at=now,
            settled=0,
            not_before=now + backoff(requeues),
            waiting_for=reason,
        )

    def _write_answers(self, key: str, settler: _Settler) -> tuple[Counter[str], Counter[str]]:
        """What is settled, for the attempt that settles the last row; counted there once more, with the others."""
        counts: Counter[str] = Counter()
        with self.store.open_writer(key) as writer:
            blocks = Blocks(writer.write)
            for index, custom_id in enumerate(settler.spool.asked):
                settled = settler.settle(custom_id, index)
                if settled is not None:
                    counts[settled.status] += 1
                    blocks.add(settled.to_line())
            blocks.flush()
            writer.commit()
        return counts, Counter()

    def _write_part(
        self, key: str, plan: Plan, attempt: Attempt, settler: _Settler
    ) -> tuple[Counter[str], Counter[str]]:
        """Count the rows by status, and those whose answer could not be taken apart by their code."""
        counts: Counter[str] = Counter()
        unread: Counter[str] = Counter()
        rendering = settler.render.rendering
        with self.store.open_writer(key) as writer:
            blocks = Blocks(lambda rows: writer.write(rendering.encode(rows)))
            if attempt.shard == 1:
                writer.write(rendering.header())
            index = -1
            for row, earlier in ShardRows(self.store, plan, attempt).walk():
                settled = earlier
                if not row.is_sent:
                    settled = settler.render.settled(row.own_answer())
                elif earlier is None:
                    index += 1
                    settled = settler.settle(row.custom_id, index)
                if settled is None:
                    raise AssertionError(f"row {row.custom_id!r} of {attempt} is open in a final part")
                _, status, code, answer = settled
                counts[status] += 1
                if code:
                    unread[code] += 1
                blocks.add(rendering.row(row.cells, answer))
            blocks.flush()
            writer.commit()
        return counts, unread


@dataclass(frozen=True)
class _Settler:
    """Settles single rows by what was read of them and what the batch as a whole says.

    An ``index`` counts the rows that were sent, from 0, in the order of the request lines.
    """

    spool: AnswerSpool
    verdict: BatchVerdict
    render: AnswerRenderer

    def open_rows(self) -> int:
        """How many rows go into the next attempt."""
        spool = self.spool
        return sum(
            not spool.is_answered(index) and self._reason(custom_id, index) is None
            for index, custom_id in enumerate(spool.asked)
        )

    def settle(self, custom_id: str, index: int) -> SettledAnswer | None:
        """The row's final answer, or ``None`` if it is open. No verdict changes an answer."""
        if self.spool.is_answered(index):
            content, unread = self.spool.rendered(index)
            return SettledAnswer(custom_id, _ANSWERED, unread, content)
        reason = self._reason(custom_id, index)
        return None if reason is None else self.render.settled(reason)

    def _reason(self, custom_id: str, index: int) -> Answer | None:
        return self.verdict.settle(custom_id, index + 1, self.spool.reason(index))


_ANSWERED = RowStatus.ANSWERED.value


def _lacks_lines(state: BatchState, spool: AnswerSpool) -> bool:
    """Whether a completed batch has rows without a line, which may only be late.

    Its counts are not asked: they may be null or too low while one of its files is not there yet, and a row that is
    sent again for that is paid twice.
    """
    return state.status is BatchStatus.COMPLETED and spool.found < len(spool.asked)
