from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX_MARK, Stage, ticket_key
from shared.bucket.tickets import InboxMark, RunningTicket
from shared.bucket.uploads import (
    Upload,
    older_done_key,
    start_prefix,
    upload_done_key,
    upload_key,
    uploads_prefix,
)
from shared.events.oss import UploadedObject
from shared.pipeline.reconcile.reconcile import Overdue
from shared.pipeline.reconcile.repairs import lost_uploads
from shared.pipeline.reconcile.repairs.lost_uploads import AskAgain, Asked
from shared.ports.provider import BatchId, BatchState, BatchStatus, ProviderFile
from shared.ports.store import ObjectHead
from shared.problems.exceptions import ProviderRejected, TransientError
from tests.support.builders import JOB, attempt
from tests.support.fakes import FixedClock, MemoryStore, etag_of
from tests.support.functions import Functions


class Bench:
    """A bucket, a provider whose batches have one status, and the timer's use case."""

    def __init__(self, status: BatchStatus | Exception = BatchStatus.RUNNING) -> None:
        self.clock = FixedClock()
        self.events: list[str] = []
        self.store = MemoryStore(self.clock, self._hear)
        self.records = BucketRecords(self.store)
        self.polled: list[str] = []
        self.validated: list[UploadedObject] = []
        self._status = status

    def _hear(self, key: str) -> None:
        """Only what triggers a function is an event."""
        if key.startswith((Stage.READY.value, Stage.FINISHED.value)):
            self.events.append(key)

    def drop(self, key: str) -> ObjectHead:
        self.store.put(key, b"x")
        head = self.store.head(key)
        assert head is not None
        return head

    def answer(self, head: ObjectHead) -> None:
        self.store.put(upload_done_key("drop", head.key, head.etag, head.modified_at), b"")

    def drop_answered(self, keys: Iterable[str], but: str, every: timedelta) -> None:
        for key in keys:
            head = self.drop(key)
            if key != but:
                self.answer(head)
            self.clock.advance(every)

    def note_heads(self, prefix: str) -> list[str]:
        """What is asked for from now on, as it grows."""
        asked: list[str] = []

        def note(what: str, key: str) -> None:
            if what == "head" and key.startswith(prefix):
                asked.append(key)

        self.store.before = note
        return asked

    def unused_files(self) -> Iterator[ProviderFile]:
        return iter(())

    def status(self, batch_id: BatchId) -> BatchState:
        self.polled.append(batch_id)
        if isinstance(self._status, Exception):
            raise self._status
        return BatchState(batch_id, self._status, self._status.value)

    def validate(self, upload: UploadedObject) -> Asked:
        self.validated.append(upload)
        return Asked.ASKED

    def run(self, *, minutes: int = 0, budget: timedelta = timedelta(minutes=1)) -> dict[str, int]:
        self.clock.advance(timedelta(minutes=minutes))
        self.events.clear()
        overdue = Overdue.from_seconds(ready=300, poll=300, finished=300, inbox=600, files=21_600)
        return Functions(self.store, self, self.clock, overdue=overdue).reconcile(budget, self.validate)  # type: ignore[arg-type]

    def put_running(self, *, hours: int = 48) -> None:
        now = self.clock.now()
        ticket = RunningTicket(batch_id="batch_1", submitted_at=now, deadline_at=now + timedelta(hours=hours))
        self.records.put_running(attempt(), ticket)


@pytest.mark.parametrize("stage", [Stage.READY, Stage.FINISHED])
def test_an_overdue_ticket_is_put_again_so_that_its_event_fires_again(stage: Stage) -> None:
    bench = Bench()
    put: Callable[[], None] = {
        Stage.READY: lambda: bench.records.put_ready(attempt()),
        Stage.FINISHED: lambda: bench.records.put_finished(attempt(), "callback"),
    }[stage]
    put()

    early = bench.run(minutes=4)
    late = bench.run(minutes=1)

    assert early == {}
    assert late == {stage.value.removesuffix("/"): 1}
    assert bench.events == [ticket_key(stage, attempt())]


def test_a_ready_ticket_that_waits_for_its_time_is_left_alone() -> None:
    bench = Bench()
    bench.records.put_ready(attempt(), bench.clock.now() + timedelta(hours=1))

    assert bench.run(minutes=30) == {}
    assert bench.run(minutes=30) == {"ready": 1}


