"""The record of what an attempt became: a batch, or none and why."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import model_validator

from shared.bucket.attempt import Attempt
from shared.bucket.base import FIRST_PROVIDER, Record
from shared.bucket.records.plan import Plan
from shared.bucket.tickets import RunningTicket


class SubmissionKind(str, Enum):
    """What an attempt became, or why it became no batch."""

    BATCH = "batch"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    # What an earlier job answered: the first attempt of a retry.
    KEPT = "kept"


class Submission(Record):
    """What an attempt became: this batch, or no batch for the reason in ``rejected_...``.

    ``rejected_code`` is the kind itself unless the kind is ``refused``.
    """

    kind: SubmissionKind = SubmissionKind.BATCH
    provider: str = FIRST_PROVIDER
    batch_id: str | None
    batch_name: str
    submitted_at: datetime
    deadline_at: datetime
    rejected_code: str = ""
    rejected_message: str = ""

    @model_validator(mode="before")
    @classmethod
    def _with_kind(cls, fields: Any) -> Any:
        """Give a kind to a record that names none we know, by its batch or its ``rejected_code``.

        Those from before 26.11 name none. One of a later version may be unknown here; what has such
        a record must not be submitted again, since it may be paid for.
        """
        if not isinstance(fields, dict) or fields.get("kind") in list(SubmissionKind):
            return fields
        if fields.get("batch_id") is not None:
            return {**fields, "kind": SubmissionKind.BATCH}
        code = fields.get("rejected_code")
        is_kind = code in (SubmissionKind.CANCELLED, SubmissionKind.KEPT)
        return {**fields, "kind": code if is_kind else SubmissionKind.REFUSED}

    @classmethod
    def without_batch(
        cls,
        kind: SubmissionKind,
        plan: Plan,
        attempt: Attempt,
        now: datetime,
        *,
        code: str = "",
        message: str = "",
    ) -> Submission:
        """The attempt is not sent; its deadline is over at once, so that it waits for nothing."""
        return cls(
            kind=kind,
            provider=plan.provider,
            batch_id=None,
            batch_name=attempt.batch_name,
            submitted_at=now,
            deadline_at=now,
            rejected_code=code or kind.value,
            rejected_message=message,
        )

    def running_ticket(self) -> RunningTicket:
        return RunningTicket(
            provider=self.provider,
            batch_id=self.batch_id or "",
            submitted_at=self.submitted_at,
            deadline_at=self.deadline_at,
        )
