"""Puts what follows from a submission, for the provider's words and the timer to find."""

from __future__ import annotations

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, batch_pointer_key
from shared.bucket.records.submission import Submission
from shared.ports.provider import BatchId
from shared.ports.providers import Providers
from shared.ports.store import ObjectStore


def announce(store: ObjectStore, providers: Providers, attempt: Attempt, submission: Submission) -> None:
    """Put what follows from the submission; every step may be repeated."""
    records = BucketRecords(store)
    if submission.batch_id is not None:
        store.put(batch_pointer_key(submission.provider, submission.batch_id), str(attempt).encode())
    if records.find_outcome(attempt) is None:
        # A submission without a batch is over its deadline from the start, so the timer hands
        # it to collect. If finished/ were put here, submit and collect could start each other
        # without end.
        records.put_running(attempt, submission.running_ticket())
        # A cancellation from before this ticket did not find the shard running, and is seen
        # here; a later one sees the ticket. The provider is told directly: submit must not
        # write finished/.
        if submission.batch_id is not None and records.is_cancelled(attempt.job_id):
            providers.of(submission.provider).batches.cancel(BatchId(submission.batch_id))
    records.drop_ticket(Stage.READY, attempt)