def test_a_batch_that_ended_unheard_gets_its_finished_ticket() -> None:
    bench = Bench(BatchStatus.COMPLETED)
    bench.put_running()

    repairs = bench.run(minutes=5)

    assert repairs == {"running": 1}
    assert bench.events == [ticket_key(Stage.FINISHED, attempt())]


def test_a_batch_that_is_being_collected_is_not_announced_at_every_tick() -> None:
    bench = Bench(BatchStatus.COMPLETED)
    bench.put_running()
    bench.run(minutes=5)

    repairs = bench.run(minutes=1)

    assert (repairs, bench.events) == ({}, [])


def test_polls_of_a_running_batch_back_off() -> None:
    bench = Bench()
    bench.put_running()

    for _ in range(60):
        bench.run(minutes=1)

    # After 5, then 10, 20, 40 more minutes; the last lies beyond the hour.
    assert len(bench.polled) == 3


def test_a_batch_over_its_deadline_is_handed_to_collect_whatever_the_provider_says() -> None:
    bench = Bench()
    bench.put_running(hours=0)

    repairs = bench.run(minutes=5)

    assert (repairs, bench.polled) == ({"running": 1}, [])


def test_a_provider_that_does_not_answer_stops_nothing_else() -> None:
    bench = Bench(TransientError("503"))
    bench.put_running()
    bench.store.put("inbox/lost.csv", b"x")

    repairs = bench.run(minutes=10)

    assert repairs == {"inbox": 1}


def test_an_upload_whose_event_was_lost_is_validated_once_it_is_overdue() -> None:
    bench = Bench()
    for key in ("inbox/lost.csv", "inbox/batch.yaml", "inbox/folder/", "inbox/.DS_Store"):
        bench.store.put(key, b"x")

    early = bench.run(minutes=9)
    late = bench.run(minutes=1)

    assert (early, late) == ({}, {"inbox": 1})
    assert [upload.key for upload in bench.validated] == ["inbox/lost.csv"]


