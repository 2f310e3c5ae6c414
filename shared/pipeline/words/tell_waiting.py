"""Tells that jobs wait until somebody acts, once for each channel and reason, not for each job."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.board.model import Board, OpenJob, reason_of
from shared.bucket.keys import INBOX
from shared.bucket.tickets import OVER_BUDGET
from shared.pipeline.words.put_words import PutWords
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.exceptions import PipelineError
from shared.words.event import Event, EventKind, event_id_for, home_for

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TellWaiting:
    """Of all jobs that wait for the same, one is named: that which has waited longest.

    A provider that takes no key stops all its jobs at once, and once it is mended they go on one by
    one. A word for each would be many too many, and chats refuse so many in a minute.
    """

    store: ObjectStore
    clock: Clock

    def __call__(self, board: Board | None) -> None:
        """Told again only if it begins anew, after nothing had waited for it."""
        by_reason: dict[tuple[str, str], list[OpenJob]] = defaultdict(list)
        for job in board.jobs if board else ():
            for channel in job.notify if reason_of(job) else ():
                by_reason[channel, reason_of(job)].append(job)
        try:
            for (channel, reason), jobs in by_reason.items():
                if board:
                    event = _event(reason, jobs, board.held_up[reason].began_at)
                    PutWords(self.store, self.clock)(event, [channel])
        except PipelineError as error:
            log.warning("words.not_put", extra={"reason": str(error)})  # the next run does


def _event(reason: str, jobs: Sequence[OpenJob], began_at: datetime) -> Event:
    first = min(jobs, key=lambda job: (job.waiting_for.since if job.waiting_for else began_at, job.job_id))
    code = reason.rpartition(" ")[2]
    kind = EventKind.OVER_CEILING if code == OVER_BUDGET else EventKind.WAITING
    event_id = event_id_for(kind, reason, began_at.isoformat())
    return Event(
        id=event_id,
        kind=kind,
        job_id=first.job_id,
        home=home_for(event_id),
        path=first.source_key.removeprefix(INBOX),
        rows=sum(job.rows for job in jobs),
        by_code={code: len(jobs)},
        why=first.waiting_for.message if first.waiting_for and kind is EventKind.OVER_CEILING else "",
        at=began_at,
    )
