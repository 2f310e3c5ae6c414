"""Function Compute's HTTP trigger from the platform's side.

Makes events of requests, and responses of a handler's structs.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import parse_qsl, quote, unquote

from pydantic import BaseModel, Field, TypeAdapter, field_validator

from shared.runtime.http_events import HttpResponse, encoded_body, header_of, joined_headers, joined_values


def render_http_event(
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    source_ip: str,
    request_id: str,
    account_id: str,
    received_at: datetime,
) -> dict[str, object]:
    """The event of the HTTP trigger for a request; ``target`` is its raw path and query.

    The platform's own headers stay out: they hold the function's credentials.
    """
    raw_path, _, raw_query = target.partition("?")
    joined = joined_headers(headers, separator=",")
    text, is_base64 = encoded_body(body, header_of(joined, "content-type"))
    return {
        "version": "v1",
        "rawPath": quote(raw_path.encode("latin-1"), safe="/%:@!$&'()*+,;=~-._"),
        "body": text,
        "isBase64Encoded": is_base64,
        "headers": joined,
        "queryParameters": joined_values(parse_qsl(raw_query, keep_blank_values=True), ","),
        "requestContext": {
            "accountId": account_id,
            **_domain(header_of(joined, "host")),
            "http": {
                "method": method,
                "path": unquote(raw_path),
                "protocol": "HTTP/1.1",
                "sourceIp": source_ip,
                "userAgent": header_of(joined, "user-agent"),
            },
            "requestId": request_id,
            **_times(received_at),
        },
    }


def _domain(host_header: str) -> dict[str, str]:
    host = host_header.partition(":")[0]
    return {"domainName": host, "domainPrefix": host.partition(".")[0]}


def _times(received_at: datetime) -> dict[str, str]:
    return {
        "time": received_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "timeEpoch": str(round(received_at.timestamp() * 1000)),
    }


class _Struct(BaseModel):
    status: int = Field(alias="statusCode", ge=100, le=599)
    headers: dict[str, str] = Field(default_factory=dict)
    is_base64: bool = Field(False, alias="isBase64Encoded")
    body: str = ""

    @field_validator("headers")
    @classmethod
    def _one_line_each(cls, headers: dict[str, str]) -> dict[str, str]:
        if any("\r" in text or "\n" in text for pair in headers.items() for text in pair):
            message = "a header with a line end could forge another"
            raise ValueError(message)
        return headers


_STRUCT = TypeAdapter(_Struct)


def parse_http_response(struct: object) -> HttpResponse:
    """Read what an HTTP handler returned.

    Raises:
        ValueError: It is no response struct.
    """
    parsed = _STRUCT.validate_python(struct)
    body = base64.b64decode(parsed.body, validate=True) if parsed.is_base64 else parsed.body.encode()
    return HttpResponse(parsed.status, joined_headers(parsed.headers.items()), body)
