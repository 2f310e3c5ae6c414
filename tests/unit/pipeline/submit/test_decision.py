from __future__ import annotations

import pytest

from shared.bucket.records.submission import SubmissionKind
from shared.pipeline.submit.decision import (
    CANCELLED,
    Adopt,
    Close,
    Create,
    Decision,
    Wait,
    decide,
)
from shared.ports.provider import BatchId

BATCH = BatchId("batch_1")


class Case:
    """What is found; ``looks`` are the questions that were asked, in their order."""

    def __init__(self, batch_id: BatchId | None = None, reason: Close | None = None) -> None:
        self.looks: list[str] = []
        self._batch_id = batch_id
        self._reason = reason

    def decide(self, *, is_claimed: bool = False, is_sent: bool = True) -> Decision:
        return decide(
            is_claimed=is_claimed,
            is_sent=is_sent,
            find_batch=self._find_batch,
            find_reason=self._find_reason,
        )

    def _find_batch(self) -> BatchId | None:
        self.looks.append("batch")
        return self._batch_id

    def _find_reason(self) -> Close | None:
        self.looks.append("reason")
        return self._reason


def test_without_a_claim_a_batch_and_a_reason_a_batch_is_created() -> None:
    case = Case()

    assert case.decide() == Create()
    assert case.looks == ["batch", "reason"]


def test_a_shard_that_is_claimed_is_left_alone_and_nothing_is_looked_for() -> None:
    case = Case(BATCH, CANCELLED)

    assert case.decide(is_claimed=True, is_sent=False) == Wait()
    assert case.looks == []


def test_a_batch_of_an_earlier_claim_is_adopted_even_if_there_is_a_reason_not_to_send() -> None:
    case = Case(BATCH, CANCELLED)

    assert case.decide() == Adopt(BATCH)
    assert case.looks == ["batch"]


def test_a_reason_not_to_send_closes_the_attempt() -> None:
    reason = Close(SubmissionKind.REFUSED, "requests_removed", "gone")

    assert Case(reason=reason).decide() == reason


def test_what_is_kept_is_never_sent() -> None:
    case = Case(BATCH)

    assert case.decide(is_sent=False) == Close(SubmissionKind.KEPT)
    assert case.looks == []


@pytest.mark.parametrize("is_claimed", [False, True])
@pytest.mark.parametrize("is_sent", [False, True])
@pytest.mark.parametrize("batch_id", [None, BATCH])
@pytest.mark.parametrize("reason", [None, CANCELLED])
def test_a_batch_is_created_only_if_nothing_speaks_against_it(
    is_claimed: bool, is_sent: bool, batch_id: BatchId | None, reason: Close | None
) -> None:
    decision = Case(batch_id, reason).decide(is_claimed=is_claimed, is_sent=is_sent)

    nothing_against = not is_claimed and is_sent and batch_id is None and reason is None
    assert (decision == Create()) is nothing_against
