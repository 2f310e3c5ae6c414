"""What Function Compute asks of a custom runtime, request by request; no sockets.

Contract: https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/web-functions;
headers and log lines:
https://www.alibabacloud.com/help/en/functioncompute/fc/context-and-log-format-1.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from shared.runtime.context import FcContext, context_from_headers
from shared.runtime.custom.http_server import Request
from shared.runtime.custom.http_shapes import parse_http_response, render_http_event
from shared.runtime.custom.loading import Handler
from shared.runtime.http_events import HttpResponse
from shared.runtime.invocation import Failure, attempt
from shared.runtime.logs import bind

log = logging.getLogger(__name__)

JSON = {"Content-Type": "application/json"}
_FAILED = {**JSON, "x-fc-status": "404"}


def respond(handler: Handler, request: Request, env: Mapping[str, str], source_ip: str) -> HttpResponse:
    """Answer one request: an event, a lifecycle call, or a request for an HTTP handler.

    The platform says which in ``x-fc-control-path``; without it method and path decide.
    """
    headers = {name.lower(): value for name, value in request.headers}
    call = headers.get("x-fc-control-path") or f"{request.method} {request.target.partition('?')[0]}"
    if call in {"/initialize", "POST /initialize", "/pre-stop", "GET /pre-stop"}:
        return HttpResponse(
            200, JSON, b"{}"
        )  # the handler was loaded at start, and holds nothing to let go of
    context = context_from_headers(headers, env)
    if call in {"/invoke", "POST /invoke"}:
        return _invoked(context, lambda: _result_body(handler(request.body, context)))
    return _invoked(context, lambda: _passed_through(handler, request, context, source_ip))


def _invoked(context: FcContext, call: Callable[[], HttpResponse]) -> HttpResponse:
    """Make the call between the log lines by which the platform cuts its log into invocations."""
    _write_log_line(f"FC Invoke Start RequestId: {context.request_id}")
    outcome = attempt(call)
    if isinstance(outcome, Failure):
        _write_log_line(f"FC Invoke End RequestId: {context.request_id}, Error: Unhandled function error")
        with bind(secrets=context.secret_values()):
            error = outcome.as_fc_error()
        return HttpResponse(404, _FAILED, json.dumps(error).encode())
    _write_log_line(f"FC Invoke End RequestId: {context.request_id}")
    return outcome


def _result_body(result: object) -> HttpResponse:
    if isinstance(result, bytes):
        return HttpResponse(200, {"Content-Type": "application/octet-stream"}, result)
    text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    return HttpResponse(200, JSON, text.encode(errors="backslashreplace"))


def _passed_through(handler: Handler, request: Request, context: FcContext, source_ip: str) -> HttpResponse:
    event = render_http_event(
        request.method,
        request.target,
        request.headers,
        request.body,
        source_ip=source_ip,
        request_id=context.request_id,
        account_id=context.account_id,
        received_at=datetime.now(timezone.utc),
    )
    result = handler(json.dumps(event).encode(), context)
    try:
        return parse_http_response(result)
    except ValueError:
        log.error("response.refused", extra={"result_type": type(result).__name__})  # noqa: TRY400
        return HttpResponse(502, JSON, b'{"error":"the handler returned no HTTP response"}')


def _write_log_line(line: str) -> None:
    """Plain text on stderr, as the platform writes it; stdout is for the line with the address."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
