"""Ark's batch inference as a batch provider, with its files in a bucket of TOS."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from typing import Any

from shared.ports.provider import BatchId, BatchRequest, BatchState, ProviderFile
from shared.ports.store import ObjectStore
from shared.problems.exceptions import (
    ConfigurationError,
    OutcomeUnknown,
    PipelineError,
    ProviderRejected,
    ProviderTrouble,
    TransientError,
)
from shared.providers.ark.api import ArkApi, open_api
from shared.providers.ark.models import model_reference
from shared.providers.ark.staging import Staging, is_input_of, name_in
from shared.providers.ark.weekly_quota import WeeklyQuota
from shared.providers.ark.wire import JOB_ID, Job, state_of
from shared.providers.staged_files import before_a_create, folder_of, require_set

log = logging.getLogger(__name__)

# https://www.volcengine.com/docs/82379/1305505 and 1339603.
_MAX_NAME_CHARS = 200
_MAX_DESCRIPTION_CHARS = 300
_DAY = timedelta(days=1)


class Ark:
    """A ``BatchProvider`` through Volcengine's SDK; safe to use from several threads.

    ``weekly_jobs``: How many jobs the project may create in 7 days; ``None`` if only Ark knows.
    """

    def __init__(self, api: ArkApi, staging: Staging, weekly_jobs: int | None = None) -> None:
        self._api = api
        self._staging = staging
        self._weekly_quota = WeeklyQuota(api, weekly_jobs)

    def submit(self, request: BatchRequest) -> BatchId:
        """See the port. While a job of this request is active, no second one is created."""
        if len(request.name) > _MAX_NAME_CHARS:
            # A cut name would not be found again, and the batch would be paid for twice.
            raise ValueError(f"Ark takes names of at most {_MAX_NAME_CHARS} characters: {request.name}")
        job = self._job_for(request)
        return self._earlier_job(request.name) or self._create(job, request)

    def _create(self, job: dict[str, Any], request: BatchRequest) -> BatchId:
        self._weekly_quota.require_room(self._staging.now())
        with before_a_create():
            self._staging.put(request)
        try:
            return BatchId(self._api.create(job, if_unclear=OutcomeUnknown))
        except OutcomeUnknown:
            raise
        except PipelineError as refusal:
            active = self._active_job(request.name, refusal)
            if active is None and isinstance(refusal, ProviderRejected):
                active = self._unnamed_job(request.name, refusal)
            if active:
                return active
            if isinstance(refusal, ProviderRejected):
                with contextlib.suppress(PipelineError):
                    self._staging.remove(request.name)
            raise

    def find(self, name: str, _object_key: str = "") -> BatchId | None:
        ours = [job for job in self._api.named(name) if self._reads_input_of(job, name)]
        return BatchId(max(ours, key=lambda job: job.created_at).id) if ours else None

    def status(self, batch_id: BatchId) -> BatchState | None:
        job = self._api.get(batch_id) if batch_id else None
        if job is None:
            return None
        name = job.name or name_in(job.output_dir_tos_location) or name_in(job.input_file_tos_location)
        job = job.model_copy(update={"name": name})
        return state_of(
            job,
            input_file=self._staging.input_of(job.input_file_tos_location, name),
            result_files=self._result_files(job) if job.is_terminal else (),
        )

    def results(self, state: BatchState) -> Iterator[bytes]:
        """See the port. A result file that is gone raises ``ProviderRejected`` with status 404."""
        for key in state.result_files:
            yield from self._staging.lines(key)

    def cancel(self, batch_id: BatchId) -> None:
        """See the port; no error if the job has ended, is being stopped, or does not exist."""
        if not batch_id:
            return
        try:
            self._api.stop(batch_id)
        except ProviderRejected as refusal:
            log.warning("cancel.refused", extra={"batch_id": batch_id, "reason": str(refusal)})

    def clean_up(self, state: BatchState) -> None:
        """See the port. The job stays in Ark's list, which is the account's history."""
        staging = self._staging.that_put(state.input_file, state.name)
        staging.remove(state.name)
        # Ark may name a file of errors elsewhere.
        for key in (*filter(None, [state.input_file]), *state.result_files):
            if key.startswith(staging.prefix):
                staging.delete(key)

    def unused_files(self) -> Iterator[ProviderFile]:
        """See the port. Only what lies below our prefix is looked at.

        Files are listed first, so that a batch made meanwhile keeps its file. A list of jobs for
        each of hundreds that wait would take all of the timer's time.
        """
        is_active = cache(self._has_active_job)
        return (replace(file, is_read=partial(is_active, name)) for name, file in [*self._staging.files()])

    def delete_file(self, file_id: str) -> None:
        self._staging.delete(file_id)

    def _job_for(self, request: BatchRequest) -> dict[str, Any]:
        staging = self._staging
        try:
            model = model_reference(request.model)
        except ValueError as error:
            raise ProviderRejected(str(error), provider_code="InvalidParameter.Model") from error
        job = {
            "Name": request.name,
            "ModelReference": model,
            "InputFileTosLocation": staging.location(staging.input_key(request.name)),
            "OutputDirTosLocation": staging.location(staging.output_folder(request.name)),
            "CompletionWindow": f"{-(-request.completion_window // _DAY)}d",
            "Tags": [{"Key": key, "Value": value} for key, value in request.metadata.items()],
        }
        if request.description:
            job["Description"] = request.description[:_MAX_DESCRIPTION_CHARS]
        return job

    def _earlier_job(self, name: str) -> BatchId | None:
        """What an earlier try created though Ark refused it; it is paid for, and may have ended."""
        try:
            return self.find(name) if self._staging.has_input(name) else None
        except ProviderRejected as refusal:
            raise ProviderTrouble(str(refusal)) from refusal

    def _active_job(self, name: str, refusal: PipelineError) -> BatchId | None:
        """Our own job, if a refusal to create names one: its answer was lost.

        Neither code nor status of that refusal is published, so any id in its words is asked for.

        Raises:
            OutcomeUnknown: A job reads this attempt's input, and whether it is ours is not known.
        """
        for job_id in dict.fromkeys(JOB_ID.findall(str(refusal))):
            job = self._job_in_doubt(job_id, refusal)
            if not self._reads_input_of(job, name):
                continue
            if job.name == name:
                return BatchId(job.id)
            log.error("job.foreign", extra={"batch_id": job_id, "batch_name": name})
            raise OutcomeUnknown(f"A job of another name reads the input of {name}: {job_id}") from refusal
        return None

    def _unnamed_job(self, name: str, refusal: ProviderRejected) -> BatchId | None:
        """Our own job, if a refusal for good leaves out its id; it may have ended, and is paid for.

        Raises:
            OutcomeUnknown: Ark does not show the jobs.
        """
        try:
            return self.find(name)
        except PipelineError as error:
            raise OutcomeUnknown(f"{refusal}; whether there is a job is not known: {error}") from refusal

    def _job_in_doubt(self, job_id: str, refusal: PipelineError) -> Job:
        try:
            job = self._api.get(job_id)
        except (TransientError, ConfigurationError, ProviderRejected) as error:
            raise OutcomeUnknown(f"Ark named {job_id} and does not show it: {error}") from refusal
        if job is None:
            raise OutcomeUnknown(f"Ark named {job_id} and does not show it") from refusal
        return job

    def _reads_input_of(self, job: Job, name: str) -> bool:
        place = job.input_file_tos_location
        return is_input_of(name, place.object_key) if place and place.object_key else job.name == name

    def _has_active_job(self, name: str) -> bool:
        named = self._api.named(name)
        return any(not job.is_terminal and self._reads_input_of(job, name) for job in named)

    def _result_files(self, job: Job) -> list[str]:
        staging = self._staging
        folder = staging.results_of(job.output_dir_tos_location, job.name or "")
        keys = staging.result_keys(folder, job.id)
        errors = job.error_file_tos_location
        named = (errors and errors.bucket_name == staging.bucket and errors.object_key) or ""
        return [*keys, named] if named and staging.lies_outside(named, folder, job.id) else keys


def open_ark(
    host: str,
    region: str,
    project: str,
    *,
    access_key_id: str,
    secret_access_key: str,
    staging: ObjectStore,
    bucket: str,
    prefix: str,
    weekly_jobs: int | None = None,
) -> Ark:
    """Ark's batch inference in one project.

    Args:
        host: ``open.volcengineapi.com``; with a scheme in front, that is used, else https.
        region: ``cn-beijing``; the bucket lies in the same.
        project: Quotas are a project's.
        access_key_id: May call the job actions of the project.
        secret_access_key: That key's.
        staging: The bucket of TOS that jobs read and write.
        bucket: Its name.
        prefix: Ours within it; all else is left alone.
        weekly_jobs: See ``Ark``.

    Raises:
        ConfigurationError: There is no key, or no bucket.
    """
    require_set(
        {
            "ARK_ACCESS_KEY_ID": access_key_id,
            "ARK_SECRET_ACCESS_KEY": secret_access_key,
            "TOS_BUCKET": bucket,
        }
    )
    api = open_api(host, region, project, access_key_id, secret_access_key)
    return Ark(api, Staging(staging, bucket, folder_of(prefix)), weekly_jobs)
