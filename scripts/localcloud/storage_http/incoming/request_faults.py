"""Faults on demand: what a test wants to happen to the next matching request."""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass


class FaultAction(enum.Enum):
    """What goes wrong."""

    ANSWER_500 = "answer 500 InternalError and do nothing"
    ANSWER_503 = "answer 503 ServiceUnavailable and do nothing"
    CUT_BEFORE = "close the connection and do nothing"
    CUT_AFTER = "do it, and close the connection instead of answering"
    WRONG_CRC = "do it, and tell a wrong CRC64"
    TRUNCATE = "announce the whole answer and close the connection in the middle of it"


@dataclass(frozen=True)
class Fault:
    """One request of this method whose key starts with ``key_prefix`` suffers ``action``.

    Attributes:
        query_name: If given, the query must have this parameter (``uploads``, ``partNumber``, …).
    """

    action: FaultAction
    method: str
    key_prefix: str = ""
    query_name: str = ""

    def matches(self, method: str, key: str, query_names: frozenset[str]) -> bool:
        return (
            method == self.method
            and key.startswith(self.key_prefix)
            and (not self.query_name or self.query_name in query_names)
        )


class Faults:
    """Faults that wait for their request; each strikes once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, action: FaultAction, method: str, key_prefix: str = "", query_name: str = "") -> None:
        with self._lock:
            self._waiting.append(Fault(action, method, key_prefix, query_name))

    def take(self, method: str, key: str, query_names: frozenset[str]) -> FaultAction | None:
        with self._lock:
            for fault in self._waiting:
                if fault.matches(method, key, query_names):
                    self._waiting.remove(fault)
                    return fault.action
        return None
