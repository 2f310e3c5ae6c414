"""Function Compute's HTTP trigger from the function's side: events (v1) in, structs out.

Source: https://www.alibabacloud.com/help/en/functioncompute/fc/http-trigger-invoking-function
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import BaseModel, Field

# The platform refuses larger requests before any function sees them.
MAX_EVENT_BYTES = 32 * 1024 * 1024

# Headers of one connection, or that the platform sets or refuses itself.
_CONNECTION_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "date",
        "expect",
        "keep-alive",
        "proxy-connection",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_PLATFORM_PREFIX = "x-fc-"

_TEXT_TYPES = frozenset(
    {"application/json", "application/xml", "application/javascript", "application/x-www-form-urlencoded"}
)


class _Http(BaseModel):
    method: str = "GET"
    path: str = "/"
    protocol: str = "HTTP/1.1"
    source_ip: str = Field("", alias="sourceIp")


class _RequestContext(BaseModel):
    domain: str = Field("", alias="domainName")
    http: _Http = Field(default_factory=_Http)


class _Event(BaseModel):
    raw_path: str | None = Field(None, alias="rawPath")
    body: str | None = None
    is_base64: bool = Field(False, alias="isBase64Encoded")
    headers: dict[str, str] | None = None
    query: dict[str, str] | None = Field(None, alias="queryParameters")
    request_context: _RequestContext = Field(alias="requestContext")


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP request.

    ``raw_path`` is percent-encoded; repeated headers and query values are comma-joined.
    """

    method: str
    raw_path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    protocol: str = "HTTP/1.1"
    source_ip: str = ""
    domain: str = ""


@dataclass(frozen=True)
class HttpResponse:
    """One HTTP response, its body as it goes over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def as_struct(self) -> dict[str, object]:
        """What an HTTP handler returns; always full, as the platform guesses at partial structs."""
        body, is_base64 = encoded_body(self.body, header_of(self.headers, "content-type"))
        return {
            "statusCode": self.status,
            "headers": dict(self.headers),
            "isBase64Encoded": is_base64,
            "body": body,
        }


def parse_http_event(event: bytes) -> HttpRequest:
    """Read an event of the HTTP trigger.

    Raises:
        ValueError: It is no such event, or larger than the platform lets through.
    """
    if len(event) > MAX_EVENT_BYTES:
        message = f"an HTTP event has at most {MAX_EVENT_BYTES} bytes, not {len(event)}"
        raise ValueError(message)
    parsed = _Event.model_validate_json(event)
    http = parsed.request_context.http
    body = parsed.body or ""
    return HttpRequest(
        method=http.method.upper(),
        raw_path=parsed.raw_path or quote(http.path),
        query=parsed.query or {},
        headers=parsed.headers or {},
        body=base64.b64decode(body, validate=True) if parsed.is_base64 else body.encode(),
        protocol=http.protocol,
        source_ip=http.source_ip,
        domain=parsed.request_context.domain,
    )


def joined_headers(headers: Iterable[tuple[str, str]], separator: str = ", ") -> dict[str, str]:
    """Headers by canonical name, repeated ones joined.

    Those of the connection and of the platform are left out.
    """
    canonical = (("-".join(part.capitalize() for part in name.split("-")), value) for name, value in headers)
    return joined_values((pair for pair in canonical if not _is_reserved(pair[0].lower())), separator)


def _is_reserved(name: str) -> bool:
    return name in _CONNECTION_HEADERS or name.startswith(_PLATFORM_PREFIX)


def joined_values(pairs: Iterable[tuple[str, str]], separator: str) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]}{separator}{value}" if name in joined else value
    return joined


def header_of(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def encoded_body(body: bytes, content_type: str) -> tuple[str, bool]:
    """The body as text if it is text, else as base64, and whether it is base64."""
    media_type = content_type.partition(";")[0].strip().lower()
    is_text = media_type.startswith("text/") or media_type in _TEXT_TYPES or media_type.endswith("+json")
    if is_text or not body:
        try:
            return body.decode(), False
        except UnicodeDecodeError:  # declared as text, in another charset
            pass
    return base64.b64encode(body).decode(), True
