"""TI-ONE's two APIs as a dictionary, beneath the adapter's calls, and what the runner leaves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from shared.ports.clock import Clock
from shared.providers.tione.api import APIS, TioneApi
from shared.providers.tione.client import Tione
from shared.providers.tione.staging import Staging
from shared.providers.tione.task import TaskSettings
from tests.support.fakes import MemoryStore

TIONE_BUCKET, TIONE_PREFIX, TIONE_MODEL = "acme-1250000000", "batchdrop/", "Qwen3-8B"
TASK_SETTINGS = TaskSettings(
    image={"ImageType": "CCR", "ImageUrl": "ccr.ccs.tencentyun.com/acme/vllm:1"},
    resource={"InstanceType": "TI.GN10.2XLARGE40.POST"},
    server_command="vllm serve {model} --port 8000",
)


class ScriptedTencent:
    """Stands for the SDK's client.

    Attributes:
        tasks: By id, as ``describe`` and ``list`` answer them.
        calls: Action and body of each call.
        refusals: By action, the code that it is refused with.
    """

    def __init__(self) -> None:
        self.tasks: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.refusals: dict[str, str] = {}

    def call_json(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self.calls.append((action, body))
        code = self.refusals.get(action)
        if code:
            raise TencentCloudSDKException(code, f"{code} said", "request-1")
        names = APIS["training" if "Training" in action else "batch"]
        if action == names.create:
            task_id = f"{names.ids}{len(self.tasks) + 1:06}"
            self.put(
                task_id, "INIT", body[names.name], Outputs=body.get("Outputs"), Output=body.get("Output")
            )
            return {"Response": {names.task_id: task_id}}
        if action == names.list:
            (name,) = body["Filters"][0]["Values"]
            found = [each for each in self.tasks.values() if each.get(names.name) == name]
            return {"Response": {names.page: found, "TotalCount": len(found)}}
        task = self.tasks.get(body[names.task_id])
        if task is None:
            raise TencentCloudSDKException("FailedOperation.RecordNotFound", "no such task", "request-2")
        return {"Response": {names.detail: task} if action == names.describe else {}}

    def put(self, task_id: str, status: str, name: str, **fields: Any) -> None:
        names = next(each for each in APIS.values() if task_id.startswith(each.ids))
        self.tasks[task_id] = {names.task_id: task_id, names.name: name, "Status": status} | fields


def tione_over(
    store: MemoryStore, client: object, clock: Clock, api: str = "batch", prefix: str = TIONE_PREFIX
) -> Tione:
    """The adapter over what stands for the SDK's client."""
    sdk: Any = client
    apis = {name: TioneApi(sdk, sdk, names, ("secret",)) for name, names in APIS.items()}
    return Tione(
        apis, api, Staging(store, TIONE_BUCKET, prefix, region="ap-shanghai", now=clock.now), TASK_SETTINGS
    )


def leave_results(
    store: MemoryStore, name: str, results: bytes = b"", errors: bytes = b"", /, **manifest: Any
) -> None:
    """As the runner does, with its manifest; ``complete=None`` leaves none."""
    folder = f"{TIONE_PREFIX}out/{name}/"
    store.put(f"{folder}results.jsonl", results)
    store.put(f"{folder}errors.jsonl", errors)
    task = json.loads(store.get(f"{TIONE_PREFIX}in/{name}/task.json"))
    told = manifest_of(name, task["input_sha256"], results, errors) | manifest
    if told["complete"] is not None:
        store.put(f"{folder}manifest.json", json.dumps(told).encode())


def manifest_of(name: str, input_sha256: str, results: bytes, errors: bytes) -> dict[str, Any]:
    """As the runner writes it of a task that has answered all."""
    return {
        "format": 1,
        "name": name,
        "input_sha256": input_sha256,
        "complete": True,
        "reason": "",
        "results": _file(results),
        "errors": _file(errors),
    }


def _file(content: bytes) -> dict[str, Any]:
    return {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "lines": content.count(b"\n"),
    }
