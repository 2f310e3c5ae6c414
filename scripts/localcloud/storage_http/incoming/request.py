"""One HTTP request about a bucket or an object, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from scripts.localcloud.storage import refusals


@dataclass(frozen=True)
class ObjectRequest:
    """A request as it was signed.

    Attributes:
        headers: Names in lower case; values as they came, one character per byte (Latin-1), because
            signatures are computed over bytes.
        key: The raw object key, or ``""`` for a request to the bucket or the service.
        endpoint: The host and port by which the client knows the service, without the bucket.
    """

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    endpoint: str = ""

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


def decoded_header(value: str) -> str:
    """A key in a header: percent-encoded, and the Go SDK writes a blank as ``+``."""
    try:
        return unquote_to_bytes(value.replace("+", " ").encode("latin-1")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise refusals.invalid_object_name() from error


def parse_copy_source(header: str) -> tuple[str, str]:
    """Bucket and key of an ``x-…-copy-source`` header; a ``?`` of the key's own is encoded.

    A slash may stand before them.
    """
    if "?versionId=" in header:
        raise refusals.not_implemented("versions of objects")
    bucket, separator, key = decoded_header(header).lstrip("/").partition("/")
    if not separator or not key:
        raise refusals.invalid_argument("Copy Source must mention the source bucket and key: /bucket/key.")
    return bucket, key


def bounded_number(
    request: ObjectRequest, name: str, *, default: int | None = None, smallest: int = 1, largest: int
) -> int:
    """A number from the query, within its bounds; an empty one counts as absent."""
    text = request.query.get(name, "")
    if not text and default is not None:
        return default
    if not re.fullmatch("[0-9]{1,9}", text) or not smallest <= int(text) <= largest:
        raise refusals.invalid_argument(
            f"Argument {name} must be an integer between {smallest} and {largest}."
        )
    return int(text)


def overrides(request: ObjectRequest, names: Iterable[str]) -> dict[str, str]:
    """``response-content-type=…`` and its kin, for signed download URLs; values as in requests."""
    found = {}
    for name in ("content-type", *names):
        value = request.query.get(f"response-{name}")
        if value is None:
            continue
        if re.search(r"[\0-\x1f\x7f]", value):
            raise refusals.invalid_argument(f"response-{name} has control characters.")
        found[name.title()] = value.encode().decode("latin-1")
    return found