def test_an_upload_that_was_asked_for_lately_is_no_second_repair(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.store.put("inbox/lost.csv", b"x")
    ask = AskAgain(bench.store, bench.clock, timedelta(minutes=10))
    bench.validate = ask  # type: ignore[method-assign]

    first = bench.run(minutes=10)
    caplog.clear()
    waiting = bench.run(minutes=5)

    assert (first, waiting) == ({"inbox": 1}, {})
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []
    assert bench.run(minutes=5) == {"again": 1}


def test_an_upload_that_became_a_job_is_not_validated_again_and_an_interrupted_one_keeps_its_identity() -> (
    None
):
    bench = Bench()
    head = bench.drop("inbox/a.csv")
    pointer = upload_key("drop", head.key, head.etag, head.modified_at)
    bench.records.create(pointer, Upload(job_id=JOB))

    interrupted = bench.run(minutes=10)
    bench.answer(head)
    finished = bench.run(minutes=10)

    assert (interrupted, finished) == ({"inbox": 1}, {})
    assert [upload.key for upload in bench.validated] == ["inbox/a.csv"]


def test_an_upload_that_is_done_costs_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    head = bench.drop("inbox/a.csv")
    bench.answer(head)
    asked: list[str] = []
    head_of = bench.store.head
    monkeypatch.setattr(bench.store, "head", lambda key: asked.append(key) or head_of(key))
    monkeypatch.setattr(bench.store, "get", asked.append)

    repairs = bench.run(minutes=10)

    assert repairs == {}
    own = ("inbox/", "timer/")
    done = upload_done_key("drop", head.key, head.etag, head.modified_at)
    assert [key for key in asked if not key.startswith(own)] == [done]


def test_a_file_that_was_dropped_while_nothing_worked_is_found_however_long_that_was() -> None:
    bench = Bench()
    bench.run()
    bench.store.put("inbox/a.csv", b"x")

    assert bench.run(minutes=100 * 24 * 60) == {"inbox": 1}


def test_files_from_before_the_first_run_are_left_where_they_are() -> None:
    bench = Bench()
    bench.store.put("inbox/a.csv", b"x")

    assert bench.run(minutes=49 * 60) == {}


def test_nothing_is_asked_about_files_beside_those_without_an_answer() -> None:
    bench = Bench()
    names = ("inbox/z.csv", "inbox/y.csv", "inbox/lost.csv", "inbox/x.csv")
    bench.drop_answered(names, but="inbox/lost.csv", every=timedelta(hours=1))
    bench.run()
    asked = bench.note_heads("jobs/uploads/")

    repairs = bench.run()

    own = uploads_prefix("drop", "inbox/lost.csv", etag_of(b"x"))
    assert repairs == {"inbox": 1}
    assert {key.rpartition("/")[0] + "/" for key in asked if key.endswith("Z.done")} == {own}


def test_a_file_that_somebody_put_among_the_tickets_is_passed_over() -> None:
    bench = Bench()
    bench.store.put("ready/notes.txt", b"x")
    bench.store.put(f"ready/{JOB}/1-1", b"x")

    assert bench.run(minutes=60) == {}


def test_a_run_ends_with_its_budget_and_leaves_the_rest_for_the_next() -> None:
    bench = Bench()
    for shard in (1, 2, 3):
        bench.records.put_ready(attempt(shard=shard))

    first = bench.run(minutes=5, budget=timedelta(seconds=-1))

    assert first == {"ready": 1}


def test_a_job_whose_tickets_were_not_all_put_is_taken_up_again() -> None:
    bench = Bench()
    head = bench.drop("inbox/a.csv")
    pointer = upload_key("drop", head.key, head.etag, head.modified_at)
    bench.records.create(pointer, Upload(job_id=JOB))
    bench.store.put(f"jobs/{JOB}/plan.json", b"{}")

    assert bench.run(minutes=10) == {"inbox": 1}


def test_a_file_whose_validation_is_going_on_is_left_to_it() -> None:
    bench = Bench()
    head = bench.drop("inbox/a.csv")
    bench.clock.advance(timedelta(minutes=9))
    upload = upload_key("drop", head.key, head.etag, head.modified_at)
    bench.store.put(f"{start_prefix(upload)}run-1", b"{}")

    assert bench.run(minutes=1) == {}
    assert bench.run(minutes=10) == {"inbox": 1}


def test_what_came_of_an_upload_or_looks_at_an_earlier_one_is_no_validation_that_is_going_on() -> None:
    bench = Bench()
    earlier = bench.drop("inbox/a.csv")
    bench.clock.advance(timedelta(minutes=1))
    head = bench.drop("inbox/a.csv")
    bench.clock.advance(timedelta(minutes=9))
    of_earlier = upload_key("drop", earlier.key, earlier.etag, earlier.modified_at)
    bench.store.put(f"{start_prefix(of_earlier)}run-1", b"{}")
    bench.records.create(upload_key("drop", head.key, head.etag, head.modified_at), Upload(job_id=JOB))

    assert bench.run(minutes=1) == {"inbox": 1}


def test_a_file_that_is_removed_while_it_is_looked_at_is_asked_for_no_more() -> None:
    bench = Bench()
    removed = bench.drop("inbox/a.csv")
    bench.store.delete("inbox/a.csv")
    bench.store.list = lambda prefix, after="": iter([removed] if prefix == "inbox/" else [])  # type: ignore[method-assign]

    assert bench.run(minutes=10) == {}


def test_the_same_bytes_dropped_once_more_are_an_upload_of_their_own() -> None:
    bench = Bench()
    head = bench.drop("inbox/a.csv")
    bench.answer(head)
    bench.clock.advance(timedelta(hours=1))
    bench.store.put("inbox/a.csv", b"x")

    repairs = bench.run(minutes=10)

    assert repairs == {"inbox": 1}


def test_an_older_version_s_answer_counts_for_what_was_dropped_before_it() -> None:
    bench = Bench()
    head = bench.drop("inbox/a.csv")
    bench.store.put(older_done_key("drop", head.key, head.etag), b"")
    bench.clock.advance(timedelta(minutes=10))

    answered = bench.run()
    bench.store.put("inbox/a.csv", b"x")

    assert (answered, bench.run(minutes=10)) == ({}, {"inbox": 1})


def test_a_drop_while_an_earlier_one_is_read_needs_an_answer_of_its_own() -> None:
    bench = Bench()
    first = bench.drop("inbox/a.csv")
    bench.clock.advance(timedelta(seconds=5))
    bench.store.put("inbox/a.csv", b"x")
    bench.clock.advance(timedelta(seconds=5))
    bench.answer(first)

    assert bench.run(minutes=10) == {"inbox": 1}


@pytest.mark.parametrize("seconds_apart", [0, 0.01, 3])
def test_the_mark_moves_on_however_short_the_runs_are(seconds_apart: float) -> None:
    bench = Bench()
    bench.run()
    for number in range(400):
        bench.answer(bench.drop(f"inbox/{number:03d}.csv"))
        bench.clock.advance(timedelta(seconds=seconds_apart))
    bench.clock.advance(timedelta(minutes=20))
    asked = bench.note_heads("jobs/uploads/")
    looked = bench.store.before

    def takes_a_second(what: str, key: str) -> None:
        assert looked is not None
        looked(what, key)
        bench.clock.advance(timedelta(seconds=key.startswith("jobs/uploads/")))

    bench.store.before = takes_a_second
    for _ in range(6):
        bench.run(budget=timedelta(seconds=130))
    before = len(asked)
    bench.drop("inbox/lost.csv")
    bench.run(minutes=20)

    assert before < 400 + 3 * 50
    assert len(asked) - before < 10
    assert [upload.key for upload in bench.validated] == ["inbox/lost.csv"]


def test_a_file_without_an_answer_is_asked_for_again_however_short_the_runs_are() -> None:
    bench = Bench()
    bench.run()
    names = (f"inbox/{number:03d}.csv" for number in range(200))
    bench.drop_answered(names, but="inbox/070.csv", every=timedelta(0))
    bench.clock.advance(timedelta(minutes=20))
    for _ in range(8):
        bench.store.before = lambda _what, key: bench.clock.advance(
            timedelta(seconds=key.startswith("jobs/uploads/"))
        )
        bench.run(budget=timedelta(seconds=80))

    assert {upload.key for upload in bench.validated} == {"inbox/070.csv"}
    assert len(bench.validated) > 1


@pytest.mark.parametrize("never_answered", [1, 3])
def test_files_that_are_never_answered_hide_none_that_is_lost_behind_them(
    never_answered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_uploads, "_MOST_FILES", 20)
    bench = Bench()
    bench.run()
    refused = [bench.drop(f"inbox/archived-{number}.csv").key for number in range(never_answered)]
    for number in range(60):
        bench.answer(bench.drop(f"inbox/{number:02d}.csv"))
        bench.run(minutes=10)
    bench.drop("inbox/lost.csv")
    bench.run(minutes=10)
    bench.validated.clear()
    asked = bench.note_heads("jobs/uploads/")

    bench.run(minutes=10)

    assert [upload.key for upload in bench.validated] == [*refused, "inbox/lost.csv"]
    assert len({key for key in asked if key.endswith("Z.done")}) <= never_answered + 2


def test_a_file_that_is_answered_in_the_end_or_replaced_is_remembered_no_longer() -> None:
    bench = Bench()
    bench.run()
    heads = [bench.drop(f"inbox/{name}.csv") for name in ("late", "replaced", "removed", "never")]
    bench.run(minutes=30)
    bench.run(minutes=30)
    bench.answer(heads[0])
    bench.answer(bench.drop("inbox/replaced.csv"))
    bench.store.delete("inbox/removed.csv")
    bench.validated.clear()

    for _ in range(3):
        bench.run(minutes=30)

    mark = bench.records.find(INBOX_MARK, InboxMark)
    assert mark is not None
    assert mark.unanswered == ("inbox/never.csv",)
    assert {upload.key for upload in bench.validated} == {"inbox/never.csv"}


def test_a_newer_version_of_a_file_that_was_never_answered_is_asked_for_too() -> None:
    bench = Bench()
    bench.run()
    bench.drop("inbox/a.csv")
    bench.run(minutes=30)
    bench.store.put("inbox/a.csv", b"newer")
    bench.validated.clear()

    bench.run(minutes=9)
    assert bench.validated == []
    bench.run(minutes=1)

    assert [upload.etag for upload in bench.validated] == [etag_of(b"newer")]


@pytest.mark.parametrize(("seconds_apart", "most_files"), [(0, 30), (60, 30), (60, 25)])
@pytest.mark.parametrize("budget_s", [5, 60])
def test_more_than_can_be_remembered_hold_the_mark(
    budget_s: int, seconds_apart: int, most_files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_uploads, "_MOST_FILES", most_files)
    monkeypatch.setattr(lost_uploads, "_MOST_UNANSWERED", 10)
    monkeypatch.setattr(lost_uploads, "_MARKED_EVERY", 5)
    bench = Bench()
    bench.run()
    names = []
    for number in range(30):
        names.append(bench.drop(f"inbox/{number:02d}.csv").key)
        bench.clock.advance(timedelta(seconds=seconds_apart))
    bench.clock.advance(timedelta(minutes=30))
    bench.store.before = lambda _what, key: bench.clock.advance(timedelta(seconds=key.startswith("inbox/")))
    for _ in range(30):
        bench.run(budget=timedelta(seconds=budget_s))
    bench.validated.clear()

    for _ in range(30):
        bench.run(budget=timedelta(seconds=budget_s))

    mark = bench.records.find(INBOX_MARK, InboxMark)
    assert mark is not None
    assert len(mark.unanswered) == 10
    assert {upload.key for upload in bench.validated} == set(names[:most_files])


def test_more_than_a_run_has_in_its_memory_are_all_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_uploads, "_MOST_FILES", 20)
    monkeypatch.setattr(lost_uploads, "_MARKED_EVERY", 10)
    bench = Bench()
    bench.run()
    names = (f"inbox/{number:02d}.csv" for number in range(50))
    bench.drop_answered(names, but="inbox/40.csv", every=timedelta(seconds=1))

    for _ in range(4):
        bench.run(minutes=20)

    assert {upload.key for upload in bench.validated} == {"inbox/40.csv"}


