"""Everything that one tick of the timer does: repair, show, and tell; or rest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from shared.board.model import Board
from shared.pipeline.reconcile.lull import Lull
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TimerRun:
    """Repairs what is overdue, then writes the board, and tells who must act.

    Attributes:
        store: One that looks at folders first; the rest of the run uses it, too.
        lull: This instance's.
        inbox_late: So long after it was dropped a file without an answer is late.
    """

    store: ObjectStore
    clock: Clock
    reconcile: Callable[[], dict[str, int]]
    write_board: Callable[[Mapping[str, int]], Board | None]
    tell_waiting: Callable[[Board | None], object]
    lull: Lull
    inbox_late: timedelta

    def __call__(self) -> dict[str, int]:
        """Return the repairs by kind."""
        began_at = self.clock.now()
        if self.lull.goes_on(began_at, self.store):
            log.debug("reconcile.rested")
            return {}
        repairs = self.reconcile()
        board = self.write_board(repairs)
        self.tell_waiting(board)
        if board and not board.open_jobs and not repairs:
            self.lull.begin(began_at, self.inbox_late)
        return repairs
