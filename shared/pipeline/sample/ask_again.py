"""Has ``validate`` go on with a sample, since it alone may ask the service for single requests."""

from __future__ import annotations

from shared.bucket.attempt import JobId
from shared.bucket.keys import sample_key
from shared.bucket.records.plan import Plan
from shared.bucket.uploads import AgainTicket, sample_again_key
from shared.ports.store import ObjectStore


def is_asked(store: ObjectStore, plan: Plan) -> bool:
    """Whether the job has no sample, or that has come to its end."""
    return plan.sample is None or store.head(sample_key(JobId(plan.job_id))) is not None


def ask_again(store: ObjectStore, plan: Plan) -> bool:
    """Put the ticket that starts ``validate`` unless there is one, and say whether."""
    source = plan.source
    ticket = AgainTicket(bucket=source.bucket, key=source.key, etag=source.etag, job_id=plan.job_id)
    return store.put_if_absent(sample_again_key(plan.job_id), ticket.to_bytes())
