"""How a URL is called, as the user's environment has it: proxies, certificates, passwords."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH, select_proxy

from scripts.localcloud.answers.caller_threads import CallerThreads
from scripts.localcloud.answers.calls.connection import Connection
from scripts.localcloud.answers.upstream import Upstream

CONNECT_S = 10
_SENT = ("Accept", "Authorization", "Content-Type", "User-Agent")


@dataclass(frozen=True)
class Way:
    """How a URL is called.

    Attributes:
        head: Of a request, but for the length of its body.
        tls: ``None`` without encryption.
        is_proxied: A proxy stands between.
    """

    host: str
    port: int
    head: bytes
    tls: ssl.SSLContext | None
    is_proxied: bool

    def request(self, body: bytes) -> bytes:
        return b"%sContent-Length: %d\r\n\r\n%s" % (self.head, len(body), body)

    async def connect(self, made: Callable[[], Connection], threads: CallerThreads) -> Connection:
        """A connection that can be used; a thread waits for the name and for the other side.

        Raises:
            OSError: With its number where it took too long.
        """
        address = (self.host, self.port)
        host, patience_s = (self.host, CONNECT_S) if self.tls else (None, None)
        try:
            connected = await threads.awaited(lambda: socket.create_connection(address, CONNECT_S))
            _, connection = await asyncio.get_running_loop().create_connection(
                made, sock=connected, ssl=self.tls, server_hostname=host, ssl_handshake_timeout=patience_s
            )
        except TimeoutError:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
        return connection


class Ways:
    """``requests`` finds out what the environment says, and calls where a proxy stands between."""

    _PORTS: ClassVar = {"http": 80, "https": 443}

    def __init__(self, upstream: Upstream) -> None:
        self._timeout_s = upstream.timeout_s
        key = upstream.api_key
        authorization = {"Authorization": f"Bearer {key}"} if key else {}
        self._headers = {"Content-Type": "application/json", **authorization}
        self._session = requests.Session()
        self._known: dict[str, Way] = {}

    def to(self, url: str) -> Way:
        """Raises: ValueError or OSError: The URL, or what the environment says, is wrong."""
        way = self._known.get(url)
        if way is None:
            way = self._known[url] = self._found(url)
        return way

    def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """The status and content of the reply, through proxies and after redirects."""
        timeout_s = (CONNECT_S, self._timeout_s)
        response = self._session.post(url, data=body, headers=self._headers, timeout=timeout_s)
        return response.status_code, response.content

    def close(self) -> None:
        self._session.close()

    def _found(self, url: str) -> Way:
        asked = self._session.prepare_request(requests.Request("POST", url, headers=self._headers))
        surroundings = self._session.merge_environment_settings(url, {}, None, None, None)
        parts = urlsplit(str(asked.url))
        headers = {"Host": parts.netloc.rpartition("@")[2], "Accept-Encoding": "identity"}
        headers |= {name: str(value) for name, value in asked.headers.items() if name in _SENT}
        lines = [f"POST {asked.path_url} HTTP/1.1", *map(": ".join, headers.items())]
        return Way(
            parts.hostname or "",
            parts.port or self._PORTS[parts.scheme],
            "".join(f"{line}\r\n" for line in lines).encode("latin-1"),
            _tls(surroundings["verify"]) if parts.scheme == "https" else None,
            select_proxy(url, surroundings["proxies"]) is not None,
        )


def _tls(verify: str | bool | None) -> ssl.SSLContext:
    authorities = Path(verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH)
    if authorities.is_dir():
        return ssl.create_default_context(capath=authorities)
    return ssl.create_default_context(cafile=authorities)
