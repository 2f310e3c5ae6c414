"""The port of what a browser may do with one object of the bucket by itself, for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True)
class PostForm:
    """A form that uploads one file, by ``multipart/form-data``; it is answered 204.

    Attributes:
        url: Where it is posted to.
        fields: Its fields, before the last one, which is named ``file``. They let in whoever knows
            them: log none.
    """

    url: str
    fields: Mapping[str, str]


class SignedAccess(Protocol):
    """Signs with the rights of the caller's key. No call makes a request.

    With temporary credentials, what is signed ends with them at the latest.
    """

    def upload_form(self, key: str, *, max_bytes: int, now: datetime, lifetime: timedelta) -> PostForm:
        """Let a browser write exactly this object, with one byte at least and at most so many.

        It must have arrived within ``lifetime``.
        """

    def download_url(self, key: str, *, file_name: str, lifetime: timedelta) -> str:
        """Let a browser fetch this object, as a file of this name and never as a page."""
