"""Entry points for HTTP triggers: a WSGI application served from Function Compute's HTTP events."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlencode

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from shared.runtime.context import FcContext, context_from_builtin
from shared.runtime.event_trigger import event_bytes
from shared.runtime.http_events import (
    MAX_EVENT_BYTES,
    HttpRequest,
    HttpResponse,
    joined_headers,
    parse_http_event,
)
from shared.runtime.invocation import Failure, run_invocation
from shared.runtime.logs import configure_logging
from shared.runtime.secret_parts import secrets_from
from shared.runtime.settings import log_level_from

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

CONTEXT_KEY = "batchdrop.context"

_BAD_REQUEST = HttpResponse(400, {"Content-Type": "application/json"}, b'{"error":"bad_request"}')
_TOO_LARGE = HttpResponse(413, {"Content-Type": "application/json"}, b'{"error":"too_large"}')
_SERVER_ERROR = HttpResponse(500, {"Content-Type": "application/json"}, b'{"error":"internal_error"}')


def http_handler(
    app_factory: Callable[[], WSGIApplication],
    max_event_bytes: int = MAX_EVENT_BYTES,
    headers: Mapping[str, str] | None = None,
) -> Callable[[object, object], dict[str, object]]:
    """Make a Function Compute handler of a WSGI application.

    The application is built once, on the first request, and outlives that request's credentials.
    So the factory gets no context: a view asks ``context_of(request.environ)``.

    No exception leaves: an HTTP request is not delivered again, and the platform would show the
    stack trace to its sender. Garbage answers 400, a failing factory or application 500.

    Args:
        app_factory: Builds the application.
        max_event_bytes: A larger event answers 413 and is not parsed, so that an application that
            wants little does not pay for what anybody may send.
        headers: For what is answered without the application.
    """
    application = _once(app_factory)

    def handler(event: object, context: object) -> dict[str, object]:
        configure_logging(log_level_from(os.environ))
        fc_context = context_from_builtin(context, os.environ)
        outcome = run_invocation(
            fc_context,
            lambda: _respond(application, event, fc_context, max_event_bytes),
            secrets_from(os.environ),
        )
        response = _SERVER_ERROR if isinstance(outcome, Failure) else outcome
        return replace(response, headers={**(headers or {}), **response.headers}).as_struct()

    return handler


def context_of(environ: Mapping[str, object]) -> FcContext:
    """The invocation of a request; an empty one if the application runs in another server."""
    context = environ.get(CONTEXT_KEY)
    return context if isinstance(context, FcContext) else FcContext()


def _once(app_factory: Callable[[], WSGIApplication]) -> Callable[[], WSGIApplication]:
    lock = threading.Lock()
    built: list[WSGIApplication] = []

    def application() -> WSGIApplication:
        with lock:
            if not built:
                built.append(app_factory())
            return built[0]

    return application


def _respond(
    application: Callable[[], WSGIApplication], event: object, context: FcContext, max_event_bytes: int
) -> HttpResponse:
    try:
        content = event_bytes(event)
        if len(content) > max_event_bytes:
            log.warning("request.refused", extra={"reason": "too large", "size_bytes": len(content)})
            return _TOO_LARGE
        environ = _environ(parse_http_event(content), context)
    except (ValueError, TypeError) as error:
        log.warning("request.refused", extra={"reason": type(error).__name__})
        return _BAD_REQUEST
    chunks, status, headers = run_wsgi_app(application(), environ, buffered=True)
    body = b"".join(chunks)
    return HttpResponse(int(status.split()[0]), joined_headers(headers.items()), body)


def _environ(request: HttpRequest, context: FcContext) -> WSGIEnvironment:
    query = urlencode(list(request.query.items()))
    path = unquote_to_bytes(request.raw_path).decode("latin-1")  # WSGI's way to carry bytes in text
    target = f"{request.raw_path}?{query}" if query else request.raw_path
    builder = EnvironBuilder(
        method=request.method,
        base_url="https://localhost/",
        query_string=query,
        headers=Headers([(name, _wsgi_text(value)) for name, value in _forwarded(request.headers)]),
        data=request.body,
        environ_overrides={
            "PATH_INFO": path,
            **({"HTTP_HOST": request.domain} if request.domain and not _has_host(request.headers) else {}),
            "REQUEST_URI": target,
            "RAW_URI": target,
            "REMOTE_ADDR": request.source_ip,
            "SERVER_PROTOCOL": request.protocol,
            CONTEXT_KEY: context,
        },
    )
    return builder.get_environ()


def _forwarded(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """The request's headers without the connection's; the length is the decoded body's."""
    return list(joined_headers(headers.items()).items())


def _has_host(headers: Mapping[str, str]) -> bool:
    return any(name.lower() == "host" for name in headers)


def _wsgi_text(value: str) -> str:
    return value.encode().decode("latin-1")
