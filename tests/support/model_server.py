"""A model server as a program: ``model_server.py PORT COUNT_FILE [DIES_AT …]``.

It serves the model ``m`` and dies, as if killed, at those requests, counted over all its lives.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT, COUNT_FILE, DIES_AT = int(sys.argv[1]), Path(sys.argv[2]), {*map(int, sys.argv[3:])}
COUNTING = threading.Lock()


def count() -> int:
    with COUNTING, COUNT_FILE.open("ab") as file:
        file.write(b"x")
        return file.tell()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._send({"data": [{"id": "m"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if count() in DIES_AT:
            os._exit(9)
        message = {"role": "assistant", "content": body["messages"][-1]["content"].upper()}
        self._send({"id": "c", "choices": [{"index": 0, "finish_reason": "stop", "message": message}]})

    def _send(self, document: object) -> None:
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    Server(("127.0.0.1", PORT), Handler).serve_forever()
