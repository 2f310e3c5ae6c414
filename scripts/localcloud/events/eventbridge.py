"""The default event bus: delivers the events that match to functions and topics."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable

from scripts.localcloud.events.payloads import (
    eventbridge_payload,
    message_body,
    message_keys,
    message_tags,
    topic_of,
)
from scripts.localcloud.events.rocketmq import RocketMq
from scripts.localcloud.events.triggers import CloudEvent, matching
from scripts.template.stack import EventBridgeTrigger, EventRule, RuleTarget

log = logging.getLogger(__name__)

# https://www.alibabacloud.com/help/en/eventbridge/product-overview/limits
MAX_EVENT_BYTES = 256 * 1024
REQUIRED_ATTRIBUTES = ("id", "source", "specversion", "type")


class EventRefused(ValueError):
    """EventBridge does not take this event."""


class EventBridge:
    """Delivers through ``accept(function, payload)``, with every invocation's retries and faults.

    ``streaming`` gives every trigger arrays of events, as event-streaming mode does.
    """

    def __init__(
        self,
        *,
        accept: Callable[[str, bytes], object],
        triggers: Iterable[EventBridgeTrigger] = (),
        rules: Iterable[EventRule] = (),
        rocketmq: RocketMq | None = None,
        streaming: bool = False,
    ) -> None:
        self._accept = accept
        self._triggers = tuple(triggers)
        self._rules = tuple(rules)
        self._rocketmq = rocketmq
        self._streaming = streaming

    def publish(self, event: CloudEvent) -> list[str]:
        """Deliver ``event``; returns the triggers and rules that matched, by name.

        Raises:
            EventRefused: An attribute is missing or the event exceeds ``MAX_EVENT_BYTES``.
        """
        missing = [name for name in REQUIRED_ATTRIBUTES if not event.get(name)]
        if missing:
            raise EventRefused(f"the event lacks {', '.join(missing)}")
        if len(json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")) > MAX_EVENT_BYTES:
            raise EventRefused(f"the event exceeds {MAX_EVENT_BYTES} bytes")
        triggers = matching(self._triggers, event)
        rules = matching(self._rules, event)
        for trigger in triggers:
            payload = eventbridge_payload(event, schema=trigger.schema, streaming=self._streaming)
            self._accept(trigger.function, payload)
        for rule in rules:
            for target in rule.targets:
                self._send(rule, target, event)
        return [*(trigger.name for trigger in triggers), *(rule.name for rule in rules)]

    def _send(self, rule: EventRule, target: RuleTarget, event: CloudEvent) -> None:
        if target.kind != "acs.rocketmq" or self._rocketmq is None:
            log.warning("rule_target.skipped", extra={"rule": rule.name, "kind": target.kind})
            return
        self._rocketmq.send(
            topic_of(target),
            message_body(target, event),
            keys=message_keys(target, event),
            tags=message_tags(target, event),
        )
