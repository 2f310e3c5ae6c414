"""From what a person names, a job or a file, to the jobs that are meant."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from scripts.localcloud.storage.object_files import has_plain_name
from scripts.operate.access import OpenBucket
from scripts.operate.texts.said import Refusal, said
from scripts.terminal import named, typed, typed_path
from shared.board.read import ReadBoard
from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX, job_of_version, versions_prefix
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import own_result_key_for, rejection_keys_for, report_key_for, result_key_for
from shared.bucket.uploads import Upload, uploads_prefix
from shared.inputs.inbox_keys import KeyRole, approved_key, key_role_for
from shared.pipeline.jobs.retries import latest_retry
from shared.ports.store import ObjectHead
from shared.results.formats import FORMATS
from shared.runtime.system_clock import SystemClock

_JOB_ID = re.compile(r"[0-9a-f]{16}")
_REPORT = ".report.json"
_MOST_NAMES = 50


def find_jobs(bucket: OpenBucket, board: ReadBoard, target: str, *, is_to_go: bool = False) -> list[Plan]:
    """The jobs that are meant, each as its last retry, in the order in which they were planned.

    For a file these are the jobs of the version in ``inbox/``, the open ones, and those whose
    results are there; if there is none, all that it ever became, erased ones among them.

    Raises:
        Refusal: There is none. With ``is_to_go`` it names what is left of a refused file.
    """
    records = BucketRecords(bucket.store)
    if _JOB_ID.fullmatch(target):
        plan = records.find_plan(JobId(target))
        if plan is None:
            raise Refusal("no_such_job", target=target)
        return [_named_again(bucket, latest_retry(records, plan))]
    key = key_of(bucket, target)
    key = approved_key(key) or key  # an approval means its file
    found = {*_uploaded(bucket, key), *_reported(bucket, key), *_open(bucket, board, key)}
    plans = _plans(records, key, found) or find_former_jobs(bucket, key)
    if not plans:
        raise _without_a_job(bucket, key, target, is_to_go=is_to_go)
    return plans


def names_of_open_jobs(bucket: OpenBucket) -> list[str]:
    """Their files as they are typed, below ``inbox/``."""
    records = BucketRecords(bucket.store)
    board = ReadBoard(bucket.store, SystemClock())
    plans = map(records.find_plan, islice(board.open_jobs(), _MOST_NAMES))
    return sorted({plan.source.key.removeprefix(INBOX) for plan in plans if plan and plan.source.key})


def find_former_jobs(bucket: OpenBucket, key: str) -> list[Plan]:
    """All that a file ever became, in the order in which they were planned."""
    return _plans(BucketRecords(bucket.store), key, set(_former(bucket, key)))


def _named_again(bucket: OpenBucket, plan: Plan) -> Plan:
    """An erased job's plan with its file's name, if the file lies in ``inbox/`` again."""
    if plan.source.key:
        return plan
    again = (
        head.key
        for head in bucket.store.list(INBOX)
        if head.etag == plan.source.etag and plan.origin_id in _uploaded(bucket, head.key)
    )
    return plan.of_file(next(again, ""))


def _without_a_job(bucket: OpenBucket, key: str, target: str, *, is_to_go: bool) -> Refusal:
    if key_role_for(key) in (KeyRole.RECIPE, KeyRole.NOTIFY):
        return Refusal("recipe_has_no_job", target=named(key))
    found = {each: bucket.store.head(each) for each in (key, *rejection_keys_for(key))}
    dropped, report, _ = found.values()
    # A report that is older than the file is about what lay there before.
    if report and (dropped is None or dropped.modified_at <= report.modified_at):
        left = _left_of_refused(bucket, found) if is_to_go else []
        lines = [said("erase_refused", files=", ".join(map(typed, left)))] if left else []
        return Refusal("was_refused", *lines, target=named(key), report=named(report.key))
    is_passed_over = bucket.folder and (bucket.folder / key).is_file() and not has_plain_name(key)
    if key_role_for(key) is KeyRole.HIDDEN or (dropped is None and is_passed_over):
        return Refusal("is_hidden", target=named(key))
    if dropped is None:
        return Refusal("no_such_job", target=target)
    return Refusal("not_planned", target=named(key), report=named(rejection_keys_for(key)[0]))


def _left_of_refused(bucket: OpenBucket, found: Mapping[str, ObjectHead | None]) -> list[str]:
    """The file itself, its reports, and what validations left that died."""
    key, dropped = next(iter(found.items()))
    drafts = BucketRecords(bucket.store).stray_drafts(bucket.name, key, dropped.etag) if dropped else ()
    return [*(each for each, head in found.items() if head), *(prefix for prefix, _ in drafts)]


def _plans(records: BucketRecords, key: str, job_ids: Iterable[JobId]) -> list[Plan]:
    """The last retries of those jobs that are the file's; erased ones say no name."""
    found = {}
    for job_id in job_ids:
        plan = records.find_plan(job_id)
        if plan and plan.source.key in (key, ""):
            latest = latest_retry(records, plan).of_file(key)
            found[latest.job_id] = latest
    return sorted(found.values(), key=lambda plan: plan.created_at)


