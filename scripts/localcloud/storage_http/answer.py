"""An answer before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import BinaryIO

from scripts.localcloud.storage_http.conditions import ByteRange


@dataclass(frozen=True)
class FileBody:
    """Bytes of an open file, which the server closes after sending them."""

    stream: BinaryIO
    span: ByteRange


@dataclass(frozen=True)
class Answer:
    """Status, headers and body; ``size_bytes`` overrides Content-Length for HEAD."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | FileBody = b""
    size_bytes: int | None = None


def file_answer(
    headers: Mapping[str, str], stream: BinaryIO, size_bytes: int, span: ByteRange | None
) -> Answer:
    """The part of a file that was asked for, or all of it."""
    if span is None:
        return Answer(headers=headers, body=FileBody(stream, ByteRange(0, size_bytes - 1)))
    told = {**headers, "Content-Range": f"bytes {span.first}-{span.last}/{size_bytes}"}
    return Answer(206, told, FileBody(stream, span))


def iso_time(epoch_s: float) -> str:
    """As documents tell it; the one form that oss2 can parse."""
    return f"{datetime.fromtimestamp(epoch_s, tz=timezone.utc):%Y-%m-%dT%H:%M:%S}.000Z"
