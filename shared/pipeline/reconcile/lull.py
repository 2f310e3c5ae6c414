"""Lets the timer do next to nothing while nothing is open, and no ticket or file can be late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.bucket.keys import AGAIN, OPEN, OUTBOX, WAITING, Stage
from shared.pipeline.deadlines import LULL
from shared.ports.store import ObjectStore

_HOLD_WORK = (*(stage.value for stage in Stage), OPEN, WAITING, AGAIN, OUTBOX)


@dataclass
class Lull:
    """What one instance remembers from run to run; a new one begins with a whole run.

    A whole run that finds nothing begins it. While it lasts, a run looks only whether a folder of
    tickets holds anything. A file that is dropped meanwhile is late after the lull's end, and one
    that might be late sooner keeps it from beginning.

    Attributes:
        ends_at: Until then it lasts.
        all_rests: Whether the last whole run came to its end, and saw no file in ``inbox/`` that
            has no answer or is too young to be looked at.
    """

    ends_at: datetime | None = None
    all_rests: bool = False

    def goes_on(self, now: datetime, store: ObjectStore) -> bool:
        """Whether a run has nothing to do: one call, if ``store`` looks at folders first."""
        lasts = self.ends_at is not None and now < self.ends_at
        if lasts and not any(next(store.list(folder), None) for folder in _HOLD_WORK):
            return True
        self.ends_at, self.all_rests = None, False
        return False

    def begin(self, now: datetime, inbox_late: timedelta) -> None:
        """After a whole run that began ``now``, had nothing to repair, and showed an empty board.

        Args:
            now: When it began.
            inbox_late: So long after it was dropped a file without an answer is late.
        """
        self.ends_at = now + min(LULL, inbox_late) if self.all_rests else None
