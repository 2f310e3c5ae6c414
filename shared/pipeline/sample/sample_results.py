"""The replies of a sample as a batch's results, by which a first attempt is settled."""

from __future__ import annotations

from collections.abc import Iterator

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import sample_key, sample_replies_key
from shared.bucket.records.plan import Plan
from shared.pipeline.sample.records import Sample, SampleGroup
from shared.ports.provider import BatchId, BatchState, BatchStatus
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing


def find_sample(records: BucketRecords, plan: Plan) -> Sample | None:
    """What the job's sample came to, if it has one and that has ended."""
    if plan.sample is None:
        return None
    return records.find(sample_key(JobId(plan.job_id)), Sample)


def sample_state(store: ObjectStore, attempt: Attempt) -> BatchState | None:
    """As a batch that expired: rows without a line did not run. ``None`` before its end."""
    sample = BucketRecords(store).find(sample_key(attempt.job_id), Sample)
    if sample is None:
        return None
    groups = enumerate(sample.groups, start=1)
    keys = (
        sample_replies_key(attempt.job_id, number) for number, shards in groups if attempt.shard in shards
    )
    return BatchState(BatchId(""), BatchStatus.EXPIRED, "sample", result_files=tuple(keys))


def sample_lines(store: ObjectStore, attempt: Attempt, key: str) -> Iterator[bytes]:
    """The result lines of the shard's rows in one group.

    Raises:
        ObjectMissing: The group was removed.
    """
    group = BucketRecords(store).find(key, SampleGroup)
    if group is None:
        raise ObjectMissing(f"what the sample of job {attempt.job_id} was answered")
    yield from (reply.line.encode() for reply in group.replies if reply.shard == attempt.shard)
