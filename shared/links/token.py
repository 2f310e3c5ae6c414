"""A link's token: what it lets in to, until when, and the proof that we made it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from shared.links.folders import checked_folder

LINK_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
# A folder's name has at most 1,023 bytes; longer tokens are not even decoded.
MAX_TOKEN_CHARS = 4096


@dataclass(frozen=True)
class Link:
    """What a link opens.

    Attributes:
        id: By which it is withdrawn; 16 hexadecimal digits.
        folder: Below ``inbox/``, with a slash at its end; ``""`` is all of it.
        is_operator: It also shows what concerns the whole installation.
    """

    id: str
    folder: str
    is_operator: bool
    expires_at: datetime


class _Claims(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    v: Literal[1]
    id: Annotated[str, Field(pattern=f"^{LINK_ID.pattern}$")]
    folder: Annotated[str, AfterValidator(checked_folder)]
    operator: bool
    expires: Annotated[int, Field(ge=0, le=253_402_300_799)]  # the end of the year 9999


def token_for(link: Link, secret: bytes) -> str:
    """The token: base64url of the claims as JSON, a dot, base64url of their HMAC-SHA256.

    Raises:
        ValueError: The id or the folder is none.
    """
    claims = _Claims(
        v=1,
        id=link.id,
        folder=link.folder,
        operator=link.is_operator,
        expires=int(link.expires_at.timestamp()),
    )
    payload = _encoded(claims.model_dump_json().encode())
    return f"{payload}.{_signature(payload, secret)}"


def verified_link(token: str, secret: bytes) -> Link | None:
    """The link, which may be over or withdrawn; ``None`` if the token is not ours.

    Takes any text, and compares signatures in constant time before it reads what is signed.
    """
    if len(token) > MAX_TOKEN_CHARS:
        return None
    payload, _, signature = token.partition(".")
    given = signature.encode(errors="replace")
    if not hmac.compare_digest(given, _signature(payload, secret).encode()):
        return None
    try:
        claims = _Claims.model_validate_json(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValidationError, binascii.Error):
        return None
    expires_at = datetime.fromtimestamp(claims.expires, timezone.utc)
    return Link(claims.id, claims.folder, claims.operator, expires_at)


def _signature(payload: str, secret: bytes) -> str:
    signed = f"batchdrop-link:{payload}".encode(errors="replace")
    return _encoded(hmac.new(secret, signed, hashlib.sha256).digest())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
