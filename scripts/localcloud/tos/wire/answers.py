"""Answers of the local TOS: JSON documents, headers that describe objects, refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scripts.localcloud.options import ACCOUNT_ID
from scripts.localcloud.servers.json_bodies import json_object_in
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.tos import tos_refusals
from scripts.localcloud.tos.wire.tos_request import TosRequest

OWNER = {"ID": ACCOUNT_ID, "DisplayName": ACCOUNT_ID}
STORAGE_CLASS = "x-tos-storage-class"


def json_answer(document: object, headers: Mapping[str, str] | None = None, status: int = 200) -> Answer:
    body = json.dumps(document, ensure_ascii=False).encode()
    return Answer(status, {"Content-Type": "application/json", **(headers or {})}, body)


def parse_json(body: bytes) -> dict[str, Any]:
    document = json_object_in(body)
    if document is None:
        raise tos_refusals.malformed_body()
    return document


def refusal_answer(
    refusal: refusals.Refusal, request: TosRequest | None, request_id: str, *, with_ec: bool
) -> Answer:
    """The error document; a refused HEAD has none, and so no code."""
    code = tos_refusals.CODES.get(refusal.code, refusal.code)
    document = {
        "Code": code,
        "Message": refusal.message,
        "RequestId": request_id,
        "HostId": request.endpoint if request else "127.0.0.1",
    }
    ec = tos_refusals.ECS.get(refusal.code, "") if with_ec else ""
    answer = json_answer({**document, **({"EC": ec} if ec else {})}, refusal.headers, refusal.status)
    if refusal.status == 304 or (request and request.method == "HEAD"):
        return Answer(refusal.status, refusal.headers)
    return answer
