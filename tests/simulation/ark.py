"""Ark's job API and a bucket of TOS in memory, behind the real adapter."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from volcenginesdkcore.rest import ApiException

from shared.ports.provider import BatchProblem, BatchRequest, BatchStatus
from shared.problems.exceptions import (
    ConfigurationError,
    OutcomeUnknown,
    PipelineError,
    ProviderRejected,
    QuotaReached,
    TransientError,
)
from shared.providers.ark.api import ArkApi
from shared.providers.ark.client import Ark
from shared.providers.ark.staging import Staging
from shared.providers.ark.weekly_quota import WeeklyQuota
from tests.simulation.kernel import Kernel
from tests.simulation.service import Batch, Service
from tests.support.fakes import START, MemoryStore

_BUCKET, _PREFIX = "acme-batch", "batchdrop/"
_DAY_S = 24 * 3600.0
_WEEK_S = 7 * _DAY_S
_INITIALIZING_S = 4 * 3600.0
_FOREIGN_S = 2 * 3600.0
# How many jobs may be created in seven days where that is scarce.
_SCARCE = (1, 2, 4)
# How likely the operator has told that; he raises quota and setting when the faults are over.
_TOLD = 0.5
# Ark's words for why a whole job failed, by the codes with which the simulation fails one.
_SAID = {
    "invalid": "批量推理任务失败，第{line}行非json数据",
    "token_limit_exceeded": "Enqueued token quota exceeded",
    "Arrearage": "The account is overdue",
    "invalid_file_size": "文件过大",
}
_CODES: tuple[tuple[type[PipelineError], int, str], ...] = (
    (QuotaReached, HTTPStatus.TOO_MANY_REQUESTS, "RateLimitExceeded"),
    (ProviderRejected, HTTPStatus.BAD_REQUEST, "InvalidParameter"),
    (OutcomeUnknown, HTTPStatus.BAD_GATEWAY, ""),
    (TransientError, HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServiceError"),
)
_OVERDUE = (HTTPStatus.FORBIDDEN, "AccountOverdueError")
_KEY_REFUSED = (HTTPStatus.UNAUTHORIZED, "SignatureDoesNotMatch")


class Tos(MemoryStore):
    """The bucket in which Ark writes its results when their time has come."""

    def __init__(self, kernel: Kernel, ark: ArkService) -> None:
        super().__init__(_TrueClock(kernel))
        self._ark = ark

    def _call(self, what: str, key: str) -> None:
        self._ark.called_by_store(what, key)

    def _done(self, what: str, key: str) -> None:
        if self._ark.strikes("upload_fails_after", key, 0.2):
            raise TransientError(f"{what} {key}: no answer, but it was done")

    def hold(self, key: str, lines: list[bytes]) -> None:
        """What Ark writes: no call of ours."""
        self._write(key, b"".join(line + b"\n" for line in lines), if_absent=False)


class _TrueClock:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def now(self) -> Any:
        return START + timedelta(seconds=self._kernel.now_s)


@dataclass
class Job:
    """What Ark keeps of a job beside what will become of it.

    Attributes:
        batch: ``None`` if it is somebody else's.
        begins_s: When it is no longer queued.
        runs_s: When it is no longer initializing.
        phase: Of a job that ended otherwise than its status says.
        written: How many lines of each file lie there.
    """

    job_id: str
    name: str
    input_key: str
    folder: str
    created_s: float
    ends_s: float
    batch: Batch | None = None
    begins_s: float = 0.0
    runs_s: float = 0.0
    expires_s: float = 0.0
    phase: str = ""
    is_stopped: bool = False
    written: dict[str, int] = field(default_factory=dict)


class ArkService(Service):
    """Ark as the simulation's service: the same batches and faults, told in Ark's words.

    It is no provider itself: ``adapter`` is, and calls it as the SDK's client.
    """

    def __init__(self, kernel: Kernel, seed: int, running_jobs: int) -> None:
        super().__init__(kernel, seed, lambda _batch: None)
        self._odd = random.Random(f"ark {seed}")
        self._running_jobs = running_jobs
        self._jobs: dict[str, Job] = {}
        self._unwritten: list[Job] = []
        self._created_at: list[float] = []
        self._most_a_week = self._odd.choice(_SCARCE) if self.strikes("week_used_up", "ark", 3) else None
        self._counts_failed = self._odd.random() < 0.5
        self._errors_file = self._odd.choice(("error/errors.jsonl", "output/errors.jsonl"))
        self.tos = Tos(kernel, self)
        staging = Staging(self.tos, _BUCKET, _PREFIX, _TrueClock(kernel).now)
        told = self._most_a_week if random.Random(f"week told {seed}").random() < _TOLD else None
        self.adapter = Ark(ArkApi(self, "default", ()), staging, told)  # type: ignore[arg-type]

    @property
    def left(self) -> dict[str, str]:
        self._write_what_is_due()
        return {key: key for key in self.tos.objects}

    def strikes(self, kind: str, where: str, likely: float = 1.0) -> bool:
        return self._strikes(kind, where, likely)

    def called_by_store(self, what: str, key: str) -> None:
        self._kernel.call(f"tos {what} {key}")
        if self._kernel.faults.are_over:
            self.adapter._weekly_quota = WeeklyQuota(self.adapter._api, None)
        self._write_what_is_due()
        is_upload = what in {"write", "create"}
        if self.strikes("upload_fails" if is_upload else "api_fails", key, 0.2):
            raise TransientError(f"{what} {key}: 503")

    def do_call(self, info: Any, body: dict[str, Any], **_options: Any) -> Any:
        """As the SDK's: the result, or its exception."""
        action = {
            "CreateBatchInferenceJob": self._create_job,
            "GetBatchInferenceJob": self._get_job,
            "ListBatchInferenceJobs": self._list_jobs,
            "StopBatchInferenceJob": self._stop_job,
        }[info.action]
        return json.loads(json.dumps(action(body)))

    # The actions.

    def _create_job(self, body: dict[str, Any]) -> Any:
        name, key = body["Name"], body["InputFileTosLocation"]["ObjectKey"]
        with _told(_OVERDUE):
            self._call("create", name)
        active = next((job for job in self._jobs.values() if self._reads(job, key)), None)
        if active is None and self.strikes("input_read_by_another", name):
            active = self._let_somebody_create(f"copy-of-{name}", key)
        if active:
            raise _refusal(
                HTTPStatus.BAD_REQUEST, "OperationDenied", f"The input is read by job {active.job_id}"
            )
        for place in (key, body["OutputDirTosLocation"]["ObjectKey"]):
            if place not in self.tos.objects:
                raise _refusal(
                    HTTPStatus.BAD_REQUEST, "OperationDenied.InputFileTosLocation", f"There is no {place}"
                )
        self._count_in_the_week()
        job = self._accept(body, self.tos.objects[key])
        if self.strikes("job_copied", name):
            self._let_somebody_create(name, f"{_PREFIX}somebody/{name}.jsonl")
        if self.strikes("create_fails_after", name):
            raise _unanswered()
        return {"Id": job.job_id}

    def _get_job(self, body: dict[str, Any]) -> Any:
        job_id = body["Id"]
        with _told(_KEY_REFUSED):
            self._call("status", job_id)
        job = self._jobs.get(job_id)
        if job is None or not self._is_known(job):
            raise _refusal(HTTPStatus.NOT_FOUND, "NotFound", f"There is no job {job_id}")
        return self._told_of(job)

    def _list_jobs(self, body: dict[str, Any]) -> Any:
        """The filter is fuzzy: it finds all names that begin alike."""
        name = body.get("Filter", {}).get("Name", "")
        with _told(_KEY_REFUSED):
            self._call("find", name)
        stem = name.split("-")[0]
        found = [job for job in self._jobs.values() if stem in job.name and self._shows(job)]
        found.sort(key=lambda job: job.created_s, reverse=True)
        first = (body["PageNumber"] - 1) * body["PageSize"]
        return {"Items": [self._told_of(job) for job in found[first : first + body["PageSize"]]]}

    def _stop_job(self, body: dict[str, Any]) -> Any:
        job_id = body["Id"]
        with _told(_KEY_REFUSED):
            self._call("cancel", job_id)
        job = self._jobs.get(job_id)
        if job is None or job.batch is None or self._kernel.now_s >= job.ends_s:
            raise _refusal(HTTPStatus.BAD_REQUEST, "OperationDenied.JobStatus", "It has ended")
        if not job.is_stopped and not job.batch.ignores_cancel:
            job.is_stopped, job.phase = True, ""
            ends_s = self._kernel.now_s + self._random.uniform(5, 120)
            self._end(job.batch, ends_s, BatchStatus.CANCELLED)
        return {}

    # What happens inside.

    def _accept(self, body: dict[str, Any], content: bytes) -> Job:
        now_s, window_s = self._kernel.now_s, int(body["CompletionWindow"][:-1]) * _DAY_S
        request = BatchRequest(
            name=body["Name"],
            object_key=body["InputFileTosLocation"]["ObjectKey"],
            size_bytes=len(content),
            open_lines=lambda: iter([content]),
            endpoint="",
            model="-".join(body["ModelReference"]["FoundationModel"].values()),
            completion_window=timedelta(seconds=window_s),
            metadata={tag["Key"]: tag["Value"] for tag in body["Tags"]},
        )
        lines = tuple(json.loads(line) for line in content.split(b"\n") if line)
        batch = self._create(request, lines, request.object_key)
        job = Job(
            batch.batch_id,
            request.name,
            request.object_key,
            body["OutputDirTosLocation"]["ObjectKey"],
            now_s,
            batch.ends_s,
            batch,
            begins_s=self._begin_s(),
            expires_s=now_s + window_s,
        )
        initializing_s = (
            self._odd.uniform(0, _INITIALIZING_S) if self.strikes("initializing", job.name) else 0
        )
        job.runs_s = job.begins_s + initializing_s
        batch.ends_s += job.runs_s - now_s
        self.batches[batch.batch_id] = batch
        self._jobs[job.job_id] = job
        self._unwritten.append(job)
        self._decide_of(job, batch)
        return job

    def _decide_of(self, job: Job, batch: Batch) -> None:
        if len(batch.lines) > self._most_lines:
            self._fail(batch, BatchProblem("invalid_file_size", "文件过大"))
            return
        if self.strikes("failed_midway", job.name):
            job.phase = "Failed"
            self._end(batch, batch.ends_s, BatchStatus.EXPIRED)
            return
        self._decide(batch)
        if batch.status is BatchStatus.COMPLETED and batch.ends_s > job.expires_s:
            self._end(batch, job.expires_s, BatchStatus.EXPIRED)  # it stood in the queue for too long

    def _begin_s(self) -> float:
        """When fewer than the running quota of those before it are left."""
        ends = sorted((job.ends_s for job in self._jobs.values() if job.batch), reverse=True)
        has_place = len(ends) < self._running_jobs
        return self._kernel.now_s if has_place else max(self._kernel.now_s, ends[self._running_jobs - 1])

    def _count_in_the_week(self) -> None:
        now_s = self._kernel.now_s
        lately = sum(1 for at_s in self._created_at if at_s > now_s - _WEEK_S)
        is_scarce = self._most_a_week is not None and not self._kernel.faults.are_over
        if is_scarce and lately >= (self._most_a_week or 0):
            raise _refusal(
                HTTPStatus.BAD_REQUEST, "QuotaExceeded", "The quota of jobs in 7 days has been used up"
            )
        self._created_at.append(now_s)

    def _let_somebody_create(self, name: str, input_key: str) -> Job:
        now_s = self._kernel.now_s
        job = Job(self._new_id("batch"), name, input_key, "somebody/", now_s + 1, now_s + _FOREIGN_S)
        self._jobs[job.job_id] = job
        return job

    def _fail(self, batch: Batch, *problems: BatchProblem) -> None:
        super()._fail(batch, *problems)
        self._jobs[batch.batch_id].ends_s = batch.ends_s

    def _end(self, batch: Batch, ends_s: float, status: BatchStatus) -> None:
        job = self._jobs[batch.batch_id]
        job.ends_s = ends_s
        folder = f"{job.folder}{job.job_id}/"
        batch.output_file, batch.error_file = f"{folder}output/results.jsonl", f"{folder}{self._errors_file}"
        super()._end(batch, ends_s, status)
        self.files.clear()  # it has no store of files
        if self.strikes("resumed", job.name):
            batch.output += batch.output
        if status is not BatchStatus.COMPLETED and self.strikes("no_files_after_stop", job.name):
            batch.files_at_s = None

    def _write_what_is_due(self) -> None:
        """Files grow, and one that we have deleted comes again only if there is more of it."""
        for job in list(self._unwritten):
            batch, now_s = job.batch, self._kernel.now_s
            if batch is None or now_s < batch.ends_s or batch.files_at_s is None or now_s < batch.files_at_s:
                continue
            self._hold(job, batch.error_file, batch.errors)
            if now_s >= batch.output_at_s:
                is_whole = now_s >= batch.complete_at_s
                lines = batch.output if is_whole else batch.output[: len(batch.output) // 2]
                self._hold(job, batch.output_file, lines)
                if is_whole:
                    self._unwritten.remove(job)

    def _hold(self, job: Job, key: str, lines: list[bytes]) -> None:
        if len(lines) > job.written.get(key, 0):
            job.written[key] = len(lines)
            self.tos.hold(key, lines)

    def _reads(self, job: Job, key: str) -> bool:
        is_there = job.batch is None or self._kernel.now_s < job.batch.forgotten_s
        return is_there and job.input_key == key and self._kernel.now_s < job.ends_s

    def _is_known(self, job: Job) -> bool:
        batch = job.batch
        return batch is None or batch.known_s <= self._kernel.now_s < batch.forgotten_s

    def _shows(self, job: Job) -> bool:
        return job.batch is None or self._lists(job.batch)

    def _told_of(self, job: Job) -> dict[str, Any]:
        batch, now_s = job.batch, self._kernel.now_s
        phase = self._phase_of(job)
        ran = len(batch.billed) + len(batch.failed) if batch else 0
        failed = len(batch.failed) if batch else 0
        is_told = batch is not None and (job.phase == "Failed" or not batch.counts_are_null)
        has_counts = is_told and now_s >= job.ends_s
        return {
            "Id": job.job_id,
            "Name": job.name,
            "Status": {"Phase": phase, "PhaseTime": _text(min(now_s, job.ends_s)), "Message": _message(job)},
            "RequestCounts": {
                "Completed": ran if self._counts_failed else ran - failed,
                "Failed": failed,
            }
            if has_counts
            else None,
            "InputFileTosLocation": {"BucketName": _BUCKET, "ObjectKey": job.input_key},
            "OutputDirTosLocation": {"BucketName": _BUCKET, "ObjectKey": job.folder},
            "CreateTime": _text(job.created_s),
            "ExpireTime": _text(job.expires_s or job.ends_s),
        }

    def _phase_of(self, job: Job) -> str:
        now_s = self._kernel.now_s
        if self.strikes("phase_unknown", job.job_id):
            return "Pausing"
        if now_s >= job.ends_s and not self.strikes("status_backwards", job.job_id):
            return job.phase or _END[job.batch.status if job.batch else BatchStatus.COMPLETED]
        if job.is_stopped:
            return "Terminating"
        if now_s < job.begins_s:
            return "Queued"
        return "Initializing" if now_s < job.runs_s else "Running"

    def _new_id(self, kind: str) -> str:
        if kind != "batch":
            return super()._new_id(kind)
        at = START + timedelta(seconds=self._kernel.now_s)
        return f"bi-{at:%Y%m%d%H%M%S}-{next(self._numbers):05d}"


_END = {
    BatchStatus.COMPLETED: "Completed",
    BatchStatus.FAILED: "Failed",
    BatchStatus.EXPIRED: "Terminated",
    BatchStatus.CANCELLED: "Terminated",
}


def _message(job: Job) -> str:
    if job.batch and job.batch.problems:
        problem = job.batch.problems[0]
        return _SAID[problem.code].format(line=problem.line)
    return "The quota is exceeded" if job.phase == "Failed" else ""


def _text(at_s: float) -> str:
    return f"{START + timedelta(seconds=int(at_s)):%Y-%m-%dT%H:%M:%SZ}"


@contextmanager
def _told(configuration: tuple[int, str]) -> Iterator[None]:
    """Raise what the service raises as the SDK's exception."""
    try:
        yield
    except ConfigurationError as error:
        raise _refusal(*configuration, str(error)) from None
    except PipelineError as error:
        status, code = next((status, code) for kind, status, code in _CODES if isinstance(error, kind))
        raise (_refusal(status, code, str(error)) if code else _unanswered()) from None


def _refusal(status: int, code: str, message: str) -> ApiException:
    error = ApiException(status=int(status), reason="refused")
    error.body = json.dumps({"ResponseMetadata": {"Error": {"Code": code, "Message": message}}})
    return error


_unanswered = partial(ApiException, status=502, reason="Bad Gateway")
