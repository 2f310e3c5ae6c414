"""A hundred files at once: whatever is interleaved, repeated or killed, no quota is exceeded and everything ends."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest

from shared.adapters.bailian_profile import BAILIAN, TEST_MODEL
from shared.domain.batches import BatchId, BatchRequest, BatchStatus
from shared.domain.errors import QuotaReached, TransientError
from shared.domain.keys import JobId, ShardAttempt, Stage, ticket_in, waiting_prefix
from shared.ports import ObjectHead
from shared.services.admission import Admission
from shared.services.bucket_records import BucketRecords
from shared.services.cancel_job import CancelJob
from shared.services.collect_shard import CollectShard
from shared.services.reconcile import Overdue, Reconcile
from shared.services.slots import Slots
from shared.services.submit_shard import SubmitShard
from tests.builders import plan_job
from tests.fake_provider import ScriptedProvider, only
from tests.fakes import FixedClock, MemoryStore
from tests.interleaving import Baton, Killed

LEASE = timedelta(minutes=15)
LIMIT = BAILIAN.pool_for(TEST_MODEL).slots


class TurnStore(MemoryStore):
    """Each call is a moment in which somebody else may come first."""

    def __init__(self, clock: FixedClock, baton: Baton, on_put: Callable[[str], None]) -> None:
        super().__init__(clock, on_put)
        self._turn = baton.turn

    def put(self, key: str, content: bytes) -> None:
        self._turn()
        super().put(key, content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        self._turn()
        return super().put_if_absent(key, content)

    def get(self, key: str) -> bytes:
        self._turn()
        return super().get(key)

    def head(self, key: str) -> ObjectHead | None:
        self._turn()
        return super().head(key)

    def list(self, prefix: str) -> Iterator[ObjectHead]:
        self._turn()
        found = [key for key in sorted(self.objects) if key.startswith(prefix)]
        return iter([head for key in found if (head := MemoryStore.head(self, key))])

    def delete(self, key: str) -> None:
        self._turn()
        super().delete(key)


class LimitedProvider(ScriptedProvider):
    """Counts how many batches are unfinished, and never refuses one: keeping the limit is ours to do."""

    def __init__(self, baton: Baton) -> None:
        super().__init__()
        self.most_unfinished = 0
        self._turn = baton.turn

    def submit(self, request: BatchRequest) -> BatchId:
        self._turn()
        batch_id = super().submit(request)
        self.most_unfinished = max(self.most_unfinished, len(self.unfinished()))
        self._turn()
        return batch_id

    def unfinished(self) -> list[BatchId]:
        return [batch for batch, state in self._states.items() if not state.status.is_terminal]


class Pipeline:
    """The bucket's triggers, the functions and the timer, without a cloud."""

    def __init__(self, seed: int = 0, *, kill: float = 0.0, duplicates: int = 1) -> None:
        self.clock = FixedClock()
        self.chance = random.Random(seed)
        self.baton = Baton(seed, kill=kill)
        self.events: list[str] = []
        self.duplicates = duplicates
        self.store = TurnStore(self.clock, self.baton, self._fire)
        self.provider = LimitedProvider(self.baton)
        self.records = BucketRecords(self.store)
        self.said: Counter[str] = Counter()
        self.jobs: list[JobId] = []

    def _fire(self, key: str) -> None:
        if key.startswith((Stage.READY.value, Stage.FINISHED.value)):
            self.events += [key] * self.duplicates

    def drop(self, *shards: Sequence[str], model: str = TEST_MODEL) -> JobId:
        job = JobId(f"{len(self.jobs) + 1:016x}")
        self.jobs.append(job)
        plan_job(self.store, self.clock, shards or [["a"]], job_id=job, model=model)
        return job

    def submit(self, unit: ShardAttempt) -> str:
        return SubmitShard(self.store, only(self.provider), self.clock, LEASE, "token", lambda _: None)(unit)

    def collect(self, unit: ShardAttempt) -> str:
        return CollectShard(
            self.store, only(self.provider), self.clock, f"run-{id(object())}", timedelta(hours=1)
        )(unit)

    def invoke(self, key: str) -> str:
        ticket = ticket_in(key)
        assert ticket is not None
        return self.submit(ticket[1]) if ticket[0] is Stage.READY else self.collect(ticket[1])

    def timer(self, minutes: int = 1) -> dict[str, int]:
        self.clock.advance(timedelta(minutes=minutes))
        overdue = Overdue.from_seconds(ready=300, poll=300, finished=1200, inbox=600)
        validate: Callable[[object], str] = lambda _: "planned"  # noqa: E731
        return Reconcile(
            self.store, only(self.provider), self.clock, overdue, validate, "drop", timedelta(hours=1)
        )()

    def deliver(self, at_once: int = 20) -> None:
        """All events that are under way, so many at once, and those that come of them."""
        while self.events:
            self.chance.shuffle(self.events)
            batch, self.events[:] = self.events[:at_once], self.events[at_once:]
            for result in self.baton.run([lambda key=key: self.invoke(key) for key in batch]):  # type: ignore[misc]
                if isinstance(result, BaseException) and not isinstance(result, Killed):
                    raise result
                self.said["killed" if isinstance(result, Killed) else str(result)] += 1

    def end_a_batch(self) -> None:
        batch = self.chance.choice(self.provider.unfinished())
        self.provider.answer_all(batch, BatchStatus.COMPLETED)
        name = next(each.request.name for each in self.provider.submissions if each.batch_id == batch)
        job, attempt, shard = name.removeprefix("batchdrop-").split("-")
        if self.chance.random() < 0.8:  # else nobody hears of it
            self.records.put_finished(ShardAttempt(JobId(job), int(attempt), int(shard)), "callback")

    def run_until_done(self, hours: int = 500) -> None:
        for _ in range(hours * 60):
            self.deliver()
            if self.provider.unfinished() and self.chance.random() < 0.5:
                self.end_a_batch()
            elif self.board():
                self.timer()
            else:
                return
        raise AssertionError(f"never done: {self.board()}")

    def board(self) -> list[str]:
        prefixes = ("ready/", "running/", "finished/", "waiting/")
        return [key for key in self.store.objects if key.startswith(prefixes)]

    def names_submitted(self) -> Counter[str]:
        return Counter(each.request.name for each in self.provider.submissions)


