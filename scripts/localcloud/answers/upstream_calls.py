"""One HTTP request for each row, over connections that stay open."""

from __future__ import annotations

import errno
import http.client
import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH, select_proxy
from urllib3.util import wait_for_read

from scripts.localcloud.answers.built_in_answers import Answer, Request
from scripts.localcloud.answers.upstream import (
    Silence,
    Upstream,
    heard,
    no_reply,
    request_to,
    upstream_url,
)

_CONNECT_S = 10
_ERRNO = re.compile(r"\[Errno -?\d+\] ([^'\")]+)")
_SENT = ("Accept", "Authorization", "Content-Type", "User-Agent")


@dataclass(frozen=True)
class _Way:
    """How a URL is called, as the user's environment has it.

    Attributes:
        tls: ``None`` without encryption.
        is_proxied: A proxy stands between.
    """

    host: str
    port: int | None
    target: str
    headers: dict[str, str]
    tls: ssl.SSLContext | None
    is_proxied: bool


class UpstreamCalls:
    """Safe to use from several threads: a call has a connection for itself.

    ``http.client`` needs a third of the time of ``requests``, which is left to find out what the
    environment says of proxies, certificates and passwords.
    """

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._idle: list[http.client.HTTPConnection] = []
        self._ways: dict[str, _Way] = {}
        self._session = requests.Session()
        self._is_closed = False

    def ask(self, request: Request) -> Answer | Silence:
        """The upstream's answer, or its refusal of this row, or why neither came."""
        url = upstream_url(self._upstream.url, request.url)
        try:
            status, content = self._post(url, request_to(self._upstream, request))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return no_reply(f"{url}: {self._reason(error)}")
        return heard(status, content, url)

    def close(self) -> None:
        """Close what is idle; what is in use is closed after its call."""
        self._is_closed = True
        self._session.close()
        while connection := self._taken():
            connection.close()

    def _post(self, url: str, body: bytes) -> tuple[int, bytes]:
        way = self._ways.get(url)
        if way is None:
            way = self._ways[url] = self._way_to(url)
        status, content = (0, b"") if way.is_proxied else self._post_directly(way, body)
        # Whoever redirects has not done the work.
        return (
            self._post_by_requests(url, body) if way.is_proxied or 300 <= status < 400 else (status, content)
        )

    def _post_directly(self, way: _Way, body: bytes) -> tuple[int, bytes]:
        connection = self._connection(way)
        try:
            connection.request("POST", way.target, body, way.headers)
            response = connection.getresponse()
            content = response.read()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        if self._is_closed:
            self.close()
        return response.status, content

    def _post_by_requests(self, url: str, body: bytes) -> tuple[int, bytes]:
        timeout_s = (_CONNECT_S, self._upstream.timeout_s)
        response = self._session.post(url, data=body, headers=self._headers, timeout=timeout_s)
        return response.status_code, response.content

    def _connection(self, way: _Way) -> http.client.HTTPConnection:
        while connection := self._taken():
            # What can be read before anything was asked is the end of the connection.
            if connection.sock and not wait_for_read(connection.sock, 0):
                return connection
            connection.close()
        connection = (
            http.client.HTTPSConnection(way.host, way.port, timeout=_CONNECT_S, context=way.tls)
            if way.tls
            else http.client.HTTPConnection(way.host, way.port, timeout=_CONNECT_S)
        )
        try:
            connection.connect()
        except TimeoutError:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
        connection.sock.settimeout(self._upstream.timeout_s)
        return connection

    def _taken(self) -> http.client.HTTPConnection | None:
        """One that was idle; another thread may take the last at any time."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _way_to(self, url: str) -> _Way:
        asked = self._session.prepare_request(requests.Request("POST", url, headers=self._headers))
        surroundings = self._session.merge_environment_settings(url, {}, None, None, None)
        parts = urlsplit(str(asked.url))
        headers = {name: str(value) for name, value in asked.headers.items() if name in _SENT}
        tls = _tls(surroundings["verify"]) if parts.scheme == "https" else None
        is_proxied = select_proxy(url, surroundings["proxies"]) is not None
        return _Way(parts.hostname or "", parts.port, asked.path_url, headers, tls, is_proxied)

    @property
    def _headers(self) -> dict[str, str]:
        key = self._upstream.api_key
        return {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}

    def _reason(self, error: Exception) -> str:
        is_late = isinstance(error, TimeoutError) and error.errno is None
        if is_late or isinstance(error, requests.ReadTimeout):
            return f"no answer within {self._upstream.timeout_s:g} s"
        number = _ERRNO.search(str(error))
        return number[1] if number else type(error).__name__


def _tls(verify: str | bool | None) -> ssl.SSLContext:
    authorities = Path(verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH)
    if authorities.is_dir():
        return ssl.create_default_context(capath=authorities)
    return ssl.create_default_context(cafile=authorities)
