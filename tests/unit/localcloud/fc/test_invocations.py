from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.localcloud.events.delivery_faults import DeliveryFaults, FaultKind, FaultRule
from scripts.localcloud.fc.invocations import MAX_EVENT_BYTES, AsyncInvoker, EventTooLarge
from scripts.localcloud.fc.lanes import AsyncPolicy
from scripts.localcloud.fc.spool import Invocation, Spool
from scripts.localcloud.fc.workers.pool import InvocationResult
from tests.support.waiting import PATIENCE_S

AT_ONCE = AsyncPolicy(backoff_s=0.0)
ONE_BY_ONE = AsyncPolicy(backoff_s=0.0, concurrency=1)


def ok(body: bytes = b"null") -> InvocationResult:
    return InvocationResult(200, body, None)


def failed(word: str = "UnhandledInvocationError") -> InvocationResult:
    return InvocationResult(200, b'{"errorMessage":"\xe4\xb8\x8d"}', word)


class Functions:
    """Stands in for the workers: remembers what came, answers what it is told."""

    def __init__(self, answer: Callable[[bytes, int], InvocationResult] = lambda _event, _seen: ok()) -> None:
        self.calls: list[tuple[str, bytes, str]] = []
        self._answer = answer
        self._lock = threading.Lock()

    def __call__(self, function: str, event: bytes, request_id: str) -> InvocationResult:
        with self._lock:
            seen = sum(1 for call in self.calls if call[1] == event)
            self.calls.append((function, event, request_id))
        return self._answer(event, seen)

    @property
    def events(self) -> list[bytes]:
        return [event for _, event, _ in self.calls]


def invoker_for(
    functions: Functions,
    directory: Path,
    policy: AsyncPolicy = AT_ONCE,
    faults: DeliveryFaults | None = None,
) -> AsyncInvoker:
    return AsyncInvoker(invoke=functions, directory=directory, default_policy=policy, faults=faults)


def test_an_accepted_event_is_invoked_once_and_leaves_the_spool(tmp_path: Path) -> None:
    functions = Functions()

    with invoker_for(functions, tmp_path) as invoker:
        request_id = invoker.accept("submit", b"event")
        drained = invoker.drain(PATIENCE_S)

    assert drained
    assert invoker.idle
    assert functions.calls == [("submit", b"event", request_id)]
    assert list((tmp_path / "queue").iterdir()) == []
    assert invoker.counts()["submit"].succeeded == 1


def test_an_error_is_retried_three_times_with_the_same_request_id_then_becomes_a_dead_letter(
    tmp_path: Path,
) -> None:
    functions = Functions(lambda _event, _seen: failed())

    with invoker_for(functions, tmp_path) as invoker:
        request_id = invoker.accept("submit", '{"键":1}'.encode())
        assert invoker.drain(PATIENCE_S)

    (line,) = (tmp_path / "dead-letters.jsonl").read_bytes().removesuffix(b"\n").split(b"\n")
    letter = json.loads(line)
    assert [call[2] for call in functions.calls] == [request_id] * 4
    assert letter["requestContext"] == {
        "requestId": request_id,
        "functionArn": "acs:fc:cn-local:1000000000000000:functions/submit",
        "condition": "UnhandledInvocationError",
        "approximateInvokeCount": 4,
    }
    assert letter["requestPayload"] == '{"键":1}'
    assert letter["responseContext"] == {"statusCode": 200, "functionError": "UnhandledInvocationError"}
    assert letter["responsePayload"] == '{"errorMessage":"不"}'
    assert [dead.invocation.request_id for dead in invoker.dead_letters] == [request_id]
    assert list((tmp_path / "queue").iterdir()) == []
    counts = invoker.counts()["submit"]
    assert (counts.accepted, counts.failed, counts.dead_lettered, counts.queued) == (1, 4, 1, 0)


def test_an_event_that_succeeds_at_the_second_attempt_is_not_tried_again(tmp_path: Path) -> None:
    functions = Functions(lambda _event, seen: ok() if seen else failed())

    with invoker_for(functions, tmp_path) as invoker:
        invoker.accept("submit", b"event")
        assert invoker.drain(PATIENCE_S)

    assert len(functions.calls) == 2
    assert invoker.dead_letters == ()


