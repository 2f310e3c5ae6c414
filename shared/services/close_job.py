"""Joins the parts of a job whose last shard is settled into the result and closes its ledger."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from shared.domain.errors import PipelineError
from shared.domain.keys import JobId, record_key, report_key_for, superseded_result_key_for
from shared.domain.records import Ledger, Plan, SettledShard, Tokens
from shared.ports import Clock, ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.rounds import dropped_last_at, latest_closed_round

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CloseJob:
    """Write the result and its report. May be repeated, also concurrently: the bytes are the same each time."""

    store: ObjectStore
    clock: Clock

    def __call__(self, plan: Plan) -> Ledger:
        """Close the job; of one that was retried, what its last closed retry left: a late hint must bring nothing back.

        Looked at before and after, since a retry may close meanwhile.
        """
        records = BucketRecords(self.store)
        latest = None
        while latest is None or latest.job_id != plan.job_id:
            plan = latest or latest_closed_round(records, plan)
            ledger = self._close(plan)
            latest = latest_closed_round(records, plan)
        return ledger

    def _close(self, plan: Plan) -> Ledger:
        records = BucketRecords(self.store)
        job_id = JobId(plan.job_id)
        shards = []
        for number in range(1, len(plan.shards) + 1):
            settled = records.find_settled(job_id, number)
            if settled is None:
                raise PipelineError(f"job {job_id}: shard {number} is not settled")
            shards.append(settled)
        dropped_at = dropped_last_at(records, plan)
        result_key = self._result_key(plan, dropped_at)
        self._write_result(plan, result_key, [shard.part_key for shard in shards])
        ledger = records.create(record_key(job_id, "ledger.json"), self._ledger(plan, shards, result_key))
        report = ledger.model_copy(update={"result_key": result_key, "dropped_at": dropped_at})
        self.store.put(report_key_for(result_key), report.to_bytes())
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
        return ledger

    def _write_result(self, plan: Plan, result_key: str, parts: list[str]) -> None:
        if plan.output_format != "parquet":
            self.store.concatenate(result_key, parts)
            return
        from shared.services.parquet_result import write_parquet_result  # noqa: PLC0415  # few results are Parquet

        write_parquet_result(self.store, plan, parts, result_key)

    def _result_key(self, plan: Plan, dropped_at: datetime) -> str:
        """The planned name, unless a version of the file that was dropped later has its result there."""
        standing = BucketRecords(self.store).find(report_key_for(plan.result_key), Ledger)
        if standing and standing.job_id != plan.job_id and standing.dropped_at > dropped_at:
            return superseded_result_key_for(plan.result_key, plan.origin_id)
        return plan.result_key

    def _ledger(self, plan: Plan, shards: list[SettledShard], result_key: str) -> Ledger:
        by_status: Counter[str] = Counter()
        unread: Counter[str] = Counter()
        for shard in shards:
            by_status.update(shard.by_status)
            unread.update(shard.unread_answers)
        now = self.clock.now()
        before = BucketRecords(self.store).find_ledger(JobId(plan.retry_of)) if plan.retry_of else None
        return Ledger(
            job_id=plan.job_id,
            source=plan.source,
            result_key=result_key,
            kind=plan.kind,
            format=plan.format,
            compression=plan.compression,
            sheet=plan.sheet,
            encoding=plan.encoding,
            delimiter=plan.delimiter,
            model=plan.model,
            endpoint=plan.endpoint,
            rows_in=plan.rows,
            rows_out=by_status.total(),
            by_status=dict(sorted(by_status.items())),
            unread_answers=dict(sorted(unread.items())),
            adds_up=plan.rows == by_status.total(),
            tokens=sum((shard.tokens for shard in shards), before.tokens if before else Tokens()),
            batches=(
                *(before.batches if before else ()),
                *(batch for shard in shards for batch in shard.batches),
            ),
            shards=len(shards),
            warnings=plan.warnings,
            dropped_at=plan.source.dropped_at,
            planned_at=plan.created_at,
            closed_at=now,
            duration_s=round((now - plan.source.dropped_at).total_seconds(), 3),
            retry_of=plan.retry_of,
            retries=plan.retries,
        )
