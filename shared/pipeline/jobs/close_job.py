"""Joins the parts of a job whose last shard is settled into the result and closes its ledger."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.history import history_key
from shared.bucket.keys import job_of_version, open_job_key, record_key, version_key, versions_prefix
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.outcome import SettledShard
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import report_key_for, superseded_result_key_for, unmatched_key_for
from shared.money.worst_case import ALL_RESERVED, NOTHING, charged_by
from shared.pipeline.jobs.make_ledger import make_ledger
from shared.pipeline.jobs.retries import dropped_last_at, latest_closed_retry
from shared.pipeline.loans.share_answers import ShareAnswers
from shared.pipeline.quota.ceilings import Ceilings
from shared.pipeline.words.tell_ends import TellEnds
from shared.ports.clock import Clock, Pause, no_pause
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing, PipelineError
from shared.results.formats import format_of
from shared.results.tables.side_keys import SideKeys

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CloseJob:
    """Write the result and its report. Repeated or concurrent calls write the same bytes.

    Where ``pause`` raises ``WorkLeft``, the next call goes on from there.
    """

    store: ObjectStore
    clock: Clock
    pause: Pause = field(default=no_pause, kw_only=True)

    def __call__(self, plan: Plan) -> Ledger:
        """Close the job, or its last closed retry: a late hint must not bring back an old result.

        Retries are looked for before and after, since one may close meanwhile.
        """
        records = BucketRecords(self.store)
        asked, latest = plan, None
        while latest is None or latest.job_id != plan.job_id:
            plan = latest or latest_closed_retry(records, plan)
            ledger = self._close(plan)
            latest = latest_closed_retry(records, plan)
        ended = None if plan.job_id == asked.job_id else records.find_ledger(JobId(asked.job_id))
        if ended and not ended.erased_at:
            self._tell(asked, ended)  # the run that closed it may have died before it could
        self.store.delete(open_job_key(JobId(asked.job_id)))
        return ledger

    def give_way(self, job_id: JobId) -> None:
        """Bring the newer version's result back, over which a run of this job may have written.

        It was killed before it could, and when its event came again, a twin had done the rest.
        """
        records = BucketRecords(self.store)
        ledger = records.find_ledger(job_id)
        plan = records.find_plan(job_id) if ledger and not ledger.erased_at else None
        if plan:
            self.bring_back(plan)

    def bring_back(self, plan: Plan) -> None:
        """Write the result of the newer version of the file again, if there is one."""
        written = JobId(plan.job_id)
        while (newest := self._newest(plan)) != written:
            self._write_again(newest, plan.result_key)
            written = newest

    def _close(self, plan: Plan) -> Ledger:
        records = BucketRecords(self.store)
        job_id = JobId(plan.job_id)
        closed = records.find_ledger(job_id)
        if closed and closed.erased_at:
            return closed
        ShareAnswers(self.store, self.pause)(plan)
        shards = self._settled(plan)
        self._settle_money(records, plan)
        dropped_at = dropped_last_at(records, plan)
        self.store.put(version_key(plan.result_key, dropped_at, job_id, plan.source.seen_at), b"")
        report = closed or self._ledger(plan, shards, plan.result_key)
        result_key = self._publish(plan, shards, report)
        ledger = records.create(record_key(job_id, "ledger.json"), self._ledger(plan, shards, result_key))
        log.info(
            "job.closed",
            extra={
                "job_id": job_id,
                "result_key": result_key,
                "rows": ledger.rows_out,
                "by_status": ledger.by_status,
            },
        )
        if not ledger.adds_up:
            log.error("ledger.unbalanced", extra={"job_id": job_id, "rows_in": ledger.rows_in})
        self._tell(plan, ledger)
        return ledger

    def _settle_money(self, records: BucketRecords, plan: Plan) -> None:
        """Return what is reserved still: a version that knows no ceilings may have collected it."""
        under = Ceilings(self.store, self.clock, plan)
        for attempt in sorted(under.left(), key=str):
            sent, outcome = records.find_submission(attempt), records.find_outcome(attempt)
            charged = ALL_RESERVED if sent and sent.batch_id else NOTHING
            if sent and outcome:
                charged = charged_by(plan.quote, plan.shard(attempt.shard), sent, outcome)
            under.settle(attempt, charged)

    def _tell(self, plan: Plan, ledger: Ledger) -> None:
        self._remember(plan, ledger)
        TellEnds(self.store, self.clock).closed(plan, ledger)

    def _remember(self, plan: Plan, ledger: Ledger) -> None:
        """Leave how long it took, unless that tells nobody how long another job will take."""
        waited_s = self._waited_s(plan)
        is_whole = plan.retry_of is None and ledger.answered and plan.rows_sent
        if (
            waited_s is not None
            and is_whole
            and not BucketRecords(self.store).is_cancelled(JobId(plan.job_id))
        ):
            took_s = ledger.duration_s - waited_s
            self.store.put(history_key(plan, ledger.model_copy(update={"duration_s": took_s})), b"")

    def _waited_s(self, plan: Plan) -> float | None:
        """How long people took to approve it; ``None`` if they did not, where they had to."""
        if not plan.approval or plan.retry_of:
            return 0.0
        decided = BucketRecords(self.store).find_approval(JobId(plan.job_id))
        if decided is None or not decided.is_approved:
            return None
        return (decided.at - plan.created_at).total_seconds()

    def _settled(self, plan: Plan) -> list[SettledShard]:
        records = BucketRecords(self.store)
        shards = []
        for number in range(1, len(plan.shards) + 1):
            settled = records.find_settled(JobId(plan.job_id), number)
            if settled is None:
                raise PipelineError(f"job {plan.job_id}: shard {number} is not settled")
            shards.append(settled)
        return shards

    def _publish(self, plan: Plan, shards: Sequence[SettledShard], report: Ledger) -> str:
        """Write the result and its report, and return the result's key.

        The planned key belongs to the version of the file that was dropped last. Two versions may
        close at once, and the last write wins in the store. So each looks again after writing, and
        restores what it may have overwritten.
        """
        mine, result_key, written = JobId(plan.job_id), plan.result_key, None
        while (newest := self._newest(plan)) != written:
            if newest == mine:
                result_key = plan.result_key
                self._write(plan, shards, result_key, report)
            else:
                if result_key == plan.result_key and not self._is_retry(newest, plan):
                    result_key = superseded_result_key_for(plan.result_key, plan.origin_id)
                    self._write(plan, shards, result_key, report)
                self._write_again(newest, plan.result_key)
            written = newest
        return result_key

    def _newest(self, plan: Plan) -> JobId:
        """The job of the version dropped last, of those closing, closed, or dropped again.

        A job that was dropped again while a retry of it was planned is listed behind the retry.
        """
        versions = self.store.list(versions_prefix(plan.result_key))
        *_, last = (plan.job_id, *(head.key for head in versions))  # an old one may have none
        newest, mine = job_of_version(last), JobId(plan.job_id)
        other = None if newest == mine else BucketRecords(self.store).find_plan(newest)
        is_mine = other and other.origin_id == plan.origin_id and other.retries < plan.retries
        return mine if is_mine else newest

    def _is_retry(self, job_id: JobId, plan: Plan) -> bool:
        """Whether it belongs to the same first job, and so has this job's answers, too."""
        other = BucketRecords(self.store).find_plan(job_id)
        return other is not None and other.origin_id == plan.origin_id

    def _write_again(self, job_id: JobId, result_key: str) -> None:
        records = BucketRecords(self.store)
        plan = records.find_plan(job_id)
        if plan is None:
            return
        plan = latest_closed_retry(records, plan)
        job_id = JobId(plan.job_id)
        if next(records.unsettled(job_id, [shard.shard for shard in plan.shards]), None):
            return  # dropped again while open: it will write the result itself
        ledger = records.find_ledger(job_id)
        if ledger and ledger.erased_at:
            return  # its parts may still be there
        shards = self._settled(plan)
        report = ledger or self._ledger(plan, shards, result_key)
        try:
            self._write(plan, shards, result_key, report)
        except ObjectMissing:
            log.info("result.kept", extra={"job_id": job_id})  # closed so long ago that its parts are gone

    def _write(self, plan: Plan, shards: Sequence[SettledShard], result_key: str, report: Ledger) -> None:
        parts = [shard.part_key for shard in shards]
        unmatched = [key for shard in shards for key in shard.unmatched_keys]
        if unmatched:
            self.store.concatenate(self._unmatched_key(plan), unmatched)
        further = format_of(plan).join(self.store, plan, parts, result_key, report, pause=self.pause)
        dropped_at = dropped_last_at(BucketRecords(self.store), plan)
        changes = {"result_key": result_key, "dropped_at": dropped_at, "further_results": further}
        report = report.model_copy(update=changes)
        self.store.put(report_key_for(result_key), report.to_report())

    def _ledger(self, plan: Plan, shards: Sequence[SettledShard], result_key: str) -> Ledger:
        return make_ledger(
            BucketRecords(self.store),
            plan,
            shards,
            result_key,
            now=self.clock.now(),
            unmatched_key=lambda: self._unmatched_key(plan),
        )

    def _unmatched_key(self, plan: Plan) -> str:
        return SideKeys(self.store, plan).claim(unmatched_key_for(plan.result_key, plan.origin_id))
