"""The HTTP server of what answers as a Flask app, and how it breaks an answer off."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import IO, Any, cast

from flask import Response, request
from werkzeug.exceptions import BadRequest
from werkzeug.serving import BaseWSGIServer, DechunkedInput, WSGIRequestHandler

from scripts.localcloud.servers.local_server import LocalServer


class WsgiServer(LocalServer, BaseWSGIServer):
    """Werkzeug's handler of requests on the local cloud's connections and threads."""

    multithread = True


class _Chunks(DechunkedInput):
    """A body in chunks, which are the caller's fault if they are none."""

    def readinto(self, buffer: Any) -> int:
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise BadRequest("The chunks of the request's body are malformed, or one is missing.") from error


class QuietHandler(WSGIRequestHandler):
    """Says nothing of a request: pollers would fill the screen."""

    # Chunked answers exist since HTTP/1.1.
    protocol_version = "HTTP/1.1"

    def make_environ(self) -> dict[str, Any]:
        environ = super().make_environ()
        if isinstance(environ["wsgi.input"], DechunkedInput):
            environ["wsgi.input"] = _Chunks(cast("IO[bytes]", self.rfile))
        return environ

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def hang_up() -> Response:
    """Close the connection without a byte of an answer."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=500)


def cut_short(response: Response) -> Response:
    """Break the connection after half of the answer's first chunk, whatever its headers promise."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    chunks = response.iter_encoded()

    def half() -> Iterator[bytes]:
        first = next(chunks, b"")
        yield first[: len(first) // 2]
        connection.shutdown(socket.SHUT_RDWR)

    response.response = half()
    return response
