"""Where everything lies in the bucket; no other module knows a prefix."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from enum import Enum

from shared.bucket.attempt import Attempt, JobId, parse_attempt
from shared.bucket.money import Ceiling

INBOX = "inbox/"
REJECTED = "rejected/"
RESULTS = "results/"
QUOTES = "quotes/"
PRICES = "prices.yaml"  # the operator's own
JOBS = "jobs/"
# What a job needs while it is open, and for a while to make its result again. It has a prefix of
# its own because OSS's lifecycle rules go by prefix, and two rules' prefixes must not overlap
# (https://help.aliyun.com/en/oss/developer-reference/putbucketlifecycle).
WORK = "work/"
BATCHES = "batches/"
AGAIN = "again/"
# What is to be told to people, one object for each event and channel.
OUTBOX = "outbox/"
# What the timer remembers between two runs; losing it loses nothing.
TIMER = "timer/"
TIMER_CURSOR = f"{TIMER}cursor.json"
INBOX_MARK = f"{TIMER}inbox.json"
BOARD = "board.json"
OPEN = "open/"
# Jobs that wait until somebody approves their quote.
APPROVE = "approve/"
SLOTS = "slots/"
WAITING = "waiting/"
LINKS = "links/"
# Answers that jobs lend to later ones of their folder. They expire sooner than what made them.
REUSE = "reuse/"
MONEY = "money/"
# What may be spent in a month; the operator puts it.
BUDGET = "budget.yaml"


class Stage(Enum):
    """The prefixes that hold tickets; listing one is listing its backlog."""

    READY = "ready/"
    RUNNING = "running/"
    FINISHED = "finished/"


def job_tickets_prefix(stage: Stage, job_id: JobId) -> str:
    return f"{stage.value}{job_id}/"


def ticket_key(stage: Stage, attempt: Attempt) -> str:
    return f"{stage.value}{attempt}"


def ticket_in(key: str) -> tuple[Stage, Attempt] | None:
    for stage in Stage:
        if key.startswith(stage.value):
            attempt = parse_attempt(key[len(stage.value) :])
            return (stage, attempt) if attempt else None
    return None


def balance_prefix(ceiling: Ceiling, job_id: str, month: str) -> str:
    """Where the balances under a ceiling lie, by their numbers; each currency has its own."""
    currency = ceiling.at_most.currency
    if ceiling.scope == "job":
        return f"{MONEY}job-{job_id}/{currency}/"
    folder = hashlib.sha256(ceiling.folder.encode()).hexdigest()[:16]
    name = f"folder-{folder}" if ceiling.scope == "folder" else ceiling.scope
    return f"{MONEY}{name}/{month}-{currency}/"


def claims_prefix(attempt: Attempt) -> str:
    return attempt_key(attempt, "claim-")


def record_key(job_id: JobId, name: str) -> str:
    """A record of the whole job: ``plan.json``, ``cancel.json``, ``ledger.json``."""
    return f"{JOBS}{job_id}/{name}"


def open_job_key(job_id: JobId) -> str:
    """Exists from before a job's plan until its result: the timer finds jobs without tickets.

    It is empty, or says ``WITH_SAMPLE``, which the timer sees by its size.
    """
    return f"{OPEN}{job_id}"


WITH_SAMPLE = b"sample"
"""The job has a sample, whose author may have died: it is looked at sooner, once."""


def awaited_key(job_id: JobId) -> str:
    """Exists while the job waits for an approval."""
    return f"{APPROVE}{job_id}"


def attempt_key(attempt: Attempt, name: str) -> str:
    """A record of one attempt: ``claim-1``, ``submission.json``, ``outcome.json``."""
    return f"{JOBS}{attempt}/{name}"


def work_key(attempt: Attempt, name: str) -> str:
    """What one attempt sends or settled, named in a record: request lines, answers, a part."""
    return f"{WORK}{attempt}/{name}"


def settled_key(job_id: JobId, shard: int) -> str:
    return f"{settled_prefix(job_id)}{shard:05d}.json"


def borrowing_key(job_id: JobId, shard: int) -> str:
    """What is known of a shard that only waits for the answers of others."""
    return f"{settled_prefix(job_id)}{shard:05d}.borrowing.json"


def loan_key(job_id: JobId, lender: int, borrower: int) -> str:
    """The answers of one shard that rows of another get."""
    return f"{loans_prefix(job_id, borrower)}{lender:05d}.jsonl"


def loans_prefix(job_id: JobId, borrower: int) -> str:
    return f"{WORK}{job_id}/loans/{borrower:05d}/"


def settled_prefix(job_id: JobId) -> str:
    return f"{JOBS}{job_id}/settled/"


def draft_key(job_id: JobId, run_id: str, name: str) -> str:
    """What one run of ``validate`` wrote; it counts only once a plan names it."""
    return f"{WORK}{job_id}/{run_id}/{name}"


def sample_key(job_id: JobId) -> str:
    """What the sample came to; it exists before any ticket of its job."""
    return record_key(job_id, "sample.json")


def sample_claim_key(job_id: JobId, group: int) -> str:
    """Exists before a group of sampled rows is asked: nobody else ever asks it."""
    return record_key(job_id, f"sample/claim-{group:03d}")


def sample_replies_key(job_id: JobId, group: int) -> str:
    return f"{WORK}{job_id}/sample/{group:03d}.jsonl"


def name_claim_key(result_key: str) -> str:
    """Which dropped file owns a result name: ``a.csv`` and ``a.jsonl`` must not share one.

    Claim the ``.csv`` name whatever the result's format: the report's name holds no format.
    """
    return f"{JOBS}names/{hashlib.sha256(result_key.encode()).hexdigest()[:32]}"


def batch_pointer_key(provider: str, batch_id: str) -> str:
    return f"{BATCHES}{provider}/{batch_id}"


def versions_prefix(result_key: str) -> str:
    """Which jobs have had a result of this name: one object each, in the order of the uploads."""
    return f"{JOBS}versions/{hashlib.sha256(result_key.encode()).hexdigest()[:32]}/"


def version_key(result_key: str, dropped_at: datetime, job_id: JobId, seen_at: datetime | None = None) -> str:
    """One version of a result's file.

    Args:
        result_key: The planned one.
        dropped_at: By the store's clock; OSS's has whole seconds.
        job_id: What the version became.
        seen_at: When it was first looked at: orders two versions of the same second.
    """
    times = (each.astimezone(timezone.utc) for each in (dropped_at, seen_at or dropped_at))
    dropped, seen = (f"{each:%Y%m%dT%H%M%S.%f}" for each in times)
    return f"{versions_prefix(result_key)}{dropped}-{seen}-{job_id}"


def job_of_version(key: str) -> JobId:
    return JobId(key.rpartition("-")[2])


def outbox_key(job_id: str, event_id: str, channel: str) -> str:
    """What is still to be told of one event by one channel, which is named ``kind:name``."""
    return f"{OUTBOX}{job_id}/{event_id}/{channel.replace(':', '-')}"


def told_key(job_id: str, event_id: str, channel: str) -> str:
    """Exists once it was told, or given up. Of a refused file the job is what it did not become."""
    return f"{JOBS}{job_id}/told/{event_id}/{channel.replace(':', '-')}"


def tries_prefix(told: str) -> str:
    """Of the claims of a word, one for each time that it was tried."""
    return f"{told}.try-"


def channel_in(key: str) -> str:
    """Of a key of the outbox, ``kind:name``."""
    return key.rpartition("/")[2].replace("-", ":", 1)


def lending_prefix(source_key: str, *asked: str) -> str:
    """Where jobs of one folder find each other's answers, if these were ``asked`` alike.

    Args:
        source_key: The dropped file's.
        asked: Provider, model and the like, which are not in each request.
    """
    said = "\n".join((source_key.rpartition("/")[0], *asked))
    return f"{REUSE}{hashlib.sha256(said.encode()).hexdigest()[:32]}/"


def lent_prefix(lends_to: str, job_id: JobId) -> str:
    """What one job lends."""
    return f"{lends_to}{job_id}-"


def lent_key(lends_to: str, job_id: JobId, shard: int) -> str:
    """What a shard of it lends, without the ending of the name, ``.answers`` or ``.digests``."""
    return f"{lent_prefix(lends_to, job_id)}{shard:05d}"


def withdrawn_key(link_id: str) -> str:
    """Exists once a link to the page is withdrawn; people put it, the page only looks."""
    return f"{LINKS}withdrawn/{link_id}"
