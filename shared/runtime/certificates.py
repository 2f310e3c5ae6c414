"""Verifies RSA signatures with X.509 certificates that are published under a URL."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
from urllib3.exceptions import HTTPError

from shared.problems.exceptions import TransientError

if TYPE_CHECKING:
    from Crypto.PublicKey.RSA import RsaKey

# A certificate has 1 or 2 KB.
MAX_CERTIFICATE_BYTES = 32 * 1024
# The function that waits for the certificate has 10 s for all its work.
CONNECT_TIMEOUT_S, READ_TIMEOUT_S, TOTAL_TIMEOUT_S = 2.0, 2.0, 4.0
# A withdrawn certificate must not be trusted for ever.
KEPT_S = 3600.0
MAX_KEPT = 4
_MIN_KEY_BITS = 1024


@dataclass(frozen=True)
class _Kept:
    key: RsaKey
    until_s: float


class CertificateVerifier:
    """``SignatureVerifier``; keeps a few keys while the instance lives, an hour at most.

    The caller decides which URLs may be fetched. Only a certificate or a public key in the answer
    counts, redirects are not followed, and no proxy or password of the environment is used.
    """

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def has_signed(self, certificate_url: str, signature: bytes, texts: Iterable[bytes]) -> bool:
        key = self._key_from(certificate_url)
        return any(_is_signature(key, signature, text) for text in texts)

    def _key_from(self, url: str) -> RsaKey:
        kept = self._kept.get(url)
        if kept and kept.until_s > time.monotonic():
            return kept.key
        key = _parsed(_fetched(url))
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[url] = _Kept(key, time.monotonic() + KEPT_S)
        return key


def _fetched(url: str) -> bytes:
    """The bytes under the URL.

    Raises:
        TransientError: There are none, they are too many, or they take too long.
    """
    until_s = time.monotonic() + TOTAL_TIMEOUT_S
    content = bytearray()
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.get(
                url, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S), stream=True, allow_redirects=False
            ) as answer:
                if answer.status_code != requests.codes.ok:
                    raise TransientError(f"no certificate: status {answer.status_code}")
                # Compressed bytes stay so: what unpacks to gigabytes is no certificate. read1()
                # returns after one look at the socket, so that the total time is kept however
                # slowly the bytes come.
                while piece := answer.raw.read1(MAX_CERTIFICATE_BYTES, decode_content=False):
                    content += piece
                    if len(content) > MAX_CERTIFICATE_BYTES or time.monotonic() > until_s:
                        raise TransientError("no certificate: too large or too slow")
        except (requests.RequestException, HTTPError) as error:
            raise TransientError(f"no certificate: {type(error).__name__}") from error
    return bytes(content)


def _parsed(certificate: bytes) -> RsaKey:
    from Crypto.PublicKey import RSA  # noqa: PLC0415  # seldom needed

    try:
        key = RSA.import_key(certificate)
    except (ValueError, IndexError, TypeError) as error:
        raise TransientError("no certificate: it cannot be read") from error
    if key.has_private() or key.size_in_bits() < _MIN_KEY_BITS:
        raise TransientError("no certificate: not a public key of any strength")
    return key


def _is_signature(key: RsaKey, signature: bytes, text: bytes) -> bool:
    from Crypto.Hash import SHA256  # noqa: PLC0415  # seldom needed
    from Crypto.Signature import pkcs1_15  # noqa: PLC0415  # seldom needed

    try:
        pkcs1_15.new(key).verify(SHA256.new(text), signature)
    except ValueError:
        return False
    return True
