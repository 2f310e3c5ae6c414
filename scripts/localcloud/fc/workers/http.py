"""Sends a request to a worker, and reads its answer whole."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from shared.runtime.custom.http_server import Request

HEADERS_OF_ONE_HOP = frozenset(
    {"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"}
)
# In order, repeated ones kept.
Headers: TypeAlias = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class HttpResponse:
    """An answer as it came, headers in order, repeated ones kept."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


def error_type_of(response: HttpResponse) -> str | None:
    """Whether a custom runtime reports a failure.

    The contract is only the header ``x-fc-status``, other than 200. Without it an error status
    counts as well, so that a broken server cannot look like success.
    """
    reported = response.header("x-fc-status") or str(response.status)
    if reported.startswith("2"):
        return None
    return response.header("x-fc-error-type") or "UnhandledInvocationError"


def send(request: Request, host: str, port: int) -> HttpResponse:
    """Send on a new connection, without a time-out: the caller ends a worker that takes too long.

    Raises:
        OSError: The connection broke.
        http.client.HTTPException: The answer is broken.
    """
    connection = http.client.HTTPConnection(host, port)
    try:
        has_host = any(name.lower() == "host" for name, _ in request.headers)
        connection.putrequest(request.method, request.target, skip_host=has_host, skip_accept_encoding=True)
        for name, value in request.headers:
            if name.lower() not in HEADERS_OF_ONE_HOP:
                connection.putheader(name, value.encode("latin-1", "replace"))
        connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body)
        response = connection.getresponse()
        return HttpResponse(response.status, response.getheaders(), response.read())
    finally:
        connection.close()
