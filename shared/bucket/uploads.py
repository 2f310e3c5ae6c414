"""What is remembered of an upload, so that it is looked at once and never lost."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone

from shared.bucket.base import Record
from shared.bucket.keys import AGAIN, JOBS

_SECONDS = "%Y%m%dT%H%M%SZ"
# In the year 2286, in microseconds: times are counted down to it.
_LATEST_US = 9_999_999_999_999_999


def upload_key(bucket: str, key: str, etag: str, dropped_at: datetime) -> str:
    """Which job an upload became, so that redelivery under a newer recipe starts no second.

    The event, the same event again and the timer name it alike: by what the store says of the
    object. The same bytes dropped once more have a later time, so they are an upload of their own.
    """
    seconds = dropped_at.astimezone(timezone.utc).strftime(_SECONDS)  # all that HEAD tells
    return uploads_prefix(bucket, key, etag) + seconds


def is_of_older_version(pointer: str) -> bool:
    """Versions before 26.11 named uploads by the event's request id, hashed."""
    name = pointer.rpartition("/")[2]
    return not name.endswith("Z") and "." not in name


def start_prefix(upload: str) -> str:
    """One object for each run of ``validate`` that looks at the upload or died of it."""
    return f"{upload}.start-"


def left_key(upload: str, run_id: str) -> str:
    """The same of a run that an error ended. It does not count as one that died."""
    return f"{upload}.left-{run_id}"


def tells_drafts(key: str) -> bool:
    """Whether it is a ``Start``."""
    return ".start-" in key or ".left-" in key


def upload_done_key(bucket: str, key: str, etag: str, dropped_at: datetime) -> str:
    """Exists once the upload is a job or refused: the timer needs one request a file."""
    return f"{upload_key(bucket, key, etag, dropped_at)}.done"


def older_done_key(bucket: str, key: str, etag: str) -> str:
    """The same of an older version, for all uploads of these bytes: its time says for which."""
    return uploads_prefix(bucket, key, etag).rstrip("/") + ".done"


def again_key(bucket: str, key: str, etag: str) -> str:
    """The ticket by which the timer has an upload validated whose event was lost."""
    return f"{AGAIN}{_named(bucket, key, etag)}"


def sample_again_key(job_id: str) -> str:
    """The ticket by which the timer has a sample gone on with."""
    return f"{AGAIN}{job_id}"


def uploads_prefix(bucket: str, key: str, etag: str) -> str:
    return f"{JOBS}uploads/{_named(bucket, key, etag)}/"


def may_wait_prefix(source_key: str) -> str:
    """Which jobs a file was that had to wait for something: an empty object each, newest first."""
    return f"{JOBS}files/{hashlib.sha256(source_key.encode()).hexdigest()[:32]}/"


def may_wait_key(source_key: str, dropped_at: datetime, planned_at: datetime, job_id: str) -> str:
    """Ordered by when it was dropped, then by when it was planned."""
    times = (_LATEST_US - round(1_000_000 * each.timestamp()) for each in (dropped_at, planned_at))
    return may_wait_prefix(source_key) + "".join(f"{each:016d}-" for each in times) + job_id


def _named(bucket: str, key: str, etag: str) -> str:
    return hashlib.sha256(json.dumps([bucket, key, etag], ensure_ascii=False).encode()).hexdigest()[:32]


class Upload(Record):
    """Which job one upload became.

    ``plan_key``: a draft, which becomes the job's plan if it has none.
    """

    job_id: str
    plan_key: str = ""
    request_id: str = ""  # nobody reads it, but versions before 26.11 cannot read an upload without


class Start(Record):
    """A run of ``validate`` that looks at an upload, or died of it, or was ended by an error.

    ``drafts``: the prefix under which it writes. Starts of versions before 26.11 do not say.
    """

    drafts: str


class AgainTicket(Record):
    """An upload whose event was lost is to be validated.

    ``job_id``: the upload is this job already, whose sample was begun and is to be gone on with,
    whatever became of the file. An older version validates the file.
    """

    bucket: str
    key: str
    etag: str
    job_id: str = ""
    request_id: str = ""  # as in ``Upload``
