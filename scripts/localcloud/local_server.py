"""The HTTP server of the local OSS and of the gateway: connections and threads.

What it answers is theirs.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# How long a stop may take to be noticed.
_POLL_S = 0.05


class LocalServer(ThreadingHTTPServer):
    """One thread per connection, on 127.0.0.1; port 0 is a free one of the system's choice.

    It listens from the constructor on, and answers from ``start`` to ``stop``, which ends the
    connections too, so that no thread outlives it.
    """

    daemon_threads = True  # a client's idle connection must not keep the program alive
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._serving = threading.Thread(target=self.serve_forever, args=(_POLL_S,), name="http", daemon=True)
        super().__init__(("127.0.0.1", port), handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

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

    def server_bind(self) -> None:
        """Skip ``HTTPServer``'s look-up of the host's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

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
