"""The service as a Flask app: one address, whose actions are named in the query."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from scripts.localcloud.actions import app
from scripts.localcloud.actions.forms import Params
from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.actions.signature import AccessKey, current_request
from scripts.localcloud.ark.api.actions import ACTIONS
from scripts.localcloud.ark.api.refusals import as_refusal
from scripts.localcloud.ark.api.service import ArkService
from scripts.localcloud.ark.api.signature import verify
from scripts.localcloud.ark.jobs.job_faults import ArkFaultOrder
from scripts.localcloud.servers.json_bodies import json_object_in
from scripts.localcloud.servers.wsgi_server import hang_up

VERSION = "2024-01-01"
_REGION = "cn-beijing"
_NO_PARAMS = frozenset({"Action", "Version", "X-Account-Id"})


def create_app(service: ArkService, keys: Mapping[str, AccessKey]) -> Flask:
    return app.create_app(_ArkWire(service, keys), service.faults, ArkFaultOrder)


class _ArkWire(app.Wire):
    methods = ("GET", "POST")

    def __init__(self, service: ArkService, keys: Mapping[str, AccessKey]) -> None:
        self._service = service
        self._keys = keys

    def action(self) -> str:
        return str(_params().get("Action", ""))

    def verify(self) -> None:
        verify(current_request(), self._keys)

    def answered(self, action: str) -> Response:
        params = _params()
        run = ACTIONS.get(action)
        if run is None or params.get("Version") != VERSION:
            raise Refusal(404, "InvalidActionOrVersion", f"Could not find operation {action}.")
        result = run(self._service, {name: each for name, each in params.items() if name not in _NO_PARAMS})
        return hang_up() if result is None else _rendered(action, {"Result": result})

    def refused(self, action: str, refusal: Refusal) -> Response:
        error = {"CodeN": 100000 + refusal.status, "Code": refusal.code, "Message": refusal.message}
        return _rendered(action, {}, refusal.status, Error=error)

    def unrouted(self, error: HTTPException) -> tuple[str, Refusal]:
        return request.args.get("Action", ""), as_refusal(error)


def _params() -> Params:
    """The query and the body together; the sample sends some things in both."""
    return {**request.args.to_dict(), **(json_object_in(request.get_data()) or {})}


def _rendered(action: str, answer: dict[str, Any], status: int = 200, **more: Any) -> Response:
    metadata = {
        "RequestId": uuid.uuid4().hex.upper(),
        "Action": action,
        "Version": VERSION,
        "Service": "ark",
        "Region": _REGION,
        **more,
    }
    body = json.dumps({"ResponseMetadata": metadata, **answer}, ensure_ascii=False)
    return Response(body, status=status, mimetype="application/json")
