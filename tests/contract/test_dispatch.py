"""Invoker, workers, bus, topic and gateway together, as the local cloud wires them."""

from __future__ import annotations

import http.client
import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from scripts.localcloud.events.delivery_faults import DeliveryFaults, FaultKind, FaultRule
from scripts.localcloud.events.eventbridge import EventBridge
from scripts.localcloud.events.rocketmq import RocketMq
from scripts.localcloud.fc.gateway import Gateway
from scripts.localcloud.fc.invocations import AsyncInvoker
from scripts.localcloud.fc.lanes import AsyncPolicy
from scripts.localcloud.fc.workers.pool import FunctionHost
from tests.support.localcloud_stand_in import spec_for
from tests.support.waiting import PATIENCE_S

QUICK = AsyncPolicy(max_retries=1, backoff_s=0.0)


@dataclass(frozen=True)
class Http:
    function: str = "callback"
    name: str = "http"
    methods: tuple[str, ...] = ("POST",)


@dataclass(frozen=True)
class Bus:
    function: str = "message"
    name: str = "finish"
    pattern: dict[str, object] = field(default_factory=lambda: {"type": ["t"]})
    schema: str = "CloudEvents"
    enabled: bool = True


def test_a_timeout_and_a_crash_are_retried_and_end_as_dead_letters(tmp_path: Path) -> None:
    with (
        FunctionHost([spec_for(tmp_path, timeout_s=3.0)]) as host,
        AsyncInvoker(invoke=host.invoke, directory=tmp_path, default_policy=QUICK) as invoker,
    ):
        for event in [b"hang", b"crash", b"hello"]:
            invoker.accept("submit", event)
        drained = invoker.drain(PATIENCE_S)

        assert drained
    dead = {letter.invocation.event: (letter.condition, letter.attempts) for letter in invoker.dead_letters}
    assert dead == {b"hang": ("InvocationTimeout", 2), b"crash": ("CAExited", 2)}
    assert invoker.counts()["submit"].succeeded == 1


def test_an_event_interrupted_by_the_end_of_the_local_cloud_is_delivered_at_its_next_start(
    tmp_path: Path,
) -> None:
    spec = spec_for(tmp_path)
    with FunctionHost([spec]) as host, AsyncInvoker(invoke=host.invoke, directory=tmp_path) as invoker:
        invoker.accept("submit", b"hello")
        invoker.stop()

    with (
        FunctionHost([spec]) as host,
        AsyncInvoker(invoke=host.invoke, directory=tmp_path, default_policy=QUICK) as invoker,
    ):
        assert invoker.drain(PATIENCE_S)

    assert list((tmp_path / "queue").iterdir()) == []


def test_all_parts_work_together(tmp_path: Path) -> None:
    faults = DeliveryFaults()
    faults.add(FaultRule(kind=FaultKind.DUPLICATE))
    with ExitStack() as stack:
        host = stack.enter_context(
            FunctionHost([spec_for(tmp_path, function=name) for name in ("callback", "message")])
        )
        invoker = stack.enter_context(AsyncInvoker(invoke=host.invoke, directory=tmp_path, faults=faults))
        rocketmq = stack.enter_context(RocketMq(triggers=[], accept=invoker.accept))
        bus = EventBridge(accept=invoker.accept, triggers=[Bus()], rocketmq=rocketmq)
        gateway = stack.enter_context(
            Gateway(
                call=host.http,
                triggers=[Http()],
                status=dict,
                publish=bus.publish,
                faults=faults,
                api_key="key",
            )
        )
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(gateway.url).port, timeout=PATIENCE_S)
        stack.callback(connection.close)

        event = '{"id":"1","source":"s","specversion":"1.0","type":"t"}'
        connection.request("POST", "/eventbridge", event, {"Authorization": "Bearer key"})
        published = json.loads(connection.getresponse().read())
        connection.request("POST", "/callback/%E4%BD%A0?x=1", b"\x00\xff")
        response = connection.getresponse()
        passed_through = response.read()

        assert invoker.drain(PATIENCE_S)
        assert published == {"matched": ["finish"]}
        assert (response.status, passed_through) == (201, b"\xff\x00")
        assert json.loads(response.headers["X-Request"])["path"] == "/%E4%BD%A0?x=1"
        assert invoker.counts()["message"].succeeded == 2
