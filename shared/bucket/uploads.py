"""What is remembered of an upload, so that it is looked at once and never lost."""

from __future__ import annotations

import hashlib
import json

from shared.bucket.base import Record
from shared.bucket.keys import AGAIN, JOBS


def upload_key(bucket: str, key: str, etag: str, request_id: str) -> str:
    """Which job an upload became, so that redelivery under a newer recipe starts no second."""
    source = hashlib.sha256(json.dumps([bucket, key, etag], ensure_ascii=False).encode()).hexdigest()[:32]
    return f"{JOBS}uploads/{source}/{hashlib.sha256(request_id.encode()).hexdigest()[:16]}"


def upload_done_key(bucket: str, key: str, etag: str) -> str:
    """Exists once the upload is a job or refused: the timer needs one request a file."""
    return uploads_prefix(bucket, key, etag).rstrip("/") + ".done"


def again_key(bucket: str, key: str, etag: str) -> str:
    """The ticket by which the timer has an upload validated whose event was lost."""
    return f"{AGAIN}{hashlib.sha256(json.dumps([bucket, key, etag], ensure_ascii=False).encode()).hexdigest()[:32]}"


def uploads_prefix(bucket: str, key: str, etag: str) -> str:
    return upload_key(bucket, key, etag, "").rsplit("/", 1)[0] + "/"


class Upload(Record):
    """Which job one upload became when it was first seen."""

    job_id: str
    request_id: str


class AgainTicket(Record):
    """An upload whose event was lost is to be validated, under this request id."""

    bucket: str
    key: str
    etag: str
    request_id: str
