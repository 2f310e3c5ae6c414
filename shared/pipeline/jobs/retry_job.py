"""Sends the unanswered rows of a closed job again, as a new job that starts with its answers.

The first attempt of the new job is what the closed job settled: it is recorded as kept and never
sent (``Plan.is_sent``). The second attempt sends what is open, as that of any other job.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from shared.bucket.attempt import Attempt, JobId, retry_job_id_for
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import WORK, attempt_key, draft_key, open_job_key, record_key, work_key
from shared.bucket.money import Quote
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.outcome import Outcome, SettledShard
from shared.bucket.records.plan import Plan, PlannedShard
from shared.bucket.records.submission import Submission, SubmissionKind
from shared.money.quotes.quote import part_of
from shared.pipeline.jobs.keep_answers import keep_answers
from shared.pipeline.jobs.retries import dropped_last_at, latest_retry
from shared.pipeline.jobs.start_job import StartJob
from shared.pipeline.later_versions import require_known_format
from shared.pipeline.replaced.earlier_versions import has_monthly_ceiling, mark_version
from shared.pipeline.replaced.newer_drop import newer_drop
from shared.ports.clock import Clock
from shared.ports.profile import ProviderProfile
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing
from shared.results.columns import RowStatus
from shared.results.formats import format_of
from shared.results.kept_rows import PartUnreadable

log = logging.getLogger(__name__)

# A retry's result is the next version of the file's result, before any that was looked at later.
_RIGHT_AFTER = timedelta(microseconds=1)
_KEPT = SubmissionKind.KEPT.value
_ANSWERED = RowStatus.ANSWERED.value


class RetryResult(str, Enum):
    """What a retry came to, in one word."""

    STARTED = "started"
    NOTHING = "nothing"  # every row is answered
    OPEN = "open"
    GONE = "gone"  # a record that it needs was removed
    ERASED = "erased"  # or being erased
    REPLACED = "replaced"  # it was not sent, and a later version of its file is a job


@dataclass(frozen=True)
class Retried:
    """``plan`` is the file's latest job; ``rows`` are sent again, if none is ``newer``."""

    said: RetryResult
    plan: Plan
    rows: int = 0
    newer: Plan | None = None


