"""Where everything lies in the bucket: DESIGN's folder board as functions, and nothing else knows a prefix."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import NewType

JobId = NewType("JobId", str)

INBOX = "inbox/"
REJECTED = "rejected/"
RESULTS = "results/"
JOBS = "jobs/"
# What a job needs while it is open, and for a while to make its result again. Of its own, because OSS's lifecycle rules go
# by prefix, and those of two rules must not overlap (https://help.aliyun.com/en/oss/developer-reference/putbucketlifecycle).
WORK = "work/"
BATCHES = "batches/"
AGAIN = "again/"
# What the timer remembers from one run to the next; nothing is lost with it.
TIMER = "timer/"
TIMER_CURSOR = f"{TIMER}cursor.json"
BOARD = "board.json"
OPEN = "open/"
SLOTS = "slots/"
WAITING = "waiting/"
RECIPE_NAMES = ("batch.yaml", "batch.yml")


class Stage(Enum):
    """The prefixes that hold tickets; listing one is listing its backlog."""

    READY = "ready/"
    RUNNING = "running/"
    FINISHED = "finished/"


@dataclass(frozen=True)
class ShardAttempt:
    """One sending of one shard: what a ticket, a claim, a submission and a batch are about. Both count from 1."""

    job_id: JobId
    attempt: int
    shard: int

    def __str__(self) -> str:
        return f"{self.job_id}/{self.attempt}-{self.shard:05d}"

    @property
    def batch_name(self) -> str:
        """The deterministic name by which an interrupted submission is found again (``ds_name``, <= 100 chars)."""
        return f"batchdrop-{self.job_id}-{self.attempt}-{self.shard:05d}"

    def next_attempt(self) -> ShardAttempt:
        return ShardAttempt(self.job_id, self.attempt + 1, self.shard)

    def previous_attempt(self) -> ShardAttempt:
        return ShardAttempt(self.job_id, self.attempt - 1, self.shard)


_SHARD_ATTEMPT = re.compile(r"([0-9a-f]{16})/([1-9][0-9]{0,6})-([0-9]{5,6})", re.ASCII)
_BATCH_NAME = re.compile(r"batchdrop-([0-9a-f]{16})-(.+)", re.ASCII)


def parse_shard_attempt(text: str) -> ShardAttempt | None:
    """The inverse of ``str(ShardAttempt)``; anything else, such as a file that somebody put there, is ``None``."""
    match = _SHARD_ATTEMPT.fullmatch(text)
    if not match:
        return None
    return ShardAttempt(JobId(match[1]), int(match[2]), int(match[3]))


def parse_batch_name(text: str) -> ShardAttempt | None:
    """The inverse of ``ShardAttempt.batch_name``; anything else, such as another program's name, is ``None``."""
    match = _BATCH_NAME.fullmatch(text)
    unit = parse_shard_attempt(f"{match[1]}/{match[2]}") if match else None
    return unit if unit and unit.batch_name == text else None


def job_id_for(bucket: str, key: str, etag: str, recipe_etag: str | None) -> JobId:
    """The same bytes under the same name with the same recipe are the same job, however often they arrive."""
    identity = json.dumps([bucket, key, etag.strip('"').upper(), recipe_etag], ensure_ascii=False)
    return JobId(hashlib.sha256(identity.encode()).hexdigest()[:16])


def retry_job_id_for(job_id: JobId) -> JobId:
    """The job that sends again what a closed one left open. Two people who ask for it at once mean the same one."""
    return JobId(hashlib.sha256(json.dumps(["retry", job_id]).encode()).hexdigest()[:16])


def job_tickets_prefix(stage: Stage, job_id: JobId) -> str:
    return f"{stage.value}{job_id}/"


def ticket_key(stage: Stage, unit: ShardAttempt) -> str:
    return f"{stage.value}{unit}"


def ticket_in(key: str) -> tuple[Stage, ShardAttempt] | None:
    for stage in Stage:
        if key.startswith(stage.value):
            unit = parse_shard_attempt(key[len(stage.value) :])
            return (stage, unit) if unit else None
    return None


@dataclass(frozen=True)
class Slot:
    """The right to one unfinished batch. Each holder has a generation of its own; both numbers count from 1."""

    pool: str
    number: int
    generation: int

    @property
    def key(self) -> str:
        return f"{self.prefix}{self.generation:06d}"

    @property
    def free_key(self) -> str:
        """Stands once the holder's batch has ended for good."""
        return f"{self.key}.free"

    @property
    def prefix(self) -> str:
        """All generations of this slot."""
        return f"{slots_prefix(self.pool)}{self.number:04d}-"


