"""What a request says about the object it writes, before its bytes are known."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field


def new_request_id() -> str:
    return secrets.token_hex(12).upper()


@dataclass(frozen=True)
class Write:
    """The target and the description of one write; ``etag`` is the MD5 where it is ``None``."""

    bucket: str
    key: str
    event_name: str
    request_id: str
    content_type: str = "application/octet-stream"
    user_meta: Mapping[str, str] = field(default_factory=dict)
    object_type: str = "Normal"
    etag: str | None = None
    forbid_overwrite: bool = False
