from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from shared.bucket.records.submission import Submission
from shared.pipeline.collect.batch_end import end_of, end_without_batch
from shared.pipeline.deadlines import GIVE_UP
from shared.ports.provider import BatchId, BatchState, BatchStatus, FailedFor

BATCH = BatchId("batch_1")
MOMENT = timedelta(microseconds=1)
AT_DEADLINE = AT_ONCE = timedelta(0)
RUNNING = BatchState(BATCH, BatchStatus.RUNNING, "in_progress")
CANCELLED = BatchState(BATCH, BatchStatus.CANCELLED, "cancelled")


@pytest.mark.parametrize(
    ("state", "overdue", "told_for"),
    [
        (RUNNING, -MOMENT, None),
        (RUNNING, GIVE_UP - MOMENT, GIVE_UP * 9),
        (RUNNING, AT_DEADLINE, AT_ONCE),
        (RUNNING, GIVE_UP * 9, AT_ONCE),
        (RUNNING, GIVE_UP * 9, GIVE_UP - MOMENT),
        (None, -MOMENT, None),
    ],
)
def test_a_batch_that_may_still_end_has_no_end(
    state: BatchState | None, overdue: timedelta, told_for: timedelta | None
) -> None:
    assert end_of(state, BATCH, overdue, told_for) is None


def test_a_batch_that_never_ends_is_settled_as_it_stands() -> None:
    assert end_of(RUNNING, BATCH, GIVE_UP, GIVE_UP) is RUNNING


def test_a_batch_that_the_provider_does_not_know_at_its_deadline_ends_as_unknown() -> None:
    assert end_of(None, BATCH, AT_DEADLINE, None) == BatchState(BATCH, BatchStatus.UNKNOWN, "unknown")


@pytest.mark.parametrize(
    ("overdue", "status"), [(-MOMENT, BatchStatus.CANCELLED), (AT_DEADLINE, BatchStatus.EXPIRED)]
)
def test_a_cancel_before_the_deadline_is_a_persons_and_afterwards_ours(
    overdue: timedelta, status: BatchStatus
) -> None:
    end = end_of(CANCELLED, BATCH, overdue, None)

    assert end is not None
    assert (end.status, end.raw_status) == (status, "cancelled")


@pytest.mark.parametrize(("overdue", "broken_off"), [(-MOMENT, "STOPPED"), (AT_DEADLINE, "")])
def test_a_batch_that_is_stopped_at_its_deadline_was_not_broken_off(
    overdue: timedelta, broken_off: str
) -> None:
    stopped = BatchState(BATCH, BatchStatus.EXPIRED, "STOPPED", broken_off="STOPPED")

    end = end_of(stopped, BATCH, overdue, None)

    assert end is not None
    assert (end.status, end.broken_off) == (BatchStatus.EXPIRED, broken_off)


@pytest.mark.parametrize(
    ("code", "status", "raw_status", "failed_for"),
    [
        ("cancelled", BatchStatus.CANCELLED, "cancelled", None),
        ("requests_removed", BatchStatus.FAILED, "rejected", FailedFor.ROWS),
    ],
)
def test_an_attempt_without_a_batch_ends_as_its_record_says(
    code: str, status: BatchStatus, raw_status: str, failed_for: FailedFor | None
) -> None:
    now = datetime(2026, 11, 1, tzinfo=timezone.utc)
    from_before_kinds = Submission.model_validate(
        {"batch_id": None, "batch_name": "x", "submitted_at": now, "deadline_at": now, "rejected_code": code}
    )

    end = end_without_batch(from_before_kinds)

    assert (end.status, end.raw_status, end.failed_for) == (status, raw_status, failed_for)
