"""Settles the rows of one attempt whose batch has ended.

Writes its answers or its part, and proposes the outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Literal, NamedTuple

from shared.bucket.attempt import Attempt
from shared.bucket.keys import work_key
from shared.bucket.records.outcome import Outcome
from shared.bucket.records.plan import Plan
from shared.formats.write_blocks import Blocks
from shared.money.invoice import price_of
from shared.pipeline.collect.rows.lines_promised import lacks_lines, perhaps_charged
from shared.pipeline.collect.rows.part_rows import PartRows
from shared.pipeline.collect.rows.row_settler import RowSettler
from shared.pipeline.collect.rows.shard_rows import ShardRows
from shared.pipeline.collect.rows.verdict import BatchVerdict
from shared.pipeline.collect.rows.write_part import Counts, write_part
from shared.pipeline.collect.stopped import STOPPED_BY, count_requeues, is_worth_requeuing, requeue
from shared.pipeline.sample.sample_results import sample_lines
from shared.pipeline.waiting import asked_of_provider
from shared.ports.clock import Clock
from shared.ports.provider import BatchState, BatchStatus
from shared.ports.providers import Provider
from shared.ports.store import ObjectStore
from shared.problems.exceptions import PipelineError, ProviderRejected
from shared.results.again.misfits import Tries
from shared.results.formats import format_of
from shared.results.rendering import AnswerRenderer, SettledAnswer
from shared.results.spool.answer_spool import AnswerSpool
from shared.results.unmatched_lines import UnmatchedLines


class ResultsIncomplete(PipelineError):
    """The provider has more results than can be read now; worth waiting for a while."""

    code = "results_incomplete"


_Kind = Literal["final", "resend", "ask_again", "borrowing"]


class _Content(NamedTuple):
    """What an attempt's rows became: its answers, or the shard's part if it is whole."""

    kind: _Kind
    key: str
    resent: int
    counts: Counts
    again: Counter[str]


@dataclass(frozen=True)
class SettleAttempt:
    """Reads all that the provider returned, joins it with the rows, and keeps it.

    Only afterwards may the provider's files be deleted.

    Attributes:
        run_id: Unique to one invocation; what it writes has names of its own.
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
        """Write answers or part, and propose the outcome. It counts once its record is created.

        Raises:
            ResultsIncomplete: A result file cannot be read, or rows that the batch has answered
                lack a line, unless ``may_be_incomplete``.
        """
        rows = ShardRows(self.store, plan, attempt)
        earlier, now = rows.earlier_outcomes, self.clock.now()
        longest = self.provider.profile.limits_for(plan.model).max_window
        if is_worth_requeuing(state, earlier, now, longest) and not self.job_is_cancelled:
            return requeue(state, earlier, now, self.provider.profile.terms)
        # What the sample was answered is no attempt of its own.
        sent = attempt.number - count_requeues(earlier) - plan.is_sampled(attempt.shard)
        later = set[str]() if plan.is_sampled(attempt.shard) and rows.asked_again else None
        render = AnswerRenderer(plan, max(sent, 1) if plan.until_fits else None, later)
        answers = bytearray()
        asked = _noting(answers, later, sent, rows) if rows.asked_again else rows.open_ids()
        unmatched = UnmatchedLines(self.store, work_key(attempt, f"unmatched-{self.run_id}.jsonl"))
        with unmatched, AnswerSpool(asked, render, unmatched.add, _tiers(plan)) as spool:
            self._read(plan, attempt, state, spool, may_be_incomplete=may_be_incomplete)
            verdict = self._verdict(plan, sent, state, has_strays=spool.has_strays)
            may_ask, was_asked = not self._is_cancelled(state), _was_asked(state)
            tries = Tries.of(plan, render, may_ask=may_ask, was_asked=was_asked)
            settler = RowSettler(spool, verdict, tries, answers or bytearray(len(spool.asked)))
            content = self._settle(plan, attempt, rows, settler)
            outcome = self._propose(plan, state, content, spool, unmatched.commit())
            return outcome.model_copy(update={"in_real_time": plan.is_sample(attempt)})

    def _is_cancelled(self, state: BatchState) -> bool:
        """Then nobody wants any more of it."""
        return self.job_is_cancelled or state.status is BatchStatus.CANCELLED

    def _verdict(self, plan: Plan, sent: int, state: BatchState, *, has_strays: bool) -> BatchVerdict:
        """A requeued attempt ran no row, so it does not count as one."""
        if state.failed_for in STOPPED_BY and self.job_is_cancelled:
            state = replace(state, status=BatchStatus.CANCELLED)
        return BatchVerdict(
            state,
            self.provider.profile.cancelled_words,
            attempts_left=plan.attempts - sent,
            job_is_cancelled=self.job_is_cancelled,
            has_strays=has_strays,
        )

    def _read(
        self,
        plan: Plan,
        attempt: Attempt,
        state: BatchState,
        spool: AnswerSpool,
        *,
        may_be_incomplete: bool,
    ) -> None:
        if plan.is_sample(attempt):
            for key in state.result_files:
                spool.add_lines(sample_lines(self.store, attempt, key))
            return
        for file_id in state.result_files:
            self._read_file(file_id, state, spool, may_be_incomplete=may_be_incomplete)
        if not may_be_incomplete and lacks_lines(state, spool):
            raise ResultsIncomplete(f"{spool.found} of {len(spool.asked)} rows have a line")

    def _read_file(
        self, file_id: str, state: BatchState, spool: AnswerSpool, *, may_be_incomplete: bool
    ) -> None:
        """One file at a time: a bad one must not cost the answers in the other."""
        try:
            with asked_of_provider():
                spool.add_lines(self.provider.batches.results(replace(state, result_files=(file_id,))))
        except ProviderRejected as error:
            if not may_be_incomplete:
                raise ResultsIncomplete(f"result file {file_id}: {error}") from error
            spool.has_lost_files = True

    def _settle(self, plan: Plan, attempt: Attempt, rows: ShardRows, settler: RowSettler) -> _Content:
        """Write the answers if rows are open or borrow from other shards, or else the part."""
        resent = settler.open_rows()
        if resent or plan.shards[attempt.shard - 1].borrowed:
            again: _Kind = "ask_again" if plan.until_fits else "resend"
            key = work_key(attempt, f"answers-{self.run_id}.jsonl")
            content = _Content(again if resent else "borrowing", key, resent, Counts.none(), Counter())
            self._write_answers(content, rows, settler)
            return content
        key = work_key(attempt, f"part-{self.run_id}.{format_of(plan).part_suffix}")
        settled = PartRows(rows, settler.settle, settler.render)
        counts = write_part(self.store, plan, attempt.shard, key, settled)
        return _Content("final", key, resent, counts, Counter())

    def _propose(
        self, plan: Plan, state: BatchState, content: _Content, spool: AnswerSpool, unmatched_key: str
    ) -> Outcome:
        return Outcome(
            kind=content.kind,
            batch_id=state.batch_id or None,
            batch_status=state.raw_status,
            decided_at=self.clock.now(),
            content_key=content.key,
            settled=content.counts.by_status.total(),
            resent=content.resent,
            asked_again=content.again["rows"],
            longer=content.again["longer"],
            fitted=dict(content.counts.fitted),
            by_status=dict(content.counts.by_status),
            unread_answers=dict(content.counts.unread),
            finish_reasons=dict(content.counts.cut_off),
            tokens=spool.usage.tokens,
            charged=spool.usage.charged,
            unmatched_lines=spool.unmatched_lines,
            unmatched_key=unmatched_key,
            repeated_ids=spool.repeated_ids,
            unreadable_lines=spool.unreadable_lines,
            uncounted=spool.usage.uncounted + perhaps_charged(state, spool),
        )

    def _write_answers(self, content: _Content, rows: ShardRows, settler: RowSettler) -> None:
        """Keep what is settled for the final attempt, which counts it again with all other rows.

        Beside it stands what does not fit, for the attempt that asks again.
        """
        with self.store.open_writer(content.key) as writer:
            blocks = Blocks(writer.write)
            for index, (custom_id, before) in enumerate(_with_answers(rows, settler.spool.asked)):
                settled = settler.settle(custom_id, index, before)
                if settled is None:
                    continue
                if settled.misfits:
                    content.again["rows"] += 1
                    content.again["longer"] += (1 << settled.cuts) - 1
                else:
                    content.counts.by_status[settled.status] += 1
                    if settled.cut_off:
                        content.counts.cut_off[settled.cut_off] += 1
                blocks.add(settled.to_line())
            blocks.flush()
            writer.commit()


def _noting(answers: bytearray, later: set[str] | None, sent: int, rows: ShardRows) -> Iterator[str]:
    """The ids of the rows that were sent; notes how many answers each had before.

    And those that had one of the sample: as many as it was ``sent`` with this attempt, or more.
    """
    for custom_id, before in rows.open_rows():
        answers.append(before.misfits if before else 0)
        if later is not None and before and before.misfits >= sent:
            later.add(custom_id)
        yield custom_id


def _was_asked(state: BatchState) -> bool:
    """Whether rows without a line may have run."""
    return bool(state.batch_id) and state.status is not BatchStatus.FAILED


def _with_answers(rows: ShardRows, asked: Sequence[str]) -> Iterable[tuple[str, SettledAnswer | None]]:
    """Each of these rows with the answer that it had before."""
    return rows.open_rows() if rows.asked_again else zip(asked, repeat(None))


def _tiers(plan: Plan) -> list[int | None]:
    """By which length of a request the plan's price is another; none if it has no price."""
    price = price_of(plan)
    return [tier.up_to for tier in price.tiers] if price else []