_SLOT = re.compile(rf"{SLOTS}([a-z0-9-]+)/([0-9]{{4}})-([0-9]{{6,}})(\.free)?", re.ASCII)


def parse_slot(key: str) -> tuple[Slot, bool] | None:
    """The slot that a key names, and whether it is the mark that frees it; ``None`` for anything else."""
    match = _SLOT.fullmatch(key)
    return (Slot(match[1], int(match[2]), int(match[3])), bool(match[4])) if match else None


def slots_prefix(pool: str) -> str:
    return f"{SLOTS}{pool}/"


def waiting_prefix(pool: str) -> str:
    return f"{WAITING}{pool}/"


def waiting_key(pool: str, unit: ShardAttempt) -> str:
    """Notes since when a shard waits for a slot."""
    return f"{waiting_prefix(pool)}{unit}"


def claims_prefix(unit: ShardAttempt) -> str:
    return attempt_key(unit, "claim-")


def job_prefix(job_id: JobId) -> str:
    return f"{JOBS}{job_id}/"


def record_key(job_id: JobId, name: str) -> str:
    """A record of the whole job: ``plan.json``, ``rejection.json``, ``ledger.json``."""
    return f"{JOBS}{job_id}/{name}"


def open_job_key(job_id: JobId) -> str:
    """Stands from before a job's plan until its ledger, so that the timer finds a job that has no ticket left."""
    return f"{OPEN}{job_id}"


def start_prefix(job_id: JobId) -> str:
    """One object for each run of ``validate`` that has begun and not ended, or that died."""
    return f"{JOBS}{job_id}/start-"


def attempt_key(unit: ShardAttempt, name: str) -> str:
    """A record of one attempt: ``claim-1``, ``submission.json``, ``outcome.json``."""
    return f"{JOBS}{unit}/{name}"


def work_key(unit: ShardAttempt, name: str) -> str:
    """What one attempt sends or has settled, whose name stands in a record: request lines, answers, a part."""
    return f"{WORK}{unit}/{name}"


def settled_key(job_id: JobId, shard: int) -> str:
    return f"{settled_prefix(job_id)}{shard:05d}.json"


def settled_prefix(job_id: JobId) -> str:
    return f"{JOBS}{job_id}/settled/"


def draft_key(job_id: JobId, run_id: str, name: str) -> str:
    """What one run of ``validate`` wrote; it counts only once a plan names it."""
    return f"{WORK}{job_id}/{run_id}/{name}"


def upload_key(bucket: str, key: str, etag: str, request_id: str) -> str:
    """Remembers which job one upload became, so that its redelivery under a newer recipe starts no second one."""
    source = hashlib.sha256(json.dumps([bucket, key, etag], ensure_ascii=False).encode()).hexdigest()[:32]
    return f"{JOBS}uploads/{source}/{hashlib.sha256(request_id.encode()).hexdigest()[:16]}"


def upload_done_key(bucket: str, key: str, etag: str) -> str:
    """Stands once the upload became a job or was refused, so that the timer asks one question a file."""
    return uploads_prefix(bucket, key, etag).rstrip("/") + ".done"


def again_key(bucket: str, key: str, etag: str) -> str:
    """The ticket by which the timer has an upload validated whose event was lost."""
    return f"{AGAIN}{hashlib.sha256(json.dumps([bucket, key, etag], ensure_ascii=False).encode()).hexdigest()[:32]}"


def uploads_prefix(bucket: str, key: str, etag: str) -> str:
    return upload_key(bucket, key, etag, "").rsplit("/", 1)[0] + "/"


def name_claim_key(result_key: str) -> str:
    """Which dropped file owns a result name, so that ``a.csv`` and ``a.jsonl`` do not overwrite each other.

    Claim the ``.csv`` name whatever the result's format: the report's name has no format in it.
    """
    return f"{JOBS}names/{hashlib.sha256(result_key.encode()).hexdigest()[:32]}"


def files_swept_key(provider: str) -> str:
    """When the provider's files were looked through last."""
    return f"{TIMER}files-swept-{provider}"


def batch_pointer_key(provider: str, batch_id: str) -> str:
    return f"{BATCHES}{provider}/{batch_id}"


def versions_prefix(result_key: str) -> str:
    """Which jobs have had a result of this name, one object each; their names sort as the files were dropped."""
    return f"{JOBS}versions/{hashlib.sha256(result_key.encode()).hexdigest()[:32]}/"


