"""What fires events on this machine: EventBridge with its queue, and the timers."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

from scripts.localcloud.events.eventbridge import EventBridge
from scripts.localcloud.events.rocketmq import RocketMq
from scripts.localcloud.events.timers import Timers
from scripts.localcloud.events.triggers import CloudEvent
from scripts.localcloud.fc.invocations import AsyncInvoker
from scripts.localcloud.interruptions import Interruptions
from scripts.localcloud.options import REGION
from scripts.template.stack import EventBridgeTrigger, RocketMqTrigger, Stack, TimerTrigger


@dataclass
class LocalEvents:
    """As the stack's triggers say; before the start, and where it has none, events reach nobody."""

    timer_interval_s: float
    interruptions: Interruptions
    _eventbridge: EventBridge | None = field(default=None, init=False)

    def publish(self, event: CloudEvent) -> list[str]:
        return self._eventbridge.publish(event) if self._eventbridge else []

    def start(self, stack: Stack, invoker: AsyncInvoker, running: ExitStack) -> None:
        """Start all of them; ``running`` stops them."""
        rocketmq = RocketMq(
            triggers=[each for each in stack.triggers if isinstance(each, RocketMqTrigger)],
            accept=invoker.accept,
            region=REGION,
            interruptions=self.interruptions,
        )
        self._eventbridge = EventBridge(
            accept=invoker.accept,
            triggers=[each for each in stack.triggers if isinstance(each, EventBridgeTrigger)],
            rules=stack.rules,
            rocketmq=rocketmq,
        )
        timers = Timers(
            triggers=[each for each in stack.triggers if isinstance(each, TimerTrigger)],
            accept=invoker.accept,
            is_pending=invoker.is_pending,
            interval_s=self.timer_interval_s,
            interruptions=self.interruptions,
        )
        running.callback(rocketmq.stop)
        rocketmq.start()
        running.callback(timers.stop)
        timers.start()
