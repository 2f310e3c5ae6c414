from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import (
    AGAIN,
    Stage,
    attempt_key,
    open_job_key,
    record_key,
    settled_key,
    ticket_key,
)
from shared.bucket.records.outcome import Outcome, SettledShard
from shared.bucket.records.plan import Plan, Source
from shared.bucket.records.submission import Submission
from shared.bucket.records.usage import Tokens
from shared.bucket.uploads import AgainTicket
from shared.pipeline.deadlines import LOOK_AFTER
from shared.pipeline.jobs.close_job import CloseJob
from shared.pipeline.jobs.resume_job import ResumeJob
from shared.pipeline.jobs.start_job import StartJob
from shared.pipeline.quota.admission import WaitingLists
from shared.pipeline.reconcile.repairs.repair_tickets import RepairAgain, RepairReady
from shared.pipeline.reconcile.repairs.resume_open_jobs import ResumeOpenJobs
from shared.providers.bailian.profile import BAILIAN
from tests.support.builders import JOB, attempt, plan_job
from tests.support.fakes import FixedClock, MemoryStore


class Bench:
    """A planned job of two shards without any ticket, as a killed ``validate`` leaves it."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.store = MemoryStore(self.clock)
        self.records = BucketRecords(self.store)
        self.plan = plan_job(self.store, self.clock, shards=(("a", "b"), ("c",)))
        self.store.put(open_job_key(JOB), b"")
        for shard in (1, 2):
            self.records.drop_ticket(Stage.READY, attempt(shard=shard))

    def look(self, *, after: timedelta = LOOK_AFTER) -> int:
        self.clock.advance(after)
        step = ResumeOpenJobs(self.store, self.clock)
        return sum([candidate.repair() for candidate in list(step.candidates())])

    def submit(self, number: int = 1, shard: int = 1) -> None:
        now = self.clock.now()
        mine = Submission(batch_id="b", batch_name="n", submitted_at=now, deadline_at=now)
        self.records.create(attempt_key(attempt(number, shard), "submission.json"), mine)

    def decide(self, kind: str, number: int = 1, shard: int = 1, **more: object) -> None:
        outcome = Outcome.model_validate(
            {"kind": kind, "batch_id": "b", "batch_status": "x", "decided_at": self.clock.now(), "settled": 0}
            | more
        )
        self.records.create(attempt_key(attempt(number, shard), "outcome.json"), outcome)

    def settle(self, shard: int) -> None:
        part = f"part-{shard}"
        self.store.put(part, f"rows of {shard}\r\n".encode())
        settled = SettledShard(
            shard=shard,
            attempt=1,
            part_key=part,
            rows=1,
            by_status={"answered": 1},
            tokens=Tokens(),
            batches=(),
        )
        self.records.create(settled_key(JOB, shard), settled)

    def tickets(self) -> list[str]:
        return [head.key for stage in Stage for head in self.store.list(stage.value)]


def test_a_job_whose_planner_died_before_its_tickets_gets_them_from_the_timer() -> None:
    bench = Bench()

    early = bench.look(after=LOOK_AFTER - timedelta(seconds=1))
    late = bench.look(after=timedelta(seconds=1))

    assert (early, late) == (0, 1)
    assert bench.tickets() == [
        ticket_key(Stage.READY, attempt(shard=1)),
        ticket_key(Stage.READY, attempt(shard=2)),
    ]


def test_a_ticket_that_is_there_is_left_as_it_is() -> None:
    bench = Bench()
    bench.records.put_ready(attempt(shard=1), bench.clock.now())
    bench.records.put_ready(attempt(shard=2))
    arrived_at = bench.store.head(ticket_key(Stage.READY, attempt(shard=1)))

    assert bench.look() == 0
    assert bench.store.head(ticket_key(Stage.READY, attempt(shard=1))) == arrived_at


def _submitted(bench: Bench) -> None:
    bench.submit()


def _resent_without_requests(bench: Bench) -> None:
    bench.submit()
    bench.decide("resend")


def _requeued(bench: Bench) -> None:
    bench.submit()
    bench.decide("requeue", not_before=bench.clock.now() + timedelta(days=1))
    bench.store.put(bench.plan.requests_key(attempt(number=2)), b"{}\n")


def _decided(bench: Bench) -> None:
    bench.submit()
    bench.decide("final")


@pytest.mark.parametrize(
    ("left_behind", "ticket"),
    [
        (_submitted, ticket_key(Stage.RUNNING, attempt())),
        (_resent_without_requests, ticket_key(Stage.FINISHED, attempt())),
        (_requeued, ticket_key(Stage.READY, attempt(number=2))),
        (_decided, ticket_key(Stage.FINISHED, attempt())),
    ],
)
def test_a_shard_goes_on_from_where_its_records_end(
    left_behind: Callable[[Bench], None], ticket: str
) -> None:
    bench = Bench()
    left_behind(bench)
    bench.settle(2)

    bench.look()

    assert bench.tickets() == [ticket]


def test_a_shard_that_waits_for_a_quota_keeps_waiting() -> None:
    bench = Bench()
    _requeued(bench)

    bench.look()

    ready = bench.records.find_ready(attempt(number=2))
    assert ready is not None
    assert ready.not_before is not None
    assert ready.not_before > bench.clock.now()


def test_a_job_of_which_only_the_closing_is_left_is_closed() -> None:
    bench = Bench()
    bench.settle(1)
    bench.settle(2)
    bench.decide("final", shard=2)

    bench.look()

    assert bench.tickets() == [ticket_key(Stage.FINISHED, attempt(shard=2))]


def test_what_is_left_of_a_planner_that_died_is_removed() -> None:
    bench = Bench()
    bench.store.delete(open_job_key(JOB))
    bench.store.put(open_job_key(JobId("f" * 16)), b"")

    bench.look()
    first = [head.key for head in bench.store.list("open/")]
    bench.look(after=timedelta(days=2))

    assert first == [open_job_key(JobId("f" * 16))]
    assert [head.key for head in bench.store.list("open/")] == []


def test_a_ticket_whose_file_was_replaced_is_answered_all_the_same() -> None:
    bench = Bench()
    events: list[str] = []
    ticket = AgainTicket(bucket="drop", key="inbox/a.csv", etag="E").to_bytes()
    bench.store.put(f"{AGAIN}one", ticket)
    bench.store.put(f"{AGAIN}notes.txt", b"of a person's")
    bench.store.on_put = events.append
    bench.clock.advance(timedelta(minutes=15))
    step = RepairAgain(bench.store, bench.clock, timedelta(minutes=15))

    repaired = [candidate.repair() for candidate in step.candidates()]

    assert repaired == [False, True]
    assert events == [f"{AGAIN}one"]
    assert bench.store.get(f"{AGAIN}one") == ticket


def _newer(plan: Plan, clock: FixedClock) -> Plan:
    dropped_at = clock.now() + timedelta(minutes=1)
    source = Source.model_validate(plan.source.model_dump() | {"etag": "F", "dropped_at": dropped_at})
    return plan.model_copy(update={"job_id": "f" * 16, "source": source, "shards": plan.shards[:1]})


def _settled_newer(bench: Bench) -> Plan:
    newer = _newer(bench.plan, bench.clock)
    bench.records.create(record_key(JobId(newer.job_id), "plan.json"), newer)
    bench.store.put("part-newer", b"newer\r\n")
    settled = SettledShard(
        shard=1, attempt=1, part_key="part-newer", rows=1, by_status={}, tokens=Tokens(), batches=()
    )
    bench.records.create(settled_key(JobId(newer.job_id), 1), settled)
    return newer


def test_a_version_that_is_dropped_again_while_it_is_open_gets_the_name_back() -> None:
    bench = Bench()
    newer = _settled_newer(bench)
    ResumeJob(StartJob(bench.store, bench.clock))(bench.plan, newer.source.dropped_at + timedelta(minutes=1))

    CloseJob(bench.store, bench.clock)(newer)
    bench.settle(1)
    bench.settle(2)
    CloseJob(bench.store, bench.clock)(bench.plan)

    assert bench.store.get("results/a/names.csv") == b"rows of 1\r\nrows of 2\r\n"
    assert bench.store.get(f"results/a/names.{newer.job_id}.csv") == b"newer\r\n"


def test_a_version_that_is_dropped_again_after_its_end_keeps_the_name_from_one_that_ends_later() -> None:
    bench = Bench()
    bench.settle(1)
    bench.settle(2)
    CloseJob(bench.store, bench.clock)(bench.plan)
    newer = _settled_newer(bench)

    ResumeJob(StartJob(bench.store, bench.clock))(bench.plan, newer.source.dropped_at + timedelta(minutes=1))
    CloseJob(bench.store, bench.clock)(newer)

    assert bench.store.get("results/a/names.csv") == b"rows of 1\r\nrows of 2\r\n"


def test_of_two_versions_dropped_in_one_second_the_one_that_was_seen_later_keeps_the_name() -> None:
    bench = Bench()
    at = bench.clock.now()
    newer = _settled_newer(bench)
    same_second = {"dropped_at": bench.plan.source.dropped_at}
    older_plan, newer_plan = (
        plan.model_copy(update={"source": plan.source.model_copy(update={**same_second, "seen_at": seen_at})})
        for plan, seen_at in ((bench.plan, at), (newer, at + timedelta(milliseconds=300)))
    )
    bench.settle(1)
    bench.settle(2)
    # Whichever id sorts first, whichever closes first.
    swapped = older_plan.model_copy(update={"source": newer_plan.source})

    CloseJob(bench.store, bench.clock)(newer_plan)
    CloseJob(bench.store, bench.clock)(older_plan)
    kept = bench.store.get("results/a/names.csv")
    CloseJob(bench.store, bench.clock)(
        swapped.model_copy(
            update={"source": swapped.source.model_copy(update={"seen_at": at + timedelta(seconds=0.6)})}
        )
    )

    assert kept == b"newer\r\n"
    assert bench.store.get("results/a/names.csv") == b"rows of 1\r\nrows of 2\r\n"


def test_a_ready_ticket_that_nobody_can_read_is_put_again() -> None:
    bench = Bench()
    bench.store.put(ticket_key(Stage.READY, attempt()), b"")
    bench.clock.advance(timedelta(minutes=5))
    lists = WaitingLists(bench.store, BAILIAN.pools)
    step = RepairReady(bench.store, bench.clock, timedelta(minutes=5), lists)

    repaired = [candidate.repair() for candidate in step.candidates()]

    assert repaired == [True]
    assert bench.records.find_ready(attempt()) is not None


def test_an_unreadable_again_ticket_is_deleted() -> None:
    bench = Bench()
    bench.store.put(f"{AGAIN}one", b"")
    bench.clock.advance(timedelta(minutes=15))
    step = RepairAgain(bench.store, bench.clock, timedelta(minutes=15))

    assert [candidate.repair() for candidate in step.candidates()] == [False]
    assert bench.store.head(f"{AGAIN}one") is None
