"""What a ticket notes when the provider refuses its work, and how long the work then waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.submission import Submission
from shared.bucket.tickets import ReadyTicket, WaitingFor
from shared.pipeline.deadlines import BACKOFF_DOUBLINGS, BUDGET_LOOK, FIRST_BACKOFF
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ConfigurationError, ProviderTrouble


@contextmanager
def asked_of_provider() -> Iterator[None]:
    """Around a call of the provider: raises its ``ConfigurationError`` as a ``ProviderTrouble``.

    The work goes on by itself when that is over.
    """
    try:
        yield
    except ProviderTrouble:
        raise
    except ConfigurationError as error:
        raise ProviderTrouble(str(error), error.trouble) from error


def keep_running(
    store: ObjectStore, attempt: Attempt, reason: WaitingFor, submission: Submission | None = None
) -> None:
    """Write into the ``running/`` ticket what it waits for, and poll less often.

    If the ticket is gone, it is made again from ``submission``.
    """
    records = BucketRecords(store)
    ticket = records.find_running(attempt) or (submission.running_ticket() if submission else None)
    if ticket is None:
        return
    changes = {"polls": ticket.polls + 1, "waiting_for": _since_before(reason, ticket.waiting_for)}
    records.put_running(attempt, ticket.model_copy(update=changes))


def backoff(refusals: int) -> timedelta:
    """5, 10, 20, 40 and then 80 minutes."""
    return FIRST_BACKOFF * (1 << min(refusals, BACKOFF_DOUBLINGS))


def backed_off(
    ticket: ReadyTicket,
    now: datetime,
    waiting_for: WaitingFor | None = None,
    until: datetime | None = None,
) -> ReadyTicket:
    """The ticket after one more refusal; ``until`` then nothing changes by itself."""
    again_at = now + backoff(ticket.refusals)
    return ReadyTicket(
        not_before=min(until, now + BUDGET_LOOK) if until else again_at,
        refusals=ticket.refusals + 1,
        waiting_for=waiting_for and _since_before(waiting_for, ticket.waiting_for),
    )


def _since_before(reason: WaitingFor, earlier: WaitingFor | None) -> WaitingFor:
    """The reason, with the time of the ticket's earlier one, even if that was another."""
    return reason.model_copy(update={"since": earlier.since}) if earlier else reason
