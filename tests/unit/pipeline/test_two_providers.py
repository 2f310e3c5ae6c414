"""Two providers in one bucket: trouble at one does not stop the other."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.keys import TIMER_CURSOR, Stage, batch_pointer_key, ticket_key
from shared.bucket.tickets import RunningTicket, TimerCursor
from shared.pipeline.hear import MAX_BATCH_IDS, HearMessage
from shared.ports.profile import SlotPool
from shared.ports.provider import BatchId
from shared.ports.providers import Provider
from shared.problems.exceptions import (
    ConfigurationError,
    PipelineError,
    ProviderTrouble,
    QuotaReached,
    TransientError,
)
from shared.providers.bailian.profile import BAILIAN
from tests.support.builders import plan_job
from tests.support.fake_provider import ScriptedProvider
from tests.support.pipeline import Harness

POOL = SlotPool("other", 1)
OTHER = replace(
    BAILIAN, name="other", pools=(POOL,), pool_for=lambda _: POOL, batch_id=re.compile(rb"other-[0-9]{4}")
)
OURS, THEIRS = JobId("0" * 16), JobId("f" * 16)
TROUBLES = [
    TransientError("down"),
    QuotaReached("429"),
    ProviderTrouble("no money", "account_without_money"),
    ConfigurationError("the key is missing"),
]


class Bench(Harness):
    """One job at each of two providers, of which one is troubled."""

    def __init__(self, *, troubled: str = "other") -> None:
        super().__init__()
        self.batches = {"bailian": self.provider, "other": ScriptedProvider(self.clock)}
        self.other = Provider(OTHER, self.batches["other"])
        self.functions.others = (self.other,)
        self.troubled, self.sound = troubled, "bailian" if troubled == "other" else "other"
        self.first = {"bailian": Attempt(OURS, 1, 1), "other": Attempt(THEIRS, 1, 1)}
        for name, attempt in self.first.items():
            plan_job(self.store, self.clock, job_id=attempt.job_id, provider=name)

    def submit_to(self, name: str) -> str:
        return self.submit(self.first[name])

    def tick(self, after: timedelta = timedelta(hours=7)) -> dict[str, int]:
        return super().tick(after)

    def finished(self) -> set[Attempt]:
        return {*self.attempts(Stage.FINISHED)}


both = pytest.mark.parametrize("troubled", ["bailian", "other"])
each_trouble = pytest.mark.parametrize("trouble", TROUBLES, ids=lambda error: type(error).__name__)


@both
@each_trouble
def test_a_provider_in_trouble_does_not_stop_the_polling_of_the_other(
    troubled: str, trouble: PipelineError
) -> None:
    bench = Bench(troubled=troubled)
    for name in bench.batches:
        assert bench.submit_to(name) == "submitted"
        bench.batches[name].answer_all(bench.batches[name].last.batch_id)
    bench.batches[troubled].fail_next("status", trouble)

    repairs = bench.tick()

    assert bench.finished() == {bench.first[bench.sound]}
    assert repairs["running"] == 1
    running = bench.records.find_running(bench.first[troubled])
    assert running is not None
    assert bool(running.waiting_for) == isinstance(trouble, ConfigurationError)


def test_an_end_that_no_event_can_tell_of_is_no_repair() -> None:
    bench = Bench()
    bench.functions.others = (Provider(replace(OTHER, announces_ends=False), bench.batches["other"]),)
    for name in bench.batches:
        assert bench.submit_to(name) == "submitted"
        bench.batches[name].answer_all(bench.batches[name].last.batch_id)

    repairs = bench.tick()

    assert bench.finished() == {*bench.first.values()}
    assert repairs["running"] == 1


def test_a_batch_at_a_provider_that_is_not_set_up_any_more_says_that_it_waits_for_somebody() -> None:
    bench = Bench()
    for name in bench.batches:
        assert bench.submit_to(name) == "submitted"
    bench.functions.others = ()

    bench.tick()

    running = bench.records.find_running(bench.first["other"])
    assert running is not None
    assert running.waiting_for is not None
    assert "planned for (other) is not set up here" in running.waiting_for.message
    ours = bench.records.find_running(bench.first["bailian"])
    assert ours is not None
    assert ours.waiting_for is None


@both
@each_trouble
def test_a_provider_in_trouble_does_not_stop_the_sweeping_of_the_other(
    troubled: str, trouble: PipelineError
) -> None:
    bench = Bench(troubled=troubled)
    left = {
        name: batches.add_file(f"{bench.first[name].batch_name}.jsonl")
        for name, batches in bench.batches.items()
    }
    for attempt in bench.first.values():
        bench.store.delete(ticket_key(Stage.READY, attempt))
    bench.clock.advance(timedelta(days=3))
    bench.batches[troubled].fail_next("unused_files", trouble)

    bench.tick()

    assert left[troubled] in bench.batches[troubled].files
    assert left[bench.sound] not in bench.batches[bench.sound].files
    cursor = bench.records.find(TIMER_CURSOR, TimerCursor)
    assert cursor is not None
    assert set(cursor.files_swept) == {bench.sound}


@both
def test_a_provider_that_does_not_answer_takes_no_run_of_the_timer_for_itself(troubled: str) -> None:
    """Each question to it takes longer than a run of the timer may."""
    bench = Bench(troubled=troubled)
    dark, bright = bench.batches[troubled], bench.batches[bench.sound]
    for number in range(1, 6):
        job_id = JobId(f"{number:016x}")
        plan_job(bench.store, bench.clock, job_id=job_id, provider=troubled)
        running = RunningTicket(
            provider=troubled,
            batch_id=f"lost-{number}",
            submitted_at=bench.clock.now(),
            deadline_at=bench.clock.now() + timedelta(days=9),
        )
        bench.records.put_running(Attempt(job_id, 1, 1), running)
    assert bench.submit_to(bench.sound) == "submitted"
    bright.answer_all(bright.last.batch_id)
    left = bright.add_file(f"{bench.first[bench.sound].batch_name}.jsonl")
    bench.clock.advance(timedelta(days=3))
    bench.store.put("inbox/lost.csv", b"x")
    bench.clock.advance(timedelta(hours=1))

    def hang(what: str, _about: str) -> None:
        bench.clock.advance(timedelta(minutes=2))
        raise TransientError(f"{what}: no answer")

    dark.before = hang
    for _ in range(12):
        bench.tick(after=timedelta(minutes=1))

    assert bench.first[bench.sound] in bench.finished()
    assert bench.store.keys("again/")
    bench.collect(bench.first[bench.sound])
    for _ in range(12):
        bench.tick(after=timedelta(hours=1))
    assert left not in bright.files


@each_trouble
def test_a_provider_in_trouble_does_not_stop_the_submitting_to_the_other(trouble: PipelineError) -> None:
    bench = Bench()
    bench.batches["other"].fail_next("submit", trouble)

    with pytest.raises(TransientError) if type(trouble) is TransientError else nullcontext():
        assert bench.submit_to("other") == "waiting"
    said = bench.submit_to("bailian")

    assert said == "submitted"
    assert bench.records.find_submission(bench.first["other"]) is None


def test_each_provider_has_slots_of_its_own_and_a_full_one_lets_the_other_go_on() -> None:
    bench = Bench()
    second = JobId("e" * 16)
    plan_job(bench.store, bench.clock, job_id=second, provider="other")
    bench.submit_to("other")
    bench.first["other"] = Attempt(second, 1, 1)

    said = bench.submit_to("other"), bench.submit_to("bailian")

    assert said == ("waiting", "submitted")
    assert [head.key for head in bench.store.list("slots/other/")]
    assert [head.key for head in bench.store.list("slots/bailian/")]


def test_a_shard_that_waits_for_a_slot_of_the_second_provider_is_let_in_by_the_timer() -> None:
    bench = Bench()
    bench.store.put(f"waiting/other/{bench.first['other']}", b"")
    brought_up: list[str] = []
    bench.store.on_put = brought_up.append

    bench.tick(after=timedelta(minutes=1))

    assert f"ready/{bench.first['other']}" in brought_up


def test_a_job_of_a_provider_that_is_not_set_up_waits_says_so_and_goes_on_once_it_is() -> None:
    bench = Bench()
    bench.functions.others = ()

    said = bench.submit_to("other")

    ticket = bench.records.find_ready(bench.first["other"])
    assert said == "waiting"
    assert ticket is not None
    assert ticket.waiting_for is not None
    assert "planned for (other) is not set up here" in ticket.waiting_for.message
    bench.functions.others = (bench.other,)
    bench.clock.advance(timedelta(minutes=6))
    assert bench.submit_to("other") == "submitted"


def test_a_batch_of_a_provider_that_is_gone_is_not_taken_for_anothers() -> None:
    bench = Bench()
    bench.submit_to("other")
    attempt = bench.first["other"]
    bench.records.put_finished(attempt, "callback")

    bench.functions.others = ()
    said = bench.collect(attempt)

    running = bench.records.find_running(attempt)
    assert said == "waiting"
    assert running is not None
    assert running.provider == "other"
    assert running.waiting_for is not None


def test_a_message_is_followed_by_the_form_of_each_providers_ids() -> None:
    bench = Bench()
    bench.submit_to("bailian")
    bench.submit_to("other")
    attempt = bench.first["other"]
    bench.store.put(batch_pointer_key("other", BatchId("other-0001")), str(attempt).encode())
    ids = ["other-0001", bench.batches["bailian"].last.batch_id]

    heard = HearMessage(bench.store, [BAILIAN, OTHER])(json.dumps(ids).encode())

    assert heard == 2
    assert bench.finished() == set(bench.first.values())


def test_invented_ids_of_one_provider_leave_room_for_a_true_one_of_the_other() -> None:
    bench = Bench()
    bench.submit_to("bailian")
    invented = [f"other-{number:04d}" for number in range(MAX_BATCH_IDS)]
    ids = [*invented, bench.batches["bailian"].last.batch_id]

    heard = HearMessage(bench.store, [OTHER, BAILIAN])(json.dumps(ids).encode())

    assert heard == 1
    assert bench.finished() == {bench.first["bailian"]}
