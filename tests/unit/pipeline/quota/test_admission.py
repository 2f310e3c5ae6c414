"""Which shards get the provider's slots, and in which order.

The simulation shows that no slot is taken twice or lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.slot_keys import waiting_prefix
from shared.pipeline.quota.admission import Admission
from shared.pipeline.quota.slots import Slots
from shared.problems.exceptions import QuotaReached, TransientError
from shared.providers.bailian.profile import BAILIAN, TEST_MODEL
from tests.support.builders import plan_job
from tests.support.pipeline import Harness

LIMIT = BAILIAN.pool_for(TEST_MODEL).slots


class Bench(Harness):
    """Files dropped one after the other, each a job of the model with two slots."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[JobId] = []

    def drop(self, *shards: Sequence[str], model: str = TEST_MODEL) -> JobId:
        job = JobId(f"{len(self.jobs) + 1:016x}")
        self.jobs.append(job)
        plan_job(self.store, self.clock, shards or [["a"]], job_id=job, model=model)
        return job

    def names_submitted(self) -> Counter[str]:
        return Counter(each.request.name for each in self.provider.submissions)


def test_what_finds_no_slot_waits_in_ready_and_costs_one_invocation() -> None:
    bench = Bench()
    jobs = [bench.drop() for _ in range(5)]

    bench.deliver()

    assert len(bench.provider.unfinished()) == 2
    assert len(Admission(bench.store, bench.clock).waiting(BAILIAN.pool_for(TEST_MODEL))) == 3
    assert sum(key.startswith("ready/") for key in bench.store.objects) == 3
    assert bench.said == {"submitted": 2, "waiting": 3}
    assert len(jobs) == 5


def test_a_batch_that_ended_admits_the_next_in_order_of_arrival() -> None:
    bench = Bench()
    for _ in range(5):
        bench.drop()
        bench.deliver()
        bench.clock.advance(timedelta(minutes=1))
    first = bench.provider.submissions[0]
    bench.provider.answer_all(first.batch_id)

    bench.records.put_finished(Attempt(bench.jobs[0], 1, 1), "callback")
    bench.deliver()

    assert bench.names_submitted().keys() == {f"batchdrop-{job}-1-00001" for job in bench.jobs[:3]}


def test_the_place_of_one_that_waits_is_that_of_its_arrival_however_often_it_is_brought_up() -> None:
    bench = Bench()
    for _ in range(4):
        bench.drop()
        bench.deliver()
        bench.clock.advance(timedelta(minutes=1))
    third, fourth = (Attempt(job, 1, 1) for job in bench.jobs[2:])

    for _ in range(3):
        bench.records.put_ready(third)
        bench.clock.advance(timedelta(minutes=1))
        bench.deliver()

    waiting = Admission(bench.store, bench.clock).waiting(BAILIAN.pool_for(TEST_MODEL))
    assert waiting[third] < waiting[fourth]


def test_a_small_job_gets_the_next_slot_before_a_huge_one_that_came_first() -> None:
    bench = Bench()
    huge = bench.drop(*[[f"row-{n}"] for n in range(30)])
    bench.deliver()
    bench.clock.advance(timedelta(minutes=5))
    small = bench.drop()
    bench.deliver()

    bench.end_batch(bench.provider.unfinished()[0])
    bench.tick(timedelta(minutes=20))
    bench.deliver()

    assert bench.names_submitted()[f"batchdrop-{small}-1-00001"] == 1
    assert sum(name.startswith(f"batchdrop-{huge}") for name in bench.names_submitted()) == 2


def test_who_comes_later_does_not_take_the_slot_of_one_that_waits() -> None:
    bench = Bench()
    for _ in range(3):
        bench.drop()
        bench.deliver()
        bench.clock.advance(timedelta(minutes=1))
    bench.provider.answer_all(bench.provider.submissions[0].batch_id)
    bench.records.put_finished(Attempt(bench.jobs[0], 1, 1), "callback")
    bench.collect(Attempt(bench.jobs[0], 1, 1))
    latest = bench.drop()

    said = bench.submit(Attempt(latest, 1, 1))

    assert said == "waiting"
    assert bench.submit(Attempt(bench.jobs[2], 1, 1)) == "submitted"


def test_the_timer_admits_when_the_end_of_a_batch_admitted_nobody() -> None:
    bench = Bench()
    for _ in range(3):
        bench.drop()
    bench.deliver()
    bench.end_batch(bench.provider.unfinished()[0])
    bench.tick(timedelta(minutes=30))
    bench.deliver()
    bench.events.clear()

    repairs = bench.tick()
    bench.deliver()

    assert repairs == {}, "to wait for a slot is nothing that needs repair"
    assert len(bench.provider.submissions) == 3