def test_an_event_past_its_age_is_given_up_before_its_retries_are_used_up(tmp_path: Path) -> None:
    functions = Functions(lambda _event, _seen: failed("InvocationTimeout"))

    with invoker_for(functions, tmp_path, AsyncPolicy(backoff_s=30.0, max_age_s=10.0)) as invoker:
        invoker.accept("submit", b"event")
        assert invoker.drain(PATIENCE_S)

    assert len(functions.calls) == 1
    assert invoker.dead_letters[0].condition == "InvocationTimeout"


def test_waits_between_retries_grow_to_a_cap() -> None:
    policy = AsyncPolicy(backoff_s=0.5, backoff_cap_s=3.0)

    assert [policy.wait_s(retry) for retry in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_an_invoke_that_raises_counts_as_an_error_and_strands_nothing(tmp_path: Path) -> None:
    def broken(_event: bytes, seen: int) -> InvocationResult:
        if not seen:
            raise KeyError("no such function")
        return ok()

    functions = Functions(broken)

    with invoker_for(functions, tmp_path, ONE_BY_ONE) as invoker:
        invoker.accept("submit", b"one")
        assert invoker.drain(PATIENCE_S)

    assert functions.events == [b"one", b"one"]


def test_never_more_than_the_functions_concurrency_at_once(tmp_path: Path) -> None:
    lock, most, now = threading.Lock(), [0], [0]
    both = threading.Barrier(2, timeout=PATIENCE_S)

    def busy(_event: bytes, _seen: int) -> InvocationResult:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        both.wait()
        with lock:
            now[0] -= 1
        return ok()

    with invoker_for(Functions(busy), tmp_path, AsyncPolicy(concurrency=2)) as invoker:
        for number in range(8):
            invoker.accept("submit", b"%d" % number)
        assert invoker.drain(PATIENCE_S)

    assert most == [2]


def test_functions_do_not_wait_for_each_other(tmp_path: Path) -> None:
    other_ran = threading.Event()

    def answer(event: bytes, _seen: int) -> InvocationResult:
        if event == b"slow":
            return ok() if other_ran.wait(PATIENCE_S) else failed()
        other_ran.set()
        return ok()

    with invoker_for(Functions(answer), tmp_path, ONE_BY_ONE) as invoker:
        invoker.accept("submit", b"slow")
        invoker.accept("collect", b"quick")
        assert invoker.drain(PATIENCE_S)

    assert invoker.counts()["submit"].failed == 0


def test_drain_says_when_it_was_not_done_in_time(tmp_path: Path) -> None:
    go = threading.Event()

    with invoker_for(
        Functions(lambda _e, _s: ok() if go.wait(PATIENCE_S) else failed()), tmp_path
    ) as invoker:
        request_id = invoker.accept("submit", b"event")
        early = invoker.drain(0.05)
        pending = invoker.is_pending(request_id)
        go.set()
        late = invoker.drain(PATIENCE_S)

    assert (early, pending, late) == (False, True, True)
    assert not invoker.is_pending(request_id)


def test_a_restart_delivers_what_was_accepted_and_not_done(tmp_path: Path) -> None:
    before = invoker_for(Functions(), tmp_path)
    accepted = [
        before.accept("submit", event) for event in [b"\xff\x00 raw", "你好\u2028".encode(), b"x" * 9]
    ]
    before.stop()

    functions = Functions()
    with invoker_for(functions, tmp_path, ONE_BY_ONE) as after:
        assert after.drain(PATIENCE_S)

    assert [request_id for _, _, request_id in functions.calls] == accepted
    assert functions.events == [b"\xff\x00 raw", "你好\u2028".encode(), b"x" * 9]
    assert list((tmp_path / "queue").iterdir()) == []


def test_what_stop_interrupts_is_delivered_again_after_a_restart(tmp_path: Path) -> None:
    is_running, killed = threading.Event(), threading.Event()

    def interrupted(_event: bytes, _seen: int) -> InvocationResult:
        is_running.set()
        killed.wait(PATIENCE_S)
        return failed("CAExited")

    with invoker_for(Functions(interrupted), tmp_path, AsyncPolicy(max_retries=0)) as before:
        before.accept("submit", b"event")
        assert is_running.wait(PATIENCE_S)
    killed.set()
    assert before.drain(PATIENCE_S)

    functions = Functions()
    with invoker_for(functions, tmp_path) as after:
        assert after.drain(PATIENCE_S)

    assert functions.events == [b"event"]
    assert before.dead_letters == ()


def test_a_spooled_file_that_cannot_be_read_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path)
    (tmp_path / "broken.json").write_bytes(b'{"function": "sub')
    (tmp_path / "half-written.tmp").write_bytes(b"{}")
    (tmp_path / "list.json").write_bytes(b"[]")
    spool.add(Invocation("d-1", "submit", "r-1", b"event", 1.5))

    invocations = spool.load()

    assert invocations == [Invocation("d-1", "submit", "r-1", b"event", 1.5)]
    assert (tmp_path / "broken.json").exists()
    assert "spooled_event.unreadable" in caplog.text


