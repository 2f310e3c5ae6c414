"""After a roll-back: a job that needs the later version waits for it, and its ticket says so."""

from __future__ import annotations

from collections.abc import Iterable

from shared.bucket.records.outcome import Outcome
from shared.bucket.records.plan import Plan
from shared.problems.exceptions import ProviderTrouble
from shared.results.formats import FORMATS

_TROUBLE = "later_version"


def require_known_format(plan: Plan) -> None:
    """Another format would not do: the later version would join its parts with its own.

    Raises:
        ProviderTrouble: A later version made the plan, and this one cannot write such results.
    """
    if plan.output_format not in FORMATS:
        raise ProviderTrouble(f"the plan of {plan.made_by} wants {plan.output_format}", _TROUBLE)


def require_known_outcomes(outcomes: Iterable[Outcome]) -> None:
    """Neither are the rows decided again, nor sent: a guess could pay for them twice.

    Raises:
        ProviderTrouble: A later version decided one of them in a way that this one does not know.
    """
    for outcome in outcomes:
        if outcome.kind == "unknown":
            raise ProviderTrouble(f"{outcome.made_by} has settled rows in another way", _TROUBLE)