def test_the_mark_is_put_rarely_and_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_uploads, "_MARKED_EVERY", 5)
    bench = Bench()
    bench.run()
    heads = [bench.drop(f"inbox/{number:02d}.csv") for number in range(40)]
    bench.run(minutes=30)
    for head in heads[::2]:
        bench.answer(head)
    marks: list[InboxMark | None] = []

    def note(what: str, key: str) -> None:
        bench.clock.advance(timedelta(seconds=key.startswith("jobs/uploads/")))
        if (what, key) == ("put", INBOX_MARK):
            marks.append(bench.records.find(INBOX_MARK, InboxMark))

    bench.store.before = note
    for _ in range(30):
        bench.run(minutes=1, budget=timedelta(seconds=20))
    marks.append(bench.records.find(INBOX_MARK, InboxMark))

    places = [(mark.answered_until, mark.key) for mark in marks if mark]
    assert places == sorted(places)
    assert len(places) < 15
    # Beside those without an answer, one at which each run was cut short.
    assert [len(mark.unanswered) for mark in marks if mark][-1] <= 21


def test_a_link_is_asked_for_by_what_it_leads_to() -> None:
    bench = Bench()
    target = bench.drop("inbox/a.csv")
    listed = replace(target, etag="LINK")
    bench.store.list = lambda prefix, after="": iter([listed] if prefix == "inbox/" else [])  # type: ignore[method-assign]

    asked = bench.run(minutes=10)
    bench.answer(target)

    assert (asked, bench.run(minutes=10)) == ({"inbox": 1}, {})


def test_a_provider_that_refuses_one_question_is_asked_the_others() -> None:
    bench = Bench(ProviderRejected("odd", status=400))
    bench.put_running()
    bench.store.put("inbox/lost.csv", b"x")

    assert bench.run(minutes=10) == {"inbox": 1}


def test_the_budget_counts_what_was_looked_at_not_only_what_was_repaired() -> None:
    bench = Bench()
    bench.put_running()
    bench.store.put("inbox/lost.csv", b"x")

    repairs = bench.run(minutes=10, budget=timedelta(seconds=-1))

    assert repairs == {}
    assert bench.polled == ["batch_1"]
