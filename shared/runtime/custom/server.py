"""The custom runtime's HTTP server.

``python -m shared.runtime.custom.server functions.submit.index.handler`` starts it.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import socketserver
import sys
import threading
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import IO, cast

from werkzeug.serving import DechunkedInput

from shared.runtime.custom.custom_runtime import JSON, Request, respond
from shared.runtime.custom.loading import Handler, HandlerNotLoadable, load_handler
from shared.runtime.http_events import MAX_EVENT_BYTES, HttpResponse
from shared.runtime.logs import configure_logging
from shared.runtime.settings import log_level_from

log = logging.getLogger("shared.runtime.custom.server")  # started with -m, __name__ is "__main__"

DEFAULT_PORT = "9000"

MAX_REQUEST_LINE_BYTES = 64 * 1024

# Function Compute gives an instance this long to finish its work.
GRACE_S = 30


class CustomRuntimeServer(ThreadingHTTPServer):
    """One thread a connection, but no more invocations at a time than ``concurrency``."""

    request_queue_size = 128
    daemon_threads = True  # idle keep-alive connections must not hold the process back
    block_on_close = False

    def __init__(
        self, address: tuple[str, int], handler: Handler, env: Mapping[str, str], concurrency: int = 1
    ) -> None:
        super().__init__(address, _Connection)
        self.handler = handler
        self.env = env
        self._concurrency = concurrency
        self._free = threading.Semaphore(concurrency)

    def server_bind(self) -> None:
        """Skip ``HTTPServer``'s look-up of the host's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def take_turn(self) -> threading.Semaphore:
        """What an invocation holds from its start until its response is written."""
        return self._free

    def drain(self, timeout_s: float) -> bool:
        """Let no invocation begin, and wait for those under way."""
        return all(self._free.acquire(timeout=timeout_s) for _ in range(self._concurrency))

    def handle_error(self, request: object, client_address: object) -> None:
        log.warning("connection.broken", exc_info=sys.exc_info()[1])


class _BadRequest(ValueError):
    """The request cannot be read, so its connection cannot be used further."""


class _Connection(BaseHTTPRequestHandler):
    # The default, HTTP/0.9, has no status line: Python 3.10 would answer a garbled request without.
    default_request_version = "HTTP/1.0"
    # Keep-alive without a time-out: the platform closes idle connections.
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # a response leaves in as few packets as possible
    disable_nagle_algorithm = True
    server: CustomRuntimeServer

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
            request = self._read_request()
        except _BadRequest as error:
            self.close_connection = True
            self._write(HttpResponse(400, JSON, json.dumps({"error": str(error)}).encode()))
            return
        with self.server.take_turn():
            self._write(respond(self.server.handler, request, self.server.env))

    def handle_expect_100(self) -> bool:
        """Let the client send its body now, not when our buffer is full."""
        may_continue = super().handle_expect_100()
        self.wfile.flush()
        return may_continue

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse in a few bytes what the base class cannot read.

        Its own page and log line would quote the request.
        """
        self.close_connection = True
        self.command = self.command or ""
        reason = HTTPStatus(code).phrase
        log.warning("request.refused", extra={"status": code, "reason": reason})
        self._write(
            HttpResponse(code, JSON, json.dumps({"error": reason.lower().replace(" ", "_")}).encode())
        )

    def _read_request(self) -> Request:
        return Request(
            method=self.command,
            target=self.path,
            headers=self.headers.items(),
            body=self._read_body(),
            source_ip=str(self.client_address[0]),
        )

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
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
            while piece := chunks.read(64 * 1024):
                body += piece
                if len(body) > MAX_EVENT_BYTES:
                    raise _BadRequest("the body is larger than 32 MB")
        except OSError as error:
            raise _BadRequest("the chunks cannot be read") from error
        return bytes(body)

    def _write(self, response: HttpResponse) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value.encode().decode("latin-1"))
        has_body = response.status >= 200 and response.status not in {204, 304}
        if has_body:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()


def _arguments(arguments: Sequence[str] | None, env: Mapping[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m shared.runtime.custom.server", description=__doc__)
    parser.add_argument("handler", help="for example functions.submit.index.handler")
    # The platform calls from outside the container.
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104
    default_port = env.get("FC_CUSTOM_LISTEN_PORT") or env.get("FC_SERVER_PORT") or DEFAULT_PORT
    parser.add_argument("--port", type=int, default=default_port, help="0 lets the system choose")
    parser.add_argument(
        "--concurrency",
        type=int,
        default=1,
        choices=range(1, 201),
        metavar="1…200",
        help="invocations at a time (default 1)",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then finish what is under way.

    Exit status 1: the handler cannot be used.
    """
    env = os.environ
    configure_logging(log_level_from(env))
    options = _arguments(arguments, env)
    try:
        handler = load_handler(cast("str", options.handler))
    except HandlerNotLoadable as error:
        log.error("handler.refused", exc_info=error.__cause__ or False, extra={"reason": str(error)})  # noqa: TRY400
        return 1
    with CustomRuntimeServer((options.host, options.port), handler, env, options.concurrency) as server:
        _stop_on_signals(server)
        shown_host = "127.0.0.1" if options.host == "0.0.0.0" else options.host  # noqa: S104 (only compared)
        sys.stdout.write(f"listening on http://{shown_host}:{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever(poll_interval=0.1)
        if not server.drain(GRACE_S):
            log.warning("server.cut_short", extra={"grace_s": GRACE_S})
    return 0


def _stop_on_signals(server: CustomRuntimeServer) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        # shutdown() waits for the loop in this very thread, so it needs a thread of its own.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


if __name__ == "__main__":
    sys.exit(main())
