"""What is signed of a call, and how the clouds that sign alike write it down."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flask import request


@dataclass(frozen=True)
class Signed:
    """What is signed of a request; the names of headers are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def body_hash(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    def canonical(self, query: str, names: Sequence[str], value: Callable[[str], str]) -> bytes:
        """The request as its signature is made of it.

        Args:
            query: In the form in which the cloud signs it.
            names: Of the headers that are signed.
            value: Of a header, as it is signed.
        """
        headers = "".join(f"{name}:{value(name)}\n" for name in names)
        parts = (self.method, self.path, query, headers, ";".join(names), self.body_hash)
        return "\n".join(parts).encode()


@dataclass(frozen=True)
class AccessKey:
    """A key's secret, and its token if it is a temporary one."""

    secret: str
    token: str | None = None


def current_request() -> Signed:
    """What is signed of the request at hand."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = request.query_string.decode("ascii", "replace")
    return Signed(request.method, request.path, query, headers, request.get_data())
