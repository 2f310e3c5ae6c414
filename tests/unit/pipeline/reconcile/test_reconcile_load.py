"""The timer under load: it keeps its time, every ticket has its turn, none stops the others."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import TIMER_CURSOR, Stage, ticket_key
from shared.bucket.tickets import RunningTicket, TimerCursor
from shared.events.oss import UploadedObject
from shared.pipeline.reconcile.repairs.lost_uploads import Asked
from shared.ports.provider import BatchId, BatchState, BatchStatus, ProviderFile
from tests.support.fakes import FixedClock, MemoryStore
from tests.support.functions import Functions

# The function's timeout; its handler plans with a sixth of it (functions/reconcile/index.py).
TIMEOUT = timedelta(minutes=5)
BUDGET = TIMEOUT / 6
TICK = timedelta(minutes=1)
PAGE = 1000


class Bench:
    """A bucket with overdue tickets in every stage, and a provider whose batches are running.

    Every call takes the same time; no other time passes on its clock.
    """

    def __init__(self, tickets: int, *, inbox: int = 0, call_takes: timedelta = timedelta(0)) -> None:
        self.clock = FixedClock()
        self.store = MemoryStore(self.clock)
        self.written: list[str] = []
        self.polled: list[str] = []
        self.poisoned: set[str] = set()
        self.files: list[ProviderFile] = []
        records = BucketRecords(self.store)
        ends_at = self.clock.now() + timedelta(days=2)
        attempts = [Attempt(JobId(f"{number:016x}"), 1, 1) for number in range(tickets)]
        for number, attempt in enumerate(attempts):
            if number % 3 == 0:
                records.put_ready(attempt)
            elif number % 3 == 1:
                ticket = RunningTicket(
                    batch_id=f"b{number}", submitted_at=self.clock.now(), deadline_at=ends_at
                )
                records.put_running(attempt, ticket)
            else:
                records.put_finished(attempt, "test")
        for number in range(inbox):
            self.store.put(f"inbox/{number:06d}.csv", b"x")
        self.store.before = self._takes_its_time
        self.call_takes = call_takes
        self.clock.advance(timedelta(hours=1))

    def _takes_its_time(self, what: str, key: str) -> None:
        pages = len(self.store.keys(key)) // PAGE + 1 if what == "list" else 1
        self.clock.advance(self.call_takes * pages)
        if what == "put":
            self.written.append(key)

    def status(self, batch_id: BatchId) -> BatchState:
        if batch_id in self.poisoned:
            raise AssertionError("unforeseen")
        self.clock.advance(self.call_takes)
        self.polled.append(batch_id)
        return BatchState(batch_id, BatchStatus.RUNNING, "running")

    def unused_files(self) -> Iterator[ProviderFile]:
        return iter(self.files)

    def validate(self, upload: UploadedObject) -> Asked:
        self.store.put(f"asked/{upload.key}", b"")
        return Asked.ASKED

    def run(self) -> tuple[timedelta, dict[str, int]]:
        """One tick: how long the run took, and its repairs."""
        began_at = self.clock.now()
        provider: Any = self
        repairs = Functions(self.store, provider, self.clock).reconcile(BUDGET, self.validate)
        took = self.clock.now() - began_at
        self.clock.set(max(began_at + TICK, self.clock.now()))
        return took, repairs

    def reached(self, prefix: str) -> list[str]:
        return [key for key in self.written if key.startswith(prefix)]


def test_ten_thousand_tickets_all_have_their_turn_within_the_time_of_several_runs() -> None:
    bench = Bench(10_000, call_takes=timedelta(milliseconds=20))
    expected = {key for key in bench.store.objects if not key.startswith("timer/")}

    runs = [bench.run()[0] for _ in range(14)]

    assert max(runs) < TICK  # which is no longer than the function's timeout, and the next run finds it gone
    assert expected <= set(bench.written)
    assert TIMER_CURSOR in bench.written


def test_slow_calls_make_a_run_no_longer_and_the_next_one_goes_on_behind_it() -> None:
    bench = Bench(10_000, inbox=1000, call_takes=timedelta(milliseconds=200))
    runs = [bench.run()[0] for _ in range(4)]

    assert max(runs) < TICK
    for prefix in ("ready/", "running/", "finished/", "asked/"):
        reached = bench.reached(prefix)
        assert len(reached) > 60
        # Each one once, in the order of the keys: no run began with those of the run before.
        assert reached == sorted(set(reached))


def test_a_stage_with_thousands_of_tickets_does_not_starve_the_others() -> None:
    bench = Bench(0, inbox=5, call_takes=timedelta(milliseconds=200))
    records = BucketRecords(bench.store)
    bench.store.before = None
    for number in range(3000):
        records.put_finished(Attempt(JobId(f"{number:016x}"), 1, 1), "test")
    bench.clock.advance(timedelta(hours=1))
    late = Attempt(JobId("f" * 16), 1, 1)
    records.put_ready(late)
    bench.clock.advance(timedelta(minutes=10))
    bench.store.before = bench._takes_its_time
    bench.written.clear()

    bench.run()

    assert ticket_key(Stage.READY, late) in bench.written
    assert len(bench.reached("asked/")) == 5


def test_when_all_had_their_turn_the_next_run_begins_with_the_first() -> None:
    bench = Bench(3000, call_takes=timedelta(milliseconds=20))
    for _ in range(10):
        bench.run()
    cursor = BucketRecords(bench.store).find(TIMER_CURSOR, TimerCursor)
    assert cursor is not None
    assert (cursor.stopped_after, cursor.last_step, cursor.slow) == ({}, "", ())
    first = min(key for key in bench.store.objects if key.startswith("finished/"))
    bench.clock.advance(timedelta(hours=1))
    bench.written.clear()

    bench.run()

    assert bench.reached("finished/")[0] == first


def test_a_ticket_that_breaks_a_run_does_not_break_the_next() -> None:
    bench = Bench(30)
    bench.poisoned = {"b13"}

    with pytest.raises(AssertionError):
        bench.run()
    bench.run()

    assert "b13" not in bench.polled
    assert set(bench.polled) == {f"b{number}" for number in range(30) if number % 3 == 1} - {"b13"}


def test_one_log_line_counts_the_repairs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bench = Bench(30, inbox=2)

    _, repairs = bench.run()

    (line,) = [record for record in caplog.records if record.message.startswith("reconcile.")]
    assert line.message == "reconcile.finished"
    assert line.__dict__["repairs"] == repairs == {"finished": 10, "ready": 10, "inbox": 2}
    assert (
        line.__dict__["looks"] == 10 + 10 + 10 + 2 + 1
    )  # the last one notes that the files were looked through


def test_a_run_that_ran_out_of_time_says_so(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(3000, call_takes=timedelta(milliseconds=200))

    bench.run()

    (line,) = [record for record in caplog.records if record.message.startswith("reconcile.")]
    assert (line.message, line.levelname) == ("reconcile.cut_short", "WARNING")
    assert line.__dict__["unfinished"] == ["finished", "ready", "running bailian"]


def test_a_step_that_there_is_no_more_leaves_nothing_behind() -> None:
    bench = Bench(3)
    bench.store.put(TIMER_CURSOR, b'{"stopped_after": {"dreams": "x"}}')

    bench.run()

    assert b"dreams" not in bench.store.objects[TIMER_CURSOR]


def test_an_unreadable_cursor_is_none() -> None:
    bench = Bench(3)
    bench.store.put(TIMER_CURSOR, b"\xff")

    _, repairs = bench.run()

    assert repairs == {"finished": 1, "ready": 1}


def test_a_batch_over_its_deadline_is_brought_up_ever_more_rarely() -> None:
    bench = Bench(0)
    past = bench.clock.now() - timedelta(hours=1)
    attempt = Attempt(JobId("f" * 16), 1, 1)
    ticket = RunningTicket(batch_id="b", submitted_at=past, deadline_at=past)
    BucketRecords(bench.store).put_running(attempt, ticket)
    told = 0

    for _ in range(24 * 60):
        bench.clock.advance(timedelta(0))
        _, repairs = bench.run()
        told += repairs.get("running", 0)
        bench.store.delete(
            ticket_key(Stage.FINISHED, attempt)
        )  # as collect does while it waits for the cancelling

    assert told == 3 + (24 * 60 - 5 - 10 - 20) // 40
