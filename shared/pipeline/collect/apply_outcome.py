"""Does what an attempt's outcome says: prepares the next attempt, or settles the shard.

The last settled shard closes the job.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared.bucket.attempt import Attempt
from shared.bucket.base import total_counts
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import borrowing_key, settled_key
from shared.bucket.records.outcome import Outcome, SettledShard
from shared.bucket.records.plan import Plan
from shared.bucket.records.usage import AttemptTokens, Tokens
from shared.bucket.tickets import ReadyTicket
from shared.formats.lines import byte_lines
from shared.pipeline.collect.rows.shard_rows import ShardRows
from shared.pipeline.jobs.close_job import CloseJob
from shared.pipeline.later_versions import require_known_outcomes
from shared.pipeline.loans.share_answers import ShareAnswers
from shared.pipeline.reuse.lend_answers import LendAnswers
from shared.ports.clock import Clock, Pause, no_pause
from shared.ports.profile import ShardLimits
from shared.ports.store import ObjectStore
from shared.problems.exceptions import WorkLeft
from shared.results.again.request_lines import AskingAgain


@dataclass(frozen=True)
class ApplyOutcome:
    """Every step may be repeated: it reads records alone and writes the same each time."""

    store: ObjectStore
    clock: Clock
    limits: ShardLimits
    pause: Pause = no_pause

    def __call__(self, plan: Plan, attempt: Attempt, outcome: Outcome) -> None:
        require_known_outcomes([outcome])
        if outcome.kind in ("final", "borrowing"):
            self._settle(plan, attempt, outcome)
        else:
            self._send_again(plan, attempt, outcome)

    def _send_again(self, plan: Plan, attempt: Attempt, outcome: Outcome) -> None:
        following = attempt.next_attempt()
        records = BucketRecords(self.store)
        if records.find_submission(following):
            return  # sent already; the objects that its requests are made from may be gone
        if outcome.kind == "requeue":
            self.store.concatenate(plan.requests_key(following), [plan.requests_key(attempt)])
        elif outcome.kind == "ask_again":
            self._write_questions(plan, following)
        else:
            self._write_open_requests(plan, attempt, following, outcome)
        if records.find_submission(following) is None:
            records.put_back(
                following, ReadyTicket(not_before=outcome.not_before, waiting_for=outcome.waiting_for)
            )

    def _write_open_requests(
        self, plan: Plan, attempt: Attempt, following: Attempt, outcome: Outcome
    ) -> None:
        """Copy the request lines of the rows that are still open.

        The attempt's n-th request line belongs to its n-th open row.
        """
        answers = byte_lines(self.store.read(outcome.content_key))
        settled = {json.loads(line)[0] for line in answers}
        sent = zip(
            ShardRows(self.store, plan, attempt).open_ids(),
            byte_lines(self.store.read(plan.requests_key(attempt))),
            strict=True,
        )
        with self.store.open_writer(plan.requests_key(following), if_absent=True) as writer:
            for custom_id, request in sent:
                if custom_id not in settled:
                    writer.write(request + b"\n")
            writer.commit()

    def _write_questions(self, plan: Plan, following: Attempt) -> None:
        """The request lines of the open rows, of some with the answer that does not fit."""
        shard = plan.shards[following.shard - 1]
        asking = AskingAgain(plan, self.limits, shard.size_bytes)
        with self.store.open_writer(plan.requests_key(following), if_absent=True) as writer:
            for request, answer in ShardRows(self.store, plan, following).open_requests():
                writer.write((asking.line(request, answer) if answer else request) + b"\n")
            writer.commit()

    def _settle(self, plan: Plan, attempt: Attempt, outcome: Outcome) -> None:
        records = BucketRecords(self.store)
        is_whole = outcome.kind == "final"
        if plan.lends_to and is_whole and records.find_settled(attempt.job_id, attempt.shard) is None:
            LendAnswers(self.store)(plan, attempt.shard, outcome.content_key)
        earlier = ShardRows(self.store, plan, attempt).earlier_outcomes
        outcomes = [*earlier, outcome]
        mine = SettledShard(
            shard=attempt.shard,
            attempt=attempt.number,
            part_key=outcome.content_key,
            rows=outcome.settled,
            # Of one that borrows not all rows are counted in the end, but for the board so far.
            by_status=outcome.by_status if is_whole else total_counts(each.by_status for each in outcomes),
            unread_answers=outcome.unread_answers,
            unmatched_lines=sum(each.unmatched_lines for each in outcomes),
            unmatched_keys=tuple(each.unmatched_key for each in outcomes if each.unmatched_key),
            finish_reasons=total_counts(each.finish_reasons for each in outcomes),
            fitted=outcome.fitted,
            tokens=sum((each.tokens for each in outcomes), Tokens()),
            attempts=tuple(_counted(outcomes, attempt.number)),
            batches=tuple(each.batch_id for each in outcomes if each.batch_id),
        )
        key_for = settled_key if is_whole else borrowing_key
        records.create(key_for(attempt.job_id, attempt.shard), mine)
        if plan.borrows and not plan.retry_of:
            with suppress(WorkLeft):  # the closing does what is left
                ShareAnswers(self.store, self.pause).of_shard(plan, attempt.shard)
        others = [shard.shard for shard in plan.shards if shard.shard != attempt.shard]
        left = records.undecided if plan.borrows else records.unsettled
        if next(left(attempt.job_id, others), None) is None:
            CloseJob(self.store, self.clock, pause=self.pause)(plan)


def _counted(outcomes: Sequence[Outcome], last: int) -> Iterator[AttemptTokens]:
    """What was counted of each attempt, of which ``last`` is the last one's number."""
    for number, each in enumerate(outcomes, last - len(outcomes) + 1):
        if each.tokens != Tokens():
            yield AttemptTokens(
                attempt=number, tokens=each.tokens, charged=each.charged, in_real_time=each.in_real_time
            )
