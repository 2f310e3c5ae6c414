"""The port that checks a signature with a certificate from the web."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class SignatureVerifier(Protocol):
    """Checks asymmetric signatures with a certificate that is published under a URL."""

    def has_signed(self, certificate_url: str, signature: bytes, texts: Iterable[bytes]) -> bool:
        """Whether ``signature`` is the certificate's, RSA with SHA-256, over one of the texts.

        Raises:
            TransientError: The certificate cannot be fetched, or is not one.
        """
