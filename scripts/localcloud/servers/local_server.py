"""The HTTP server of everything in the local cloud that listens: connections, threads, callers.

What it answers is theirs.
"""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import ssl
import sys
import threading
from collections.abc import Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

from shared.runtime.custom.http_server import HttpServer, let_the_answer_be_read

HOST = "127.0.0.1"
# How long a stop may take to be noticed.
_POLL_S = 0.05
# What this machine is called by its own programs; ``localhost`` and what ends in it is nobody
# else's (RFC 6761). A bucket may stand in front: bucket.oss.localhost.
OWN_NAME = re.compile(r"(127\.0\.0\.1|\[::1\]|([\w-]+\.)*localhost)(:\d{1,5})?", re.ASCII | re.IGNORECASE)


class PortTaken(Exception):
    """Another program listens there, or the system keeps the port for itself."""


class _NotForWebPages(BaseHTTPRequestHandler):
    """Refuses what a web page in somebody's browser may send.

    To any address a page may send a POST without asking; it then names its ``Origin``. And a page
    whose own name has been made to mean this machine (DNS rebinding) may do all that we may; the
    ``Host`` is then the page's.
    """

    server: LocalServer

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        is_ours = self.server.own_name.fullmatch
        if all(map(is_ours, self.headers.get_all("Host", []))) and self._may_ask():
            return True
        self._refuse()
        return False

    def _may_ask(self) -> bool:
        origins = self.headers.get_all("Origin", [])
        if len(origins) == 1:
            return self.server.admits_page(self.command, raw_target(self), lower_names(self.headers))
        return not origins

    def _refuse(self) -> None:
        said = (
            "本地云不接受网页发来的请求；请用 127.0.0.1 或 localhost 访问，请求中不要带 Origin。\n"
            "The local cloud takes no requests from web pages. Call it as 127.0.0.1 or localhost, without Origin.\n"
        ).encode()
        self.close_connection = True
        self.send_response_only(403)
        for name, value in {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(said)),
            "Connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)
        self.wfile.flush()
        let_the_answer_be_read(self)


class LocalServer(HttpServer):
    """It listens from the constructor on, and answers from ``start`` to ``stop``.

    ``stop`` ends the connections too, so that no thread outlives it. Whatever its handler of
    requests is, it is handed none that a web page may have sent, but what ``admits_page`` lets in.

    Attributes:
        own_name: The hosts that it answers as.

    Raises:
        PortTaken: By the constructor.
    """

    own_name = OWN_NAME

    def __init__(self, *arguments: Any) -> None:
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._serving = threading.Thread(target=self.serve_forever, args=(_POLL_S,), name="http", daemon=True)
        super().__init__(*arguments)
        handler = cast("type[BaseHTTPRequestHandler]", self.RequestHandlerClass)
        self.RequestHandlerClass = type("Handler", (_NotForWebPages, handler), {})

    def server_bind(self) -> None:
        try:
            super().server_bind()
        except (OSError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            raise PortTaken(_taken(self.server_address[1])) from error

    def admits_page(self, method: str, target: str, headers: Mapping[str, str]) -> bool:
        """Whether a web page may send this; ``headers``, its ``Origin`` among them, in lower case.

        None may, unless a server knows of one.
        """
        del method, target, headers
        return False

    @property
    def url(self) -> str:
        return f"http://{self.server_name}:{self.server_port}"

    def speak_tls(self, tls: ssl.SSLContext) -> None:
        """Each connection's own thread shakes hands, so that none waits for another's."""
        self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def start(self) -> None:
        self._serving.start()

    def stop(self) -> None:
        if self._serving.is_alive():  # or it would wait for the end of what never began
            self.shutdown()
            self._serving.join()
        self.server_close()
        with self._lock:
            open_connections = dict(self._connections)
        for connection, thread in open_connections.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=10)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        connection = request if isinstance(request, socket.socket) else request[1]
        with self._lock:
            self._connections[connection] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._connections[connection]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, as on Ctrl-C, is no error; anything else is the thread's."""
        error = sys.exc_info()[1]
        if error and not isinstance(error, OSError):
            raise error


def raw_target(request: BaseHTTPRequestHandler) -> str:
    """As it was sent: ``path`` has one leading slash at most."""
    return request.requestline.split()[1]


def lower_names(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _taken(port: object) -> str:
    return (
        f"端口 {port} 不可用：可能已有其他程序占用，也可能是系统保留的端口，或者不是有效的端口号。请停止占用它的程序，或换一个端口，或不指定端口，由系统选择。\n"
        f"Port {port} cannot be used: another program listens there, the system reserves it, or it is no port. Stop that program, "
        "choose another port, or name none and let the system choose."
    )
