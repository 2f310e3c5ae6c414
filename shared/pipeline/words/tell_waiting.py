"""Tells that jobs wait until somebody acts, once for each channel and reason, not for each job."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.board.model import OpenJob
from shared.bucket.keys import INBOX
from shared.bucket.tickets import WaitingFor
from shared.pipeline.words.put_words import PutWords
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.exceptions import PipelineError
from shared.words.event import Event, EventKind, event_id_for

log = logging.getLogger(__name__)

Waiting = tuple[WaitingFor, OpenJob]


@dataclass(frozen=True)
class TellWaiting:
    """Of all jobs that wait for the same, one is named: that which has waited longest.

    A provider that takes no key stops all its jobs at once. A hundred words of it would be one too
    many, and chats refuse so many in a minute.
    """

    store: ObjectStore
    clock: Clock

    def __call__(self, jobs: Iterable[OpenJob]) -> None:
        """Told again only if other jobs wait once this one does not, or if it waits anew."""
        by_reason: dict[tuple[str, str, str], list[Waiting]] = defaultdict(list)
        for job in jobs:
            if job.waiting_for and not job.cancelled:
                for channel in job.notify:
                    reason = (channel, job.provider, job.waiting_for.code)
                    by_reason[reason].append((job.waiting_for, job))
        try:
            for (channel, _, _), waiting in by_reason.items():
                PutWords(self.store, self.clock)(_event(waiting), [channel])
        except PipelineError as error:
            log.warning("words.not_put", extra={"reason": str(error)})  # the next run does


def _event(waiting: Sequence[Waiting]) -> Event:
    reason, first = min(waiting, key=lambda each: (each[0].since, each[1].job_id))
    kind = EventKind.WAITING
    return Event(
        # A ticket keeps the time at which it began to wait.
        id=event_id_for(kind, first.job_id, reason.code, reason.since.isoformat()),
        kind=kind,
        job_id=first.job_id,
        path=first.source_key.removeprefix(INBOX),
        rows=sum(job.rows for _, job in waiting),
        by_code={reason.code: len(waiting)},
        at=reason.since,
    )
