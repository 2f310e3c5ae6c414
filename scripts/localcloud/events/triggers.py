"""Which functions an event concerns: the filters of triggers and rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

from scripts.localcloud.events.patterns import matches
from scripts.template.stack import EventBridgeTrigger, EventRule, OssTrigger

CloudEvent: TypeAlias = Mapping[str, Any]
SubscriptionT = TypeVar("SubscriptionT", EventBridgeTrigger, EventRule)


def functions_for_object(triggers: Iterable[OssTrigger], event_name: str, key: str) -> list[str]:
    """The functions that a native OSS event starts, in the triggers' order.

    Prefix and suffix are literal and see the raw key, not its URL-encoded form. The event's own
    name lacks the ``oss:`` of the configuration
    (https://www.alibabacloud.com/help/en/functioncompute/fc/oss-triggers).
    """
    return [
        trigger.function
        for trigger in triggers
        if any(_names(configured, event_name) for configured in trigger.events)
        and key.startswith(trigger.prefix)
        and key.endswith(trigger.suffix)
    ]


def matching(subscriptions: Iterable[SubscriptionT], event: CloudEvent) -> list[SubscriptionT]:
    """The enabled triggers or rules whose pattern the event matches."""
    return [each for each in subscriptions if each.enabled and matches(each.pattern, event)]


def _names(configured: str, event_name: str) -> bool:
    wanted = configured.removeprefix("oss:")
    if wanted.endswith(":*"):
        return event_name.startswith(wanted.removesuffix("*"))
    return event_name == wanted