def job_and_retries(records: BucketRecords, plan: Plan) -> list[Plan]:
    """A job and those whose open rows it sends again, the first one first."""
    rounds = [plan]
    while plan.retry_of and (earlier := records.find_plan(JobId(plan.retry_of))):
        rounds.insert(0, earlier)
        plan = earlier
    return rounds


def dropped_key(table: Path) -> str:
    """Where ``run`` drops a file: the same for the same path, so that the same command goes on."""
    place = hashlib.sha256(str(table.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:6]
    return f"{INBOX}{table.name.partition('.')[0]}-{place}/{table.name}"


def key_of(bucket: OpenBucket, target: str) -> str:
    """A file's key, by its key, its name in ``inbox/``, or its path on this machine.

    A file of this machine that is no file of the bucket is the one that ``run`` dropped.
    """
    if bucket.folder and target.startswith("/"):
        path = Path(target).resolve()
        if path.is_relative_to(bucket.folder):
            return path.relative_to(bucket.folder).as_posix()
    target = target.removeprefix("./")  # what begins with "-" is typed so
    key = target if target.startswith(INBOX) else INBOX + target
    table = typed_path(target)
    if not table.is_file() or bucket.store.head(key):
        return key
    dropped = dropped_key(table)
    return dropped if bucket.store.head(dropped) else key


def _uploaded(bucket: OpenBucket, key: str) -> Iterator[JobId]:
    head = bucket.store.head(key)
    if head is None:
        return
    records = BucketRecords(bucket.store)
    for pointer in bucket.store.list(uploads_prefix(bucket.name, head.key, head.etag)):
        upload = records.find(pointer.key, Upload)
        if upload:
            yield JobId(upload.job_id)


def _reported(bucket: OpenBucket, key: str) -> Iterator[JobId]:
    records = BucketRecords(bucket.store)
    for name_for in (result_key_for, own_result_key_for):
        stem = report_key_for(name_for(key)).removesuffix(_REPORT)
        for head in bucket.store.list(f"{stem}."):
            if head.key.endswith(_REPORT) and (ledger := records.find(head.key, Ledger)):
                yield JobId(ledger.job_id)


def _former(bucket: OpenBucket, key: str) -> Iterator[JobId]:
    records = BucketRecords(bucket.store)
    for name_for in (result_key_for, own_result_key_for):
        if records.owns_name(name_for(key), key):
            for output_format in FORMATS:
                versions = versions_prefix(name_for(key, f".{output_format}"))
                yield from (job_of_version(head.key) for head in bucket.store.list(versions))


def _open(bucket: OpenBucket, board: ReadBoard, key: str) -> Iterator[JobId]:
    records = BucketRecords(bucket.store)
    for job_id in board.open_jobs():
        plan = records.find_plan(job_id)
        if plan and plan.source.key == key:
            yield job_id
