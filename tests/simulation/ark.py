"""Ark's job API and a bucket of TOS in memory, behind the real adapter."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from volcenginesdkcore.rest import ApiException

from shared.ports.provider import BatchId, BatchProblem, BatchRequest, BatchStatus
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
from tests.simulation.service import Batch
from tests.simulation.staged import Job, StagedService, told_as
from tests.support.fakes import START

_BUCKET, _PREFIX = "acme-batch", "batchdrop/"
_DAY_S = 24 * 3600.0
_WEEK_S = 7 * _DAY_S
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


class ArkService(StagedService):
    """Volcengine's jobs; ``adapter`` is the provider."""

    def __init__(self, kernel: Kernel, seed: int, running_jobs: int) -> None:
        super().__init__(kernel, seed, "tos", random.Random(f"ark {seed}"), lambda _batch: None)
        self._running_jobs = running_jobs
        self._created_at: list[float] = []
        self._most_a_week = self._odd.choice(_SCARCE) if self.strikes("week_used_up", "ark", 3) else None
        self._counts_failed = self._odd.random() < 0.5
        self._errors_file = self._odd.choice(("error/errors.jsonl", "output/errors.jsonl"))
        staging = Staging(self.store, _BUCKET, _PREFIX, self._clock.now)
        told = self._most_a_week if random.Random(f"week told {seed}").random() < _TOLD else None
        self.adapter = Ark(ArkApi(self, "default", ()), staging, told)  # type: ignore[arg-type]

    def called_by_store(self, what: str, key: str) -> None:
        if self._kernel.faults.are_over:
            self.adapter._weekly_quota = WeeklyQuota(self.adapter._api, None)
        super().called_by_store(what, key)

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
        with told_as(_unpaid):
            self._call("create", name)
        active = next((job for job in self._jobs.values() if self._reads(job, key)), None)
        if active is None and self.strikes("input_read_by_another", name):
            active = self._let_somebody_create(f"copy-of-{name}", key)
        if active:
            raise _refusal(
                HTTPStatus.BAD_REQUEST, "OperationDenied", f"The input is read by job {active.job_id}"
            )
        for place in (key, body["OutputDirTosLocation"]["ObjectKey"]):
            if place not in self.store.objects:
                raise _refusal(
                    HTTPStatus.BAD_REQUEST, "OperationDenied.InputFileTosLocation", f"There is no {place}"
                )
        self._count_in_the_week()
        job = self._begin(body, self.store.objects[key])
        if self.strikes("job_copied", name):
            self._let_somebody_create(name, f"{_PREFIX}somebody/{name}.jsonl")
        if self.strikes("create_fails_after", name):
            raise _unanswered()
        return {"Id": job.job_id}

    def _get_job(self, body: dict[str, Any]) -> Any:
        job_id = body["Id"]
        with told_as(_refused):
            self._call("status", job_id)
        job = self._jobs.get(job_id)
        if job is None or not self._is_known(job):
            raise _refusal(HTTPStatus.NOT_FOUND, "NotFound", f"There is no job {job_id}")
        return self._told_of(job)

    def _list_jobs(self, body: dict[str, Any]) -> Any:
        """The filter is fuzzy: it finds all names that begin alike."""
        name = body.get("Filter", {}).get("Name", "")
        with told_as(_refused):
            self._call("find", name)
        stem = name.split("-")[0]
        found = [job for job in self._jobs.values() if stem in job.name and self._shows(job)]
        found.sort(key=lambda job: job.created_s, reverse=True)
        first = (body["PageNumber"] - 1) * body["PageSize"]
        return {"Items": [self._told_of(job) for job in found[first : first + body["PageSize"]]]}

    def _stop_job(self, body: dict[str, Any]) -> Any:
        job_id = body["Id"]
        with told_as(_refused):
            self._call("cancel", job_id)
        job = self._jobs.get(job_id)
        if job is None or job.batch is None or self._kernel.now_s >= job.ends_s:
            raise _refusal(HTTPStatus.BAD_REQUEST, "OperationDenied.JobStatus", "It has ended")
        self._stop(job, job.batch, BatchStatus.CANCELLED)
        return {}

    # What happens inside.

    def _begin(self, body: dict[str, Any], content: bytes) -> Job:
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
        job = self._accept(request, body["OutputDirTosLocation"]["ObjectKey"], self._begin_s())
        job.expires_s = now_s + window_s
        self._decide_of(job, self.batches[BatchId(job.job_id)])
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

    def _files_of(self, job: Job) -> tuple[str, str]:
        folder = f"{job.folder}{job.job_id}/"
        return f"{folder}output/results.jsonl", f"{folder}{self._errors_file}"

    def _reads(self, job: Job, key: str) -> bool:
        is_there = job.batch is None or self._kernel.now_s < job.batch.forgotten_s
        return is_there and job.input_key == key and self._kernel.now_s < job.ends_s

    def _told_of(self, job: Job) -> dict[str, Any]:
        batch, now_s = job.batch, self._kernel.now_s
        phase = self._word_of(job, _END, "Terminating", "Queued", "Initializing", "Running")
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


def _unpaid(error: PipelineError) -> ApiException:
    return _exception_for(error, HTTPStatus.FORBIDDEN, "AccountOverdueError")


def _refused(error: PipelineError) -> ApiException:
    return _exception_for(error, HTTPStatus.UNAUTHORIZED, "SignatureDoesNotMatch")


def _exception_for(error: PipelineError, status: int, code: str) -> ApiException:
    """In the SDK's words; status and code are those of what the operator must mend."""
    if not isinstance(error, ConfigurationError):
        status, code = next((status, code) for kind, status, code in _CODES if isinstance(error, kind))
    return _refusal(status, code, str(error)) if code else _unanswered()


def _refusal(status: int, code: str, message: str) -> ApiException:
    error = ApiException(status=int(status), reason="refused")
    error.body = json.dumps({"ResponseMetadata": {"Error": {"Code": code, "Message": message}}})
    return error


_unanswered = partial(ApiException, status=502, reason="Bad Gateway")
