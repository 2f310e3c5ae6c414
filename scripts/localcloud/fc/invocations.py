"""Asynchronous invocation as in Function Compute: at least once, retried, then a dead letter."""

from __future__ import annotations

import heapq
import itertools
import json
import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from scripts.localcloud.events.delivery_faults import DeliveryFaults
from scripts.localcloud.fc.dead_letters import DeadLetter, DeadLetterBox
from scripts.localcloud.fc.lanes import AsyncPolicy, Due, InvocationCounts, Lane
from scripts.localcloud.fc.spool import Invocation, Spool
from scripts.localcloud.fc.workers.pool import InvocationResult
from scripts.localcloud.interruptions import Interruptions

log = logging.getLogger(__name__)

# https://www.alibabacloud.com/help/en/fc/product-overview/limits : 128 KB, raisable.
MAX_EVENT_BYTES = 128 * 1024
Invoke = Callable[[str, bytes, str], InvocationResult]


class EventTooLarge(ValueError):
    """Function Compute refuses events of this size with ``EntityTooLarge``."""


class AsyncInvoker:
    """Takes events, keeps them on disk until they are done, and invokes functions with them.

    ``invoke(function, event, request_id)`` runs a function, ``directory`` is the local cloud's own.
    Events are accepted at once and delivered between ``start`` and ``stop``. What ``stop``
    interrupts stays on disk, and the next invoker over the same directory delivers it again.
    """

    def __init__(
        self,
        *,
        invoke: Invoke,
        directory: Path,
        policies: Mapping[str, AsyncPolicy] | None = None,
        default_policy: AsyncPolicy | None = None,
        faults: DeliveryFaults | None = None,
        region: str = "cn-local",
        interruptions: Interruptions | None = None,
    ) -> None:
        self.faults = faults or DeliveryFaults()
        self._invoke = invoke
        self._interruptions = interruptions or Interruptions()
        self._policies = dict(policies or {})
        self._default_policy = default_policy or AsyncPolicy()
        self._spool = Spool(directory / "queue")
        self._dead = DeadLetterBox(directory / "dead-letters.jsonl", region=region)
        self._changed = threading.Condition()
        self._lanes: dict[str, Lane] = {}
        self._unfinished: Counter[str] = Counter()
        self._order = itertools.count()
        self._started = False
        self._stopping = False
        for invocation in self._spool.load():
            self._enqueue(invocation, delay_s=0.0)

    def set_policy(self, function: str, policy: AsyncPolicy) -> None:
        """From now on, also for events that wait already."""
        with self._changed:
            self._policies[function] = policy
            if function in self._lanes:
                self._lanes[function].policy = policy

    def start(self) -> AsyncInvoker:
        with self._changed:
            self._started = True
            for lane in self._lanes.values():
                self._start_threads(lane)
        return self

    def stop(self) -> None:
        """Deliver nothing more. Stop the workers next: that ends what runs."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def __enter__(self) -> AsyncInvoker:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def accept(self, function: str, event: bytes) -> str:
        """Promise to deliver ``event`` at least once, faults aside.

        Returns the request id of all its deliveries.

        Raises:
            EventTooLarge: It exceeds ``MAX_EVENT_BYTES``.
        """
        if len(event) > MAX_EVENT_BYTES:
            raise EventTooLarge(f"payload size exceeds maximum allowed size ({MAX_EVENT_BYTES} bytes)")
        request_id = f"1-{uuid.uuid4()}"
        delays_s = self.faults.deliveries(function, event)
        now_s = time.time()
        deliveries = [
            Invocation(uuid.uuid4().hex, function, request_id, event, accepted_at_s=now_s) for _ in delays_s
        ]
        for invocation in deliveries:
            self._spool.add(invocation)
        with (
            self._changed
        ):  # both copies of a duplicate become due at once, so that they run at the same time
            counts = self._lane(function).counts
            counts["accepted"] += 1
            counts["dropped"] += not deliveries
            for invocation, delay_s in zip(deliveries, delays_s, strict=True):
                self._enqueue(invocation, delay_s=delay_s)
        return request_id

    def drain(self, timeout_s: float) -> bool:
        """Wait until no event is queued, waits for a retry or runs. False if that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._unfinished, timeout_s)

    @property
    def idle(self) -> bool:
        with self._changed:
            return not self._unfinished

    def is_pending(self, request_id: str) -> bool:
        """Whether a delivery of this accepted event has not ended."""
        with self._changed:
            return request_id in self._unfinished

    @property
    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """Those of this run; the file has every run's."""
        return self._dead.letters

    def counts(self) -> dict[str, InvocationCounts]:
        with self._changed:
            return {
                lane.function: InvocationCounts(**lane.counts, queued=len(lane.queue), running=lane.running)
                for lane in self._lanes.values()
            }

    def _lane(self, function: str) -> Lane:
        lane = self._lanes.get(function)
        if lane is None:
            lane = Lane(function, self._policies.get(function, self._default_policy))
            self._lanes[function] = lane
            if self._started:
                self._start_threads(lane)
        return lane

    def _start_threads(self, lane: Lane) -> None:
        for number in range(len(lane.threads), lane.policy.concurrency):
            name = f"invoke-{lane.function}-{number}"
            thread = threading.Thread(target=self._work, args=(lane,), name=name, daemon=True)
            lane.threads.append(thread)
            thread.start()

    def _enqueue(self, invocation: Invocation, *, delay_s: float) -> None:
        with self._changed:
            due = Due(time.monotonic() + delay_s, next(self._order), invocation)
            heapq.heappush(self._lane(invocation.function).queue, due)
            self._unfinished[invocation.request_id] += 1
            self._changed.notify_all()

    def _work(self, lane: Lane) -> None:
        while (due := self._next(lane)) is not None:
            due.attempts += 1
            settle = partial(self._settle, lane, due, self._run(due.invocation))
            if not self._interruptions.repeat(lane.function, settle, self._is_stopping):
                self._finish(lane, due, "failed")  # it is on disk, and delivered at the next start

    def _is_stopping(self, within_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping, within_s)

    def _next(self, lane: Lane) -> Due | None:
        with self._changed:
            while not self._stopping:
                wait_s = lane.queue[0].at_s - time.monotonic() if lane.queue else None
                if wait_s is not None and wait_s <= 0:
                    lane.running += 1
                    return heapq.heappop(lane.queue)
                self._changed.wait(wait_s)
        return None

    def _run(self, invocation: Invocation) -> InvocationResult:
        try:
            return self._invoke(invocation.function, invocation.event, invocation.request_id)
        except Exception as error:  # a lane's thread that died would strand its queue
            log.warning("invocation.broke", extra={"function": invocation.function}, exc_info=True)
            body = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}).encode()
            return InvocationResult(500, body, "InternalServerError")

    def _settle(self, lane: Lane, due: Due, result: InvocationResult) -> None:
        """Finish what can be seen from outside before the numbers change: ``drain`` promises it."""
        invocation = due.invocation
        wait_s = lane.policy.wait_s(due.attempts)
        is_too_old = time.time() - invocation.accepted_at_s + wait_s > lane.policy.max_age_s
        if result.error_type is None:
            self._spool.remove(invocation.delivery_id)
            self._finish(lane, due, "succeeded")
        elif self._stopping:
            # Most likely the worker was killed: the next start delivers the event again.
            self._finish(lane, due, "failed")
        elif due.attempts > lane.policy.max_retries or is_too_old:
            letter = DeadLetter(invocation, due.attempts, result)
            self._dead.add(letter, now_s=time.time())
            self._spool.remove(invocation.delivery_id)
            self._finish(lane, due, "failed", "dead_lettered")
        else:
            self._finish(lane, due, "failed", retry_in_s=wait_s)

    def _finish(self, lane: Lane, due: Due, *outcomes: str, retry_in_s: float | None = None) -> None:
        with self._changed:
            lane.running -= 1
            lane.counts.update(outcomes)
            if retry_in_s is not None:
                due.at_s = time.monotonic() + retry_in_s
                heapq.heappush(lane.queue, due)
            else:
                request_id = due.invocation.request_id
                self._unfinished[request_id] -= 1
                if not self._unfinished[request_id]:
                    del self._unfinished[request_id]
            self._changed.notify_all()