@pytest.mark.parametrize("seed", range(2))
def test_a_hundred_files_dropped_at_once_never_exceed_the_quota(seed: int) -> None:
    pipeline = Pipeline(seed, duplicates=2)
    for _ in range(100):
        pipeline.drop()

    pipeline.run_until_done()

    assert pipeline.provider.most_unfinished == LIMIT
    assert max(pipeline.names_submitted().values()) == 1
    assert all(pipeline.records.find_ledger(job) for job in pipeline.jobs)
    assert len(Slots(pipeline.store).free(BAILIAN.pool_for(TEST_MODEL))) == LIMIT
    assert pipeline.said.total() < 100 * 20, "an invocation more for each of the files would be a loop"


@pytest.mark.parametrize("seed", range(12))
def test_processes_that_die_between_any_two_calls_leave_no_slot_behind_and_exceed_nothing(seed: int) -> None:
    pipeline = Pipeline(seed, kill=0.04, duplicates=2)
    for _ in range(15):
        pipeline.drop(["a"], ["b"])

    pipeline.run_until_done()

    assert pipeline.said["killed"] > 0
    assert pipeline.provider.most_unfinished <= LIMIT
    assert max(pipeline.names_submitted().values()) == 1
    assert all(pipeline.records.find_ledger(job) for job in pipeline.jobs)
    assert len(Slots(pipeline.store).free(BAILIAN.pool_for(TEST_MODEL))) == LIMIT


def test_what_finds_no_slot_waits_in_ready_and_costs_one_invocation() -> None:
    pipeline = Pipeline()
    jobs = [pipeline.drop() for _ in range(5)]

    pipeline.deliver(at_once=1)

    assert len(pipeline.provider.unfinished()) == 2
    assert len(Admission(pipeline.store, pipeline.clock).waiting(BAILIAN.pool_for(TEST_MODEL))) == 3
    assert sum(key.startswith("ready/") for key in pipeline.store.objects) == 3
    assert pipeline.said == {"submitted": 2, "waiting": 3}
    assert len(jobs) == 5


