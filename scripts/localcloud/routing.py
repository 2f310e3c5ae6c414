"""Which functions an event concerns: the triggers as protocols, and their filters as pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

CloudEvent: TypeAlias = Mapping[str, Any]
# Whether an EventBridge pattern (first) matches an event (second).
Matcher: TypeAlias = Callable[[Mapping[str, Any], CloudEvent], bool]


class Trigger(Protocol):
    """What every trigger has; ``function`` is the name by which the function is invoked."""

    @property
    def function(self) -> str: ...
    @property
    def name(self) -> str: ...


class OssTrigger(Trigger, Protocol):
    """Object events; ``events`` are named as in the configuration, ``oss:ObjectCreated:PutObject``."""

    @property
    def events(self) -> Sequence[str]: ...
    @property
    def prefix(self) -> str: ...
    @property
    def suffix(self) -> str: ...


class HttpTrigger(Trigger, Protocol):
    """A function's URL; other methods than ``methods`` are refused."""

    @property
    def methods(self) -> Sequence[str]: ...


class TimerTrigger(Trigger, Protocol):
    """A clock; ``cron_expression`` is ``@every 10m`` or six fields."""

    @property
    def cron_expression(self) -> str: ...
    @property
    def payload(self) -> str: ...
    @property
    def enabled(self) -> bool: ...


class EventBridgeTrigger(Trigger, Protocol):
    """Events of the default bus; ``schema`` is ``CloudEvents`` or ``RawData``."""

    @property
    def pattern(self) -> Mapping[str, Any]: ...
    @property
    def schema(self) -> str: ...
    @property
    def enabled(self) -> bool: ...


class RocketMqTrigger(Trigger, Protocol):
    """Messages of a topic, at most ``batch_size`` at once."""

    @property
    def topic(self) -> str: ...
    @property
    def schema(self) -> str: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def batch_size(self) -> int: ...


class RuleTarget(Protocol):
    """Where a rule sends events; ``parameters`` maps a resource key to its form and value."""

    @property
    def kind(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, tuple[str, str]]: ...


class EventRule(Protocol):
    """An EventBridge rule with targets other than FC triggers."""

    @property
    def name(self) -> str: ...
    @property
    def pattern(self) -> Mapping[str, Any]: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def targets(self) -> Sequence[RuleTarget]: ...


class _Patterned(Protocol):
    @property
    def pattern(self) -> Mapping[str, Any]: ...
    @property
    def enabled(self) -> bool: ...


PatternedT = TypeVar("PatternedT", bound=_Patterned)


def functions_for_object(triggers: Iterable[OssTrigger], event_name: str, key: str) -> list[str]:
    """The functions that a native OSS event invokes, in the triggers' order.

    Prefix and suffix are literal and see the raw key, not its URL-encoded form; the event's own name lacks the
    ``oss:`` of the configuration (https://www.alibabacloud.com/help/en/functioncompute/fc/oss-triggers).
    """
    return [
        trigger.function
        for trigger in triggers
        if any(_names(configured, event_name) for configured in trigger.events)
        and key.startswith(trigger.prefix)
        and key.endswith(trigger.suffix)
    ]


def matching(subscriptions: Iterable[PatternedT], event: CloudEvent, matches: Matcher) -> list[PatternedT]:
    """The enabled triggers or rules whose pattern the event matches."""
    return [each for each in subscriptions if each.enabled and matches(each.pattern, event)]


def _names(configured: str, event_name: str) -> bool:
    wanted = configured.removeprefix("oss:")
    if wanted.endswith(":*"):
        return event_name.startswith(wanted.removesuffix("*"))
    return event_name == wanted
