"""The service as a Flask app: one address, whose actions are named in the query."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.ark.api.actions import ACTIONS
from scripts.localcloud.ark.api.parameters import Params
from scripts.localcloud.ark.api.refusals import Refusal, as_refusal
from scripts.localcloud.ark.api.service import ArkService
from scripts.localcloud.ark.api.signature import AccessKey, Signed, verify
from scripts.localcloud.ark.jobs.job_faults import ArkFaultOrder
from scripts.localcloud.json_bodies import json_object_in
from scripts.localcloud.wsgi_server import cut_short, hang_up

VERSION = "2024-01-01"
_REGION = "cn-beijing"
_NO_PARAMS = frozenset({"Action", "Version", "X-Account-Id"})


def create_app(service: ArkService, keys: Mapping[str, AccessKey]) -> Flask:
    """The actions under ``/``, and ``/_faults``; every request is signed."""
    app = Flask(__name__)

    @app.route("/", methods=["GET", "POST"])
    def act() -> Response:
        params = _params()
        action = str(params.get("Action", ""))
        fault = service.faults.take_for_call(action) or CallFault(route="", status=None)
        time.sleep(fault.delay_s if not fault.after else 0)
        try:
            _verify(keys)
            if fault.status and not fault.after and not fault.cut:
                raise _refusal_of(fault)
            response = _answered(service, action, params)
        except Refusal as refusal:
            response = _refused(action, refusal)
        return _spoilt(response, action, fault)

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        return _refused(request.args.get("Action", ""), as_refusal(error))

    @app.post("/_faults")
    def set_faults() -> Response:
        try:
            _verify(keys)
            ArkFaultOrder.model_validate(request.get_json(silent=True)).give_to(service.faults)
        except (Refusal, ValidationError) as error:
            return Response(str(error), status=400)
        return Response(json.dumps({"paused": service.faults.paused}), mimetype="application/json")

    return app


def _params() -> Params:
    """The query and the body together; the sample sends some things in both."""
    return {**request.args.to_dict(), **(json_object_in(request.get_data()) or {})}


def _verify(keys: Mapping[str, AccessKey]) -> None:
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = request.query_string.decode("ascii", "replace")
    verify(Signed(request.method, request.path, query, headers, request.get_data()), keys)


def _answered(service: ArkService, action: str, params: Params) -> Response:
    run = ACTIONS.get(action)
    if run is None or params.get("Version") != VERSION:
        raise Refusal(404, "InvalidActionOrVersion", f"Could not find operation {action}.")
    result = run(service, {name: value for name, value in params.items() if name not in _NO_PARAMS})
    return hang_up() if result is None else _rendered(action, {"Result": result})


def _spoilt(response: Response, action: str, fault: CallFault) -> Response:
    if fault.after:
        time.sleep(fault.delay_s)
        return _refused(action, _refusal_of(fault)) if fault.status else response
    return cut_short(response) if fault.cut else response


def _refusal_of(fault: CallFault) -> Refusal:
    return Refusal(fault.status or 500, fault.code, fault.message)


def _refused(action: str, refusal: Refusal) -> Response:
    error = {"CodeN": 100000 + refusal.status, "Code": refusal.code, "Message": refusal.message}
    return _rendered(action, {}, refusal.status, Error=error)


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