def test_a_batch_that_ended_admits_the_next_in_order_of_arrival() -> None:
    pipeline = Pipeline()
    for _ in range(5):
        pipeline.drop()
        pipeline.deliver()
        pipeline.clock.advance(timedelta(minutes=1))
    first = pipeline.provider.submissions[0]
    pipeline.provider.answer_all(first.batch_id)

    pipeline.records.put_finished(ShardAttempt(pipeline.jobs[0], 1, 1), "callback")
    pipeline.deliver()

    assert pipeline.names_submitted().keys() == {f"batchdrop-{job}-1-00001" for job in pipeline.jobs[:3]}


def test_the_place_of_one_that_waits_is_that_of_its_arrival_however_often_it_is_brought_up() -> None:
    pipeline = Pipeline()
    for _ in range(4):
        pipeline.drop()
        pipeline.deliver()
        pipeline.clock.advance(timedelta(minutes=1))
    third, fourth = (ShardAttempt(job, 1, 1) for job in pipeline.jobs[2:])

    for _ in range(3):
        pipeline.records.put_ready(third)
        pipeline.clock.advance(timedelta(minutes=1))
        pipeline.deliver()

    waiting = Admission(pipeline.store, pipeline.clock).waiting(BAILIAN.pool_for(TEST_MODEL))
    assert waiting[third] < waiting[fourth]


def test_a_small_job_gets_the_next_slot_before_a_huge_one_that_came_first() -> None:
    pipeline = Pipeline()
    huge = pipeline.drop(*[[f"row-{n}"] for n in range(30)])
    pipeline.deliver(at_once=1)
    pipeline.clock.advance(timedelta(minutes=5))
    small = pipeline.drop()
    pipeline.deliver()

    pipeline.end_a_batch()
    pipeline.timer(minutes=20)
    pipeline.deliver()

    assert pipeline.names_submitted()[f"batchdrop-{small}-1-00001"] == 1
    assert sum(name.startswith(f"batchdrop-{huge}") for name in pipeline.names_submitted()) == 2


def test_who_comes_later_does_not_take_the_slot_of_one_that_waits() -> None:
    pipeline = Pipeline()
    for _ in range(3):
        pipeline.drop()
        pipeline.deliver()
        pipeline.clock.advance(timedelta(minutes=1))
    pipeline.provider.answer_all(pipeline.provider.submissions[0].batch_id)
    pipeline.records.put_finished(ShardAttempt(pipeline.jobs[0], 1, 1), "callback")
    pipeline.collect(ShardAttempt(pipeline.jobs[0], 1, 1))
    latest = pipeline.drop()

    said = pipeline.submit(ShardAttempt(latest, 1, 1))

    assert said == "waiting"
    assert pipeline.submit(ShardAttempt(pipeline.jobs[2], 1, 1)) == "submitted"


def test_the_timer_admits_when_the_end_of_a_batch_admitted_nobody() -> None:
    pipeline = Pipeline()
    for _ in range(3):
        pipeline.drop()
    pipeline.deliver()
    pipeline.end_a_batch()
    pipeline.timer(minutes=30)
    pipeline.deliver()
    pipeline.events.clear()

    repairs = pipeline.timer()
    pipeline.deliver()

    assert repairs == {}, "to wait for a slot is nothing that needs repair"
    assert len(pipeline.provider.submissions) == 3


def test_the_test_model_and_the_account_do_not_wait_for_each_other() -> None:
    pipeline = Pipeline()
    for _ in range(5):
        pipeline.drop()
    pipeline.deliver()

    paid = pipeline.drop(model="qwen-flash")
    pipeline.deliver()

    assert pipeline.names_submitted()[f"batchdrop-{paid}-1-00001"] == 1
    assert {pool.name for pool in BAILIAN.pools} == {
        key.split("/")[1] for key in pipeline.store.objects if key.startswith("slots/")
    }


def test_without_congestion_a_submission_lists_the_slots_and_who_waits_and_no_more() -> None:
    pipeline = Pipeline()
    pipeline.drop()
    listed: list[str] = []
    pipeline.store.list = lambda prefix: listed.append(prefix) or MemoryStore.list(pipeline.store, prefix)  # type: ignore[method-assign,func-returns-value,misc,assignment]

    pipeline.deliver()

    pool = BAILIAN.pool_for(TEST_MODEL)
    assert [prefix for prefix in listed if not prefix.startswith("jobs/")] == [
        f"slots/{pool.name}/",
        waiting_prefix(pool.name),
        f"slots/{pool.name}/{'0001' if f'slots/{pool.name}/0001-' in listed else '0002'}-",
    ]


