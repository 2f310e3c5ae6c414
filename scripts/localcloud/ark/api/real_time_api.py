"""``/api/v3``: one chat or embedding, answered at once, without streaming, for an API key.

Codes, statuses and messages: https://www.volcengine.com/docs/82379/1299023; the form of errors was
recorded in https://github.com/volcengine/volcengine-python-sdk/issues/13.
"""

from __future__ import annotations

import hmac
import time
import uuid
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.answers.answering import Answering
from scripts.localcloud.answers.built_in_answers import Answer, Request
from scripts.localcloud.answers.faults import CallFault, Faults
from scripts.localcloud.answers.upstream import Silence
from scripts.localcloud.ark.jobs.job_faults import JobFault
from scripts.localcloud.servers.json_bodies import json_object_in
from scripts.localcloud.servers.wsgi_server import cut_short
from shared.ports.profile import CHAT, EMBEDDINGS, chat_or_embeddings

NAME = "real_time"
BASE_PATH = "/api/v3"
_TYPES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
# A fine-tuned model answers through an endpoint of its own, and a version is joined by a hyphen.
_NOT_SERVED = ("no-such-", "cm-")


def real_time_blueprint(answering: Answering, faults: Faults[JobFault], api_key: str) -> Blueprint:
    """The routes; what answers jobs answers here."""
    real_time = Blueprint(NAME, __name__)
    _add_gate(real_time, faults, api_key)

    @real_time.post("/chat/completions", endpoint="chat")
    def chat() -> Response:
        return _answered(answering.answer_now(Request("", CHAT, _body(CHAT, "messages"))))

    @real_time.post("/embeddings", endpoint="embeddings")
    def embeddings() -> Response:
        return _answered(answering.answer_now(Request("", EMBEDDINGS, _body(EMBEDDINGS, "input"))))

    return real_time


def _add_gate(real_time: Blueprint, faults: Faults[JobFault], api_key: str) -> None:
    """Key and faults around the routes."""

    @real_time.before_request
    def check() -> None:
        g.fault = faults.take_for_call(request.endpoint or "") or CallFault(route="", status=None)
        time.sleep(g.fault.delay_s)
        _check_key(api_key)
        if g.fault.status and not g.fault.after and not g.fault.cut:
            raise _refusal_of(g.fault)

    @real_time.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> Response:
        return _refused(refusal)

    @real_time.after_request
    def spoil(response: Response) -> Response:
        if g.fault.cut:
            return cut_short(response)
        return _refused(_refusal_of(g.fault)) if g.fault.after and g.fault.status else response


def _check_key(api_key: str) -> None:
    expected = f"Bearer {api_key}".encode()
    given = request.headers.get("Authorization", "").encode()
    if not api_key or not hmac.compare_digest(given, expected):
        message = "The API key or AK/SK in the request is missing or invalid."
        raise Refusal(401, "AuthenticationError", message)


def _body(url: str, asked: str) -> dict[str, Any]:
    """The request, whose question stands under ``asked``."""
    body = json_object_in(request.get_data())
    if body is None:
        raise Refusal(
            400, "InvalidParameter", "One or more parameters specified in the request are not valid."
        )
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise _missing("model")
    if model.startswith(_NOT_SERVED) or "@" in model or chat_or_embeddings(model) != url:
        message = f"The model or endpoint {model} does not exist or you do not have access to it."
        raise Refusal(404, "InvalidEndpointOrModel.NotFound", message)
    if body.get("stream"):
        raise Refusal(400, "InvalidParameter.UnsupportedModel", "The local Ark does not stream.")
    if not isinstance(body.get(asked), list | str) or not body[asked]:
        raise _missing(asked)
    return body


def _missing(name: str) -> Refusal:
    message = f"The request failed because it is missing a required parameter: {name}."
    return Refusal(400, f"MissingParameter.{name}", message)


def _answered(said: Answer | Silence) -> Response:
    if isinstance(said, Silence):
        raise Refusal(503, said.code, said.said)
    if said.is_lost:
        raise Refusal(500, "InternalServiceError", "The row asked to be lost.")
    if said.response is None:
        error = said.error or {}
        raise Refusal(400, str(error.get("code")), str(error.get("message")))
    response = jsonify(said.response["body"])
    response.status_code = int(said.response["status_code"])
    return response


def _refusal_of(fault: CallFault) -> Refusal:
    return Refusal(fault.status or 500, fault.code, fault.message)


def _refused(refusal: Refusal) -> Response:
    error = {
        "code": refusal.code,
        "message": f"{refusal.message} Request id: {uuid.uuid4().hex}",
        "param": "",
        "type": _TYPES.get(refusal.status, "BadRequest"),
    }
    response = jsonify({"error": error})
    response.status_code = refusal.status
    return response