def version_key(result_key: str, dropped_at: datetime, job_id: JobId, seen_at: datetime | None = None) -> str:
    """One version of the file of a result.

    Args:
        result_key: The planned one.
        dropped_at: By the store's clock, which has whole seconds at OSS.
        job_id: What the version became.
        seen_at: When it was first looked at; of two versions of one second the later one was seen later.
    """
    times = (each.astimezone(timezone.utc) for each in (dropped_at, seen_at or dropped_at))
    dropped, seen = (f"{each:%Y%m%dT%H%M%S.%f}" for each in times)
    return f"{versions_prefix(result_key)}{dropped}-{seen}-{job_id}"


def job_of_version(key: str) -> JobId:
    return JobId(key.rpartition("-")[2])


def recipe_candidates(key: str) -> list[str]:
    """Where the recipe of an inbox file may be, nearest folder first, ``inbox/`` last.

    What is too long to be a key is left out: OSS answers a question about it with an error.
    """
    folders = key.split("/")[:-1]
    candidates = (
        "/".join([*folders[:depth], name]) for depth in range(len(folders), 0, -1) for name in RECIPE_NAMES
    )
    return [each for each in candidates if len(each.encode()) <= _MAX_KEY_BYTES]


def has_dot_segment(key: str) -> bool:
    """Whether a part of the path is ``.`` or ``..``.

    OSS takes them for names, but whoever copies such a file to a disk, or asks for it through a client or a proxy that
    tidies paths up, ends elsewhere.
    """
    return not _DOTS.isdisjoint(key.split("/"))


def result_key_for(source_key: str, suffix: str = ".csv") -> str:
    """``inbox/a/b.jsonl`` → ``results/a/b.csv``, as ``inbox/a/b.jsonl.gz``."""
    return _derived(RESULTS, _stem(source_key.removeprefix(INBOX)), suffix)


def own_result_key_for(source_key: str, suffix: str = ".csv") -> str:
    """The name to fall back to when another file owns the plain one: ``results/a/b.jsonl.csv``."""
    return _derived(RESULTS, source_key.removeprefix(INBOX), suffix)


def superseded_result_key_for(result_key: str, job_id: JobId) -> str:
    """Where a job's result goes if a later upload of the same file has its result under ``result_key`` already."""
    path, suffix = _split_result(result_key)
    return _derived(RESULTS, path, f".{job_id}{suffix}")


def report_key_for(result_key: str) -> str:
    """``results/a/b.csv`` and ``results/a/b.jsonl`` → ``results/a/b.report.json``: one file owns both names."""
    return _derived(RESULTS, _split_result(result_key)[0], ".report.json")


def _split_result(result_key: str) -> tuple[str, str]:
    path, dot, suffix = result_key.removeprefix(RESULTS).rpartition(".")
    return path, dot + suffix


def rejection_keys_for(source_key: str) -> tuple[str, str]:
    """The text and the CSV report of a refused file. The whole file name stays, so that two never share one."""
    name = source_key.removeprefix(INBOX)
    if name.endswith("/") or not name:
        name += "folder"
    if has_dot_segment(name):
        tidy = "/".join("_" * len(part) if part in _DOTS else part for part in name.split("/"))
        name = f"{tidy}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return _derived(REJECTED, name, ".report.txt"), _derived(REJECTED, name, ".report.csv")


# OSS takes keys of 1,023 bytes (https://help.aliyun.com/zh/oss/user-guide/object-naming-conventions), file systems names
# of 255. A name that grows beyond is cut, and a digest keeps it apart from others that begin alike.
_MAX_KEY_BYTES = 1023
_MAX_NAME_BYTES = 255
_DOTS = frozenset({".", ".."})


def _derived(prefix: str, path: str, suffix: str) -> str:
    folder, slash, name = path.rpartition("/")
    room = min(_MAX_NAME_BYTES, _MAX_KEY_BYTES - len(f"{prefix}{folder}{slash}".encode())) - len(suffix)
    if len(name.encode()) <= room:
        return f"{prefix}{path}{suffix}"
    digest = "~" + hashlib.sha256(path.encode()).hexdigest()[:8]
    if room < len(digest):  # folders alone fill the key
        return f"{prefix}{digest}{suffix}"
    kept = name.encode()[: room - len(digest)].decode(errors="ignore")
    return f"{prefix}{folder}{slash}{kept}{digest}{suffix}"


def _stem(path: str) -> str:
    folder, _, name = path.rpartition("/")
    if name.lower().endswith(".gz"):  # of "a.csv.gz" both go
        name = name[: -len(".gz")]
    stem = name.rsplit(".", 1)[0] or name
    return f"{folder}/{stem}" if folder else stem
