"""The tickets, which say what is to be done next, and what the timer remembers."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.bucket.base import FIRST_PROVIDER, Record, RecordPart


class WaitingFor(RecordPart):
    """What a ticket waits for that somebody must do: the account's, the key's or the model's problem.

    ``message`` says who must do what, in Chinese and English; ``since`` is when it was noticed first.
    """

    code: str
    message: str
    since: datetime


class ReadyTicket(Record):
    """This attempt may be submitted, not before the given time.

    ``refusals`` counts how often the provider has sent it away since, for the back-off.
    """

    not_before: datetime | None = None
    refusals: int = 0
    waiting_for: WaitingFor | None = None


class RunningTicket(Record):
    """A batch is in flight. ``polls`` counts how often the timer asked for it, for its back-off."""

    provider: str = FIRST_PROVIDER
    batch_id: str
    submitted_at: datetime
    deadline_at: datetime
    polls: int = 0
    waiting_for: WaitingFor | None = None


class FinishedTicket(Record):
    """Somebody says that the batch has ended: ``callback``, ``message`` or ``timer``."""

    heard_from: str


class TimerCursor(Record):
    """By kind of repair, the key after which the timer's next run goes on, because the last one ran out of time."""

    stopped_after: dict[str, str] = Field(default_factory=dict)
