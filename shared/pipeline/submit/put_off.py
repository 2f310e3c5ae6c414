"""How long a ticket waits after a refusal, and what people are told meanwhile."""

from __future__ import annotations

from datetime import datetime

from shared.bucket.money import Money
from shared.bucket.tickets import ReadyTicket, WaitingFor
from shared.pipeline.account_problems import waiting_for
from shared.pipeline.waiting import backed_off
from shared.problems.exceptions import CeilingReached, ConfigurationError, PipelineError, QuotaReached
from shared.problems.problem import Values


def put_off(
    ticket: ReadyTicket, refusal: PipelineError, now: datetime, terms: Values, month_budget: Money | None
) -> ReadyTicket:
    """The ticket for the time after the refusal.

    Args:
        ticket: The one that was refused.
        refusal: What the provider said, or which ceiling was reached.
        now: When.
        terms: Of the provider's profile.
        month_budget: What the stack allows. Once it is another, the ticket is looked at again.
    """
    if not isinstance(refusal, CeilingReached):
        return backed_off(ticket, now, waiting_for(refusal, now, terms) if _is_told(refusal) else None)
    reason: WaitingFor | None = None
    if refusal.is_for_people:
        reason = waiting_for(refusal, now, terms).model_copy(update={"month_budget": month_budget})
    return backed_off(ticket, now, reason, refusal.until)


def _is_told(refusal: PipelineError) -> bool:
    return isinstance(refusal, ConfigurationError) or (
        isinstance(refusal, QuotaReached) and bool(refusal.trouble)
    )
