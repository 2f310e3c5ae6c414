"""Chats and endpoints as their vendors document them: they check what they are told.

Their checks are written from the documents alone; none uses the code that signs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.fakes import START

HOUR_S = 3600


@dataclass(frozen=True)
class Posted:
    """One request."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What is answered; ``None`` for a status hangs up without a word."""

    body: bytes = b""
    status: int | None = 200
    headers: Mapping[str, str] | None = None


class ChatServer:
    """A vendor's server on a port of this machine.

    Attributes:
        taken: What it took, in order.
        refusals: What it answers next, whatever comes.
    """

    def __init__(
        self, answer: Callable[[Posted, datetime], tuple[bool, Reply]], now: datetime = START
    ) -> None:
        self.taken: list[Posted] = []
        self.refusals: list[Reply] = []
        self._answer = answer
        self.now = now
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def serving(self) -> Iterator[ChatServer]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def reply_to(self, posted: Posted) -> Reply:
        if self.refusals:
            return self.refusals.pop(0)
        is_taken, reply = self._answer(posted, self.now)
        if is_taken:
            self.taken.append(posted)
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                reply = chat.reply_to(Posted(parts.path, query, headers, body))
                if reply.status is None:
                    return
                self.send_response(reply.status)
                for name, value in (reply.headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_values: object) -> None:
                pass

        return Handler


def said(status: int = 200, headers: Mapping[str, str] | None = None, **fields: object) -> Reply:
    return Reply(json.dumps(fields).encode(), status, headers)


def dingtalk(secret: str) -> ChatServer:
    """https://open.dingtalk.com/document/robots/customize-robot-security-settings."""

    def answer(posted: Posted, now: datetime) -> tuple[bool, Reply]:
        if posted.query.get("access_token") != "a-token":
            return False, said(errcode=300005, errmsg="token is not exist")
        timestamp = posted.query.get("timestamp", "0")
        expected = _hmac(secret.encode(), f"{timestamp}\n{secret}".encode())
        if abs(int(timestamp) / 1000 - now.timestamp()) > HOUR_S:
            return False, said(errcode=310000, errmsg="invalid timestamp")
        if posted.query.get("sign") != expected:
            return False, said(errcode=310000, errmsg="sign not match")
        if posted.document["msgtype"] != "text" or not posted.document["text"]["content"]:
            return False, said(errcode=40035, errmsg="缺少参数 json")
        return True, said(errcode=0, errmsg="ok")

    return ChatServer(answer)


def feishu(secret: str) -> ChatServer:
    """https://open.larkoffice.com/document/ukTMukTMukTM/ucTM5YjL3ETO24yNxkjN.md."""

    def answer(posted: Posted, now: datetime) -> tuple[bool, Reply]:
        document = posted.document
        timestamp = document.get("timestamp", "0")
        expected = _hmac(f"{timestamp}\n{secret}".encode(), b"")
        is_late = abs(int(timestamp) - now.timestamp()) > HOUR_S
        if is_late or document.get("sign") != expected:
            text = "sign match fail or timestamp is not within one hour from current time"
            return False, said(code=19021, msg=text)
        if document.get("msg_type") != "text" or len(posted.body) > 20 * 1024:
            return False, said(code=9499, msg="Bad Request", data={})
        return True, said(StatusCode=0, StatusMessage="success", code=0, data={}, msg="success")

    return ChatServer(answer)


def wecom() -> ChatServer:
    """https://developer.work.weixin.qq.com/document/path/91770."""

    def answer(posted: Posted, _now: datetime) -> tuple[bool, Reply]:
        if posted.query.get("key") != "a-key":
            return False, said(errcode=93000, errmsg="invalid webhook url, hint: [1]")
        document = posted.document
        if document["msgtype"] != "text" or len(document["text"]["content"].encode()) > 2048:
            return False, said(errcode=40058, errmsg="text.content exceed max length 2048")
        return True, said(errcode=0, errmsg="ok")

    return ChatServer(answer)


def slack() -> ChatServer:
    """https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""

    def answer(posted: Posted, _now: datetime) -> tuple[bool, Reply]:
        if posted.path != "/services/T0/B0/X0":
            return False, Reply(b"no_service", 404)
        if not posted.document.get("text"):
            return False, Reply(b"no_text", 400)
        return True, Reply(b"ok")

    return ChatServer(answer)


def webhook(secret: str, now: datetime = START) -> ChatServer:
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md."""
    key = base64.b64decode(secret.removeprefix("whsec_"))

    def answer(posted: Posted, now: datetime) -> tuple[bool, Reply]:
        word_id, timestamp = posted.headers["webhook-id"], posted.headers["webhook-timestamp"]
        expected = f"v1,{_hmac(key, f'{word_id}.{timestamp}.'.encode() + posted.body)}"
        is_late = abs(int(timestamp) - now.timestamp()) > 5 * 60
        if is_late or expected not in posted.headers["webhook-signature"].split(" "):
            return False, Reply(b"", 401)
        return True, Reply(b"", 204)

    return ChatServer(answer, now)


def _hmac(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
