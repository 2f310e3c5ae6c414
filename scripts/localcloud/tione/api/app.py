"""The service as a Flask app: one address, whose actions are named in a header."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from scripts.localcloud.actions import app
from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.actions.signature import AccessKey, current_request
from scripts.localcloud.servers.json_bodies import json_object_in
from scripts.localcloud.servers.wsgi_server import hang_up
from scripts.localcloud.storage.storage import utc_now
from scripts.localcloud.tione.api.actions import action_of
from scripts.localcloud.tione.api.refusals import as_refusal, refused
from scripts.localcloud.tione.api.service import TioneService
from scripts.localcloud.tione.api.signature import verify
from scripts.localcloud.tione.tasks.task_faults import TioneFaultOrder

VERSION = "2021-11-11"


def create_app(service: TioneService, keys: Mapping[str, AccessKey]) -> Flask:
    return app.create_app(_TioneWire(service, keys), service.faults, TioneFaultOrder)


class _TioneWire(app.Wire):
    def __init__(self, service: TioneService, keys: Mapping[str, AccessKey]) -> None:
        self._service = service
        self._keys = keys

    def action(self) -> str:
        return request.headers.get("X-TC-Action", "")

    def verify(self) -> None:
        verify(current_request(), self._keys, utc_now())

    def answered(self, action: str) -> Response:
        _check_common(self._service)
        act = action_of(self._service, action)
        params = json_object_in(request.get_data())
        if params is None:
            raise refused("InvalidRequest", "The body is no JSON object.")
        result = act(params)
        return hang_up() if result is None else _rendered(result)

    def refused(self, action: str, refusal: Refusal) -> Response:
        return _rendered({"Error": {"Code": refusal.code, "Message": refusal.message}}, refusal.status)

    def unrouted(self, error: HTTPException) -> tuple[str, Refusal]:
        return self.action(), as_refusal(error)


def _check_common(service: TioneService) -> None:
    if request.headers.get("X-TC-Version") != VERSION:
        raise refused("NoSuchVersion", "The API version does not exist.")
    region = request.headers.get("X-TC-Region")
    if not region:
        raise refused("MissingParameter", "The header X-TC-Region is missing.")
    if region != service.region():
        raise refused("UnsupportedRegion", f"The region {region} has no TI-ONE.")


def _rendered(answer: dict[str, Any], status: int = 200) -> Response:
    body = json.dumps({"Response": {**answer, "RequestId": str(uuid.uuid4())}}, ensure_ascii=False)
    return Response(body, status=status, mimetype="application/json")
