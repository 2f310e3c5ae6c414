from __future__ import annotations

from datetime import timedelta

import pytest

from shared.bucket.keys import Stage, ticket_key
from shared.bucket.records.marks import Claim
from shared.pipeline.quota.claims import claim_key
from shared.ports.provider import BatchProblem, BatchStatus
from shared.problems.exceptions import ConfigurationError, OutcomeUnknown, TransientError
from tests.support.builders import attempt
from tests.support.fake_provider import echo, error_line
from tests.support.fakes import Killed
from tests.support.functions import LEASE
from tests.support.pipeline import Cut, Pipeline


def line(custom_id: str) -> dict[str, object]:
    return echo({"custom_id": custom_id, "body": {"messages": [{"content": custom_id}]}})


def test_a_job_that_was_never_submitted_is_closed_without_a_batch_and_every_row_is_cancelled() -> None:
    job = Pipeline()

    said = job.cancel()
    job.drain()

    assert said == "cancelled"
    assert job.provider.submissions == []
    assert [(row["status"], row["error_code"]) for row in job.rows()] == [("cancelled", "cancelled")] * 3
    assert job.ledger().by_status == {"cancelled": 3}
    assert job.ledger().adds_up


def test_bad_rows_keep_their_own_reasons_when_the_job_is_cancelled() -> None:
    job = Pipeline(bad=("b",))

    job.cancel()
    job.drain()

    assert [row["error_code"] for row in job.rows()] == ["cancelled", "ragged_row", "cancelled"]


def test_every_open_shard_is_looked_at_at_once() -> None:
    job = Pipeline(shards=(("a",), ("b",)))
    job.submit(attempt(shard=2))
    events: list[str] = []
    job.store.on_put = events.append

    job.cancel()

    assert events[1:] == [ticket_key(Stage.READY, attempt()), ticket_key(Stage.FINISHED, attempt(shard=2))]


def test_a_running_batch_is_cancelled_its_answers_are_kept_and_the_rest_is_not_sent_again() -> None:
    job = Pipeline()
    job.submit(attempt())
    job.provider.set_results(job.provider.last.batch_id, [line("b")])

    job.cancel()
    job.drain()

    assert job.provider.cancelled == [job.provider.last.batch_id]
    assert job.statuses() == ["cancelled", "answered", "cancelled"]
    assert len(job.sent()) == 3
    assert job.provider.cleaned == [job.provider.last.batch_id]


def test_rows_that_a_cancelled_batch_lists_as_not_run_are_cancelled() -> None:
    job = Pipeline()
    job.submit(attempt())
    lines = [line("a"), error_line("b", "batch_cancelled"), error_line("c", "DataInspectionFailed")]
    job.provider.set_results(job.provider.last.batch_id, lines)

    job.cancel()
    job.drain()

    assert job.statuses() == ["answered", "cancelled", "refused"]


@pytest.mark.parametrize("status", [BatchStatus.COMPLETED, BatchStatus.EXPIRED])
def test_a_batch_that_ended_before_it_heard_of_the_cancellation_is_harvested_and_nothing_is_sent_again(
    status: BatchStatus,
) -> None:
    job = Pipeline()
    job.submit(attempt())
    job.provider.answer_all(
        job.provider.last.batch_id, status, lambda each: line("b") if each["custom_id"] == "b" else None
    )

    job.cancel()
    job.drain()

    assert job.statuses() == ["cancelled", "answered", "cancelled"]
    assert len(job.provider.submissions) == 1


def test_a_quota_that_stopped_the_batch_of_a_cancelled_job_starts_no_other() -> None:
    job = Pipeline()
    job.submit(attempt())
    job.provider.fail_validation(job.provider.last.batch_id, BatchProblem("token_limit_exceeded", "quota"))

    job.cancel()
    said = job.collect(attempt())
    job.drain()

    assert said == "final"
    assert job.statuses() == ["cancelled"] * 3
    assert len(job.provider.submissions) == 1


def test_an_attempt_that_was_decided_before_the_cancellation_is_not_sent_and_its_answers_stay() -> None:
    job = Pipeline()
    job.submit(attempt())
    job.provider.set_results(job.provider.last.batch_id, [line("c")])
    job.provider.set_state(job.provider.last.batch_id, BatchStatus.EXPIRED)
    job.records.put_finished(attempt(), "test")
    job.collect(attempt())
    assert job.attempts(Stage.READY) == [attempt(2)]

    job.cancel()
    job.drain()

    assert job.statuses() == ["cancelled", "cancelled", "answered"]
    assert len(job.provider.submissions) == 1


def test_a_ticket_that_waits_for_its_time_does_not_hold_up_the_cancellation() -> None:
    job = Pipeline()
    job.records.put_ready(attempt(), job.clock.now() + timedelta(hours=1))

    early = job.submit(attempt())
    job.cancel()

    assert (early, job.submit(attempt())) == ("waiting", "submitted")
    assert job.provider.submissions == []


def test_a_cancelled_job_that_the_provider_puts_off_waits_like_any_other() -> None:
    job = Pipeline()
    job.cancel()
    # A dead submit may have created a batch, so the provider is asked, which refuses the key.
    job.store.put(claim_key(attempt(), 1), Claim(claimed_at=job.clock.now()).to_bytes())
    job.clock.advance(timedelta(hours=1))
    job.provider.fail_next("find", ConfigurationError("no such key"))

    said = [job.submit(attempt()), job.submit(attempt())]

    # Its own ticket must not start it again: it would go on without a pause while the key is
    # refused.
    assert said == ["waiting", "waiting"]
    ticket = job.records.find_ready(attempt())
    assert ticket is not None
    assert ticket.not_before is not None
    assert ticket.not_before > job.clock.now()