def test_a_ticket_that_waits_for_its_time_takes_nobodys_place() -> None:
    pipeline = Pipeline()
    for _ in range(4):
        pipeline.drop()
        pipeline.deliver()
        pipeline.clock.advance(timedelta(minutes=1))
    third = ShardAttempt(pipeline.jobs[2], 1, 1)
    pipeline.records.put_ready(third, pipeline.clock.now() + timedelta(days=1))
    pipeline.events.clear()
    pipeline.end_a_batch()

    pipeline.timer(minutes=20)
    pipeline.deliver()
    pipeline.timer(minutes=20)
    pipeline.deliver()

    assert pipeline.names_submitted()[f"batchdrop-{pipeline.jobs[3]}-1-00001"] == 1


def test_a_refused_create_waits_longer_each_time_and_uses_up_no_attempt() -> None:
    pipeline = Pipeline()
    unit = ShardAttempt(pipeline.drop(), 1, 1)
    waits = []
    for _ in range(7):
        pipeline.provider.fail_next("submit", QuotaReached("429"))
        said = pipeline.submit(unit)
        ticket = pipeline.records.find_ready(unit)
        assert said == "waiting"
        assert ticket is not None
        assert ticket.not_before is not None
        assert ticket.waiting_for is None
        waits.append((ticket.not_before - pipeline.clock.now()) // timedelta(minutes=1))
        pipeline.clock.set(ticket.not_before)
    pipeline.events.clear()

    pipeline.timer()
    pipeline.deliver()

    assert waits == [5, 10, 20, 40, 80, 80, 80]
    assert [each.request.name for each in pipeline.provider.submissions] == [unit.batch_name]


@pytest.mark.parametrize("error", [QuotaReached("429"), TransientError("upload: 503")])
def test_a_refusal_that_created_nothing_gives_its_slot_back(error: TransientError) -> None:
    pipeline = Pipeline()
    pipeline.provider.fail_next("submit", error)
    refused = ShardAttempt(pipeline.drop(), 1, 1)
    try:
        pipeline.submit(refused)
    except TransientError:
        assert not isinstance(error, QuotaReached)

    assert len(Slots(pipeline.store).free(BAILIAN.pool_for(TEST_MODEL))) == LIMIT


def test_the_event_of_a_ticket_that_was_put_back_does_nothing() -> None:
    pipeline = Pipeline()
    unit = ShardAttempt(pipeline.drop(), 1, 1)
    pipeline.events.clear()
    pipeline.provider.fail_next("submit", QuotaReached("429"))
    pipeline.submit(unit)
    before = dict(pipeline.store.objects)

    pipeline.deliver()

    assert pipeline.said == {"waiting": 1}
    assert pipeline.store.objects == before


def test_a_cancelled_job_waits_for_no_slot_and_takes_none() -> None:
    pipeline = Pipeline()
    for _ in range(3):
        pipeline.drop()
        pipeline.deliver()
    third = pipeline.jobs[2]

    CancelJob(pipeline.store, pipeline.clock)(third)
    pipeline.deliver()
    pipeline.timer(minutes=6)
    pipeline.deliver()

    ledger = pipeline.records.find_ledger(third)
    assert ledger is not None
    assert ledger.by_status == {"cancelled": 1}
    assert Admission(pipeline.store, pipeline.clock).waiting(BAILIAN.pool_for(TEST_MODEL)) == {}
    assert len(pipeline.provider.submissions) == 2


def test_the_cancelling_of_a_job_that_waits_is_noticed_although_its_event_was_lost() -> None:
    pipeline = Pipeline()
    for _ in range(3):
        pipeline.drop()
        pipeline.deliver()
    CancelJob(pipeline.store, pipeline.clock)(pipeline.jobs[2])
    pipeline.events.clear()

    for _ in range(3):
        pipeline.timer(minutes=6)
        pipeline.deliver()

    assert pipeline.records.find_ledger(pipeline.jobs[2]) is not None
