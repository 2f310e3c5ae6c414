"""Events that no retry could save, in the form that Function Compute sends on failure."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.fc.spool import Invocation
from scripts.localcloud.fc.workers.pool import InvocationResult
from scripts.localcloud.options import ACCOUNT_ID


@dataclass(frozen=True)
class DeadLetter:
    """An event that was given up, its number of attempts, and how the last one ended."""

    invocation: Invocation
    attempts: int
    last_result: InvocationResult

    @property
    def condition(self) -> str:
        return self.last_result.error_type or ""

    def render(self, *, now_s: float, region: str) -> bytes:
        """The destination's JSON on one line; both payloads are strings.

        Source: https://github.com/awesome-fc (Destination samples); the function ARN is FC 3.0's.
        """
        result = self.last_result
        document = {
            "timestamp": int(now_s * 1000),
            "requestContext": {
                "requestId": self.invocation.request_id,
                "functionArn": f"acs:fc:{region}:{ACCOUNT_ID}:functions/{self.invocation.function}",
                "condition": self.condition,
                "approximateInvokeCount": self.attempts,
            },
            "requestPayload": self.invocation.event.decode("utf-8", "replace"),
            "responseContext": {
                "statusCode": result.status,
                "functionError": self.condition,
            },
            "responsePayload": result.body.decode("utf-8", "replace"),
        }
        return json.dumps(document, ensure_ascii=False).encode("utf-8") + b"\n"


class DeadLetterBox:
    """The dead letters of this run in memory, and those of every run in one JSON-lines file."""

    def __init__(self, path: Path, *, region: str) -> None:
        self._path = path
        self._region = region
        self._letters: list[DeadLetter] = []
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)

    def add(self, letter: DeadLetter, *, now_s: float) -> None:
        line = letter.render(now_s=now_s, region=self._region)
        with self._lock, self._path.open("ab") as file:
            file.write(line)
            self._letters.append(letter)

    @property
    def letters(self) -> tuple[DeadLetter, ...]:
        with self._lock:
            return tuple(self._letters)
