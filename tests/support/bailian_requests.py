"""Builders of Bailian requests for the contract tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from fastcrc import crc64

from shared.ports.profile import CHAT
from shared.ports.provider import BatchRequest
from tests.support.waiting import PATIENCE_S, wait_until

T = TypeVar("T")


def chat_line(
    custom_id: str, content: str = "hello", /, *, model: str = "qwen-flash", url: str = CHAT, **fields: Any
) -> bytes:
    line = {
        "custom_id": custom_id,
        "method": "POST",
        "url": url,
        "body": {"model": model, "messages": [{"role": "user", "content": content}]},
    }
    return json.dumps(line | fields, ensure_ascii=False).encode() + b"\n"


def batch_request(name: str, *lines: bytes, **fields: Any) -> BatchRequest:
    def open_lines() -> Iterator[bytes]:
        yield from lines

    values: dict[str, Any] = {
        "object_key": f"jobs/{name}",
        "size_bytes": sum(map(len, lines)),
        "crc64": crc64.xz(b"".join(lines)),
        "open_lines": open_lines,
        "endpoint": CHAT,
        "model": "qwen-flash",
        "completion_window": timedelta(hours=24),
    }
    return BatchRequest(name=name, **(values | fields))


def wait_for(look: Callable[[], T | None], *, within_s: float = PATIENCE_S, every_s: float = 0.01) -> T:
    """Look again and again until there is something to see."""
    return wait_until(look, "nothing is to be seen", every_s=every_s, within_s=within_s)
