"""The local Bailian over plain HTTP, for tests that look at every field."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import requests

from scripts.localcloud.bailian.local_bailian import LocalBailian
from shared.ports.profile import CHAT
from tests.support.bailian_requests import chat_line, wait_for
from tests.support.waiting import PATIENCE_S

KEY = "sk-test"
TERMINAL = {"completed", "failed", "expired", "cancelled"}


class StoppedClock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 4, 17, 8, 26, 34, tzinfo=timezone.utc)

    def now(self) -> datetime:
        return self.time


class Wire:
    """The service over plain HTTP: parsed JSON, nothing hidden."""

    def __init__(self, local: LocalBailian, key: str = KEY) -> None:
        self._base_url = local.base_url
        self._headers = {"Authorization": f"Bearer {key}"}

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(
            method, f"{self._base_url}{path}", headers=self._headers, timeout=PATIENCE_S, **options
        )

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        return self.call("GET", path, params=params).json()

    def upload(self, *lines: bytes, filename: str = "in.jsonl") -> str:
        files = {"file": (filename, b"".join(lines))}
        return self.call("POST", "/files", files=files, data={"purpose": "batch"}).json()["id"]

    def create(self, *lines: bytes, name: str = "job", endpoint: str = CHAT, **fields: Any) -> dict[str, Any]:
        body = {
            "input_file_id": self.upload(*lines),
            "endpoint": endpoint,
            "completion_window": "24h",
            "metadata": {"ds_name": name},
        }
        response = self.call("POST", "/batches", json=body | fields)
        response.raise_for_status()
        return response.json()

    def batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        return self.get(f"/batches/{batch['id']}")

    def ended(self, batch: dict[str, Any]) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            seen = self.batch(batch)
            return seen if seen["status"] in TERMINAL else None

        return wait_for(look)

    def lines(self, file_id: str | None) -> list[dict[str, Any]]:
        content = self.call("GET", f"/files/{file_id}/content").content if file_id else b""
        return [json.loads(line) for line in content.split(b"\n") if line]


def rows(count: int) -> list[bytes]:
    return [chat_line(f"row-{number}", f"question {number}") for number in range(count)]


def ids_of(lines: list[dict[str, Any]]) -> list[str]:
    return [line["custom_id"] for line in lines]
