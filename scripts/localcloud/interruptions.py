"""Keeps threads of a local cloud alive while this machine lacks something, and tells of it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import requests

log = logging.getLogger(__name__)

_PAUSE_S = 0.5
_ADVICE = (
    "请检查磁盘空间和权限；恢复后会自动继续。"
    "Check disk space and permissions; the work then goes on by itself."
)


class Interruptions:
    """What cannot go on at the moment, as on a full disk, and why.

    A thread that died of it would stay dead once there is space again. Each kind of work is logged
    once until it goes on.
    """

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    @property
    def reasons(self) -> Mapping[str, str]:
        """By the name of the work."""
        return dict(self._reasons)

    def begin(self, work: str, error: Exception) -> None:
        if work not in self._reasons:
            log.warning("work.interrupted", extra={"work": work, "reason": str(error), "advice": _ADVICE})
        self._reasons[work] = str(error)

    def end(self, work: str) -> None:
        if self._reasons.pop(work, None) is not None:
            log.warning("work.resumed", extra={"work": work})

    @contextmanager
    def outlived(self, work: str) -> Iterator[None]:
        """End the block where this machine fails it; the caller comes back to it."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            self.begin(work, error)
        else:
            self.end(work)

    def repeat(self, work: str, act: Callable[[], object], is_stopping: Callable[[float], bool]) -> bool:
        """Act until it succeeds.

        Args:
            work: Its name.
            act: May raise what this machine lacks, and is then done again as a whole.
            is_stopping: Waits for so many seconds; true ends the attempts.

        Returns:
            Whether it succeeded.
        """
        while True:
            is_done = False
            with self.outlived(work):
                act()
                is_done = True
            if is_done or is_stopping(_PAUSE_S):
                return is_done


def interruptions_of(page_url: str) -> Mapping[str, str]:
    """Those of a local cloud of another process; none if it does not answer."""
    with suppress(OSError, ValueError):  # those of requests are OSError
        return dict(requests.get(f"{page_url}status.json", timeout=5).json()["interrupted"])
    return {}
