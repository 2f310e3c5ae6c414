"""Questions to the provider that it may refuse because of the account, and how long a refused one waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from shared.domain.errors import ConfigurationError, ProviderTrouble
from shared.domain.keys import ShardAttempt
from shared.domain.provider_troubles import waiting_for
from shared.domain.records import ReadyTicket, Submission, WaitingFor
from shared.ports import ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.deadlines import BACKOFF_DOUBLINGS, FIRST_BACKOFF


@contextmanager
def asked_of_provider() -> Iterator[None]:
    """Around a call of the provider: its ``ConfigurationError`` is a ``ProviderTrouble``, of which it recovers by itself."""
    try:
        yield
    except ProviderTrouble:
        raise
    except ConfigurationError as error:
        raise ProviderTrouble(str(error)) from error


def keep_running(
    store: ObjectStore,
    now: datetime,
    unit: ShardAttempt,
    trouble: ProviderTrouble,
    submission: Submission | None = None,
) -> None:
    """Write into the ``running/`` ticket what is waited for, and ask less often; make it anew from the submission."""
    records = BucketRecords(store)
    ticket = records.find_running(unit) or (submission.running_ticket() if submission else None)
    if ticket is None:
        return
    since = ticket.waiting_for.since if ticket.waiting_for else now
    changes = {"polls": ticket.polls + 1, "waiting_for": waiting_for(trouble, since)}
    records.put_running(unit, ticket.model_copy(update=changes))


def backoff(refusals: int) -> timedelta:
    """5, 10, 20, 40 and then 80 minutes."""
    return FIRST_BACKOFF * (1 << min(refusals, BACKOFF_DOUBLINGS))


def put_off(ticket: ReadyTicket, now: datetime, waiting_for: WaitingFor | None = None) -> ReadyTicket:
    """The ticket after one more refusal; ``waiting_for`` keeps since when, also if the reason has changed since."""
    if waiting_for and ticket.waiting_for:
        waiting_for = waiting_for.model_copy(update={"since": ticket.waiting_for.since})
    return ReadyTicket(
        not_before=now + backoff(ticket.refusals), refusals=ticket.refusals + 1, waiting_for=waiting_for
    )
