"""HTTP for the local OSS: takes requests in and sends answers."""

from __future__ import annotations

import contextlib
import re
import socket
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from scripts.localcloud.local_server import HOST, OWN_NAME, LocalServer
from scripts.localcloud.oss import refusals
from scripts.localcloud.oss.auth.permissions import Authorize, Caller
from scripts.localcloud.oss.auth.signed_requests import Signatures
from scripts.localcloud.oss.operations.routing import creates_bucket, run_operation
from scripts.localcloud.oss.request_faults import FaultAction, Faults
from scripts.localcloud.oss.storage.content import new_request_id
from scripts.localcloud.oss.storage.multipart import Uploads
from scripts.localcloud.oss.storage.storage import Storage
from scripts.localcloud.oss.wire.answer import Answer, Call, FileBody, refusal_answer
from scripts.localcloud.oss.wire.bodies import RequestBody
from scripts.localcloud.oss.wire.oss_request import REGION_HOST, OssRequest, parse_request
from shared.runtime.custom.http_server import let_the_answer_be_read

IDLE_TIMEOUT_S = 300
# GET and its like have no body, whatever their Content-Length says: a client that announces one may
# send it or not.
_WITH_BODY = frozenset({"POST", "PUT"})


@dataclass(frozen=True)
class Service:
    """What answers the requests of all connections."""

    storage: Storage
    uploads: Uploads
    signatures: Signatures
    faults: Faults
    authorize: Authorize

    def answer(self, request: OssRequest, body: RequestBody, request_id: str) -> Answer:
        # The service looks for the bucket first, whoever asks for whatever in it.
        if request.bucket and not creates_bucket(request):
            self.storage.check_bucket(request.bucket)
        is_form = request.header("content-type").startswith("multipart/form-data")
        if request.method == "POST" and not request.key and is_form:  # signed within itself
            raise refusals.not_implemented("forms that are posted")
        caller = Caller(self.signatures.check(request), self.authorize)
        return run_operation(Call(request, body, request_id, self.storage, self.uploads, caller))


class OssServer(LocalServer):
    """The local server with a service behind it.

    Node's SDK names the cloud's host even to an address of numbers. No stranger can make a name of
    the cloud's mean this machine.
    """

    own_name = re.compile(f"{OWN_NAME.pattern}|{REGION_HOST.pattern}", re.ASCII | re.IGNORECASE)

    def __init__(self, port: int, service: Service) -> None:
        self.service = service
        super().__init__((HOST, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: OssServer
    protocol_version = "HTTP/1.1"
    server_version = "AliyunOSS"
    sys_version = ""
    timeout = IDLE_TIMEOUT_S
    disable_nagle_algorithm = True

    def serve(self) -> None:
        service, request_id = self.server.service, new_request_id()
        request: OssRequest | None = None
        body: RequestBody | None = None
        fault: FaultAction | None = None
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            own_endpoint = self.server.url.removeprefix("http://")
            request = parse_request(self.command, self.path, headers, own_endpoint)
            body = RequestBody(self.rfile, headers, self._send_continue)
            fault = service.faults.take(request.method, request.key, frozenset(request.query))
            _suffer_before(fault)
            answer = service.answer(request, body, request_id)
        except refusals.OssRefusal as refusal:
            answer = refusal_answer(refusal, request, request_id)
        except (ConnectionError, TimeoutError):  # the client left, or a fault says so
            self._cut()
            return
        self._finish(body)
        with contextlib.suppress(ConnectionError, TimeoutError):
            self._send(answer, request_id, fault)
        if self.close_connection:
            let_the_answer_be_read(self)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = serve  # noqa: N815 (http.server's names)

    def handle_expect_100(self) -> bool:
        """Wait until the operation wants the body: a refusal comes before anything is sent."""
        return True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Stay silent: the local cloud's log tells of events, not of requests."""

    def _send_continue(self) -> None:
        self.send_response_only(HTTPStatus.CONTINUE)
        self.end_headers()

    def _finish(self, body: RequestBody | None) -> None:
        """Leave the connection in order for the next request, or close it after this one."""
        with contextlib.suppress(refusals.OssRefusal, ConnectionError, TimeoutError):
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
        headers = dict(answer.headers)
        if fault is FaultAction.WRONG_CRC:
            headers["x-oss-hash-crc64ecma"] = str(int(headers.get("x-oss-hash-crc64ecma", "0")) ^ 1)
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("x-oss-request-id", request_id)
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
        raise refusals.OssRefusal(500, "InternalError", "We encountered an internal error. Please try again.")
    if fault is FaultAction.ANSWER_503:
        raise refusals.busy("Please reduce your request rate.")
