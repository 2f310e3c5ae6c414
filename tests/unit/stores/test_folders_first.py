from __future__ import annotations

import pytest

from shared.stores.folders_first import FoldersFirst
from tests.support.fakes import MemoryStore

FOLDERS = ("again/", "ready/", "open/", "jobs/")


class Bench:
    """Two runs of the timer over one bucket."""

    def __init__(self, *keys: str) -> None:
        self.bucket = MemoryStore()
        for key in keys:
            self.bucket.put(key, b"")
        self.store = self.run()
        self.calls: list[str] = []
        self.bucket.before = lambda what, key: self.calls.append(f"{what} {key}")

    def run(self) -> FoldersFirst:
        return FoldersFirst(self.bucket, self.bucket.folders)

    def listed(self, prefix: str) -> list[str]:
        return [head.key for head in self.store.list(prefix)]


def test_only_folders_that_hold_something_are_listed() -> None:
    bench = Bench("ready/a/1", "ready/b/1", "jobs/a/plan.json", "board.json")

    found = {folder: bench.listed(folder) for folder in FOLDERS}

    assert found == {folder: bench.bucket.keys(folder) for folder in FOLDERS}
    assert bench.calls == ["look ", "list ready/", "list jobs/"]


def test_where_nobody_can_tell_every_folder_is_listed_and_nobody_looks_again() -> None:
    bench = Bench("ready/a/1")
    looks: list[str] = []
    store = FoldersFirst(bench.bucket, lambda: looks.append("look"))

    found = {folder: [head.key for head in store.list(folder)] for folder in FOLDERS}

    assert found == {folder: bench.bucket.keys(folder) for folder in FOLDERS}
    assert looks == ["look"]


def test_nobody_looks_before_a_folder_is_listed() -> None:
    bench = Bench("ready/a/1")

    bench.store.head("ready/a/1")
    bench.store.get("ready/a/1")

    assert bench.calls == ["head ready/a/1", "get ready/a/1"]


@pytest.mark.parametrize("prefix", ["", "read", "ready/a", "ready/a/", "board.json"])
def test_what_is_no_whole_folder_is_listed_in_any_case(prefix: str) -> None:
    bench = Bench()
    bench.listed("ready/")
    bench.bucket.put("ready/a/1", b"")
    bench.bucket.put("board.json", b"")

    assert bench.listed(prefix) == bench.bucket.keys(prefix)


def test_what_the_run_itself_has_put_is_listed() -> None:
    bench = Bench()
    assert [bench.listed(folder) for folder in FOLDERS] == [[]] * len(FOLDERS)

    bench.store.put("again/1", b"")
    bench.store.put_if_absent("ready/a/1", b"")
    with bench.store.open_writer("jobs/a/part") as writer:
        writer.commit()
    bench.store.concatenate("open/a", ["again/1"])

    assert [bench.listed(folder) for folder in FOLDERS] == [
        ["again/1"],
        ["ready/a/1"],
        ["open/a"],
        ["jobs/a/part"],
    ]


def test_what_others_put_into_an_empty_folder_is_listed_by_the_next_run() -> None:
    bench = Bench()
    bench.listed("ready/")
    bench.bucket.put("ready/a/1", b"")
    assert bench.listed("ready/") == []

    bench.store = bench.run()

    assert bench.listed("ready/") == ["ready/a/1"]


def test_a_listing_may_begin_behind_a_key() -> None:
    bench = Bench("ready/a/1", "ready/b/1")

    assert [head.key for head in bench.store.list("ready/", after="ready/a/1")] == ["ready/b/1"]
