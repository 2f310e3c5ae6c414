"""The local TI-ONE over a local COS: its actions through Tencent's own SDK, and the adapter."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from scripts.localcloud.actions.signature import AccessKey
from scripts.localcloud.cos.local_cos import LocalCos
from scripts.localcloud.storage_http.permissions import Authorize, allow_everything
from scripts.localcloud.tione.local_tione import LocalTione
from scripts.localcloud.tione.tasks.task import Task
from shared.ports.provider import BatchId, BatchRequest, BatchState
from shared.ports.store import ObjectStore
from shared.providers.tione.client import Tione, open_staging, open_tione
from shared.providers.tione.task import TaskSettings
from shared.stores.cos.store import open_cos_store
from tests.support.bailian_requests import batch_request, chat_line
from tests.support.waiting import PATIENCE_S, wait_until

SECRET_ID, SECRET_KEY = "AKIDlocal", "local-secret-of-tencent"
BUCKET, REGION, PREFIX = "acme-1250000000", "ap-shanghai", "batchdrop/"
MODEL = "Qwen3-8B"
RUNNER = Path(__file__).parents[2] / "shared/providers/tione/runner"
RUN = "sh /opt/ml/code/start.sh"
ENDED = {"SUCCEED", "FAILED", "STOPPED"}


@dataclass(frozen=True)
class Family:
    """Batch or training tasks, as a program names them."""

    word: str
    id: str
    name: str

    def creation(self, name: str, command: str, **fields: Any) -> dict[str, Any]:
        """As documented, with the folders of ``stage``."""
        resources = {"Role": "WORKER", "InstanceType": "TI.GN10.2XLARGE40.POST", "InstanceNum": 1}
        encoded = base64.b64encode(command.encode()).decode()
        common = {
            self.name: name,
            "ChargeType": "POSTPAID_BY_HOUR",
            "ImageInfo": {"ImageType": "TCR", "ImageUrl": "acme.tencentcloudcr.com/batch/runner:1"},
            "DataConfigs": [data_config(f"in/{name}/")],
            "LogEnable": False,
            "Tags": [{"TagKey": "batchdrop", "TagValue": name}],
        }
        if self.word == "Batch":
            common |= {
                "ResourceConfigInfo": resources,
                "CodePackage": cos_path("runner/"),
                "StartCmdBase64": encoded,
                "Outputs": [data_config(f"out/{name}/")],
            }
        else:
            start = base64.b64encode(json.dumps({"StartCmd": command}).encode()).decode()
            common |= {
                "ResourceConfigInfos": [resources],
                "CodePackagePath": cos_path("runner/"),
                "EncodedStartCmdInfo": {"StartCmdInfo": start},
                "Output": cos_path(f"out/{name}/"),
            }
        return {field: value for field, value in (common | fields).items() if value is not None}


BATCH = Family("Batch", "BatchTaskId", "BatchTaskName")
TRAINING = Family("Training", "Id", "Name")


def cos_path(folder: str) -> dict[str, Any]:
    return {"Bucket": BUCKET, "Region": REGION, "Paths": [folder]}


def data_config(folder: str) -> dict[str, Any]:
    return {"MappingPath": "", "DataSourceType": "COS", "COSSource": cos_path(folder)}


def caller(
    url: str, secret_id: str = SECRET_ID, secret_key: str = SECRET_KEY, token: str | None = None
) -> Callable[..., dict[str, Any]]:
    """The generic client, which knows no model of any action: ``call("CreateBatchTask", …)``."""
    http = HttpProfile(protocol="http", endpoint=url.removeprefix("http://"), reqTimeout=int(PATIENCE_S))
    credential = Credential(secret_id, secret_key, token)
    client = CommonClient("tione", "2021-11-11", credential, REGION, ClientProfile(httpProfile=http))

    def call(action: str, **params: Any) -> dict[str, Any]:
        answer: dict[str, Any] = client.call_json(action, params)["Response"]
        return answer

    return call


def code_of(call: Callable[[], Any]) -> str:
    """The code with which it is refused."""
    with pytest.raises(TencentCloudSDKException) as refused:
        call()
    return str(refused.value.code)


@dataclass(frozen=True)
class TioneOnThisMachine:
    """Everything that a test of the local TI-ONE may want to look at."""

    cos: LocalCos
    tione: LocalTione
    store: ObjectStore
    call: Callable[..., dict[str, Any]]

    @property
    def tasks(self) -> list[Task]:
        assert self.tione.store
        return [*self.tione.store.jobs()]

    def keys(self, prefix: str) -> list[str]:
        return [found.key.removeprefix(prefix) for found in self.store.list(prefix)]

    def adapter(self, api: str = "batch", **changes: Any) -> Tione:
        """As it is when ``TIONE_API`` says so."""
        keys = {"secret_id": SECRET_ID, "secret_key": SECRET_KEY} | changes
        settings = TaskSettings(
            image={"ImageType": "TCR", "ImageUrl": "acme.tencentcloudcr.com/batch/runner:1"},
            resource={"InstanceType": "TI.GN10.2XLARGE40.POST"},
            server_url=self.tione.model_url,
        )
        staging = open_staging(self.store, BUCKET, PREFIX, REGION)
        return open_tione(self.tione.url, REGION, api, staging=staging, settings=settings, **keys)

    def stage(self, name: str, **inputs: bytes) -> None:
        """Lay out an input, the runner as the code, and a folder of results, as before a create."""
        for file in ("start.sh", "runner.py"):
            self.store.put(f"runner/{file}", (RUNNER / file).read_bytes())
        for file, content in (inputs or {"a": b"1\n"}).items():
            self.store.put(f"in/{name}/{file}", content)
        self.store.put(f"out/{name}/", b"")

    def stage_rows(self, name: str, count: int, model: str = "m", **task: Any) -> None:
        """The same for the runner, which asks the local TI-ONE's own model server."""
        self.stage(name)
        lines = [
            {
                "custom_id": str(row),
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": {"model": model, "messages": [{"role": "user", "content": f"row {row}"}]},
            }
            for row in range(count)
        ]
        told = {"model": model, "server": {"url": self.tione.model_url}, **task}
        self.store.put(
            f"in/{name}/requests.jsonl", b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        )
        self.store.put(f"in/{name}/task.json", json.dumps(told).encode())

    def create(self, name: str = "task", command: str = RUN, family: Family = BATCH, **fields: Any) -> str:
        created = self.call(f"Create{family.word}Task", **family.creation(name, command, **fields))
        return str(created[family.id])

    def describe(self, task_id: str, family: Family = BATCH) -> dict[str, Any]:
        detail: dict[str, Any] = self.call(f"Describe{family.word}Task", **{family.id: task_id})
        return detail[f"{family.word}TaskDetail"]  # type: ignore[no-any-return]

    def wait(self, task_id: str, *statuses: str, family: Family = BATCH) -> dict[str, Any]:
        """The task once it has one of these statuses; without any, once it has ended."""
        wanted = set(statuses) or ENDED

        def look() -> dict[str, Any] | None:
            seen = self.describe(task_id, family)
            return seen if seen["Status"] in wanted else None

        return wait_until(look, f"{task_id} to be {wanted}", every_s=0.05)


