"""A deployed stack as typed values: functions, their triggers, and how deliveries are repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from scripts.localcloud.access.ram import Statement
from scripts.localcloud.oss.web.cors import CorsRule


@dataclass(frozen=True)
class FunctionSpec:
    """One function.

    ``folder`` is below ``functions/``, taken from the name of its zip. ``statements`` are those of
    its role's own policies: here the system policies of a role allow nothing.
    """

    logical_id: str
    name: str
    folder: str
    runtime: str
    handler: str
    timeout_s: int
    memory_mb: int
    environment: Mapping[str, str] = field(repr=False)  # holds secrets
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class OssTrigger:
    """Object events, named as in the template; in an event itself the name has no ``oss:``."""

    logical_id: str
    name: str
    function: str  # the function's logical id, as in every trigger
    events: tuple[str, ...]
    prefix: str
    suffix: str


@dataclass(frozen=True)
class HttpTrigger:
    """``auth`` is ``anonymous``, ``function`` or ``jwt``."""

    logical_id: str
    name: str
    function: str
    methods: tuple[str, ...]
    auth: str


@dataclass(frozen=True)
class TimerTrigger:
    """``cron_expression`` is for the cloud: here the options say how often timers fire."""

    logical_id: str
    name: str
    function: str
    cron_expression: str
    payload: str
    enabled: bool


@dataclass(frozen=True)
class EventBridgeTrigger:
    """Default bus events that match ``pattern``; ``schema`` is ``CloudEvents`` or ``RawData``."""

    logical_id: str
    name: str
    function: str
    pattern: Mapping[str, Any]
    schema: str
    enabled: bool


@dataclass(frozen=True)
class RocketMqTrigger:
    """Messages of a topic, delivered as an array of at most ``batch_size``."""

    logical_id: str
    name: str
    function: str
    instance_id: str
    topic: str
    schema: str
    enabled: bool
    batch_size: int


Trigger: TypeAlias = OssTrigger | HttpTrigger | TimerTrigger | EventBridgeTrigger | RocketMqTrigger


@dataclass(frozen=True)
class RuleTarget:
    """Where a rule sends its events. ``parameters`` maps a resource key to its form and value."""

    kind: str
    endpoint: str
    parameters: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class EventRule:
    """An EventBridge rule of ours (the rules behind FC triggers are not in the template)."""

    logical_id: str
    name: str
    pattern: Mapping[str, Any]
    enabled: bool
    targets: tuple[RuleTarget, ...]


@dataclass(frozen=True)
class AsyncConfig:
    """How Function Compute repeats asynchronous invocations, and where those go that failed."""

    max_retries: int = 3
    max_age_s: int = 18_000
    on_failure: str = ""


@dataclass(frozen=True)
class Stack:
    """Everything the local cloud needs; functions and their configs go by logical id."""

    bucket: str
    functions: tuple[FunctionSpec, ...]
    triggers: tuple[Trigger, ...]
    rules: tuple[EventRule, ...]
    async_configs: Mapping[str, AsyncConfig]
    cors_rules: tuple[CorsRule, ...] = ()
    bucket_tags: Mapping[str, str] = field(default_factory=dict)

    def function(self, logical_id: str) -> FunctionSpec:
        return next(spec for spec in self.functions if spec.logical_id == logical_id)

    def triggers_of(self, logical_id: str) -> Iterator[Trigger]:
        return (trigger for trigger in self.triggers if trigger.function == logical_id)
