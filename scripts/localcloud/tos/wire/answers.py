"""Answers of the local TOS: JSON documents, headers that describe objects, refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import formatdate
from typing import Any

from scripts.localcloud.json_bodies import json_object_in
from scripts.localcloud.options import ACCOUNT_ID
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.object_index import Part, StoredObject
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.tos import tos_refusals
from scripts.localcloud.tos.wire.tos_request import TosRequest

OWNER = {"ID": ACCOUNT_ID, "DisplayName": ACCOUNT_ID}
CRC64, STORAGE_CLASS, VERSION = "x-tos-hash-crc64ecma", "x-tos-storage-class", "x-tos-version-id"


def json_answer(document: object, headers: Mapping[str, str] | None = None, status: int = 200) -> Answer:
    body = json.dumps(document, ensure_ascii=False).encode()
    return Answer(status, {"Content-Type": "application/json", **(headers or {})}, body)


def parse_json(body: bytes) -> dict[str, Any]:
    document = json_object_in(body)
    if document is None:
        raise tos_refusals.malformed_body()
    return document


def wire_etag(row: StoredObject | Part) -> str:
    """In lower case and without its quotes, as a client must name it in ``If-Match``."""
    return row.etag.lower()


def iso_time(epoch_s: float) -> str:
    return f"{datetime.fromtimestamp(epoch_s, tz=timezone.utc):%Y-%m-%dT%H:%M:%S}.000Z"


def written(row: StoredObject | Part) -> dict[str, str]:
    """The headers that confirm what was stored."""
    return {"ETag": f'"{wire_etag(row)}"', CRC64: str(row.crc64)}


def described(row: StoredObject) -> dict[str, str]:
    """The headers that describe an object to its reader."""
    return {
        **written(row),
        "Content-Type": row.content_type,
        "Last-Modified": formatdate(row.modified_s, usegmt=True),
        "Accept-Ranges": "bytes",
        STORAGE_CLASS: "STANDARD",
        **row.headers,
    }


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
