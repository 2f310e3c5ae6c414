"""What a provider says of single requests, by their text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.support.fake_provider import result_line

Said = Mapping[str, Callable[[str], dict[str, Any] | None]]


def told(content: str, reason: str = "stop") -> Callable[[str], dict[str, Any]]:
    def line(custom_id: str) -> dict[str, Any]:
        said = result_line(custom_id, content=content)
        said["response"]["body"]["choices"][0]["finish_reason"] = reason
        return said

    return line


def refused(custom_id: str) -> dict[str, Any]:
    return result_line(custom_id, status=400)