@dataclass(frozen=True)
class RetryJob:
    """Plans the retry. May be repeated, run twice at once, and killed anywhere.

    The retry's job id is derived from the closed job's.

    Attributes:
        run_id: Unique to this call, and part of the keys that it writes before the plan.
        profiles: By which the quote is written again of what must still be approved.
    """

    store: ObjectStore
    clock: Clock
    run_id: str
    profiles: Sequence[ProviderProfile] = ()

    def __call__(self, plan: Plan) -> Retried:
        """Retry the job, or its latest retry.

        Raises:
            ProviderTrouble: Its result has a format of a later version.
            PartUnreadable: The closed job's part does not fit its rows or its record; nothing was
                sent.
        """
        records = BucketRecords(self.store)
        plan = latest_retry(records, plan)
        ledger = records.find_ledger(JobId(plan.job_id))
        if ledger is None:
            if plan.retry_of:  # an interrupted retry may lack tickets
                self._start_job(plan)
            return Retried(RetryResult.OPEN, plan)
        rows = open_rows(plan, ledger)
        if rows == 0:
            return Retried(RetryResult.NOTHING, plan)
        if ledger.erased_at:
            return Retried(RetryResult.ERASED, plan, rows)
        if newer := self._replaced_by(records, plan):
            return Retried(RetryResult.REPLACED, plan, rows, newer)
        require_known_format(plan)
        try:
            return Retried(RetryResult.STARTED, self._start(records, plan), rows)
        except ObjectMissing as error:
            log.warning("retry.impossible", extra={"job_id": plan.job_id, "reason": str(error)})
            is_erased = self._take_back(retry_job_id_for(JobId(plan.job_id)))
            return Retried(RetryResult.ERASED if is_erased else RetryResult.GONE, plan, rows)

    def _replaced_by(self, records: BucketRecords, closed: Plan) -> Plan | None:
        """The later version for which this one was not sent, or its retry would end at once."""
        would_wait = closed.approval is not None and not self._is_approved(records, closed)
        waited = has_monthly_ceiling(closed) and records.find_replacement(JobId(closed.job_id))
        return newer_drop(self.store, closed) if would_wait or waited else None

    def _start(self, records: BucketRecords, closed: Plan) -> Plan:
        mine = self._plan(records, closed)
        kept = [self._settle(records, closed, mine, attempt) for attempt in _first_attempts(mine)]
        mine = mine.model_copy(update={"quote": closed.quote and _quote_beside(kept, closed, closed.quote)})
        mark_version(self.store, mine)
        # Before the plan: with it the timer finds a retry that died before its tickets.
        self.store.put(open_job_key(JobId(mine.job_id)), b"")
        self.store.put_if_absent(record_key(JobId(mine.job_id), "plan.json"), mine.to_bytes())
        plan = records.find_plan(JobId(mine.job_id))
        if plan is None:
            raise ObjectMissing(f"what job {closed.job_id} keeps: it is being erased")
        log.info("job.retried", extra={"job_id": plan.job_id, "retry_of": closed.job_id})
        self._start_job(plan)
        return plan

    @property
    def _start_job(self) -> StartJob:
        return StartJob(self.store, self.clock, self.profiles)

    def _take_back(self, job_id: JobId) -> bool:
        """Delete what was copied for a retry if an erasure has forbidden it, and say whether."""
        plan = self.store.head(record_key(job_id, "plan.json"))
        if plan is None or plan.size_bytes:
            return False
        for head in list(self.store.list(f"{WORK}{job_id}/")):
            self.store.delete(head.key)
        self.store.delete(open_job_key(job_id))
        return True

    def _plan(self, records: BucketRecords, closed: Plan) -> Plan:
        job_id = retry_job_id_for(JobId(closed.job_id))
        dropped_at = dropped_last_at(records, closed)
        seen_at = max(closed.source.seen_at or dropped_at, dropped_at) + _RIGHT_AFTER
        return closed.model_copy(
            update={
                "job_id": job_id,
                "source": closed.source.model_copy(update={"dropped_at": dropped_at, "seen_at": seen_at}),
                # One more than the recipe's, for the kept one.
                "attempts": closed.attempts + (0 if closed.retry_of else 1),
                "shards": tuple(
                    shard.model_copy(
                        update={
                            "rows_key": draft_key(job_id, _KEPT, f"{shard.shard:05d}.rows.jsonl"),
                            "requests_key": draft_key(job_id, _KEPT, f"{shard.shard:05d}.requests.jsonl"),
                            "reused_key": "",
                            "loans_key": shard.loans_key
                            and draft_key(job_id, _KEPT, f"{shard.shard:05d}.loans.jsonl"),
                        }
                    )
                    for shard in closed.shards
                ),
                "approval": None if self._is_approved(records, closed) else closed.approval,
                "sample": None,
                "created_at": self.clock.now(),
                "retry_of": closed.job_id,
                "first_job_id": closed.origin_id,
                "retries": closed.retries + 1,
            }
        )

    def _is_approved(self, records: BucketRecords, closed: Plan) -> bool:
        decided = records.find_approval(JobId(closed.job_id)) if closed.approval else None
        return decided is not None and decided.is_approved

    def _settle(self, records: BucketRecords, closed: Plan, mine: Plan, attempt: Attempt) -> Outcome:
        """Write what the closed job answered as the first attempt's outcome, for collect to follow.

        The rows and requests are copied, to be kept as long as the new job.
        """
        shard = closed.shards[attempt.shard - 1]
        copy = mine.shards[attempt.shard - 1]
        for key, source in (
            (copy.rows_key, shard.rows_key),
            (copy.requests_key, shard.requests_key),
            (copy.loans_key, shard.loans_key),
        ):
            if key and self.store.head(key) is None:
                self.store.concatenate(key, [source])
        if outcome := records.find_outcome(attempt):
            return outcome
        settled = records.find_settled(JobId(closed.job_id), attempt.shard)
        if settled is None:
            raise ObjectMissing(f"the record of shard {attempt.shard} of job {closed.job_id}")
        # For collect, and for versions without ``Plan.is_sent``: they would send the attempt.
        kept = Submission.without_batch(SubmissionKind.KEPT, mine, attempt, self.clock.now())
        records.create(attempt_key(attempt, "submission.json"), kept)
        return records.create(
            attempt_key(attempt, "outcome.json"), self._kept(closed, shard, settled, attempt)
        )

    def _kept(self, closed: Plan, shard: PlannedShard, settled: SettledShard, attempt: Attempt) -> Outcome:
        answered, good_rows = settled.by_status.get(_ANSWERED, 0), shard.good_rows
        outcome = Outcome(
            kind="final", batch_id=None, batch_status=_KEPT, decided_at=self.clock.now(), settled=settled.rows,
            by_status=settled.by_status, unread_answers=settled.unread_answers,
            finish_reasons=settled.finish_reasons, fitted=settled.fitted, unmatched_lines=settled.unmatched_lines,
            unmatched_key=self._kept_unmatched(settled, attempt),
        )  # fmt: skip
        if answered == good_rows:
            key = work_key(attempt, f"part-{self.run_id}.{format_of(closed).part_suffix}")
            self.store.concatenate(key, [settled.part_key])
            return outcome.model_copy(update={"content_key": key})
        key = work_key(attempt, f"answers-{self.run_id}.jsonl")
        found, own, cut_off = keep_answers(self.store, closed, shard, settled, key)
        if found != answered:
            # An answered row must not be sent again, even if its record is damaged.
            raise PartUnreadable(
                f"shard {shard.shard}: {found} answers in the part, {answered} in its record"
            )
        kept = {
            # Of some rows only the lender is open, in another shard.
            "kind": "resend" if own < shard.requests else "borrowing",
            "content_key": key, "settled": answered, "resent": good_rows - answered,
            "by_status": {_ANSWERED: answered}, "unread_answers": {}, "fitted": {},
            "finish_reasons": dict(cut_off), "answered_requests": own,
        }  # fmt: skip
        return outcome.model_copy(update=kept)

    def _kept_unmatched(self, settled: SettledShard, attempt: Attempt) -> str:
        if not settled.unmatched_keys:
            return ""
        key = work_key(attempt, f"unmatched-{self.run_id}.jsonl")
        self.store.concatenate(key, settled.unmatched_keys)
        return key


def open_rows(plan: Plan, ledger: Ledger) -> int:
    """How many good rows of a closed job have no answer, sent or not."""
    return plan.rows - plan.bad_rows - ledger.answered


def _quote_beside(kept: list[Outcome], closed: Plan, quote: Quote) -> Quote:
    """The quote of what the closed job has not answered, by the outcomes of its shards."""
    answered = sum(each.by_status.get(_ANSWERED, 0) for each in kept)
    requests = sum(map(_open_requests, closed.shards, kept))
    return part_of(quote, requests, same=closed.good_rows - answered - requests, answered=answered)


def _open_requests(shard: PlannedShard, kept: Outcome) -> int:
    if kept.kind != "resend":
        return 0
    if kept.answered_requests is None:  # an older version's: rather too few than more than are sent
        return max(shard.requests - kept.by_status.get(_ANSWERED, 0), 1)
    return shard.requests - kept.answered_requests


def _first_attempts(plan: Plan) -> Iterator[Attempt]:
    return (Attempt(JobId(plan.job_id), 1, shard.shard) for shard in plan.shards)
