"""While nothing is open, most runs only look for tickets; none is late for that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.bucket.keys import BOARD, TIMER_CURSOR
from shared.bucket.uploads import upload_done_key
from shared.pipeline.deadlines import LULL
from shared.pipeline.reconcile.lull import Lull
from shared.problems.exceptions import TransientError
from tests.support.builders import attempt
from tests.support.functions import BUCKET_NAME
from tests.support.pipeline import Harness

MINUTE = timedelta(minutes=1)
LATE = timedelta(minutes=15)


class Bench(Harness):
    """An idle bucket, and the timer in an instance that is warm."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.store.before = lambda what, key: self.calls.append(f"{what} {key}")

    def run(self, after: timedelta = MINUTE) -> list[str]:
        """The calls of the next run."""
        self.clock.advance(after)
        self.calls.clear()
        self.functions.run_timer(MINUTE, MINUTE)
        return list(self.calls)

    def is_whole(self, after: timedelta = MINUTE) -> bool:
        return f"get {TIMER_CURSOR}" in self.run(after)

    def drop(self, key: str, *, is_answered: bool) -> None:
        self.store.put(key, b"q\n1\n")
        head = self.store.head(key)
        assert head is not None
        if is_answered:
            self.store.put(upload_done_key(BUCKET_NAME, key, head.etag, head.modified_at), b"")


def test_after_a_run_that_found_nothing_the_next_ones_only_look_which_folders_there_are() -> None:
    bench = Bench()
    assert bench.is_whole()

    calls = [bench.run() for _ in range(4)]

    assert calls == [["look "]] * 4


def test_every_few_minutes_a_run_is_a_whole_one_and_the_board_says_that_the_timer_lives() -> None:
    bench = Bench()

    whole = [minute for minute in range(16) if bench.is_whole()]

    assert whole == [0, 5, 10, 15]
    assert timedelta(minutes=5) == LULL
    assert bench.clock.now().isoformat()[:16].encode() in bench.store.get(BOARD)


@pytest.mark.parametrize(
    "folder", ["ready/", "running/", "finished/", "open/", "waiting/", "again/", "outbox/"]
)
def test_whatever_is_to_be_done_ends_it_at_once(folder: str) -> None:
    bench = Bench()
    bench.run()
    assert not bench.is_whole()

    bench.store.put(f"{folder}something", b"")

    assert bench.is_whole()


def test_an_upload_whose_event_was_lost_is_found_as_soon_as_without_it() -> None:
    for dropped_after in range(6):
        bench = Bench()
        for _ in range(dropped_after):
            bench.run()
        bench.drop("inbox/a.csv", is_answered=False)

        found = [minute for minute in range(1, 20) if "put again/" in " ".join(bench.run())]

        assert found[:1] == [15]


def test_files_that_have_their_answer_do_not_keep_it_from_beginning() -> None:
    bench = Bench()
    bench.drop("inbox/a.csv", is_answered=True)
    young = [bench.is_whole() for _ in range(15)]

    old = [bench.is_whole() for _ in range(6)]

    assert (young, old) == ([True] * 15, [False, False, False, False, True, False])


def test_a_shorter_patience_with_dropped_files_makes_it_shorter() -> None:
    lull = Lull(all_rests=True)
    now = Bench().clock.now()

    lull.begin(now, timedelta(seconds=30))

    assert lull.ends_at == now + timedelta(seconds=30)


def test_a_run_that_fails_begins_none() -> None:
    bench = Bench()

    def fail(what: str, key: str) -> None:
        if (what, key) == ("list", "inbox/"):
            raise TransientError("503")

    bench.drop("inbox/a.csv", is_answered=True)
    bench.clock.advance(LATE)
    bench.store.before = fail
    bench.functions.run_timer(MINUTE, MINUTE)

    assert bench.functions.lull.ends_at is None


def test_a_run_that_was_cut_short_begins_none() -> None:
    bench = Bench()
    for _ in range(5):
        bench.provider.add_file(f"{attempt().batch_name}.jsonl")
    slow = timedelta(seconds=30)
    bench.store.before = lambda _what, key: bench.clock.advance(slow) if key.endswith("/plan.json") else None

    bench.functions.run_timer(MINUTE, MINUTE)

    assert bench.functions.lull.ends_at is None


def test_a_new_instance_begins_with_a_whole_run() -> None:
    bench = Bench()
    bench.run()
    assert not bench.is_whole()

    bench.functions.lull = Lull()

    assert bench.is_whole()
