"""Whether the owner of an access key may do what a request asks for."""

from __future__ import annotations

from typing import Protocol


class Authorize(Protocol):
    """Decides by access key id, action (``oss:GetObject``), bucket, and key.

    For a listing, the key is the prefix that is listed; OSS's policies may also name the delimiter.
    """

    def __call__(
        self, access_key_id: str, action: str, bucket: str, key: str, /, delimiter: str = ""
    ) -> bool: ...


def allow_everything(
    _access_key_id: str, _action: str, _bucket: str, _key: str, /, delimiter: str = ""
) -> bool:
    return True
