"""The check of a signature with a certificate that is published under a URL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class SignatureVerifier(Protocol):
    """Asymmetric signatures, verified with a certificate that is published on the web."""

    def has_signed(self, certificate_url: str, signature: bytes, texts: Iterable[bytes]) -> bool:
        """Whether ``signature`` is the certificate's RSA signature, with SHA-256, over one of the texts.

        Raises:
            TransientError: The certificate cannot be had, or is none.
        """
