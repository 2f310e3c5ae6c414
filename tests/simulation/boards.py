"""What the board may say of progress and estimates, against what the provider knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.board.estimates import MIN_JOBS
from shared.board.model import Board, Estimate, OpenJob
from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import CANCELLATION, BucketRecords
from shared.bucket.history import HISTORY, duration_s_in, history_key, history_prefix
from shared.bucket.keys import record_key, settled_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan, PlannedShard, Source
from tests.simulation.expected import batches_by_attempt
from tests.simulation.pipeline import Pipeline
from tests.simulation.service import Batch

# The store may tell whole seconds only.
_WHOLE_S = 1.0


def prefix_of(key: str, provider: str, model: str, rows: int) -> str:
    """Where the history of jobs like this one is."""
    source = Source.model_construct(key=key)
    return history_prefix(Plan.model_construct(source=source, provider=provider, model=model, rows=rows))


def board_failures(pipeline: Pipeline) -> Iterator[str]:
    """Every board that was written, and the history that is left in the end."""
    truth = _Truth(pipeline)
    for content in dict.fromkeys(pipeline.bucket.boards):
        board = Board.model_validate_json(content)
        for job in board.jobs:
            yield from truth.progress(job, pipeline.kernel.true_s(board.written_at))
            yield from truth.estimate(job)
    yield from _history(pipeline)


class _Truth:
    """What is known of all jobs once the run is over."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._records = BucketRecords(pipeline.bucket)
        self._most: dict[tuple[str, int], int] = {}
        for attempt, batches in batches_by_attempt(pipeline).items():
            shard = (attempt.job_id, attempt.shard)
            self._most[shard] = self._most.get(shard, 0) + sum(map(_most_told, batches))

    def progress(self, job: OpenJob, began_s: float) -> Iterator[str]:
        """Of no row is said that it has its answer when nobody said so; what is settled counts."""
        said = f"the board of {began_s:.0f} s says of {job.job_id} that {job.answered} of {job.rows} rows"
        if job.answered < 0 or job.failed < 0 or job.answered + job.failed > job.rows:
            yield f"{said} are answered, and {job.failed} failed"
        plan = self._records.find_plan(JobId(job.job_id))
        if plan is None or job.retry_of:  # which begins with another job's answers
            return
        told = sum(self._told(plan, shard) for shard in plan.shards)
        if job.answered > told:
            yield f"{said} are answered, but nobody told of more than {told}"
        settled = sum(self._settled(plan, shard.shard, began_s) for shard in plan.shards)
        if len(plan.shards) > 1 and job.answered < settled:
            yield f"{said} are answered, but {settled} were by then"

    def _told(self, plan: Plan, shard: PlannedShard) -> int:
        """An answer may be that of several rows."""
        most = self._most.get((plan.job_id, shard.shard), 0)
        if plan.is_sampled(shard.shard):
            most += sum(row.job_id == plan.job_id for row in self._pipeline.lane.rows)
        most = most or shard.borrowed
        return min(shard.rows, most + shard.same + shard.reused) if most else shard.reused

    def _settled(self, plan: Plan, shard: int, before_s: float) -> int:
        key = settled_key(JobId(plan.job_id), shard)
        is_older = self._pipeline.bucket.written_s(key) + _WHOLE_S < before_s
        record = self._records.find_settled(JobId(plan.job_id), shard) if is_older else None
        # Rows that borrow are counted no more once the others of their shard are.
        borrowed = plan.shards[shard - 1].borrowed
        return max(record.by_status.get("answered", 0) - borrowed, 0) if record else 0

    def estimate(self, job: OpenJob) -> Iterator[str]:
        """It is of as many jobs as it says, and there if there were enough from the start."""
        prefix = prefix_of(job.source_key, job.provider, job.model, job.rows)
        bucket = self._pipeline.bucket
        is_whole = not (job.retry_of or job.cancelled or job.approve_until or job.waiting_for)
        known = [seconds for key in bucket.keys(prefix) if (seconds := duration_s_in(key)) is not None]
        earlier = sum(key.startswith(prefix) for key in self._pipeline.earlier)
        if job.estimate and not (is_whole and _is_of(job.estimate, known)):
            yield f"{job.job_id} has the estimate {job.estimate}, though such jobs took {known} s"
        if is_whole and job.estimate is None and earlier >= MIN_JOBS:
            yield f"{job.job_id} has no estimate, though such jobs took {known} s"


def _most_told(batch: Batch) -> int:
    """The most lines that it ever had: one that is cancelled may come to fewer in the end."""
    return max(batch.told, len(batch.output) + len(batch.errors), len(batch.billed) + len(batch.failed))


def _is_of(estimate: Estimate, known: Sequence[int]) -> bool:
    is_enough = MIN_JOBS <= estimate.jobs <= len(known)
    return is_enough and min(known) <= estimate.typical_s <= estimate.slow_s <= max(known)


def _history(pipeline: Pipeline) -> Iterator[str]:
    """It has each closed job that tells how long another takes, once, and nothing else."""
    records = BucketRecords(pipeline.bucket)
    left = set(pipeline.bucket.keys(HISTORY)) - set(pipeline.earlier)
    plans = [key.split("/")[1] for key in pipeline.bucket.keys("jobs/") if key.endswith("/plan.json")]
    for job_id in map(JobId, plans):
        plan, ledger = records.find_plan(job_id), records.find_ledger(job_id)
        mine = {key for key in left if key.endswith(f"-{job_id}")}
        left -= mine
        if plan and ledger and ledger.erased_at is None and mine != _expected(pipeline, plan, ledger, mine):
            yield f"the history has {sorted(mine)} of the job {job_id}, which took {ledger.duration_s:.0f} s"
    yield from (f"{key} is the history of no job" for key in left)


def _expected(pipeline: Pipeline, plan: Plan, ledger: Ledger, found: set[str]) -> set[str]:
    bucket, job_id = pipeline.bucket, JobId(plan.job_id)
    if plan.retry_of or not plan.rows_sent or not ledger.by_status.get("answered"):
        return set()
    cancelled_s = bucket.written_s(record_key(job_id, CANCELLATION))
    if cancelled_s < bucket.written_s(record_key(job_id, "ledger.json")):
        return set()
    if cancelled_s < float("inf") and not found:  # at the same time
        return set()
    decided = BucketRecords(bucket).find_approval(job_id)
    if plan.approval and not (decided and decided.is_approved):
        return set()
    waited_s = (decided.at - plan.created_at).total_seconds() if plan.approval and decided else 0.0
    return {history_key(plan, ledger.model_copy(update={"duration_s": ledger.duration_s - waited_s}))}
