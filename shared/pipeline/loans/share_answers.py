"""Gives the rows that borrow from other shards their answers, before the job's parts are joined."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.base import total_counts
from shared.bucket.blocks import Blocks
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import loan_key, settled_key, work_key
from shared.bucket.records.outcome import SettledShard
from shared.bucket.records.plan import Plan, PlannedShard
from shared.formats.lines import byte_lines
from shared.pipeline.collect.part_rows import PartRows
from shared.pipeline.collect.shard_rows import ShardRows
from shared.pipeline.collect.write_part import write_part
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

    It goes through the shards in their order: a row borrows from an earlier one, whose part is
    written by then. Repeated and concurrent calls write the same bytes.
    """

    store: ObjectStore
    pause: Pause

    def __call__(self, plan: Plan) -> None:
        """Do it, if it is not done. All rows that were sent must be settled.

        Raises:
            PipelineError: They are not.
            WorkLeft: The next call goes on from here.
        """
        borrowers = [shard.shard for shard in plan.shards if shard.borrowed]
        records, job_id = BucketRecords(self.store), JobId(plan.job_id)
        # All of them: a retry may begin with the last one whole, and earlier ones that borrow.
        if next(records.unsettled(job_id, borrowers), None) is None:
            return
        for shard in plan.shards:
            settled = records.find_settled(job_id, shard.shard)
            if settled is None:
                settled = self._settle(records, plan, shard)
                self.pause()
            # What a retry begins with whole, it lends to none of the rows that are still open.
            if shard.loans_key and not (plan.retry_of and settled.attempt == 1):
                places = self._places(shard)
                # A pause behind what was there already would come in every invocation.
                if not self._is_lent(plan, shard, places):
                    self._lend(plan, shard, settled, places)
                    self.pause()

    def _settle(self, records: BucketRecords, plan: Plan, shard: PlannedShard) -> SettledShard:
        """Write the part, and the record that the shard is settled."""
        job_id = JobId(plan.job_id)
        known = records.find_decided(job_id, shard.shard)
        if known is None:
            raise PipelineError(f"job {job_id}: shard {shard.shard} is not settled")
        last = Attempt(job_id, known.attempt, shard.shard)
        key = work_key(last, f"filled-part.{format_of(plan).part_suffix}")
        with Loans(self.store, plan, shard.shard) as loans:
            render = AnswerRenderer(plan)
            rows = PartRows(
                ShardRows(self.store, plan, last.next_attempt()), _is_open, render, loans.answer_for
            )
            counts = write_part(self.store, plan, shard.shard, key, rows)
        if plan.lends_to:
            LendAnswers(self.store)(plan, shard.shard, key)
        whole = {
            "part_key": key,
            "rows": counts.by_status.total(),
            "by_status": dict(counts.by_status),
            "unread_answers": dict(counts.unread),
            "finish_reasons": total_counts([known.finish_reasons, counts.cut_off]),
            "fitted": dict(counts.fitted),
        }
        return records.create(settled_key(job_id, shard.shard), known.model_copy(update=whole))

    def _places(self, shard: PlannedShard) -> _Places:
        return dict(map(json.loads, byte_lines(self.store.read(shard.loans_key))))

    def _is_lent(self, plan: Plan, shard: PlannedShard, places: _Places) -> bool:
        """Whether its last borrower's answers are written, and so all of them."""
        return self.store.head(loan_key(JobId(plan.job_id), shard.shard, max(places))) is not None

    def _lend(self, plan: Plan, shard: PlannedShard, settled: SettledShard, places: _Places) -> None:
        """Write what each borrower gets, in the order of their numbers, from the shard's part."""
        job_id = JobId(plan.job_id)
        with LentAnswers() as lent:
            self._read(plan, shard, settled, {*chain(*places.values())}, lent)
            for borrower, mine in sorted(places.items()):
                with self.store.open_writer(loan_key(job_id, shard.shard, borrower)) as writer:
                    blocks = Blocks(writer.write)
                    for place in mine:
                        answer = lent.answer_for(OriginalRow(str(place), (), lender=place))
                        blocks.add(answer.to_line())
                    blocks.flush()
                    writer.commit()

    def _read(
        self,
        plan: Plan,
        shard: PlannedShard,
        settled: SettledShard,
        wanted: set[int],
        lent: LentAnswers,
    ) -> None:
        rows = map(OriginalRow.from_line, byte_lines(self.store.read(shard.rows_key)))
        part = self.store.read(settled.part_key)
        place = -1

        def is_wanted(row: OriginalRow) -> bool:
            nonlocal place
            place += row.is_sent
            return row.is_sent and place in wanted

        misfits = Misfits.of(plan)
        for _, answer in settled_rows(plan, shard.shard, rows, part, is_wanted):
            is_fit = misfits.fits(answer, answer.cut_off)
            lent.keep(place, answer if is_fit else answer._replace(fitted=0))


def _is_open(custom_id: str, place: int, before: SettledAnswer | None) -> SettledAnswer | None:
    """Of no row, or all that were sent are not settled."""
    return before
