"""A tiny stand-in for the custom-runtime server: the workers' tests need nothing else of ours."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.localcloud.fc.workers.process import WorkerSpec
from tests.support.waiting import PATIENCE_S

# Does what the event says: fail, hang, eat memory, crash, tell about itself. Anything else is
# echoed in capitals.
SOURCE = """
import json, os, signal, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/invoke":
            return self.invoke(body)
        request = {"pid": os.getpid(), "method": self.command, "path": self.path, "headers": self.headers.items()}
        headers = [("X-Request", json.dumps(request)), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
        self.answer(201, body[::-1], headers)

    do_GET = do_PUT = lambda self: self.answer(200, b"got " + self.path.encode())

    def invoke(self, body):
        if body == b"fail":
            error = b'{"errorMessage":"something is wrong","errorType":"Exception","stackTrace":[]}'
            headers = [("x-fc-status", "404"), ("x-fc-error-type", "UnhandledInvocationError")]
            return self.answer(404, error, headers)
        if body == b"hang":
            print("hanging", os.getpid(), flush=True)
            while True:
                time.sleep(60)
        if body == b"eat":
            eaten = b"x" * (300 << 20)
            while True:
                time.sleep(60)
        if body == b"crash":
            os._exit(3)
        if body == b"half":
            self.wfile.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 99\\r\\n\\r\\nhalf")
            self.wfile.flush()
            os._exit(4)
        if body == b"about":
            about = {"pid": os.getpid(), "headers": dict(self.headers.items()), "environment": dict(os.environ)}
            return self.answer(200, json.dumps(about).encode())
        self.answer(200, body.upper())

    def log_message(self, *args):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("a line before the address", file=sys.stderr, flush=True)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""


def spec_for(
    folder: Path, *, function: str = "submit", source: str = SOURCE, **changes: object
) -> WorkerSpec:
    """A function that is the stand-in, its script and log under ``folder``."""
    script = folder / f"{function}-worker.py"
    script.write_text(source, encoding="utf-8")
    values: dict[str, object] = {
        "function": function,
        "handler": f"functions.{function}.index.handler",
        "log_path": folder / "logs" / f"{function}.log",
        "working_directory": folder,
        "command": (sys.executable, "-I", "-S", str(script)),
        "timeout_s": PATIENCE_S,
        **changes,
    }
    return WorkerSpec(**values)  # type: ignore[arg-type]
