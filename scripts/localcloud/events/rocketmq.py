"""RocketMQ topics in this process: every trigger of a topic gets its messages in small batches."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial

from scripts.localcloud.events.payloads import Message, rocketmq_payload
from scripts.localcloud.fc.invocations import EventTooLarge
from scripts.localcloud.interruptions import Interruptions
from scripts.template.stack import RocketMqTrigger

log = logging.getLogger(__name__)


@dataclass
class _Subscription:
    """A trigger and the messages that it has not been given yet.

    ``due_s`` is when its window closes, on the monotonic clock.
    """

    trigger: RocketMqTrigger
    waiting: list[Message] = field(default_factory=list)
    due_s: float = 0.0


class RocketMq:
    """Hands messages to ``accept(function, payload)``, which must keep them.

    A batch closes when it holds the trigger's ``batch_size`` or is ``window_s`` old: a laptop need
    not wait for the seconds that a template asks for. ``stop`` hands over what still waits.
    """

    def __init__(
        self,
        *,
        triggers: Iterable[RocketMqTrigger],
        accept: Callable[[str, bytes], object],
        window_s: float = 0.05,
        region: str = "cn-local",
        interruptions: Interruptions | None = None,
    ) -> None:
        self._subscriptions = [_Subscription(trigger) for trigger in triggers if trigger.enabled]
        self._accept = accept
        self._window_s = window_s
        self._region = region
        self._interruptions = interruptions or Interruptions()
        self._changed = threading.Condition()
        self._handing_over = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="rocketmq", daemon=True)

    def start(self) -> RocketMq:
        self._thread.start()
        return self

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def __enter__(self) -> RocketMq:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def send(self, topic: str, body: str, *, keys: str = "", tags: str = "") -> str:
        """Store a message; returns its id. A topic that no trigger reads forgets it."""
        stored_at = datetime.now(timezone.utc)
        message = Message(uuid.uuid4().hex.upper(), topic, body, keys, tags, stored_at)
        with self._changed:
            for subscription in self._subscriptions:
                if subscription.trigger.topic == topic:
                    if not subscription.waiting:
                        subscription.due_s = time.monotonic() + self._window_s
                    subscription.waiting.append(message)
            self._changed.notify_all()
        return message.message_id

    def drain(self, timeout_s: float) -> bool:
        """Wait until every message was handed over. False if that took too long."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, timeout_s)

    @property
    def idle(self) -> bool:
        with self._changed:
            return self._is_idle()

    def _is_idle(self) -> bool:
        return not self._handing_over and not any(each.waiting for each in self._subscriptions)

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            hand_over = partial(self._hand_over, *batch)
            self._interruptions.repeat("messages", hand_over, self._is_stopping)
            with self._changed:
                self._handing_over = False
                self._changed.notify_all()

    def _is_stopping(self, within_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping, within_s)

    def _hand_over(self, trigger: RocketMqTrigger, messages: list[Message]) -> None:
        payload = rocketmq_payload(messages, schema=trigger.schema, region=self._region)
        try:
            self._accept(trigger.function, payload)
        except EventTooLarge:
            if len(messages) == 1:
                fields = {"topic": trigger.topic, "message_id": messages[0].message_id}
                log.warning("message.too_large", extra=fields)
            else:
                for message in messages:
                    self._hand_over(trigger, [message])

    def _next_batch(self) -> tuple[RocketMqTrigger, list[Message]] | None:
        with self._changed:
            while True:
                now_s = time.monotonic()
                waiting = [each for each in self._subscriptions if each.waiting]
                for subscription in waiting:
                    if self._stopping or self._is_closed(subscription, now_s):
                        return self._take_batch(subscription)
                if self._stopping:
                    return None
                next_due_s = min((each.due_s for each in waiting), default=None)
                self._changed.wait(None if next_due_s is None else max(0.0, next_due_s - now_s))

    def _is_closed(self, subscription: _Subscription, now_s: float) -> bool:
        return subscription.due_s <= now_s or len(subscription.waiting) >= subscription.trigger.batch_size

    def _take_batch(self, subscription: _Subscription) -> tuple[RocketMqTrigger, list[Message]]:
        size = max(1, subscription.trigger.batch_size)
        batch, subscription.waiting = subscription.waiting[:size], subscription.waiting[size:]
        self._handing_over = True
        return subscription.trigger, batch
