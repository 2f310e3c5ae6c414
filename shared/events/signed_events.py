"""EventBridge's signature (v2) over requests to an HTTP target: what is signed, and by whom.

Source: https://help.aliyun.com/en/eventbridge/user-guide/signature-algorithm
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_PREFIX = "x-eventbridge-"
SIGNATURE = f"{_PREFIX}signature-v2"
TIMESTAMP = f"{_PREFIX}signature-timestamp"
HASH_METHOD = f"{_PREFIX}hash-method"
VERSION = f"{_PREFIX}signature-version"
CERTIFICATE_URL = f"{_PREFIX}signature-url"
TOKEN = f"{_PREFIX}signature-token"
_SIGNED_HEADERS = (TIMESTAMP, HASH_METHOD, VERSION, CERTIFICATE_URL, TOKEN)

_MILLISECONDS = re.compile("[0-9]{1,15}", re.ASCII)
_REGION = re.compile("[a-z]{2,4}(-[a-z0-9]+)+", re.ASCII)
# Compared whole, never parsed: no user, port, dot, query or fragment can make it lead elsewhere.
_CERTIFICATE = re.compile(r"/x509_public_certificate_[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)
_MAX_CERTIFICATE_URL_CHARS = 300
# RSA with 16,384 bits, in base64.
_MAX_SIGNATURE_CHARS = 2732

# The page leaves this open: its formula ends with the body, Alibaba's Java example with one more
# line end.
_ENDS = (b"", b"\n")


@dataclass(frozen=True)
class SignedEvent:
    """One request of EventBridge.

    Attributes:
        urls: What the target's URL may be; the signature covers it exactly as configured.
        headers: By name in lower case.
        body: As it came.
    """

    urls: tuple[str, ...]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def is_region(text: str) -> bool:
    """Whether it can be part of a host's name, which is all that a region is used for here."""
    return _REGION.fullmatch(text) is not None


def possible_urls(host: str, target: str) -> tuple[str, ...]:
    """Every URL that leads to this request: TLS ended before us, so the one used is unknown."""
    schemes = (("https", 443), ("http", 80))
    hosts = [(scheme, port, host.removesuffix(f":{port}")) for scheme, port in schemes]
    plain = [f"{scheme}://{name}{target}" for scheme, _, name in hosts]
    return (*plain, *(f"{scheme}://{name}:{port}{target}" for scheme, port, name in hosts if ":" not in name))


def refusal_of(
    event: SignedEvent, token: str, region: str, now: datetime, valid_for: timedelta
) -> str | None:
    """Why the event is refused without a look at its signature, in one word, or ``None``.

    The token goes first: without it nobody can make us fetch anything. EventBridge signs for all
    its users with the same key, so the token also tells our rule from a stranger's.
    """
    given = event.headers.get(TOKEN, "")
    if not hmac.compare_digest(given.encode(errors="replace"), token.encode()):
        return "token"
    if not _is_recent(event.headers.get(TIMESTAMP, ""), now, valid_for):
        return "timestamp"
    if event.headers.get(HASH_METHOD, "").upper().replace("-", "") != "SHA256":
        return "hash_method"
    if not _is_certificate_of(region, event.headers.get(CERTIFICATE_URL, "")):
        return "certificate_url"
    return None if signature_of(event) else "signature_form"


def signature_of(event: SignedEvent) -> bytes:
    """The signature's bytes; empty if it is missing, malformed or too long."""
    text = event.headers.get(SIGNATURE, "")
    if len(text) > _MAX_SIGNATURE_CHARS:
        return b""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""


def strings_to_sign(event: SignedEvent) -> Iterator[bytes]:
    """Every text that may have been signed, the documented one first."""
    headers = "\n".join(f"{name}: {event.headers.get(name, '')}" for name in _SIGNED_HEADERS)
    for end in _ENDS:
        for url in event.urls:
            yield f"{url}\n{headers}\n".encode(errors="replace") + event.body + end


def _is_recent(timestamp: str, now: datetime, valid_for: timedelta) -> bool:
    if not _MILLISECONDS.fullmatch(timestamp):
        return False
    age_ms = now.timestamp() * 1000 - int(timestamp)
    return abs(age_ms) <= valid_for / timedelta(milliseconds=1)


def _is_certificate_of(region: str, url: str) -> bool:
    origin = f"https://{region}-eventbridge.oss-accelerate.aliyuncs.com"
    is_there = url.startswith(f"{origin}/") and len(url) <= _MAX_CERTIFICATE_URL_CHARS
    return is_there and _CERTIFICATE.fullmatch(url[len(origin) :]) is not None