@settings(max_examples=50)  # it writes files
@given(event=st.binary(max_size=200) | st.text(max_size=50).map(lambda text: text.encode("utf-8", "ignore")))
def test_the_spool_gives_back_every_byte(event: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    spool = Spool(tmp_path_factory.getbasetemp() / "spool")
    spool.add(Invocation("d-1", "submit", "r-1", event, 0.0))

    assert spool.load()[0].event == event


def test_an_event_over_the_limit_is_refused(tmp_path: Path) -> None:
    invoker = invoker_for(Functions(), tmp_path)
    invoker.accept("submit", b"x" * MAX_EVENT_BYTES)

    with pytest.raises(EventTooLarge, match="131072 bytes"):
        invoker.accept("submit", b"x" * (MAX_EVENT_BYTES + 1))


def test_duplicates_are_delivered_at_the_same_time(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=PATIENCE_S)

    def answer(_event: bytes, _seen: int) -> InvocationResult:
        both.wait()  # breaks, and so fails, unless the other copy runs too
        return ok()

    faults = DeliveryFaults()
    faults.add(FaultRule(kind=FaultKind.DUPLICATE, function="submit"))
    functions = Functions(answer)
    with invoker_for(functions, tmp_path, AsyncPolicy(max_retries=0), faults) as invoker:
        request_id = invoker.accept("submit", b"event")
        assert invoker.drain(PATIENCE_S)

    assert functions.calls == [("submit", b"event", request_id)] * 2
    assert invoker.counts()["submit"].succeeded == 2
    assert invoker.idle


def test_a_dropped_event_is_never_delivered_and_does_not_keep_anyone_waiting(tmp_path: Path) -> None:
    faults = DeliveryFaults()
    faults.add(FaultRule(kind=FaultKind.DROP, times=1))
    functions = Functions()

    with invoker_for(functions, tmp_path, AT_ONCE, faults) as invoker:
        invoker.accept("submit", b"lost")
        invoker.accept("submit", b"found")
        assert invoker.drain(PATIENCE_S)

    assert functions.events == [b"found"]
    assert invoker.counts()["submit"].dropped == 1


def test_reordered_events_arrive_last_first(tmp_path: Path) -> None:
    faults = DeliveryFaults()
    faults.add(FaultRule(kind=FaultKind.REORDER, times=3, delay_s=3.0))
    functions = Functions()

    with invoker_for(functions, tmp_path, ONE_BY_ONE, faults) as invoker:
        for event in [b"1", b"2", b"3"]:
            invoker.accept("submit", event)
        assert invoker.drain(PATIENCE_S)

    assert functions.events == [b"3", b"2", b"1"]


def test_many_threads_may_accept_at_once(tmp_path: Path) -> None:
    functions = Functions()

    with invoker_for(functions, tmp_path) as invoker, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: invoker.accept(f"f{number % 3}", b"%d" % number), range(120)))
        assert invoker.drain(PATIENCE_S)

    assert sorted(functions.events) == sorted(b"%d" % number for number in range(120))
