"""Which files at the provider are deleted: ours, once they are useless, and no others."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.keys import TIMER_CURSOR, Stage, attempt_key, ticket_key
from shared.bucket.records.outcome import Outcome
from shared.bucket.tickets import TimerCursor
from shared.pipeline.reconcile.reconcile import Overdue
from shared.ports.provider import BatchId, BatchStatus
from shared.problems.exceptions import ConfigurationError, TransientError
from tests.support.builders import attempt
from tests.support.fakes import Killed
from tests.support.pipeline import Pipeline

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Bench(Pipeline):
    """A planned job of one shard, and the timer, whose other repairs find nothing to do."""

    def __init__(self) -> None:
        super().__init__(shards=[["a", "b"]])
        never = timedelta(days=999)
        self.functions.overdue = Overdue(
            ready=never, poll=never, finished=never, inbox=never, files=timedelta(hours=6)
        )

    def heard(self) -> str:
        self.records.put_finished(attempt(), "test")
        return self.collect(attempt())

    def decide(self, of: Attempt) -> None:
        outcome = Outcome(
            kind="final", batch_id=None, batch_status="x", decided_at=self.clock.now(), settled=2
        )
        self.records.create(attempt_key(of, "outcome.json"), outcome)

    def sweep(self, after: timedelta = timedelta(hours=6)) -> list[str]:
        """Run the timer and say which files are left."""
        self.tick(after)
        return sorted(file.name for file in self.provider.files.values())

    def swept(self) -> dict[str, datetime]:
        cursor = self.records.find(TIMER_CURSOR, TimerCursor)
        assert cursor is not None
        return cursor.files_swept


def name_of(of: Attempt) -> str:
    return f"{of.batch_name}.jsonl"


def test_an_upload_whose_process_died_before_the_create_goes_once_its_attempt_is_decided() -> None:
    bench = Bench()
    bench.provider.fail_next("create", Killed())
    with pytest.raises(Killed):
        bench.submit(attempt())
    bench.clock.advance(HOUR)
    bench.submit(attempt())
    bench.provider.answer_all(bench.provider.last.batch_id)
    before = bench.sweep()
    bench.heard()

    after = bench.sweep()

    assert before == [f"{bench.provider.last.batch_id}_success.jsonl", name_of(attempt()), name_of(attempt())]
    assert after == []


def test_an_upload_that_never_got_a_batch_goes_after_two_days_unless_its_ticket_waits() -> None:
    bench = Bench()
    bench.provider.add_file(name_of(attempt()))

    assert bench.sweep(9 * DAY) == [name_of(attempt())]
    bench.store.delete(ticket_key(Stage.READY, attempt()))
    assert bench.sweep(6 * HOUR) == []
    bench.provider.add_file(name_of(attempt()))
    assert bench.sweep(2 * DAY - HOUR) == [name_of(attempt())]
    assert bench.sweep(6 * HOUR) == []


def test_only_of_what_would_go_the_provider_is_asked_whether_a_batch_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    asked: list[str] = []
    names = [attempt().batch_name, attempt(2).batch_name, attempt(3).batch_name, "somebody's"]

    def is_read(name: str) -> bool:
        asked.append(name)
        return name == names[1]

    files = [
        replace(
            bench.provider.files[bench.provider.add_file(f"{name}.jsonl")], is_read=partial(is_read, name)
        )
        for name in names
    ]
    monkeypatch.setattr(bench.provider, "unused_files", lambda: iter(files))
    for of in (attempt(1), attempt(2)):
        bench.decide(of)

    left = bench.sweep()

    assert asked == names[:2]
    assert left == sorted(f"{name}.jsonl" for name in names[1:])


def test_of_two_uploads_under_one_name_both_stay_however_old_until_their_batch_is_decided() -> None:
    bench = Bench()
    bench.provider.add_file(name_of(attempt()))
    bench.submit(attempt())
    batch_id = bench.provider.last.batch_id

    assert bench.sweep(13 * DAY) == [name_of(attempt())] * 2
    bench.provider.answer_all(batch_id)
    bench.heard()
    assert bench.sweep() == []


@pytest.mark.parametrize("hidden", [False, True])
def test_a_batch_of_unknown_status_keeps_its_file(hidden: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.submit(attempt())
    bench.provider.set_state(bench.provider.last.batch_id, BatchStatus.UNKNOWN, raw_status="paused")
    monkeypatch.setattr(bench.provider, "unused_files", lambda: iter(list(bench.provider.files.values())))
    if hidden:
        bench.provider.hide(bench.provider.last.batch_id)

    assert bench.sweep(5 * DAY) == [name_of(attempt())]


def test_files_of_others_are_never_touched() -> None:
    bench = Bench()
    stranger = Attempt(JobId("f" * 16), 1, 1)
    foreign = [
        "report.pdf",
        "",
        name_of(stranger),
        f"{attempt().batch_name}.csv",
        f"copy of {name_of(attempt())}",
        f"batchdrop-{attempt().job_id}-01-00001.jsonl",
        "batch_99999999-0000-4000-8000-000000000000_success.jsonl",
    ]
    for name in foreign:
        bench.provider.add_file(name)
    bench.decide(attempt())

    assert bench.sweep(100 * DAY) == sorted(foreign)


def test_results_go_only_when_they_are_collected() -> None:
    bench = Bench()
    bench.submit(attempt())
    batch_id = bench.provider.last.batch_id
    bench.provider.answer_all(batch_id)
    uncollected = bench.sweep(5 * DAY)
    bench.provider.fail_next("clean_up", ConfigurationError("files are not yours"))
    bench.heard()

    collected = bench.sweep()

    # The input, too: at TI-ONE it tells whether the results are of this batch.
    assert uncollected == [f"{batch_id}_success.jsonl", name_of(attempt())]
    assert collected == []


def test_the_results_of_a_batch_that_is_not_ours_stay() -> None:
    bench = Bench()
    bench.submit(attempt())
    batch_id = bench.provider.last.batch_id
    bench.provider.answer_all(batch_id)
    bench.heard()
    bench.provider.set_state(batch_id, BatchStatus.COMPLETED, name="somebody-elses")
    bench.provider.add_file(f"{batch_id}_error.jsonl")

    assert bench.sweep() == [f"{batch_id}_error.jsonl"]


def test_the_account_is_looked_through_rarely() -> None:
    bench = Bench()
    bench.decide(attempt())
    bench.sweep()
    bench.provider.add_file(name_of(attempt()))

    assert bench.sweep(5 * HOUR) == [name_of(attempt())]
    assert bench.sweep(HOUR) == []


def test_a_provider_that_lists_no_files_is_asked_again_at_the_next_tick_and_stops_no_other_repair() -> None:
    bench = Bench()
    bench.decide(attempt())
    bench.provider.add_file(name_of(attempt()))
    bench.provider.fail_next("unused_files", TransientError("503"))
    bench.provider.fail_next("unused_files", ConfigurationError("no such key"))

    looks = [bench.sweep(HOUR) for _ in range(3)]

    assert looks == [[name_of(attempt())], [name_of(attempt())], []]


def test_one_file_that_cannot_be_deleted_keeps_no_other() -> None:
    bench = Bench()
    bench.decide(attempt())
    for _ in range(3):
        bench.provider.add_file(name_of(attempt()))
    bench.provider.fail_next("delete_file", TransientError("429"))

    assert bench.sweep() == [name_of(attempt())]
    assert bench.swept() == {"bailian": bench.clock.now()}


def test_a_collect_that_died_between_outcome_and_clean_up_cleans_up_when_it_is_repeated() -> None:
    bench = Bench()
    bench.submit(attempt())
    bench.provider.answer_all(bench.provider.last.batch_id)
    bench.provider.fail_next("clean_up", Killed())
    with pytest.raises(Killed):
        bench.heard()
    left = [head.key for head in bench.store.list(Stage.FINISHED.value)]

    again = bench.collect(attempt())

    assert left == [f"finished/{attempt()}"]
    assert again == "final"
    assert bench.provider.files == {}
    assert [head.key for stage in Stage for head in bench.store.list(stage.value)] == []


def test_a_superfluous_batch_loses_its_files_when_it_has_ended() -> None:
    bench = Bench()
    bench.submit(attempt())
    first = bench.provider.last
    superfluous = bench.provider.submit(first.request)
    bench.provider.answer_all(first.batch_id)
    bench.heard()
    live = bench.sweep()
    bench.provider.answer_all(superfluous, BatchStatus.CANCELLED)

    ended = bench.sweep()

    assert live == [name_of(attempt())]
    assert ended == []
    assert BatchId(superfluous) != first.batch_id


@pytest.mark.parametrize("is_decided", [False, True])
@pytest.mark.parametrize("stranger", [False, True])
def test_results_of_a_batch_that_is_no_longer_listed_go_if_their_place_names_a_decided_attempt(
    stranger: bool, is_decided: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench()
    of = Attempt(JobId("f" * 16), 1, 1) if stranger else attempt()
    file_id = bench.provider.add_file("results.jsonl")
    file = replace(
        bench.provider.files[file_id],
        input_of="",
        result_of=BatchId("bi-20200101000000-zzzzz"),
        batch_name=of.batch_name,
    )
    monkeypatch.setattr(bench.provider, "unused_files", lambda: iter([file]))
    if is_decided:
        bench.decide(of)

    assert bench.sweep() == ([] if is_decided and not stranger else ["results.jsonl"])


def test_the_place_of_results_does_not_decide_over_a_batch_that_still_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    bench.submit(attempt())
    live = bench.provider.last.batch_id
    file = replace(
        bench.provider.files[bench.provider.add_file("results.jsonl")],
        input_of="",
        result_of=live,
        batch_name=attempt().batch_name,
    )
    monkeypatch.setattr(bench.provider, "unused_files", lambda: iter([file]))
    bench.decide(attempt())

    assert "results.jsonl" in bench.sweep()
