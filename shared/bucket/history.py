"""How long closed jobs took, and how much they said: one empty object each, whose key says it all.

It names no file. So one short listing tells what to expect of the next job like them.
"""

from __future__ import annotations

import hashlib
import re

from shared.bucket.keys import JOBS
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan

HISTORY = f"{JOBS}history/"
# In the year 2286: times are counted down to it, so that the newest comes first in the list.
_LATEST_S = 9_999_999_999
# Older versions did not note the tokens, and a provider may not say them.
_NAME = re.compile(r"([0-9]{10})-([0-9]{1,9})(?:-([0-9]{1,12}))?-[0-9a-f]{16}", re.ASCII)


def history_prefix(plan: Plan) -> str:
    """Of jobs of one folder, provider, model and size, which is a power of ten of rows."""
    size = len(str(plan.rows)) - 1
    return f"{histories_prefix(plan.source.key, plan.provider, plan.model)}{size}/"


def histories_prefix(source_key: str, provider: str, model: str) -> str:
    """The same for jobs of any size."""
    folder, _, _ = source_key.rpartition("/")
    return f"{HISTORY}{_hashed(folder)}/{provider}/{_hashed(model)}/"


def history_key(plan: Plan, ledger: Ledger) -> str:
    newest_first = _LATEST_S - int(ledger.closed_at.timestamp())
    output = round(1000 * ledger.tokens.completion / max(_paid(ledger), 1))
    noted = f"{output}-" if output > 0 else ""
    took_s = max(round(ledger.duration_s), 0)
    return f"{history_prefix(plan)}{newest_first:010d}-{took_s}-{noted}{plan.job_id}"


def _paid(ledger: Ledger) -> int:
    """How many answers were paid for: of rows that share one, it is one; no earlier job's are."""
    answered = ledger.answered - ledger.rows_reused
    if not ledger.rows_same or not ledger.rows_sent:
        return answered
    return answered * ledger.rows_sent // (ledger.rows_sent + ledger.rows_same)


def duration_s_in(key: str) -> int | None:
    """How long it took, from the drop to the result; ``None`` for the key of somebody's file."""
    match = _NAME.fullmatch(key.rpartition("/")[2])
    return int(match[2]) if match else None


def output_tokens_in(key: str) -> tuple[int, int] | None:
    """A number that is lower for newer jobs, and the output tokens of a thousand answers."""
    match = _NAME.fullmatch(key.rpartition("/")[2])
    return (int(match[1]), int(match[3])) if match and match[3] else None


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
