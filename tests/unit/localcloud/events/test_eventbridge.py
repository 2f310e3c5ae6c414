from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from scripts.localcloud.events.eventbridge import EventBridge, EventRefused
from scripts.localcloud.events.rocketmq import RocketMq
from scripts.localcloud.fc.invocations import EventTooLarge
from tests.support.waiting import PATIENCE_S

FINISHED = {
    "specversion": "1.0",
    "id": "81765e5b",
    "source": "acs.dashscope",
    "type": "dashscope:System:BatchTaskFinish",
    "data": {"task_id": "batch_1"},
}


@dataclass(frozen=True)
class Bus:
    function: str = "message"
    name: str = "finish"
    pattern: dict[str, object] = field(default_factory=lambda: {"source": ["acs.dashscope"]})
    schema: str = "CloudEvents"
    enabled: bool = True


@dataclass(frozen=True)
class Topic:
    function: str = "message"
    name: str = "mq"
    topic: str = "batch-finish"
    schema: str = "CloudEvents"
    enabled: bool = True
    batch_size: int = 10


@dataclass(frozen=True)
class Target:
    kind: str = "acs.rocketmq"
    endpoint: str = "acs:mq:cn-beijing:1:/instances/rmq-cn-x/topic/batch-finish"
    parameters: dict[str, tuple[str, str]] = field(default_factory=lambda: {"Body": ("ORIGINAL", "")})


@dataclass(frozen=True)
class Rule:
    name: str = "to-mq"
    pattern: dict[str, object] = field(default_factory=lambda: {"source": ["acs.dashscope"]})
    enabled: bool = True
    targets: tuple[Target, ...] = (Target(),)


class Accepted:
    """Stands in for the invoker: remembers what it was given."""

    def __init__(self, limit_bytes: int = 1_000_000) -> None:
        self.payloads: list[tuple[str, Any]] = []
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()

    def __call__(self, function: str, payload: bytes) -> str:
        if len(payload) > self._limit_bytes:
            raise EventTooLarge("too large")
        with self._lock:
            self.payloads.append((function, json.loads(payload)))
        return "r-1"

    def bodies(self) -> list[list[str]]:
        return [[each["data"]["body"] for each in payload] for _, payload in self.payloads]


def test_a_matching_event_reaches_triggers_and_rules() -> None:
    accepted = Accepted()
    with RocketMq(triggers=[Topic(function="from-mq")], accept=accepted, window_s=0.0) as rocketmq:
        bus = EventBridge(
            accept=accepted,
            triggers=[Bus(), Bus(name="raw", schema="RawData"), Bus(name="other", pattern={"source": ["x"]})],
            rules=[Rule(), Rule(name="off", enabled=False)],
            rocketmq=rocketmq,
        )

        matched = bus.publish(FINISHED)
        assert rocketmq.drain(PATIENCE_S)

    assert matched == ["finish", "raw", "to-mq"]
    assert accepted.payloads[:2] == [("message", FINISHED), ("message", FINISHED["data"])]
    function, messages = accepted.payloads[2]
    assert function == "from-mq"
    assert json.loads(messages[0]["data"]["body"]) == FINISHED
    assert len(accepted.payloads) == 3


def test_streaming_gives_arrays() -> None:
    accepted = Accepted()

    EventBridge(accept=accepted, triggers=[Bus()], streaming=True).publish(FINISHED)

    assert accepted.payloads == [("message", [FINISHED])]


def test_targets_that_are_not_there_locally_are_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    rule = Rule(targets=(Target(kind="acs.mns.queue"),))

    matched = EventBridge(accept=Accepted(), rules=[rule]).publish(FINISHED)

    assert matched == ["to-mq"]
    assert "rule_target.skipped" in caplog.text


@pytest.mark.parametrize(
    ("change", "words"),
    [({"id": ""}, "lacks id"), ({"data": "x" * 300_000}, "262144 bytes")],
)
def test_what_is_no_event_is_refused(change: dict[str, object], words: str) -> None:
    accepted = Accepted()

    with pytest.raises(EventRefused, match=words):
        EventBridge(accept=accepted, triggers=[Bus()]).publish({**FINISHED, **change})

    assert accepted.payloads == []


def test_messages_of_one_window_arrive_together_in_order() -> None:
    accepted = Accepted()
    rocketmq = RocketMq(triggers=[Topic(batch_size=3)], accept=accepted, window_s=60.0)
    for body in "abcdefg":
        rocketmq.send("batch-finish", body)
    rocketmq.send("another-topic", "nobody reads this")

    with rocketmq:
        pass

    assert accepted.bodies() == [["a", "b", "c"], ["d", "e", "f"], ["g"]]


def test_a_message_does_not_wait_longer_than_the_window() -> None:
    accepted = Accepted()

    with RocketMq(triggers=[Topic(batch_size=100)], accept=accepted, window_s=0.01) as rocketmq:
        rocketmq.send("batch-finish", "a")
        drained = rocketmq.drain(PATIENCE_S)

        assert drained
        assert rocketmq.idle
        assert accepted.bodies() == [["a"]]


def test_a_batch_that_is_too_large_arrives_one_by_one_without_the_message_that_is() -> None:
    accepted = Accepted(limit_bytes=1000)
    rocketmq = RocketMq(triggers=[Topic()], accept=accepted, window_s=60.0)
    for body in ["a" * 200, "b" * 2000, "c" * 200]:
        rocketmq.send("batch-finish", body)

    with rocketmq:
        pass

    assert accepted.bodies() == [["a" * 200], ["c" * 200]]


def test_every_enabled_trigger_of_a_topic_gets_every_message() -> None:
    accepted = Accepted()
    triggers = [Topic(function="one"), Topic(function="two"), Topic(function="three", enabled=False)]
    rocketmq = RocketMq(triggers=triggers, accept=accepted, window_s=60.0)
    rocketmq.send("batch-finish", "a")

    with rocketmq:
        pass

    assert [function for function, _ in accepted.payloads] == ["one", "two"]


def test_drain_waits_for_the_message_that_is_being_handed_over() -> None:
    is_handing_over, may_go_on = threading.Event(), threading.Event()

    def slow(_function: str, _payload: bytes) -> None:
        is_handing_over.set()
        may_go_on.wait(PATIENCE_S)

    with RocketMq(triggers=[Topic()], accept=slow, window_s=0.0) as rocketmq:
        rocketmq.send("batch-finish", "a")
        assert is_handing_over.wait(PATIENCE_S)
        early = rocketmq.drain(0.02)
        may_go_on.set()
        late = rocketmq.drain(PATIENCE_S)

    assert (early, late) == (False, True)
