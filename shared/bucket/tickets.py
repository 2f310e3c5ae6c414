"""The tickets, which say what is to be done next, what may hold them up, and the timer's memory."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import Field

from shared.bucket.base import FIRST_PROVIDER, Record, RecordPart
from shared.bucket.money import Money

APPROVED, LAPSED, REPLACED = "approved", "lapsed", "replaced"

OVER_BUDGET = "over_budget"
"""The code of what waits for a month's money."""


class WaitingFor(RecordPart):
    """What somebody must do before the ticket goes on: about the account, the key or the model.

    ``message`` says who must do what, in Chinese and English; ``since`` is when it was first seen.
    ``month_budget`` is what the stack allowed in a month when a budget left no room, and ``budget``
    is that one: ``all``, or ``folder`` and which. Older tickets do not say.
    """

    code: str
    message: str
    since: datetime
    month_budget: Money | None = None
    budget: str = ""


class ReadyTicket(Record):
    """This attempt may be submitted, not before the given time.

    ``refusals`` counts how often the provider has refused it so far, for the back-off.
    """

    not_before: datetime | None = None
    refusals: int = 0
    waiting_for: WaitingFor | None = None


class RunningTicket(Record):
    """A batch is in flight. ``polls`` counts how often the timer asked for it, for the back-off.

    ``completed`` and ``failed`` are the provider's counts of its rows at ``counted_at``, for
    people; ``None`` if it has told none. They may be wrong.
    """

    provider: str = FIRST_PROVIDER
    batch_id: str
    submitted_at: datetime
    deadline_at: datetime
    polls: int = 0
    waiting_for: WaitingFor | None = None
    completed: int | None = None
    failed: int | None = None
    counted_at: datetime | None = None


class FinishedTicket(Record):
    """The batch may have ended. ``heard_from``: ``callback``, ``message``, ``timer`` or another."""

    heard_from: str


class ApprovalTerms(RecordPart):
    """Somebody must approve the quote before anything is sent, ``within`` so long.

    ``above``: since the job may cost more than that; ``None`` if every job is to be approved.
    """

    above: Money | None = None
    within: timedelta


class Awaited(Record):
    """The job waits for an approval of the quote of that number; ``until`` then it may come."""

    digest: str
    until: datetime


class Approval(Record):
    """What was decided of a job that waited for an approval: once, by whoever was first.

    Attributes:
        said: ``approved``, ``lapsed`` if nobody approved it in time, or ``replaced`` if a later
            version of its file is a job.
        by: ``file``, ``command`` or ``page``; that job if it was replaced; empty if it lapsed.
    """

    said: str
    by: str = ""
    at: datetime

    @property
    def is_approved(self) -> bool:
        return self.said == APPROVED


class Replaced(Record):
    """What waits of this job for a month's money is not sent: its file is that job since."""

    job_id: str
    at: datetime


class TimerCursor(Record):
    """By kind of repair, the key at which the timer's last run ran out of time.

    The next run goes on after it, begins with the kind that comes after ``last_step``, and leaves
    to the end what was ``slow``: providers, and kinds that ask none. ``files_swept``: by provider,
    when its files were last swept.
    """

    stopped_after: dict[str, str] = Field(default_factory=dict)
    last_step: str = ""
    slow: tuple[str, ...] = ()
    files_swept: dict[str, datetime] = Field(default_factory=dict)


class InboxMark(Record):
    """Every file that was dropped before this time became a job or a report.

    But for those from before ``INBOX_WINDOW`` that were there when the first mark was made: nobody
    has looked at them.

    ``key``: so did those of this very time up to this key, in the order of the keys.
    ``unanswered``: but for these, which are asked for again.
    """

    answered_until: datetime
    key: str = ""
    unanswered: tuple[str, ...] = ()