def test_a_batch_that_a_dead_submit_may_have_created_is_looked_for_adopted_and_cancelled() -> None:
    job = Pipeline()
    job.provider.fail_next("submit", OutcomeUnknown("cut"), after=True)
    with pytest.raises(OutcomeUnknown):
        job.submit(attempt())
    job.provider.set_results(job.provider.last.batch_id, [line("a")])

    job.cancel()
    early = job.submit(attempt())
    job.clock.advance(LEASE)
    job.drain()

    assert early == "claimed"
    assert job.statuses() == ["answered", "cancelled", "cancelled"]
    assert job.provider.cancelled[0] == job.provider.last.batch_id


def test_a_batch_that_was_created_while_the_job_was_cancelled_is_cancelled_by_submit_itself() -> None:
    job = Pipeline()
    create = job.provider.submit

    def cancelled_meanwhile(request: object) -> object:
        job.cancel()
        return create(request)  # type: ignore[arg-type]

    job.provider.submit = cancelled_meanwhile  # type: ignore[method-assign,assignment]

    job.submit(attempt())

    assert job.provider.cancelled == [job.provider.last.batch_id]
    job.drain()
    assert job.statuses() == ["cancelled"] * 3


def test_a_cancellation_that_the_provider_did_not_hear_is_told_again_by_the_timer() -> None:
    job = Pipeline()
    job.submit(attempt())
    job.provider.fail_next("cancel", TransientError("503"))
    job.cancel()
    with pytest.raises(TransientError):
        job.collect(attempt())
    job.records.drop_ticket(Stage.FINISHED, attempt())

    job.poll()

    assert job.provider.cancelled == [job.provider.last.batch_id]


def test_the_timer_asks_a_cancelled_batch_soon_again_whatever_its_back_off_was() -> None:
    job = Pipeline()
    job.submit(attempt())
    for _ in range(4):
        job.poll()
    job.cancel()

    job.collect(attempt())

    ticket = job.records.find_running(attempt())
    assert ticket is not None
    assert ticket.polls == 0


def test_a_batch_that_never_ends_is_given_up_and_its_rows_are_cancelled() -> None:
    job = Pipeline()
    job.submit(attempt())
    batch = job.provider.last.batch_id
    job.cancel()
    job.collect(attempt())

    def deaf() -> None:
        job.provider.set_state(batch, BatchStatus.RUNNING)

    job.clock.advance(timedelta(hours=24 + 24 + 24))
    job.drain(deaf)

    assert job.statuses() == ["cancelled"] * 3


def test_a_second_cancellation_says_so_and_a_closed_job_is_left_alone() -> None:
    job = Pipeline()

    first, second = job.cancel(), job.cancel()
    job.drain()
    before = dict(job.store.objects)
    closed = job.cancel()

    assert (first, second, closed) == ("cancelled", "again", "closed")
    assert job.store.objects == before


def test_of_several_shards_the_finished_keep_their_answers() -> None:
    job = Pipeline(shards=(("a",), ("b",), ("c",)))
    for shard in (1, 2):
        job.submit(attempt(shard=shard))
    job.provider.answer_all(job.provider.submissions[0].batch_id)
    job.poll()
    job.collect(attempt(shard=1))

    job.cancel()
    job.drain()

    assert job.statuses() == ["answered", "cancelled", "cancelled"]
    assert job.sent() == ["a", "b"]
    assert job.ledger().adds_up


def cancelled_at(calls: int, before: int) -> tuple[Pipeline, bool]:
    """A cancelled job of three shards, one unsent, one running, one answered.

    After ``calls`` something is killed. ``before`` says what: 0 the cancellation, 1 what follows.
    """
    job = Pipeline(shards=(("a",), ("b", "bb"), ("c",)))
    for shard in (2, 3):
        job.submit(attempt(shard=shard))
    running, done = (each.batch_id for each in job.provider.submissions)
    job.provider.set_results(running, [line("bb")])
    job.provider.answer_all(done)
    cut = Cut(calls)
    try:
        job.cancel(cut=cut if before == 0 else None)
    except Killed:
        job.cancel()
    job.drain(cut=cut if before == 1 else None)
    return job, cut.left is None or (before == 0 and cut.made >= calls)


@pytest.mark.parametrize("before", [0, 1])
def test_a_cancellation_may_be_killed_between_any_two_calls(before: int) -> None:
    calls, was_killed = 0, True
    while was_killed:
        job, was_killed = cancelled_at(calls, before)

        assert job.statuses() == ["cancelled", "cancelled", "answered", "answered"], calls
        assert job.ledger().by_status == {"answered": 2, "cancelled": 2}, calls
        assert len(job.sent()) == 3, calls
        calls += 1

    assert calls > (5 if before == 0 else 40)


def test_a_cancellation_that_dies_before_it_wakes_anybody_is_carried_out_by_the_timer() -> None:
    job = Pipeline()
    job.submit(attempt())
    with pytest.raises(Killed):
        job.cancel(cut=Cut(2))
    assert job.records.is_cancelled(job.job_id)

    job.drain()

    assert job.statuses() == ["cancelled"] * 3
