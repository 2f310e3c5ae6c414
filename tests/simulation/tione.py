"""TI-ONE's two APIs of tasks, our runner in them, and a bucket of COS, behind the real adapter."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from hashlib import sha256
from typing import Any

from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException as Refusal

from shared.ports.provider import BatchId, BatchProblem, BatchRequest, BatchStatus
from shared.problems.exceptions import (
    ConfigurationError,
    OutcomeUnknown,
    PipelineError,
    ProviderRejected,
    QuotaReached,
    TransientError,
)
from shared.providers.tione.api import APIS, BATCH, Names
from tests.simulation.kernel import Kernel
from tests.simulation.service import Batch
from tests.simulation.staged import Job, StagedService, lines_of, told_as
from tests.support.fakes import START
from tests.support.scripted_tione import TIONE_BUCKET, TIONE_PREFIX, manifest_of, tione_over

_RUNNER = f"{TIONE_PREFIX}runner/"
_HOUR_S = 3600.0
_INIT_S = 60.0
_TIMES_ARE_OF = timezone(timedelta(hours=8))
_CODES: tuple[tuple[type[PipelineError], str], ...] = (
    (QuotaReached, "RequestLimitExceeded"),
    (ProviderRejected, "FailedOperation"),
    (OutcomeUnknown, "ServerNetworkError"),
    (TransientError, "InternalError"),
)
# Why a whole task failed, by the codes with which the simulation fails one.
_SAID = {
    "invalid": "container exited with code 3",
    "token_limit_exceeded": "资源不足",
    "Arrearage": "The account is in arrears",
}
_ENDS = {BatchStatus.COMPLETED: "SUCCEED"}  # a task of ours has its own word


@dataclass
class Manifest:
    """What the runner said last, from when it can be read, and whether it is true."""

    content: bytes
    from_s: float
    is_valid: bool


class TioneService(StagedService):
    """Tencent's tasks, in each of which our runner runs; ``adapter`` is the provider.

    Its create is not guarded: what is created twice runs twice.
    """

    writes_empty_files = True

    def __init__(self, kernel: Kernel, seed: int, notify: Callable[[Batch], object]) -> None:
        super().__init__(kernel, seed, "cos", random.Random(f"tione {seed}"), notify)
        self._ids = ""
        self._manifests: dict[str, Manifest] = {}
        self._names_are_unique = self.strikes("names_unique", "tione", 3)
        self._withdrawn_s = math.inf
        chosen = self._odd.choice(("batch", "batch", "training"))
        self.adapter = tione_over(self.store, self, self._clock, chosen)
        if chosen == "batch" and self.strikes("actions_withdrawn", "tione", 3):
            self._withdrawn_s = self._odd.uniform(0, 4 * _HOUR_S)
            self.mended_s = self._withdrawn_s + self._odd.uniform(600, 8 * _HOUR_S)
            kernel.at(self.mended_s, self._choose_training)

    @property
    def left(self) -> dict[str, str]:
        """All but the runner, which later tasks need."""
        return {key: name for key, name in super().left.items() if not key.startswith(_RUNNER)}

    def lists_no_more(self, batch: Batch, at_s: float) -> bool:
        return batch.batch_id.startswith(BATCH.ids) and at_s >= self._withdrawn_s

    def hides(self, batch: Batch, at_s: float) -> bool:
        """Of a withdrawn API's tasks nothing tells but a manifest."""
        return self.lists_no_more(batch, at_s) and self._manifest_at(batch, at_s) is None

    def status_at(self, batch: Batch, at_s: float) -> BatchStatus:
        """By the manifest; without one, or before it is there, by TI-ONE's word alone."""
        manifest = self._manifest_at(batch, at_s)
        if manifest is None:
            is_complete = self._jobs[batch.batch_id].phase == "SUCCEED"
        else:
            is_complete = json.loads(manifest.content)["complete"]
        return BatchStatus.COMPLETED if is_complete else BatchStatus.EXPIRED

    def _manifest_at(self, batch: Batch, at_s: float) -> Manifest | None:
        manifest = self._manifests.get(batch.batch_id)
        is_told = manifest is not None and manifest.is_valid and manifest.from_s <= at_s
        return manifest if is_told else None

    def call_json(self, action: str, body: dict[str, Any]) -> dict[str, Any]:
        """As the SDK's: the whole answer, or its exception."""
        api = "training" if "Training" in action else "batch"
        names = APIS[api]
        act = {
            names.create: self._create_task,
            names.describe: self._describe_task,
            names.list: self._list_tasks,
            names.stop: self._stop_task,
        }[action]
        if api == "batch" and self._kernel.now_s >= self._withdrawn_s:
            raise Refusal("InvalidAction", "The action is not known")
        return {"Response": json.loads(json.dumps(act(body, names)))}

    # The actions.

    def _create_task(self, body: dict[str, Any], names: Names) -> Any:
        name = body[names.name]
        self._asked("create", name, "OperationDenied.BalanceInsufficient")
        if self.strikes("sold_out", name):
            raise Refusal("ResourceInsufficient", "No machine is left")
        source, folder = _folder(body["DataConfigs"]), _folder(body.get("Outputs") or body["Output"])
        for key in (f"{source}task.json", f"{source}requests.jsonl", folder):
            if key not in self.store.objects:
                raise Refusal("InvalidParameterValue.CosPathNotExist", f"There is no {key}")
        if self._names_are_unique and any(map(self._is_known, self._named([name], names))):
            raise Refusal("FailedOperation.DuplicateName", f"There is a task {name}")
        self._ids = names.ids
        batch = self._begin(name, body, source, folder)
        for _ in range(1 + self.strikes("callback_twice", name)):
            self._notify(batch)
        if not self._names_are_unique and self.strikes("job_copied", name):
            self._let_somebody_create(name, "")
        if self.strikes("create_fails_after", name):
            raise Refusal("ClientNetworkError", "Read timed out")
        return {names.task_id: batch.batch_id}

    def _describe_task(self, body: dict[str, Any], names: Names) -> Any:
        job = self._job_in(body, names, "status")
        return {names.detail: self._told_of(job, names)}

    def _list_tasks(self, body: dict[str, Any], names: Names) -> Any:
        (choice,) = body["Filters"]
        self._asked("find", choice["Values"][0], "AuthFailure.SecretIdNotFound")
        assert choice["Name"] == names.name
        found = [*filter(self._shows, self._named(choice["Values"], names))]
        found.sort(key=lambda job: job.created_s, reverse=body["Order"] == "DESC")
        first = body.get("Offset", 0)
        page = found[first : first + body.get("Limit", 20)]
        return {names.page: [self._told_of(job, names) for job in page], "TotalCount": len(found)}

    def _stop_task(self, body: dict[str, Any], names: Names) -> Any:
        job = self._job_in(body, names, "cancel")
        if job.batch is None or self._kernel.now_s >= job.ends_s:
            raise Refusal("FailedOperation.NotAllow", "It has ended")
        if self._kernel.now_s < job.begins_s or self.strikes("stop_refused", job.job_id):
            raise Refusal("FailedOperation.UnSubmitNotAllowToStop", "It is being submitted")
        self._stop(job, job.batch, BatchStatus.CANCELLED)
        return {}

    def _named(self, wanted: Sequence[str], names: Names) -> list[Job]:
        """Those of one API."""
        jobs = self._jobs.values()
        return [job for job in jobs if job.name in wanted and job.job_id.startswith(names.ids)]

    def _job_in(self, body: dict[str, Any], names: Names, what: str) -> Job:
        job_id = body[names.task_id]
        self._asked(what, job_id, "AuthFailure.SecretIdNotFound")
        job = self._jobs.get(job_id)
        if job is None or not job_id.startswith(names.ids) or not self._is_known(job):
            raise Refusal("FailedOperation.RecordNotFound", f"There is no task {job_id}")
        return job

    def _asked(self, what: str, about: str, if_operator_must_act: str) -> None:
        with told_as(partial(_exception_for, if_operator_must_act)):
            self._call(what, about)

    # What happens inside.

    def _choose_training(self) -> None:
        """The operator does what the board tells him."""
        vars(self.adapter).update(vars(tione_over(self.store, self, self._clock, "training")))

    def _begin(self, name: str, body: dict[str, Any], source: str, folder: str) -> Batch:
        now_s = self._kernel.now_s
        content, task = (
            self.store.objects[f"{source}requests.jsonl"],
            json.loads(self.store.objects[f"{source}task.json"]),
        )
        deadline = datetime.strptime(task["deadline"], "%Y-%m-%dT%H:%M:%S%z")
        expires_s = (deadline - START).total_seconds()
        request = BatchRequest(
            name=name,
            object_key=f"{source}requests.jsonl",
            size_bytes=len(content),
            open_lines=lambda: iter([content]),
            endpoint="",
            model=task["model"],
            completion_window=timedelta(seconds=max(expires_s - now_s, 0)),
            callback_url=body.get("CallbackUrl"),
            metadata={tag["TagKey"]: tag["TagValue"] for tag in body["Tags"]},
        )
        job = self._accept(request, folder, now_s + self._odd.uniform(0, _INIT_S))
        job.expires_s = expires_s
        batch = self.batches[BatchId(job.job_id)]
        self._decide_of(job, batch)
        return batch

    def _decide_of(self, job: Job, batch: Batch) -> None:
        if self.strikes("failed_midway", job.name):
            job.phase = "FAILED"
            self._end(batch, batch.ends_s, BatchStatus.EXPIRED)
            return
        self._decide(batch)
        if batch.status is BatchStatus.COMPLETED and batch.ends_s > job.expires_s:
            job.phase = ""
            self._end(batch, job.expires_s, BatchStatus.EXPIRED)  # the runner looks at its clock

    def _fail(self, batch: Batch, *problems: BatchProblem) -> None:
        super()._fail(batch, *problems)
        batch.output_file, batch.error_file = self._files_of(self._jobs[batch.batch_id])
        batch.files_at_s = None
        self._jobs[batch.batch_id].phase = "FAILED"
        if problems[0].code == "invalid":  # it had begun, so that its rows are sent again
            batch.status = BatchStatus.EXPIRED

    def _end(self, batch: Batch, ends_s: float, status: BatchStatus) -> None:
        super()._end(batch, ends_s, status)
        job, is_whole = self._jobs[batch.batch_id], status is BatchStatus.COMPLETED
        if not is_whole and batch.files_at_s is not None and self.strikes("files_late", job.name):
            batch.files_at_s = batch.output_at_s = batch.complete_at_s = ends_s + self._odd.uniform(10, 3000)
        if job.phase == "FAILED":  # its container was killed
            manifest = None
            if self.strikes("line_torn", job.name):
                job.torn[batch.output_file] = b'{"id": "r0", "custom_id": "r0", "respo'
        else:
            manifest = self._manifest_of(job, batch, status)
            has_answers = bool(batch.output or batch.errors)
            job.phase = (
                "STOPPED" if status is BatchStatus.CANCELLED else "SUCCEED" if has_answers else "FAILED"
            )
        self._manifests.pop(job.job_id, None)
        if manifest:
            self._manifests[job.job_id] = manifest
        batch.status = self.status_at(batch, math.inf)

    def _manifest_of(self, job: Job, batch: Batch, status: BatchStatus) -> Manifest | None:
        name = job.name
        if batch.files_at_s is None or self.strikes("manifest_absent", name):
            return None
        is_complete = len(batch.output) + len(batch.errors) == len(batch.lines)
        told = manifest_of(
            name,
            sha256(b"".join(batch.request.open_lines())).hexdigest(),
            lines_of(batch.output),
            lines_of(batch.errors),
        )
        if not is_complete:
            reason = "stopped" if status is BatchStatus.CANCELLED else "deadline"
            told |= {"complete": False, "reason": reason}
        from_s, is_valid = batch.files_at_s, True
        if self.strikes("manifest_late", name):
            from_s += self._odd.uniform(10, 3000)
        if self.strikes("manifest_of_another", name):
            told["input_sha256"], is_valid = "0" * 64, False
        if self.strikes("hash_wrong", name):  # what it counts is believed
            told["results"]["sha256"] = "0" * 64
        content = json.dumps(told).encode()
        if self.strikes("manifest_torn", name):
            content, is_valid = content[: len(content) // 2], False
        return Manifest(content, from_s, is_valid)

    def _files_of(self, job: Job) -> tuple[str, str]:
        return f"{job.folder}results.jsonl", f"{job.folder}errors.jsonl"

    def _write(self, job: Job, batch: Batch) -> bool:
        is_whole, manifest = super()._write(job, batch), self._manifests.get(job.job_id)
        if manifest is None:
            return is_whole
        if self._kernel.now_s < manifest.from_s:
            return False
        self._hold(job, f"{job.folder}manifest.json", [manifest.content])
        return is_whole

    def _told_of(self, job: Job, names: Names) -> dict[str, Any]:
        now_s = self._kernel.now_s
        word = self._word_of(job, _ENDS, "STOPPING", "INIT", "STARTING", "RUNNING")
        place = {"Bucket": TIONE_BUCKET, "Region": "ap-shanghai", "Paths": [job.folder]}
        problems = job.batch.problems if job.batch else ()
        has_begun = now_s >= job.runs_s and (not problems or problems[0].code == "invalid")
        told = {
            names.task_id: job.job_id,
            names.name: job.name,
            "Status": word,
            "FailureReason": _reason(word, problems),
            "CreateTime": _text(job.created_s),
            "StartTime": _text(job.runs_s) if has_begun else "",
            "EndTime": _text(job.ends_s) if now_s >= job.ends_s else "",
        }
        if names is BATCH:
            return {**told, "Outputs": [{"MappingPath": "", "DataSourceType": "COS", "COSSource": place}]}
        return {**told, "Output": place}

    def _new_id(self, kind: str) -> str:
        return f"{self._ids}{next(self._numbers):08x}" if kind == "batch" else super()._new_id(kind)


def _folder(place: Any) -> str:
    """Of a list of mounts with one of them, or of the place itself."""
    if isinstance(place, list):
        (mount,) = place
        place = mount["COSSource"]
    assert place["Bucket"] == TIONE_BUCKET
    (path,) = place["Paths"]
    return str(path)


def _reason(word: str, problems: tuple[BatchProblem, ...]) -> str:
    if word == "SUCCEED":
        return "job succeed"
    if word != "FAILED":
        return ""
    return _SAID[problems[0].code] if problems else "container exited with code 137"


def _exception_for(if_operator_must_act: str, error: PipelineError) -> Refusal:
    if isinstance(error, ConfigurationError):
        return Refusal(if_operator_must_act, str(error))
    return Refusal(next(code for kind, code in _CODES if isinstance(error, kind)), str(error))


def _text(at_s: float) -> str:
    """Without its zone, as TI-ONE tells it."""
    at = (START + timedelta(seconds=int(at_s))).astimezone(_TIMES_ARE_OF)
    return f"{at:%Y-%m-%d %H:%M:%S}"
