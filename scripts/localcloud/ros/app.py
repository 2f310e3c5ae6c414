"""The account's control plane: every action of every service under one address.

The caller names action and version in its headers; which host it meant is not looked at.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from flask import Flask, Response, request

from scripts.localcloud.access.acs3 import verify
from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.actions.signature import current_request

Action: TypeAlias = Callable[[str, Mapping[str, str]], Mapping[str, Any]]
"""Takes the caller's access key id and what is given; raises ``Refusal``."""


def create_app(actions: Mapping[tuple[str, str], Action], secrets: Mapping[str, str]) -> Flask:
    """All these actions, by version and name; every request is signed with one of the secrets."""
    app = Flask(__name__)

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def act(path: str) -> Response:
        try:
            caller = verify(current_request(), secrets)
            given = {**request.args.to_dict(), **request.form.to_dict()}
            return _answer(200, _wanted(actions)(caller, given))
        except Refusal as refusal:
            return _answer(refusal.status, {"Code": refusal.code, "Message": refusal.message})

    return app


def _wanted(actions: Mapping[tuple[str, str], Action]) -> Action:
    named = request.headers.get("x-acs-version", ""), request.headers.get("x-acs-action", "")
    if named not in actions:
        raise Refusal(404, "InvalidAction.NotFound", f"Specified api {named} is not found here.")
    return actions[named]


def _answer(status: int, body: Mapping[str, Any]) -> Response:
    """With a request id, as every answer of these services has."""
    text = json.dumps({"RequestId": str(uuid.uuid4()).upper(), **body}, ensure_ascii=False)
    return Response(text, status, mimetype="application/json")
