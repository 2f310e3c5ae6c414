"""The closing account of a job."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.bucket.records.plan import JobFacts
from shared.bucket.records.usage import AttemptBill, Bill, Tokens

MISFITS = frozenset({"answer_does_not_fit", "answer_not_json", "answer_empty"})
"""Codes of answers that are not what was asked for. Other odd answers were read all the same."""


class Ledger(JobFacts):
    """The closing account of a job. Rows in must be the sum of rows out.

    ``rows_in`` are those that were ``sent``, those that ask the ``same`` as one of these, whose
    answer they have, those that have the answer of an earlier job, and those that were not sent,
    since something is wrong with them.
    ``unread_answers`` counts, by ``error_code``, the answered rows whose answer is odd, or no plain
    JSON that fits the recipe's columns; ``finish_reasons`` the rows whose answer is not whole;
    ``fitted``, where such rows are asked again, the others by the try at which their answer fitted.
    """

    rows_in: int
    rows_out: int
    # Older ledgers do not say.
    rows_sent: int | None = None
    rows_same: int = 0
    rows_reused: int = 0
    rows_not_sent: int = 0
    by_status: dict[str, int]
    unread_answers: dict[str, int] = Field(default_factory=dict)
    finish_reasons: dict[str, int] = Field(default_factory=dict)
    fitted: dict[str, int] = Field(default_factory=dict)
    adds_up: bool
    tokens: Tokens
    # Where the price is known. Older ledgers have neither of the two.
    bill: Bill | None = None
    attempts: tuple[AttemptBill, ...] = ()
    batches: tuple[str, ...]
    shards: int
    warnings: tuple[str, ...]
    dropped_at: datetime
    planned_at: datetime
    closed_at: datetime
    duration_s: float
    # Of a retry. Its tokens, money and batches include those of the jobs before it.
    retry_of: str | None = None
    retries: int = 0
    # When all but ids, counts and money was erased on somebody's wish, or the erasure began.
    erased_at: datetime | None = None
    # Only in reports: where rows are that the file of the result cannot hold.
    further_results: tuple[str, ...] = ()

    @property
    def answered(self) -> int:
        """How many rows have an answer."""
        return self.by_status.get("answered", 0)

    @property
    def misfits(self) -> dict[str, int]:
        """The answered rows whose answer is not what was asked for, by ``error_code``."""
        return {code: rows for code, rows in self.unread_answers.items() if code in MISFITS}

    @property
    def is_being_erased(self) -> bool:
        """An erasure was begun and has not ended: it may run, or have been killed."""
        return self.erased_at is not None and self.result_key != ""

    def to_report(self) -> bytes:
        """The account for people, beside the result, without what only our own code reads."""
        unsaid = {"made_by", "erased_at"} | ({"further_results"} if not self.further_results else set())
        return self.model_dump_json(indent=1, exclude=unsaid).encode()
