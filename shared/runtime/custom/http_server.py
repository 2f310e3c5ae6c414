"""HTTP/1.1 with a thread a connection: what the custom runtime and the local cloud serve with."""

from __future__ import annotations

import contextlib
import socket
import socketserver
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, cast

from werkzeug.serving import DechunkedInput

from shared.runtime.http_events import MAX_EVENT_BYTES

MAX_REQUEST_LINE_BYTES = 64 * 1024
PIECE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Request:
    """One request, read whole; ``target`` is path and query as they were sent, URL-encoded."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes


class HttpServer(ThreadingHTTPServer):
    """One thread a connection; port 0 is a free one of the system's choice."""

    request_queue_size = 128
    daemon_threads = True  # idle keep-alive connections must not hold the process back
    block_on_close = False

    def server_bind(self) -> None:
        """Skip ``HTTPServer``'s look-up of the host's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])


class _BadRequest(Exception):
    """The request cannot be read, so its connection cannot be used further."""


class Connection(ABC, BaseHTTPRequestHandler):
    """Reads each request whole and hands it on."""

    # The default, HTTP/0.9, has no status line: Python 3.10 would answer a garbled request without.
    default_request_version = "HTTP/1.0"
    # Keep-alive without a time-out: the platform closes idle connections.
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # a response leaves in as few packets as possible
    disable_nagle_algorithm = True
    raw_requestline: bytes  # the base class sets it, without a type

    @abstractmethod
    def respond(self, request: Request) -> None:
        """Answer with ``write``."""

    @abstractmethod
    def refuse(self, status: int, reason: str) -> None:
        """Answer a request that cannot be read, with ``write``."""

    def handle_one_request(self) -> None:
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(MAX_REQUEST_LINE_BYTES + 1)
        if len(self.raw_requestline) > MAX_REQUEST_LINE_BYTES:
            self.command, self.request_version = "", self.default_request_version
            self.send_error(414)
            return
        if not self.raw_requestline or not self.parse_request():
            return
        try:
            body = self._read_body()
        except _BadRequest as error:
            self.close_connection = True
            self.refuse(400, str(error))
            let_the_answer_be_read(self)
            return
        self.respond(Request(self.command, self.path, self.headers.items(), body))

    def handle_expect_100(self) -> bool:
        """Let the client send its body now, not when our buffer is full."""
        may_continue = super().handle_expect_100()
        self.wfile.flush()
        return may_continue

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse in a few bytes what the base class cannot read.

        Its own page and log line would quote the request, which may hold a callback's signature.
        """
        self.close_connection = True
        self.command = self.command or ""
        self.refuse(code, HTTPStatus(code).phrase)

    def write(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Send the answer; ``headers`` without those of the connection and the body's length."""
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        has_body = status >= 200 and status not in {204, 304}
        if has_body:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunked_body()
        length = self.headers.get("Content-Length", "0").strip()
        if not (length.isascii() and length.isdigit()):
            raise _BadRequest("Content-Length is no number")
        if int(length) > MAX_EVENT_BYTES:
            raise _BadRequest("the body is larger than 32 MB")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise _BadRequest("the body ended early")
        return body

    def _read_chunked_body(self) -> bytes:
        body = bytearray()
        chunks = DechunkedInput(cast("IO[bytes]", self.rfile))
        try:
            while piece := chunks.read(PIECE_BYTES):
                body += piece
                if len(body) > MAX_EVENT_BYTES:
                    raise _BadRequest("the body is larger than 32 MB")
        except OSError as error:
            raise _BadRequest("the chunks cannot be read") from error
        return bytes(body)


def let_the_answer_be_read(handler: BaseHTTPRequestHandler) -> None:
    """Read what a client still sends: were the connection closed now, it would see a reset."""
    with contextlib.suppress(OSError):
        handler.connection.shutdown(socket.SHUT_WR)
        while handler.rfile.read(PIECE_BYTES):
            pass
