"""The shapes of Function Compute's HTTP trigger: events (v1) in, response structs out.

Source: https://www.alibabacloud.com/help/en/functioncompute/fc/http-trigger-invoking-function
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, quote, unquote

from pydantic import BaseModel, Field, TypeAdapter, field_validator

# The platform refuses larger requests before any function sees them.
MAX_EVENT_BYTES = 32 * 1024 * 1024

# Headers that belong to one connection, or that the platform sets or refuses itself.
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
    """One HTTP request. ``raw_path`` is percent-encoded; repeated headers and query values are comma-joined."""

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
        """What an HTTP handler returns: always the full struct, as a partial one is guessed at."""
        body, is_base64 = _encoded(self.body, _header(self.headers, "content-type"))
        return {
            "statusCode": self.status,
            "headers": dict(self.headers),
            "isBase64Encoded": is_base64,
            "body": body,
        }


def parse_http_event(event: bytes) -> HttpRequest:
    """Read an event of the HTTP trigger.

    Raises:
        ValueError: It is none, or is larger than the platform lets through.
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
    """The event that the HTTP trigger makes of a request; ``target`` is path and query as they were sent.

    The platform's own headers stay out: they hold the function's credentials.
    """
    raw_path, _, raw_query = target.partition("?")
    joined = joined_headers(headers, separator=",")
    host = _header(joined, "host").partition(":")[0]
    text, is_base64 = _encoded(body, _header(joined, "content-type"))
    return {
        "version": "v1",
        "rawPath": quote(raw_path.encode("latin-1"), safe="/%:@!$&'()*+,;=~-._"),
        "body": text,
        "isBase64Encoded": is_base64,
        "headers": joined,
        "queryParameters": _joined(parse_qsl(raw_query, keep_blank_values=True), ","),
        "requestContext": {
            "accountId": account_id,
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": method,
                "path": unquote(raw_path),
                "protocol": "HTTP/1.1",
                "sourceIp": source_ip,
                "userAgent": _header(joined, "user-agent"),
            },
            "requestId": request_id,
            "time": received_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "timeEpoch": str(round(received_at.timestamp() * 1000)),
        },
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


def joined_headers(headers: Iterable[tuple[str, str]], separator: str = ", ") -> dict[str, str]:
    """Headers by canonical name, repeated ones joined; without those of the connection and of the platform."""
    canonical = (("-".join(part.capitalize() for part in name.split("-")), value) for name, value in headers)
    return _joined((pair for pair in canonical if not _is_reserved(pair[0].lower())), separator)


def _is_reserved(name: str) -> bool:
    return name in _CONNECTION_HEADERS or name.startswith(_PLATFORM_PREFIX)


def _joined(pairs: Iterable[tuple[str, str]], separator: str) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]}{separator}{value}" if name in joined else value
    return joined


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _encoded(body: bytes, content_type: str) -> tuple[str, bool]:
    """The body as text if it is, else base64, and which of the two."""
    media_type = content_type.partition(";")[0].strip().lower()
    is_text = media_type.startswith("text/") or media_type in _TEXT_TYPES or media_type.endswith("+json")
    if is_text or not body:
        try:
            return body.decode(), False
        except UnicodeDecodeError:  # declared as text, in another charset
            pass
    return base64.b64encode(body).decode(), True
