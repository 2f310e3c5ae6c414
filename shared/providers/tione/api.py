"""TI-ONE's tasks through one of its two APIs that run a container over files in COS.

https://cloud.tencent.com/document/product/851/80182 has batch prediction, whose actions left the
SDK in May 2024; training tasks are the same with other names. Nothing is repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from shared.problems.exceptions import ProviderRejected, TransientError
from shared.providers.tione.errors import translated
from shared.providers.tione.profile import BATCH_TASKS, TRAINING_TASKS
from shared.providers.tione.troubles import is_unknown_task
from shared.providers.tione.wire import Task, read_task

_SERVICE, _VERSION = "tione", "2021-11-11"
_CONNECT_S, _READ_S = 10.0, 20.0
# What is not answered in time may have created a task. The rest can be asked again, and the timer
# waits for it.
_READ_OF_CREATE_S = 60.0
_TASKS_A_PAGE = 20
_MAX_PAGES = 50


@dataclass(frozen=True)
class Names:
    """What one of the two APIs calls its actions and fields.

    ``ids``: How its tasks' ids begin.
    """

    create: str
    describe: str
    list: str
    stop: str
    task_id: str
    name: str
    detail: str
    page: str
    ids: str


BATCH = Names(
    create="CreateBatchTask",
    describe="DescribeBatchTask",
    list="DescribeBatchTasks",
    stop="StopBatchTask",
    task_id="BatchTaskId",
    name="BatchTaskName",
    detail="BatchTaskDetail",
    page="BatchTaskSet",
    ids=BATCH_TASKS,
)
TRAINING = Names(
    create="CreateTrainingTask",
    describe="DescribeTrainingTask",
    list="DescribeTrainingTasks",
    stop="StopTrainingTask",
    task_id="Id",
    name="Name",
    detail="TrainingTaskDetail",
    page="TrainingTaskSet",
    ids=TRAINING_TASKS,
)
APIS: Mapping[str, Names] = {"batch": BATCH, "training": TRAINING}


class TioneApi:
    """The account's tasks of one API; safe to use from several threads.

    ``patient``: The client that creates.
    """

    def __init__(
        self, client: CommonClient, patient: CommonClient, names: Names, secrets: tuple[str, ...]
    ) -> None:
        self._client = client
        self._patient = patient
        self._secrets = secrets
        self.names = names

    def create(self, task: Mapping[str, Any], *, if_unclear: type[TransientError]) -> str:
        """Create a task and return its id."""
        with translated("create the task", self._secrets, if_unclear=if_unclear):
            return str(self._call(self.names.create, task)[self.names.task_id])

    def get(self, task_id: str) -> Task | None:
        """The task, or ``None`` if TI-ONE does not know it."""
        try:
            with translated("describe the task", self._secrets):
                answer = self._call(self.names.describe, {self.names.task_id: task_id})
                detail = answer[self.names.detail]
                return read_task(detail, self.names.task_id, self.names.name) if detail else None
        except ProviderRejected as refusal:
            if is_unknown_task(refusal.provider_code):
                return None
            raise

    def named(self, name: str) -> Iterator[Task]:
        """The tasks of exactly this name, the newest first."""
        choice = {
            "Filters": [{"Name": self.names.name, "Values": [name], "Negative": False, "Fuzzy": False}],
            "Order": "DESC",
            "OrderField": "CreateTime",
            "Limit": _TASKS_A_PAGE,
        }
        for page in range(_MAX_PAGES):
            with translated("list the tasks", self._secrets):
                answer = self._call(self.names.list, {**choice, "Offset": page * _TASKS_A_PAGE})
                found = answer[self.names.page] or ()
                listed = [read_task(each, self.names.task_id, self.names.name) for each in found]
            yield from (task for task in listed if task.name == name)
            if len(listed) < _TASKS_A_PAGE:
                return
        raise TransientError(f"TI-ONE's list of the tasks has no end: {name}")

    def stop(self, task_id: str) -> None:
        """Stop a task; a refusal because it is too early raises ``TransientError``."""
        with translated("stop the task", self._secrets):
            self._call(self.names.stop, {self.names.task_id: task_id})

    def _call(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        client = self._patient if action == self.names.create else self._client
        response: Mapping[str, Any] = client.call_json(action, body)["Response"]
        # The SDK looks for it only in answers of one content type.
        error = response.get("Error")
        if error:
            raise TencentCloudSDKException(error["Code"], error.get("Message"), response.get("RequestId"))
        return response


def open_apis(host: str, region: str, secret_id: str, secret_key: str) -> dict[str, TioneApi]:
    """Both APIs at a host such as tione.tencentcloudapi.com; with a scheme, that is used."""
    # At DEBUG, the SDK logs whole requests.
    logging.getLogger("tencentcloud_sdk_common").setLevel(logging.WARNING)
    credential = Credential(secret_id, secret_key)
    client, patient = (
        CommonClient(_SERVICE, _VERSION, credential, region, _profile(host, read_s))
        for read_s in (_READ_S, _READ_OF_CREATE_S)
    )
    secrets = (secret_key, secret_id)
    return {name: TioneApi(client, patient, names, secrets) for name, names in APIS.items()}


def _profile(host: str, read_s: float) -> ClientProfile:
    """Without a retryer the SDK repeats nothing, and each create costs."""
    scheme, _, name = host.rpartition("://")
    # The SDK hands its time-out on to requests, which takes a pair.
    http = HttpProfile(protocol=scheme or "https", endpoint=name, reqTimeout=(_CONNECT_S, read_s))
    return ClientProfile(httpProfile=http, language="en-US")
