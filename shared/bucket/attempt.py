"""The names of what is worked on: jobs, and the attempts to send one of their shards."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import NewType

JobId = NewType("JobId", str)


@dataclass(frozen=True)
class Attempt:
    """One sending of one shard: what a ticket, a claim, a submission and a batch are about.

    ``number`` and ``shard`` count from 1.
    """

    job_id: JobId
    number: int
    shard: int

    def __str__(self) -> str:
        return f"{self.job_id}/{self.number}-{self.shard:05d}"

    @property
    def batch_name(self) -> str:
        """Finds an interrupted submission (``ds_name``, at most 100 characters)."""
        return f"batchdrop-{self.job_id}-{self.number}-{self.shard:05d}"

    def next_attempt(self) -> Attempt:
        return Attempt(self.job_id, self.number + 1, self.shard)

    def previous_attempt(self) -> Attempt:
        return Attempt(self.job_id, self.number - 1, self.shard)


_ATTEMPT = re.compile(r"([0-9a-f]{16})/([1-9][0-9]{0,6})-([0-9]{5,6})", re.ASCII)
_BATCH_NAME = re.compile(r"batchdrop-([0-9a-f]{16})-(.+)", re.ASCII)


def parse_attempt(text: str) -> Attempt | None:
    """The inverse of ``str(Attempt)``; ``None`` for anything else, such as somebody's file."""
    match = _ATTEMPT.fullmatch(text)
    if not match:
        return None
    return Attempt(JobId(match[1]), int(match[2]), int(match[3]))


def parse_batch_name(text: str) -> Attempt | None:
    """The inverse of ``Attempt.batch_name``; ``None`` for another program's name."""
    match = _BATCH_NAME.fullmatch(text)
    attempt = parse_attempt(f"{match[1]}/{match[2]}") if match else None
    return attempt if attempt and attempt.batch_name == text else None


def job_id_for(bucket: str, key: str, etag: str, recipe_etag: str | None) -> JobId:
    """The same bytes, name and recipe are the same job, however often they arrive."""
    identity = json.dumps([bucket, key, etag.strip('"').upper(), recipe_etag], ensure_ascii=False)
    return JobId(hashlib.sha256(identity.encode()).hexdigest()[:16])


def retry_job_id_for(job_id: JobId) -> JobId:
    """The job that sends again what a closed one left open; it is the same for all who ask."""
    return JobId(hashlib.sha256(json.dumps(["retry", job_id]).encode()).hexdigest()[:16])
