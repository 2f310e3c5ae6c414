"""Accepted events on disk, one file each, so that a restart of the local cloud loses none."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Invocation:
    """One delivery of an event to a function.

    Duplicates share the ``request_id``, not the ``delivery_id``. ``accepted_at_s`` is Unix time,
    because it must mean the same after a restart.
    """

    delivery_id: str
    function: str
    request_id: str
    event: bytes
    accepted_at_s: float


class Spool:
    """The directory of the events that are not done.

    It survives the process, not a power cut: nothing is fsynced.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def add(self, invocation: Invocation) -> None:
        document = {
            "function": invocation.function,
            "request_id": invocation.request_id,
            "accepted_at_s": invocation.accepted_at_s,
            # Text for people to read; bytes that are no UTF-8 come back unchanged all the same.
            "event": invocation.event.decode("utf-8", "surrogateescape"),
        }
        path = self._path(invocation.delivery_id)
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(
            json.dumps(document, ensure_ascii=False),
            encoding="utf-8",
            errors="surrogateescape",
            newline="",
        )
        unfinished.replace(path)

    def remove(self, delivery_id: str) -> None:
        self._path(delivery_id).unlink(missing_ok=True)

    def load(self) -> list[Invocation]:
        """What was accepted and not done, oldest first. An unreadable file is left where it is."""
        found = (_find_invocation(path) for path in self._directory.glob("*.json"))
        return sorted(filter(None, found), key=lambda invocation: invocation.accepted_at_s)

    def _path(self, delivery_id: str) -> Path:
        return self._directory / f"{delivery_id}.json"


def _find_invocation(path: Path) -> Invocation | None:
    try:
        document = json.loads(path.read_bytes().decode("utf-8", "surrogateescape"))
        return Invocation(
            delivery_id=path.stem,
            function=document["function"],
            request_id=document["request_id"],
            event=document["event"].encode("utf-8", "surrogateescape"),
            accepted_at_s=float(document["accepted_at_s"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        log.warning("spooled_event.unreadable", extra={"path": os.fspath(path)}, exc_info=True)
        return None
