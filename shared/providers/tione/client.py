"""TI-ONE's tasks as a batch provider, with their files in a bucket of COS.

A task is a container over files: it knows no requests, and has no counts. What it has done stands
in the manifest that our runner leaves there.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial

from shared.ports.provider import BatchId, BatchRequest, BatchState, ProviderFile
from shared.ports.store import ObjectStore
from shared.problems.exceptions import (
    OutcomeUnknown,
    PipelineError,
    ProviderRejected,
    ProviderTrouble,
)
from shared.providers.staged_files import before_a_create, folder_of, require_set
from shared.providers.tione.api import BATCH, TioneApi, open_apis
from shared.providers.tione.profile import TIONE
from shared.providers.tione.staging import Output, Staging, name_in
from shared.providers.tione.task import TaskSettings, batch_task, training_task
from shared.providers.tione.troubles import (
    API_WITHDRAWN,
    PROVIDER_REFUSES,
    is_name_taken,
    trouble_of,
)
from shared.providers.tione.wire import Task, state_of

log = logging.getLogger(__name__)

# 851/80182.
_MAX_NAME_CHARS = 60
_NOTHING = Output(None, ())
# Words for what is not described any longer; the second one is no end.
_STOPPED, _WITHDRAWN = "STOPPED", "WITHDRAWN"


class Tione:
    """A ``BatchProvider`` through Tencent's SDK; safe to use from several threads.

    Args:
        apis: Batch prediction and training, by the words of the setting.
        chosen: The one that new tasks are created in. Those of the other are looked after, too.
        staging: The bucket.
        settings: Of every task.
    """

    def __init__(
        self, apis: Mapping[str, TioneApi], chosen: str, staging: Staging, settings: TaskSettings
    ) -> None:
        self._api = apis[chosen]
        self._others = [api for name, api in apis.items() if name != chosen]
        self._staging = staging
        self._settings = settings

    def submit(self, request: BatchRequest) -> BatchId:
        """See the port. TI-ONE may create a second task of one name."""
        if len(request.name) > _MAX_NAME_CHARS:
            # A cut name would not be found again, and the task would be paid for twice.
            raise ValueError(f"TI-ONE takes names of at most {_MAX_NAME_CHARS} characters: {request.name}")
        if TIONE.model_problem_for(request.model):
            message = f"No name of a model: {request.model}"
            raise ProviderRejected(message, provider_code="InvalidParameter.Model")
        return self._earlier_task(request.name) or self._create(request)

    def _create(self, request: BatchRequest) -> BatchId:
        with before_a_create():
            self._staging.put(request, self._settings, self._staging.now() + request.completion_window)
        body = batch_task if self._api.names is BATCH else training_task
        task = body(request, self._settings, self._staging.folders(request.name))
        try:
            created = BatchId(self._api.create(task, if_unclear=OutcomeUnknown))
        except ProviderRejected as refusal:
            if is_name_taken(refusal.provider_code):
                return self._named(request.name, refusal)
            # Nothing in it is of a row: all of it was set by the operator.
            trouble = trouble_of(refusal.provider_code) or PROVIDER_REFUSES
            raise ProviderTrouble(str(refusal), trouble) from refusal
        return self._noted(created, request.name)

    def find(self, name: str, _object_key: str = "") -> BatchId | None:
        """See the port. Before a switch to the other API, it may have been created there."""
        task = self._find(name)
        return self._noted(BatchId(task.id), name) if task else None

    def status(self, batch_id: BatchId) -> BatchState | None:
        api = self._api_of(batch_id)
        try:
            task = api.get(batch_id) if batch_id else None
        except ProviderTrouble as trouble:
            if not self._is_of_the_past(api, trouble):
                raise
            return self._state_without_api(batch_id)
        if task is None:
            return None
        task = replace(task, name=task.name or name_in(task.output))
        return self._state_of(task, self._staging.that_put(task))

    def results(self, state: BatchState) -> Iterator[bytes]:
        """See the port. A file that is gone, or not the runner's, raises ``ProviderRejected``."""
        for key in state.result_files:
            yield from self._staging.lines(key)

    def cancel(self, batch_id: BatchId) -> None:
        """See the port; no error if the task has ended, or does not exist.

        One that is not submitted as yet cannot be stopped. It is told again, since it costs by the
        hour until a look shows its end.
        """
        if not batch_id:
            return
        api = self._api_of(batch_id)
        try:
            api.stop(batch_id)
        except (ProviderRejected, ProviderTrouble) as refusal:
            if isinstance(refusal, ProviderTrouble) and not self._is_of_the_past(api, refusal):
                raise
            log.warning("cancel.refused", extra={"batch_id": batch_id, "reason": str(refusal)})

    def clean_up(self, state: BatchState) -> None:
        """See the port. The task stays in TI-ONE's list, which is the account's history."""
        self._staging.that_has(state.result_files).remove(state.name, state.batch_id)

    def unused_files(self) -> Iterator[ProviderFile]:
        """See the port. Only what lies below our prefix is looked at.

        Files are listed first, so that a task created meanwhile keeps its file.
        """
        is_active = cache(self._has_active_task)
        for name, file in [*self._staging.files()]:
            yield replace(file, is_read=partial(is_active, name)) if name else file

    def delete_file(self, file_id: str) -> None:
        self._staging.delete(file_id)

    def _noted(self, task_id: BatchId, name: str) -> BatchId:
        """With a note of whose it is, without which its results may be lost with its API.

        Raises:
            OutcomeUnknown: It is there, but could not be noted; who looks for it tries that again.
        """
        try:
            self._staging.note(task_id, name)
        except PipelineError as error:
            raise OutcomeUnknown(f"Whose task {task_id} is cannot be noted: {error}") from error
        return task_id

    def _state_of(self, task: Task, staging: Staging) -> BatchState:
        found = staging.output_of(task.name) if task.is_terminal and task.name else _NOTHING
        return state_of(task, manifest=found.manifest, result_files=found.files)

    def _is_of_the_past(self, api: TioneApi, trouble: ProviderTrouble) -> bool:
        """Whether it is withdrawn, and the operator has chosen the other one."""
        return trouble.trouble == API_WITHDRAWN and api is not self._api

    def _state_without_api(self, batch_id: BatchId) -> BatchState | None:
        """What its manifest says, of a task that was created before the switch to the other API.

        Without one, nobody can tell whether it still runs.
        """
        name = self._staging.noted(batch_id)
        if not name:
            return None
        found = self._staging.output_of(name)
        status = _STOPPED if found.manifest else _WITHDRAWN
        return state_of(Task(batch_id, name, status), manifest=found.manifest, result_files=found.files)

    def _earlier_task(self, name: str) -> BatchId | None:
        """What an earlier try created though it was refused; it is paid for, and may have ended."""
        try:
            return self.find(name) if self._staging.has_input(name) else None
        except ProviderRejected as refusal:
            raise ProviderTrouble(str(refusal)) from refusal

    def _api_of(self, batch_id: str) -> TioneApi:
        """By the id, since the setting may have changed; of an unknown form, by the setting."""
        return next((api for api in self._others if batch_id.startswith(api.names.ids)), self._api)

    def _find(self, name: str) -> Task | None:
        found = self._find_in(self._api, name)
        for other in self._others if found is None else ():
            with contextlib.suppress(ProviderTrouble, ProviderRejected):
                found = found or self._find_in(other, name)
        return found

    def _find_in(self, api: TioneApi, name: str) -> Task | None:
        ours = [task for task in api.named(name) if self._staging.is_output_of(task, name)]
        return max(ours, key=lambda task: task.created_at, default=None)

    def _named(self, name: str, refusal: ProviderRejected) -> BatchId:
        """The task that has the name already; it is ours, since the name is our job's."""
        try:
            found = self.find(name)
        except PipelineError as error:
            raise OutcomeUnknown(f"{refusal}; the task is not shown: {error}") from refusal
        if found is None:
            raise OutcomeUnknown(f"{refusal}; the task is not listed") from refusal
        return found

    def _has_active_task(self, name: str) -> bool:
        task = self._find(name)
        return task is not None and not task.is_terminal


def open_tione(
    host: str,
    region: str,
    api: str,
    *,
    secret_id: str,
    secret_key: str,
    staging: Staging,
    settings: TaskSettings,
) -> Tione:
    """TI-ONE in one region.

    Args:
        host: ``tione.tencentcloudapi.com``; with a scheme in front, that is used, else https.
        region: ``ap-shanghai`` and the like.
        api: Where tasks are created: ``batch`` or ``training``.
        secret_id: May call the actions.
        secret_key: That key's secret.
        staging: The files of its tasks.
        settings: Of every task.

    Raises:
        ConfigurationError: There is no key, or no bucket.
    """
    require_set(
        {"TENCENT_SECRET_ID": secret_id, "TENCENT_SECRET_KEY": secret_key, "COS_BUCKET": staging.bucket}
    )
    return Tione(open_apis(host, region, secret_id, secret_key), api, staging, settings)


def open_staging(store: ObjectStore, bucket: str, prefix: str, region: str) -> Staging:
    """The files of tasks in a bucket; ``prefix`` is a folder within it."""
    return Staging(store, bucket, folder_of(prefix), region=region)
