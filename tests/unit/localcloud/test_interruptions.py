"""A disk that is full for a moment stops no thread of the local cloud for good."""

from __future__ import annotations

import errno
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path

import oss2
import pytest

from scripts.localcloud.answers.answering import Answers
from scripts.localcloud.answers.built_in_answers import Answer, Request
from scripts.localcloud.answers.faults import Faults
from scripts.localcloud.answers.result_lines import ERRORS, OUTPUT, ResultLines
from scripts.localcloud.answers.row_run import RowRun, RunContext
from scripts.localcloud.events.rocketmq import RocketMq
from scripts.localcloud.events.timers import Timers
from scripts.localcloud.fc.invocations import AsyncInvoker
from scripts.localcloud.fc.lanes import AsyncPolicy
from scripts.localcloud.fc.workers.pool import InvocationResult
from scripts.localcloud.interruptions import Interruptions
from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.storage.changes import HandChanges
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.localcloud.storage.storage import Storage
from scripts.template.stack import RocketMqTrigger, TimerTrigger
from shared.runtime.system_clock import SystemClock
from tests.support.waiting import PATIENCE_S

FULL = OSError(errno.ENOSPC, "No space left on device")


class Disk:
    """Takes what it is handed once there is space on it."""

    def __init__(self) -> None:
        self.is_full = True
        self.was_refused = threading.Event()
        self.is_taken = threading.Event()
        self.taken: list[object] = []

    def take(self, *what: object) -> str:
        if self.is_full:
            self.was_refused.set()
            raise FULL
        self.taken.append(what)
        self.is_taken.set()
        return "r-1"

    def gets_space(self) -> None:
        assert self.was_refused.wait(PATIENCE_S)
        self.is_full = False
        assert self.is_taken.wait(PATIENCE_S)


def test_a_timer_fires_again_once_there_is_space(caplog: pytest.LogCaptureFixture) -> None:
    disk, interruptions = Disk(), Interruptions()
    timers = Timers(
        triggers=[TimerTrigger("Timer", "tick", "reconcile", "@every 1m", "", enabled=True)],
        accept=disk.take,
        is_pending=lambda _: False,
        interval_s=0.01,
        interruptions=interruptions,
    )

    with caplog.at_level(logging.WARNING), timers:
        assert disk.was_refused.wait(PATIENCE_S)
        disk.gets_space()

    assert interruptions.reasons == {}
    assert [each.message for each in caplog.records] == ["work.interrupted", "work.resumed"]


def test_a_message_is_handed_over_once_there_is_space() -> None:
    disk = Disk()
    trigger = RocketMqTrigger(
        "Mq", "mq", "message", "instance", "topic", "RawData", enabled=True, batch_size=10
    )

    with RocketMq(triggers=[trigger], accept=disk.take) as topics:
        topics.send("topic", "a batch has ended")
        disk.gets_space()
        assert topics.drain(PATIENCE_S)

    [(function, payload)] = disk.taken
    assert function == "message"
    assert b"a batch has ended" in bytes(payload)  # type: ignore[call-overload]


def test_an_event_that_is_given_up_becomes_a_dead_letter_once_there_is_space(tmp_path: Path) -> None:
    failed = threading.Event()

    def fail(*_: object) -> InvocationResult:
        failed.set()
        return InvocationResult(200, b"", "UnhandledInvocationError")

    policy = AsyncPolicy(max_retries=0, concurrency=1)
    file = tmp_path / "dead-letters.jsonl"
    with AsyncInvoker(invoke=fail, directory=tmp_path, default_policy=policy) as invoker:
        file.mkdir()  # nothing can be written to it
        invoker.accept("submit", b"1")
        assert failed.wait(PATIENCE_S)
        assert not invoker.drain(0.0)
        file.rmdir()
        assert invoker.drain(PATIENCE_S)

        assert len(invoker.dead_letters) == 1
        assert invoker.counts()["submit"].running == 0


def test_a_copied_file_is_told_of_once_there_is_space(tmp_path: Path) -> None:
    disk = Disk()
    storage = Storage(tmp_path, "cn-local", disk.take, lambda: datetime.now(timezone.utc))
    storage.create_bucket("batchdrop")
    changes = HandChanges(storage)
    (tmp_path / "batchdrop" / "a.csv").write_text("id\n1\n", encoding="utf-8")
    changes.scan()

    with pytest.raises(OSError, match="No space"):
        changes.scan()
    disk.is_full = False
    changes.scan()
    changes.scan()
    storage.close()

    [(event,)] = disk.taken
    assert isinstance(event, ObjectEvent)
    assert event.key == "a.csv"


def test_a_store_on_a_full_disk_says_so_and_goes_on_once_there_is_space(tmp_path: Path) -> None:
    disk = Disk()
    interruptions = Interruptions()
    keys = {"key": "secret"}
    with LocalOss(tmp_path, keys, "cn-local", disk.take, interruptions=interruptions) as oss:
        oss.storage.create_bucket("batchdrop")
        auth = oss2.AuthV4("key", "secret")
        bucket = oss2.Bucket(auth, oss.url, "batchdrop", region="cn-local", is_path_style=True)
        with pytest.raises(oss2.exceptions.ServerError, match="InternalError"):
            bucket.put_object("a", b"1")
        assert interruptions.reasons == {"objects": str(FULL)}
        disk.is_full = False
        bucket.put_object("a", b"2")

        assert interruptions.reasons == {}
        assert bucket.get_object("a").read() == b"2"


class _Lines(ResultLines):
    """Takes a row's answer once its disk has space."""

    def __init__(self, disk: Disk) -> None:
        super().__init__({kind: Path("nowhere") for kind in (OUTPUT, ERRORS)})
        self.disk = disk

    def write(self, kind: str, lines: bytes | bytearray) -> None:
        self.disk.take(kind, *(json.loads(line)["custom_id"] for line in lines.split(b"\n")[:-1]))


class _Rows(RowRun[None]):
    """Four rows; ``asked`` are those that were answered, which may have been paid for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        context = RunContext(Faults(None), self, SystemClock(), threading.Event(), 0.0)  # type: ignore[arg-type]
        super().__init__(context)

    def turn(self, _: object) -> AbstractContextManager[None]:
        return nullcontext()

    def costs_nothing(self, _: str) -> bool:
        return False

    def answers(self, requests: Iterator[Request], *_: object, one_by_one: bool) -> Iterator[Answers]:
        while group := [*islice(requests, 2)]:
            self.asked += (request.custom_id for request in group)
            yield [(request, Answer(response={})) for request in group]

    def run(self, results: ResultLines) -> None:
        requests = (Request(name, "/v1/chat/completions", {}) for name in "abcd")
        self._answer_rows(requests, results, 4)

    def _tick(self) -> None: ...

    def _check(self) -> None: ...

    def _before_row(self, position: int, total: int) -> None: ...

    def _spoilt(self, answer: Answer, position: int, total: int) -> Answer:
        return answer

    def _show(self, results: ResultLines) -> None:
        raise FULL


def test_no_row_is_asked_twice_while_its_answer_has_no_place() -> None:
    disk, rows = Disk(), _Rows()
    running = threading.Thread(target=rows.run, args=(_Lines(disk),))
    running.start()
    assert disk.was_refused.wait(PATIENCE_S)
    assert rows.asked == ["a", "b"]

    disk.gets_space()
    running.join(PATIENCE_S)

    assert rows.asked == ["a", "b", "c", "d"]
    assert disk.taken == [(OUTPUT, "a", "b"), (OUTPUT, "c", "d")]