def test_the_test_model_and_the_account_do_not_wait_for_each_other() -> None:
    bench = Bench()
    for _ in range(5):
        bench.drop()
    bench.deliver()

    paid = bench.drop(model="qwen-flash")
    bench.deliver()

    assert bench.names_submitted()[f"batchdrop-{paid}-1-00001"] == 1
    assert {pool.name for pool in BAILIAN.pools} == {
        key.split("/")[1] for key in bench.store.objects if key.startswith("slots/")
    }


def test_without_congestion_a_submission_lists_the_slots_and_who_waits_and_no_more() -> None:
    bench = Bench()
    bench.drop()
    listed: list[str] = []
    bench.store.before = lambda what, key: listed.append(key) if what == "list" else None

    bench.deliver()

    pool = BAILIAN.pool_for(TEST_MODEL)
    assert [prefix for prefix in listed if not prefix.startswith("jobs/")] == [
        f"slots/{pool.name}/",
        waiting_prefix(pool.name),
        f"slots/{pool.name}/{'0001' if f'slots/{pool.name}/0001-' in listed else '0002'}-",
    ]


def test_a_ticket_that_waits_for_its_time_takes_nobodys_place() -> None:
    bench = Bench()
    for _ in range(4):
        bench.drop()
        bench.deliver()
        bench.clock.advance(timedelta(minutes=1))
    third = Attempt(bench.jobs[2], 1, 1)
    bench.records.put_ready(third, bench.clock.now() + timedelta(days=1))
    bench.events.clear()
    bench.end_batch(bench.provider.unfinished()[0])

    bench.tick(timedelta(minutes=20))
    bench.deliver()
    bench.tick(timedelta(minutes=20))
    bench.deliver()

    assert bench.names_submitted()[f"batchdrop-{bench.jobs[3]}-1-00001"] == 1


def test_a_refused_create_waits_longer_each_time_and_uses_up_no_attempt() -> None:
    bench = Bench()
    attempt = Attempt(bench.drop(), 1, 1)
    waits = []
    for _ in range(7):
        bench.provider.fail_next("submit", QuotaReached("429"))
        said = bench.submit(attempt)
        ticket = bench.records.find_ready(attempt)
        assert said == "waiting"
        assert ticket is not None
        assert ticket.not_before is not None
        assert ticket.waiting_for is None
        waits.append((ticket.not_before - bench.clock.now()) // timedelta(minutes=1))
        bench.clock.set(ticket.not_before)
    bench.events.clear()

    bench.tick()
    bench.deliver()

    assert waits == [5, 10, 20, 40, 80, 80, 80]
    assert [each.request.name for each in bench.provider.submissions] == [attempt.batch_name]


@pytest.mark.parametrize("error", [QuotaReached("429"), TransientError("upload: 503")])
def test_a_refusal_that_created_nothing_gives_its_slot_back(error: TransientError) -> None:
    bench = Bench()
    bench.provider.fail_next("submit", error)
    refused = Attempt(bench.drop(), 1, 1)
    try:
        bench.submit(refused)
    except TransientError:
        assert not isinstance(error, QuotaReached)

    assert len(Slots(bench.store).free(BAILIAN.pool_for(TEST_MODEL))) == LIMIT


def test_the_event_of_a_ticket_that_was_put_back_does_nothing() -> None:
    bench = Bench()
    attempt = Attempt(bench.drop(), 1, 1)
    bench.events.clear()
    bench.provider.fail_next("submit", QuotaReached("429"))
    bench.submit(attempt)
    before = dict(bench.store.objects)

    bench.deliver()

    assert bench.said == {"waiting": 1}
    assert bench.store.objects == before


def test_a_cancelled_job_waits_for_no_slot_and_takes_none() -> None:
    bench = Bench()
    for _ in range(3):
        bench.drop()
        bench.deliver()
    third = bench.jobs[2]

    bench.functions.cancel(third)
    bench.deliver()
    bench.tick(timedelta(minutes=6))
    bench.deliver()

    ledger = bench.records.find_ledger(third)
    assert ledger is not None
    assert ledger.by_status == {"cancelled": 1}
    assert Admission(bench.store, bench.clock).waiting(BAILIAN.pool_for(TEST_MODEL)) == {}
    assert len(bench.provider.submissions) == 2


def test_the_cancelling_of_a_job_that_waits_is_noticed_although_its_event_was_lost() -> None:
    bench = Bench()
    for _ in range(3):
        bench.drop()
        bench.deliver()
    bench.functions.cancel(bench.jobs[2])
    bench.events.clear()

    for _ in range(3):
        bench.tick(timedelta(minutes=6))
        bench.deliver()

    assert bench.records.find_ledger(bench.jobs[2]) is not None
