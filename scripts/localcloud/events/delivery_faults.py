"""Deliveries that go wrong on demand: twice, never, late or in another order."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(Enum):
    """What can happen to a delivery."""

    DUPLICATE = "duplicate"
    DROP = "drop"
    DELAY = "delay"
    REORDER = "reorder"


class FaultRule(BaseModel):
    """One fault and the events that it strikes; also the JSON that ``POST /faults`` takes.

    Attributes:
        function: Only events for this function; ``None`` means all.
        contains: Only events that hold this text.
        probability: Of striking an event that matches.
        times: How many events it strikes before it is spent; ``None`` means no end.
        copies: For ``duplicate``: deliveries in all.
        delay_s: For ``delay``, how long; for ``reorder``, the width of the window in which events
            change places.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    function: str | None = None
    contains: str | None = None
    probability: float = Field(default=1.0, ge=0, le=1)
    times: int | None = Field(default=None, ge=1)
    copies: int = Field(default=2, ge=1, le=100)
    delay_s: float = Field(default=0.5, ge=0, le=3600)


@dataclass
class _ActiveRule:
    rule: FaultRule
    struck: int = 0


class DeliveryFaults:
    """Decides how often and when each accepted event is delivered; without rules once, at once.

    Thread-safe.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._rules: list[_ActiveRule] = []
        self._lock = threading.Lock()

    def add(self, rule: FaultRule) -> None:
        with self._lock:
            self._rules.append(_ActiveRule(rule))

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def deliveries(self, function: str, event: bytes) -> tuple[float, ...]:
        """The delay in seconds of each delivery of this event; empty if it gets lost."""
        delays = [0.0]
        with self._lock:
            for active in self._rules:
                if self._strikes(active, function, event):
                    delays = self._apply(active, delays)
                    active.struck += 1
        return tuple(delays)

    def _strikes(self, active: _ActiveRule, function: str, event: bytes) -> bool:
        rule = active.rule
        if rule.times is not None and active.struck >= rule.times:
            return False
        if rule.function is not None and rule.function != function:
            return False
        if rule.contains is not None and rule.contains.encode("utf-8") not in event:
            return False
        return self._random.random() < rule.probability

    def _apply(self, active: _ActiveRule, delays: list[float]) -> list[float]:
        rule = active.rule
        if rule.kind is FaultKind.DROP:
            return []
        if rule.kind is FaultKind.DUPLICATE:
            return delays * rule.copies
        if rule.kind is FaultKind.DELAY:
            return [delay + rule.delay_s for delay in delays]
        if rule.times is None:
            return [delay + self._random.uniform(0, rule.delay_s) for delay in delays]
        # The next ``times`` events surely arrive last first, if they are accepted within one step.
        step_s = rule.delay_s / rule.times
        return [delay + (rule.times - active.struck) * step_s for delay in delays]