@contextmanager
def local_tione(
    directory: Path, *, token: str | None = None, authorize: Authorize = allow_everything, **options: Any
) -> Iterator[TioneOnThisMachine]:
    with LocalCos(directory / "cos", {SECRET_ID: SECRET_KEY}, REGION, authorize=authorize) as cos:
        cos.storage.create_bucket(BUCKET)
        keys = {SECRET_ID: AccessKey(SECRET_KEY, token)}
        with LocalTione(directory, keys, lambda: cos.storage, **options) as tione:
            store = open_cos_store(
                REGION, BUCKET, secret_id=SECRET_ID, secret_key=SECRET_KEY, address=cos.address
            )
            yield TioneOnThisMachine(cos, tione, store, caller(tione.url, token=token))


def tione_line(custom_id: str, content: str = "hello") -> bytes:
    return chat_line(custom_id, content, model=MODEL)


def tione_request(name: str, *lines: bytes, **fields: Any) -> BatchRequest:
    return batch_request(name, *(lines or (tione_line("a"),)), **({"model": MODEL} | fields))


def ended(provider: Tione, batch_id: BatchId) -> BatchState:
    """The task at its end."""

    def look() -> BatchState | None:
        state = provider.status(batch_id)
        return state if state and state.status.is_terminal else None

    return wait_until(look, "its end", every_s=0.05)
