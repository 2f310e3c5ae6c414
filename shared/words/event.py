"""What happened that people may want to know, and the tickets of the outbox about it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import Enum

from pydantic import Field

from shared.bucket.base import Record, RecordPart
from shared.bucket.keys import outbox_key, told_key, tries_prefix
from shared.bucket.money import Money


class EventKind(str, Enum):
    """What happened to a file."""

    REFUSED = "refused"
    DONE = "done"
    FAILED_ROWS = "failed_rows"  # done, but some rows have no answer
    WAITING = "waiting"  # for somebody who must act
    APPROVAL = "approval"  # nothing is sent until somebody approves the quote
    OVER_CEILING = "over_ceiling"  # waits until its month's ceiling leaves room


class Event(RecordPart):
    """One thing that happened. It holds counts and names of files, and never what stands in them.

    Attributes:
        home: Where its ticket and its record lie instead of with the job, if it is not the job's.
        path: The dropped file's, below ``inbox/``.
        by_status: The rows by how they ended.
        by_code: The problems of a refused file by code; of work that waits, the jobs by what for;
            of a job that has ended, its answers that do not fit, and why rows were not sent.
        cost: What a job that has ended cost, by the price in its quote; ``None`` without one. If it
            waits for an approval, what it is expected to cost.
        at_most: Of that, the most that it may cost; ``None`` if nobody knows.
        until: Of that, when it is too late.
        why: Of what waits for a ceiling: what is spent, reserved and free, in Chinese, then in
            English, a line each.
        saved: Of ``cost``, how much more that is in real time.
        place: Where the result is, the report about a refused file, or the quote.
    """

    id: str
    kind: EventKind
    job_id: str
    home: str = ""
    path: str
    rows: int | None = None
    by_status: dict[str, int] = Field(default_factory=dict)
    by_code: dict[str, int] = Field(default_factory=dict)
    tokens: int | None = None
    cost: Money | None = None
    saved: Money | None = None
    at_most: Money | None = None
    until: datetime | None = None
    why: str = ""
    place: str = ""
    at: datetime


def event_id_for(kind: EventKind, *identity: str) -> str:
    """The same for everybody who learns of the same event."""
    digest = hashlib.sha256("\n".join((kind.value, *identity)).encode()).hexdigest()
    return f"evt_{digest[:32]}"


def home_for(event_id: str) -> str:
    """For an event of many jobs: a name of the form that those of jobs have."""
    return event_id.removeprefix("evt_")[:16]


class WordTicket(Record):
    """One event is to be told by one channel, ``kind:name``.

    ``tries`` counts how often the timer has put the ticket again, since ``put_at``. It is
    ``given_up`` if that was often enough: then it is noted and told no more.
    """

    event: Event
    channel: str
    put_at: datetime
    tries: int = 0
    given_up: bool = False

    @property
    def key(self) -> str:
        return outbox_key(self.event.home or self.event.job_id, self.event.id, self.channel)

    @property
    def told_key(self) -> str:
        return told_key(self.event.home or self.event.job_id, self.event.id, self.channel)

    @property
    def tries_prefix(self) -> str:
        """Of its claims, one for each try; one that was withdrawn and comes again has others."""
        return f"{tries_prefix(self.told_key)}{self.put_at:%Y%m%dT%H%M%S%f}-"


class Told(Record):
    """The word was taken by its channel at that time, or ``given_up`` then."""

    at: datetime
    tries: int
    given_up: bool = False
