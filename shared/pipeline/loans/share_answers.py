"""Gives the rows that borrow from other shards their answers, so that the job's parts are whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.base import total_counts
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import borrowing_key, loan_key, loans_prefix, settled_key, settled_prefix, work_key
from shared.bucket.records.outcome import SettledShard
from shared.bucket.records.plan import Plan, PlannedShard
from shared.formats.lines import byte_lines
from shared.formats.write_blocks import Blocks
from shared.pipeline.collect.rows.part_rows import PartRows
from shared.pipeline.collect.rows.shard_rows import ShardRows
from shared.pipeline.collect.rows.write_part import write_part
from shared.pipeline.loans.loans import Loans
from shared.pipeline.reuse.lend_answers import LendAnswers
from shared.ports.clock import Pause
from shared.ports.store import ObjectStore
from shared.problems.exceptions import PipelineError
from shared.results.again.misfits import Misfits
from shared.results.formats import format_of
from shared.results.kept_rows import OriginalRow
from shared.results.lent.lent_answers import LentAnswers
from shared.results.rendering import AnswerRenderer, SettledAnswer, settled_rows

_Places = Mapping[int, Sequence[int]]
"""By borrower, which of a shard's requests have the answers that it gets."""


@dataclass(frozen=True)
class ShareAnswers:
    """Settles the shards that only wait for the answers of others.

    A row borrows of one that was sent, so a shard may lend as soon as all that it sent is settled.
    Repeated and concurrent calls write the same bytes.
    """

    store: ObjectStore
    pause: Pause

    def __call__(self, plan: Plan) -> None:
        """Do what is not done yet. All rows that were sent must be settled.

        Raises:
            PipelineError: They are not.
            WorkLeft: The next call goes on from here.
        """
        borrowers = [shard.shard for shard in plan.shards if shard.borrowed]
        records, job_id = BucketRecords(self.store), JobId(plan.job_id)
        # All of them: a retry may begin with the last one whole, and earlier ones that borrow.
        left = [*records.unsettled(job_id, borrowers)]
        if not left:
            return
        for shard in plan.shards:
            if shard.loans_key:
                self._lend(plan, shard, self._decided(plan, shard.shard))
        self._settle_all(plan, left)

    def of_shard(self, plan: Plan, number: int) -> None:
        """Lend what this shard lends, and settle those that lacked nothing else.

        All rows that it has sent must be settled. What is left out here is done at the end.

        Raises:
            WorkLeft: The time of this invocation is over.
        """
        shard = plan.shards[number - 1]
        places = self._lend(plan, shard, self._decided(plan, number)) if shard.loans_key else {}
        listed = {head.key for head in self.store.list(settled_prefix(JobId(plan.job_id)))}
        self._settle_all(plan, (each for each in (number, *places) if self._is_ready(plan, each, listed)))

    def _is_ready(self, plan: Plan, number: int, listed: set[str]) -> bool:
        """Whether a shard borrows, and only has to be filled. No list shows too much."""
        job_id, lenders = JobId(plan.job_id), plan.shards[number - 1].lenders
        if (
            not lenders
            or borrowing_key(job_id, number) not in listed
            or settled_key(job_id, number) in listed
        ):
            return False
        return sum(1 for _ in self.store.list(loans_prefix(job_id, number))) == lenders

    def _decided(self, plan: Plan, number: int) -> SettledShard:
        known = BucketRecords(self.store).find_decided(JobId(plan.job_id), number)
        if known is None:
            raise PipelineError(f"job {plan.job_id}: shard {number} is not settled")
        return known

    def _settle_all(self, plan: Plan, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._settle(plan, self._decided(plan, number))
            self.pause()

    def _settle(self, plan: Plan, known: SettledShard) -> SettledShard:
        """Write the part, and the record that the shard is settled."""
        job_id = JobId(plan.job_id)
        last = Attempt(job_id, known.attempt, known.shard)
        key = work_key(last, f"filled-part.{format_of(plan).part_suffix}")
        with Loans(self.store, plan, known.shard) as loans:
            render = AnswerRenderer(plan)
            rows = PartRows(
                ShardRows(self.store, plan, last.next_attempt()), _is_open, render, loans.answer_for
            )
            counts = write_part(self.store, plan, known.shard, key, rows)
        if plan.lends_to:
            LendAnswers(self.store)(plan, known.shard, key)
        whole = {
            "part_key": key,
            "rows": counts.by_status.total(),
            "by_status": dict(counts.by_status),
            "unread_answers": dict(counts.unread),
            "finish_reasons": total_counts([known.finish_reasons, counts.cut_off]),
            "fitted": dict(counts.fitted),
        }
        settled = BucketRecords(self.store)
        return settled.create(settled_key(job_id, known.shard), known.model_copy(update=whole))

    def _lend(self, plan: Plan, shard: PlannedShard, known: SettledShard) -> _Places:
        """Write what each borrower gets, if it is not written, and return who borrows."""
        # What a retry begins with whole, it lends to none of the rows that are still open.
        if plan.retry_of and known.attempt == 1:
            return {}
        places: _Places = dict(map(json.loads, byte_lines(self.store.read(shard.loans_key))))
        # A pause behind what was there already would come in every invocation.
        if not self._is_lent(plan, shard, places):
            self._write_loans(plan, shard, known, places)
            self.pause()
        return places

    def _is_lent(self, plan: Plan, shard: PlannedShard, places: _Places) -> bool:
        """Whether its last borrower's answers are written, and so all of them."""
        return self.store.head(loan_key(JobId(plan.job_id), shard.shard, max(places))) is not None

    def _write_loans(self, plan: Plan, shard: PlannedShard, known: SettledShard, places: _Places) -> None:
        """One object for each borrower, in the order of their numbers."""
        wanted = {*chain(*places.values())}
        with LentAnswers() as lent:
            for place, answer in self._sent_rows(plan, shard, known, wanted):
                lent.keep(place, answer)
            for borrower, mine in sorted(places.items()):
                with self.store.open_writer(loan_key(JobId(plan.job_id), shard.shard, borrower)) as writer:
                    blocks = Blocks(writer.write)
                    for place in mine:
                        answer = lent.answer_for(OriginalRow(str(place), (), lender=place))
                        blocks.add(answer.to_line())
                    blocks.flush()
                    writer.commit()

    def _sent_rows(
        self, plan: Plan, shard: PlannedShard, known: SettledShard, wanted: set[int]
    ) -> Iterator[tuple[int, SettledAnswer]]:
        """The answers of these requests, by their places.

        Of a shard that borrows, too, they are read from its attempts, whether or not it has a part.
        """
        if shard.borrowed:
            rows = ShardRows(self.store, plan, Attempt(JobId(plan.job_id), known.attempt + 1, shard.shard))
            sent = ((row, answer) for row, answer in rows.walk() if row.is_sent)
            yield from (
                (place, answer) for place, (_, answer) in enumerate(sent) if answer and place in wanted
            )
        else:
            yield from self._in_part(plan, shard, known, wanted)

    def _in_part(
        self, plan: Plan, shard: PlannedShard, known: SettledShard, wanted: set[int]
    ) -> Iterator[tuple[int, SettledAnswer]]:
        rows = map(OriginalRow.from_line, byte_lines(self.store.read(shard.rows_key)))
        part = self.store.read(known.part_key)
        place = -1

        def is_wanted(row: OriginalRow) -> bool:
            nonlocal place
            place += row.is_sent
            return row.is_sent and place in wanted

        misfits = Misfits.of(plan)
        for _, answer in settled_rows(plan, shard.shard, rows, part, is_wanted):
            is_fit = misfits.fits(answer, answer.cut_off)
            yield place, answer if is_fit else answer._replace(fitted=0)


def _is_open(custom_id: str, place: int, before: SettledAnswer | None) -> SettledAnswer | None:
    """Of no row, or all that were sent are not settled."""
    return before
