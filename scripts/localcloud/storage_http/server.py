"""The server of a service that keeps objects: takes requests in and sends answers."""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import sqlite3
import ssl
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol, TypeVar

from scripts.localcloud.interruptions import Interruptions
from scripts.localcloud.servers.local_server import HOST, LocalServer, lower_names, raw_target
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import new_request_id
from scripts.localcloud.storage_http.answer import Answer, FileBody
from scripts.localcloud.storage_http.incoming.bodies import RequestBody
from scripts.localcloud.storage_http.incoming.request import ObjectRequest
from scripts.localcloud.storage_http.incoming.request_faults import FaultAction, Faults
from shared.runtime.custom.http_server import let_the_answer_be_read

RequestT = TypeVar("RequestT", bound=ObjectRequest)
IDLE_TIMEOUT_S = 300
# GET and its like have no body, whatever their Content-Length says: a client that announces one may
# send it or not.
_WITH_BODY = frozenset({"POST", "PUT"})
# Other errors are a connection's.
_LACKS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


class Service(Protocol[RequestT]):
    """What answers the requests of all connections."""

    @property
    def name(self) -> str:
        """What it calls itself in the header ``Server``."""

    @property
    def header_prefix(self) -> str:
        """Of the headers that are its own: ``x-oss-``."""

    @property
    def own_name(self) -> re.Pattern[str]:
        """The hosts that it answers as."""

    @property
    def faults(self) -> Faults:
        """What is to go wrong."""

    def parse(self, method: str, target: str, headers: Mapping[str, str], own_endpoint: str) -> RequestT: ...

    def answer(self, request: RequestT, body: RequestBody, request_id: str) -> Answer:
        """Do what is asked; ``Refusal`` says why not."""

    def refuse(self, refusal: refusals.Refusal, request: RequestT | None, request_id: str) -> Answer: ...

    def page_headers(self, request: RequestT) -> Mapping[str, str]:
        """What CORS adds to the answer for a web page; nothing if no page may ask for this."""


class StoreServer(LocalServer):
    """The local server with a service behind it."""

    def __init__(
        self, service: Service[Any], port: int, *, host: str = HOST, tls: ssl.SSLContext | None = None
    ) -> None:
        self.service = service
        self.own_name = service.own_name
        self.interruptions = Interruptions()
        super().__init__((host, port), _Handler)
        if tls:
            self.speak_tls(tls)

    def admits_page(self, method: str, target: str, headers: Mapping[str, str]) -> bool:
        try:
            request = self.service.parse(method, target, headers, self.endpoint)
        except refusals.Refusal:
            return False
        return bool(self.service.page_headers(request))

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return self.url.removeprefix("http://")


class _Handler(BaseHTTPRequestHandler):
    server: StoreServer
    # The base class's, HTTP/0.9, has no status line.
    default_request_version = "HTTP/1.0"
    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT_S
    disable_nagle_algorithm = True

    def serve(self) -> None:
        service, request_id = self.server.service, new_request_id()
        request: ObjectRequest | None = None
        body: RequestBody | None = None
        fault: FaultAction | None = None
        try:
            headers = lower_names(self.headers)
            request = service.parse(self.command, self._target(), headers, self.server.endpoint)
            body = RequestBody(self.rfile, headers, self._send_continue)
            fault = service.faults.take(request.method, request.key, frozenset(request.query))
            _suffer_before(fault)
            answer = self._answered(request, body, request_id)
        except refusals.Refusal as refusal:
            answer = service.refuse(refusal, request, request_id)
        except (ConnectionError, TimeoutError):  # the client left, or a fault says so
            self._cut()
            return
        self._finish(body)
        if request and request.header("origin"):
            answer = replace(answer, headers={**answer.headers, **service.page_headers(request)})
        with contextlib.suppress(ConnectionError, TimeoutError):
            self._send(answer, request_id, fault)
        if self.close_connection:
            let_the_answer_be_read(self)

    def _answered(self, request: ObjectRequest, body: RequestBody, request_id: str) -> Answer:
        """What the service answers, which knows no full disk."""
        interruptions = self.server.interruptions
        try:
            answer = self.server.service.answer(request, body, request_id)
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, OSError) and error.errno not in _LACKS:
                raise
            interruptions.begin("objects", error)
            raise refusals.Refusal(500, "InternalError", str(error)) from error
        if request.method in _WITH_BODY:
            interruptions.end("objects")
        return answer

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_OPTIONS = serve  # noqa: N815 (http.server's names)

    def _target(self) -> str:
        return raw_target(self)

    def handle_expect_100(self) -> bool:
        """Wait until the operation wants the body: a refusal comes before anything is sent."""
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse as the service does what the base class cannot hand on, such as PATCH."""
        self.close_connection = True
        request_id, phrase = new_request_id(), HTTPStatus(code).phrase
        refusal = refusals.Refusal(code, "InvalidRequest", phrase)
        if code == HTTPStatus.NOT_IMPLEMENTED:
            refusal = refusals.not_implemented(f"the method {self.command}")
        self._send(self.server.service.refuse(refusal, None, request_id), request_id, None)
        let_the_answer_be_read(self)

    def version_string(self) -> str:
        return self.server.service.name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Stay silent: the local cloud's log tells of events, not of requests."""

    def _send_continue(self) -> None:
        self.send_response_only(HTTPStatus.CONTINUE)
        self.end_headers()

    def _finish(self, body: RequestBody | None) -> None:
        """Leave the connection in order for the next request, or close it after this one."""
        with contextlib.suppress(refusals.Refusal, ConnectionError, TimeoutError):
            if body and not body.finished and self.command in _WITH_BODY:
                body.drain()
        if body is None or not body.finished:
            self.close_connection = True

    def _send(self, answer: Answer, request_id: str, fault: FaultAction | None) -> None:
        stream = answer.body.stream if isinstance(answer.body, FileBody) else contextlib.nullcontext()
        with stream:
            if fault is FaultAction.CUT_AFTER:
                self._cut()
                return
            self._send_head(answer, request_id, fault)
            self._send_body(answer, fault)
        if fault is FaultAction.TRUNCATE:
            self._cut()

    def _send_head(self, answer: Answer, request_id: str, fault: FaultAction | None) -> None:
        headers, prefix = dict(answer.headers), self.server.service.header_prefix
        if fault is FaultAction.WRONG_CRC:
            crc64 = f"{prefix}hash-crc64ecma"
            headers[crc64] = str(int(headers.get(crc64, "0")) ^ 1)
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header(f"{prefix}request-id", request_id)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(_content_length(answer)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _send_body(self, answer: Answer, fault: FaultAction | None) -> None:
        if self.command == "HEAD":
            return
        if isinstance(answer.body, bytes):
            self.wfile.write(answer.body)
            return
        size_bytes = answer.body.span.size_bytes
        if fault is FaultAction.TRUNCATE:
            size_bytes //= 2
        if size_bytes:
            # sendfile: the bytes never enter this process.
            self.connection.sendfile(answer.body.stream, answer.body.span.first, size_bytes)

    def _cut(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _content_length(answer: Answer) -> int:
    if answer.size_bytes is not None:
        return answer.size_bytes
    return len(answer.body) if isinstance(answer.body, bytes) else answer.body.span.size_bytes


def _suffer_before(fault: FaultAction | None) -> None:
    if fault is FaultAction.CUT_BEFORE:
        raise ConnectionAbortedError
    if fault is FaultAction.ANSWER_500:
        raise refusals.Refusal(500, "InternalError", "We encountered an internal error. Please try again.")
    if fault is FaultAction.ANSWER_503:
        raise refusals.busy("Please reduce your request rate.")
