"""The HTTP server of everything in the local cloud that listens: connections and threads.

What it answers is theirs.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from typing import Any

from shared.runtime.custom.http_server import HttpServer

HOST = "127.0.0.1"
# How long a stop may take to be noticed.
_POLL_S = 0.05


class LocalServer(HttpServer):
    """It listens from the constructor on, and answers from ``start`` to ``stop``.

    ``stop`` ends the connections too, so that no thread outlives it.
    """

    def __init__(self, *arguments: Any) -> None:
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._serving = threading.Thread(target=self.serve_forever, args=(_POLL_S,), name="http", daemon=True)
        super().__init__(*arguments)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}"

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
        """A client that hangs up, as on Ctrl-C, is no error; anything else is shown as a defect."""
        if not isinstance(sys.exc_info()[1], OSError):
            # typeshed tells the types of TCP's and UDP's requests apart.
            super().handle_error(request, client_address)  # type: ignore[arg-type]
