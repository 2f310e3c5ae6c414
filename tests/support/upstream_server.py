"""A small OpenAI-compatible server that goes down, comes back, hangs, and says what it is told."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.waiting import PATIENCE_S

Reply = tuple[int, bytes] | Iterable[bytes] | None
"""A status and a body; what is sent as it is, piece by piece; ``None`` hangs up without a word."""


def answer_to(content: str) -> Reply:
    message = {"role": "assistant", "content": content.upper()}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return 200, json.dumps({"id": "c", "model": "m", "created": 1, "choices": [choice]}).encode()


def nested(depth: int) -> bytes:
    """An object that holds ``depth`` levels of arrays."""
    return b'{"deep": ' + b"[" * depth + b"]" * depth + b"}"


class UpstreamServer:
    """On a port that the system chose, and that it keeps when it is started again.

    Attributes:
        reply: What it answers to a row's last message.
        models: What it lists.
        seen: Path, key and body of every call.
        gate: While it is not set, no call is answered.
        open_calls: How many calls are being answered.
        most_at_once: How many were at the same time, at most.
    """

    def __init__(self, *, is_up: bool = True) -> None:
        self.reply: Callable[[str], Reply] = answer_to
        self.models = ("m",)
        self.seen: list[tuple[str, str | None, dict[str, Any]]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.open_calls = 0
        self.most_at_once = 0
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.start()
        self.url = f"http://127.0.0.1:{self._port}/v1"
        if not is_up:
            self.stop()

    @property
    def asked(self) -> list[str]:
        """The last message of every call."""
        return [body["messages"][-1]["content"] for _, _, body in self.seen]

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def close(self) -> None:
        self.gate.set()
        self.stop()

    def _answer(self, path: str, key: str | None, body: dict[str, Any]) -> Reply:
        with self._lock:
            self.seen.append((path, key, body))
            self.open_calls += 1
            self.most_at_once = max(self.most_at_once, self.open_calls)
        self.gate.wait(PATIENCE_S)
        with self._lock:
            self.open_calls -= 1
        return self.reply(body["messages"][-1]["content"])

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = json.dumps({"data": [{"id": model} for model in upstream.models]}).encode()
                self._send(200, content)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                reply = upstream._answer(self.path, self.headers.get("Authorization"), body)
                if isinstance(reply, tuple):
                    self._send(*reply)
                    return
                with contextlib.suppress(ConnectionError):
                    for piece in reply or ():
                        self.wfile.write(piece)

            def _send(self, status: int, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
