"""How a task is asked for, in either API: our runner beside the user's model server."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.ports.provider import BatchRequest

# 851/77375: where the code package lies in the container. No page says whether a shell reads this,
# so no word of a shell is in it: where one does and keeps SIGTERM to itself, a stopped task merely
# writes no manifest.
_START = "sh /opt/ml/code/start.sh"
# 851/77377: where the input lies; the runner looks below it.
_INPUT = "/opt/ml/input/data"
_MAX_REMARK_CHARS = 1000
_MODEL = "{model}"


@dataclass(frozen=True)
class TaskSettings:
    """What the operator decides of every task.

    Attributes:
        image: ``ImageInfo``: the image with the model server, or the address of one as a text.
        resource: An ``InstanceType``; or a part of a ``ResourceGroupId``: ``Cpu``, ``Memory``,
            ``Gpu`` and ``GpuType``.
        server_command: Starts the model server, as a shell splits it, but without a shell;
            ``{model}`` stands for the recipe's model. Without it, one must be there already.
        server_url: Where it serves OpenAI's API.
        concurrency: How many rows are asked at once.
    """

    image: Mapping[str, Any]
    resource: Mapping[str, Any]
    server_command: str = ""
    server_url: str = "http://127.0.0.1:8000/v1"
    concurrency: int = 32

    def server(self, model: str) -> dict[str, Any]:
        words = [word.replace(_MODEL, model) for word in shlex.split(self.server_command)]
        return {"command": words or None, "url": self.server_url}


@dataclass(frozen=True)
class Folders:
    """Where a task finds and leaves its files, as ``CosPathInfo``."""

    code: Mapping[str, Any]
    input: Mapping[str, Any]
    output: Mapping[str, Any]


def task_file(
    request: BatchRequest, settings: TaskSettings, *, deadline: datetime, requests: int, input_sha256: str
) -> bytes:
    """``task.json``, for the runner."""
    told = {
        "format": 1,
        "name": request.name,
        "requests": requests,
        "input_bytes": request.size_bytes,
        "input_sha256": input_sha256,
        "model": request.model,
        "deadline": f"{deadline:%Y-%m-%dT%H:%M:%SZ}",
        "concurrency": settings.concurrency,
        "server": settings.server(request.model),
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def batch_task(request: BatchRequest, settings: TaskSettings, folders: Folders) -> dict[str, Any]:
    """The body of ``CreateBatchTask``."""
    return {
        "BatchTaskName": request.name,
        "ResourceConfigInfo": _resource(settings),
        "CodePackage": folders.code,
        # The pages contradict each other about the default command.
        "StartCmdBase64": base64.b64encode(_START.encode()).decode(),
        "DataConfigs": [_mounted(folders.input)],
        "Outputs": [_mounted(folders.output)],
        **_common(request, settings),
    }


def training_task(request: BatchRequest, settings: TaskSettings, folders: Folders) -> dict[str, Any]:
    """The body of ``CreateTrainingTask``."""
    command = json.dumps({"StartCmd": _START})
    return {
        "Name": request.name,
        "ResourceConfigInfos": [_resource(settings)],
        "CodePackagePath": folders.code,
        "EncodedStartCmdInfo": {"StartCmdInfo": base64.b64encode(command.encode()).decode()},
        "DataConfigs": [_mounted(folders.input, _INPUT)],
        "Output": folders.output,
        **_common(request, settings),
    }


def _common(request: BatchRequest, settings: TaskSettings) -> dict[str, Any]:
    group = settings.resource.get("ResourceGroupId")
    told: dict[str, Any] = {
        "ChargeType": "PREPAID" if group else "POSTPAID_BY_HOUR",
        "ImageInfo": settings.image,
        "LogEnable": False,
        "Tags": [{"TagKey": key, "TagValue": value} for key, value in request.metadata.items()],
        "Remark": request.description[:_MAX_REMARK_CHARS],
    }
    if group:
        told["ResourceGroupId"] = group
    if request.callback_url:
        told["CallbackUrl"] = request.callback_url
    return told


def _resource(settings: TaskSettings) -> dict[str, Any]:
    own = {name: value for name, value in settings.resource.items() if name != "ResourceGroupId"}
    return {"Role": "WORKER", "InstanceNum": 1, **own}


def _mounted(place: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    return {"MappingPath": at, "DataSourceType": "COS", "COSSource": place}
