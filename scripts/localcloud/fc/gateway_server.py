"""The gateway's HTTP/1.1: reads requests whole, hands them to one function, sends its answers."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import IO, TypeAlias, cast

from werkzeug.serving import DechunkedInput

from scripts.localcloud.fc.worker_http import HttpRequest, HttpResponse
from scripts.localcloud.local_server import LocalServer

log = logging.getLogger(__name__)

# https://help.aliyun.com/zh/functioncompute/fc/user-guide/web-functions
MAX_BODY_BYTES = 32 * 1024 * 1024
PIECE_BYTES = 64 * 1024
NOT_PRINTABLE = re.compile(rb"[^\x20-\x7e\r\n]")
SET_HERE = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})

Answer: TypeAlias = Callable[[HttpRequest], HttpResponse]


def refusal(status: int, code: str, message: str) -> HttpResponse:
    """An error in Function Compute's form.

    Source: https://www.alibabacloud.com/help/en/functioncompute/error-codes
    """
    body = json.dumps({"ErrorCode": code, "ErrorMessage": message}).encode()
    return HttpResponse(status, [("Content-Type", "application/json")], body)


class _BodyRefused(Exception):
    pass


class GatewayServer(LocalServer):
    """The local server with one function behind it."""

    def __init__(self, answer: Answer, *, port: int = 0) -> None:
        self.answer = answer
        super().__init__(port, _Connection)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: GatewayServer
    raw_requestline: bytes  # the base class sets it, without a type

    def handle_any(self) -> None:
        try:
            body = self._read_body()
        except _BodyRefused as error:
            self.close_connection = True
            self._write(refusal(400, "InvalidArgument", str(error)))
            return
        request = HttpRequest(self.command, self.path, self.headers.items(), body)
        self._write(self.server.answer(request))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = handle_any  # noqa: N815

    def parse_request(self) -> bool:
        """Quote raw bytes first: the base class would split the line at some, such as 0xA0."""
        self.raw_requestline = NOT_PRINTABLE.sub(lambda found: b"%%%02X" % found[0][0], self.raw_requestline)
        return super().parse_request()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Answer the base class's refusals with their code alone.

        A request's line may hold a callback's signature.
        """
        log.debug("http.refused", extra={"code": str(args[0]) if args else format})

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0").strip()
        stream = cast("IO[bytes]", self.rfile)
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_limited(cast("IO[bytes]", DechunkedInput(stream)), sys.maxsize)
        if not (length.isascii() and length.isdigit()):
            raise _BodyRefused("Content-Length is no number")
        return self._read_limited(stream, int(length))

    def _read_limited(self, stream: IO[bytes], length: int) -> bytes:
        """Read even a body that is too large: a client that still sends sees no answer."""
        body, size = bytearray(), 0
        try:
            while size < length and (piece := stream.read(min(PIECE_BYTES, length - size))):
                size += len(piece)
                if size <= MAX_BODY_BYTES:
                    body += piece
        except OSError as error:
            raise _BodyRefused("the body cannot be read") from error
        if size > MAX_BODY_BYTES:
            raise _BodyRefused(f"the body exceeds {MAX_BODY_BYTES} bytes")
        if length != sys.maxsize and size < length:
            raise _BodyRefused("the body ended early")
        return bytes(body)

    def _write(self, response: HttpResponse) -> None:
        has_body = response.status >= 200 and response.status not in {204, 304}
        self.send_response_only(response.status)
        for name, value in response.headers:
            if name.lower() not in SET_HERE:
                self.send_header(name, value)
        if has_body:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()
