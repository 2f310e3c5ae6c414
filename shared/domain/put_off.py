"""Until when a refused submission waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.records import ReadyTicket, WaitingFor

_FIRST_BACKOFF = timedelta(minutes=5)
_MAX_DOUBLINGS = 4


def backoff(refusals: int) -> timedelta:
    """5, 10, 20, 40 and then 80 minutes."""
    return _FIRST_BACKOFF * (1 << min(refusals, _MAX_DOUBLINGS))


def put_off(ticket: ReadyTicket, now: datetime, waiting_for: WaitingFor | None = None) -> ReadyTicket:
    """The ticket after one more refusal; ``waiting_for`` keeps since when, also if the reason has changed since."""
    if waiting_for and ticket.waiting_for:
        waiting_for = waiting_for.model_copy(update={"since": ticket.waiting_for.since})
    return ReadyTicket(
        not_before=now + backoff(ticket.refusals), refusals=ticket.refusals + 1, waiting_for=waiting_for
    )
