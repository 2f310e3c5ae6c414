from __future__ import annotations

import json
import threading
from dataclasses import dataclass

from scripts.localcloud.events.timers import Timers
from tests.support.waiting import PATIENCE_S


@dataclass(frozen=True)
class Timer:
    function: str = "reconcile"
    name: str = "tick"
    cron_expression: str = "@every 1m"
    payload: str = "text"
    enabled: bool = True


class Queue:
    """Stands in for the invoker; every event is pending until ``finish``."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, str]]] = []
        self.asked = 0
        self.finished: set[str] = set()
        self.changed = threading.Condition()

    def accept(self, function: str, payload: bytes) -> str:
        with self.changed:
            self.events.append((function, json.loads(payload)))
            self.changed.notify_all()
            return f"r-{len(self.events)}"

    def is_pending(self, request_id: str) -> bool:
        with self.changed:
            self.asked += 1
            self.changed.notify_all()
            return request_id not in self.finished

    def wait_for(self, *, events: int = 0, asked: int = 0) -> None:
        with self.changed:
            assert self.changed.wait_for(
                lambda: len(self.events) >= events and self.asked >= asked, PATIENCE_S
            )


def timers_for(queue: Queue, *triggers: Timer, interval_s: float) -> Timers:
    return Timers(triggers=triggers, accept=queue.accept, is_pending=queue.is_pending, interval_s=interval_s)


def test_fires_the_enabled_timers_by_the_interval() -> None:
    queue = Queue()

    with timers_for(queue, Timer(), Timer(name="off", enabled=False), interval_s=0.01):
        queue.wait_for(events=1)

    function, event = queue.events[0]
    assert function == "reconcile"
    assert (event["triggerName"], event["payload"]) == ("tick", "text")


def test_skips_its_turn_while_its_last_event_is_under_way() -> None:
    queue = Queue()

    with timers_for(queue, Timer(), interval_s=0.005):
        queue.wait_for(events=1, asked=3)
        while_pending = len(queue.events)
        with queue.changed:
            queue.finished.add("r-1")
        queue.wait_for(events=2)

    assert while_pending == 1


def test_timers_do_not_hold_each_other_up() -> None:
    queue = Queue()

    with timers_for(queue, Timer(name="a"), Timer(name="b"), interval_s=0.01):
        queue.wait_for(events=2)

    assert {event["triggerName"] for _, event in queue.events} == {"a", "b"}


def test_stops_at_once_however_far_the_next_turn_is() -> None:
    queue = Queue()
    timers = timers_for(queue, Timer(), interval_s=3600).start()

    stopping = threading.Thread(target=timers.stop)
    stopping.start()
    stopping.join(timeout=PATIENCE_S)  # the next turn is an hour away

    assert not stopping.is_alive()
    assert queue.events == []


def test_no_timers_is_no_error() -> None:
    queue = Queue()

    with timers_for(queue, interval_s=0.01):
        pass
    timers_for(queue, interval_s=0.01).stop()

    assert queue.events == []
