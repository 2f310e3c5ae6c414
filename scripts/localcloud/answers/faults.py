"""Faults on demand for a local provider's next batches and calls."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict


class StruckBatch(BaseModel):
    """What goes wrong with a batch; each provider adds what can.

    Attributes:
        match: Part of the name of the batches that it strikes; empty for any batch.
        times: How many batches it strikes; ``None`` for all from now on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    match: str = ""
    times: int | None = 1


class CallFault(BaseModel):
    """What goes wrong with the next ``times`` calls of one route.

    Attributes:
        route: Of Bailian ``files.`` upload, list, retrieve, delete, content; ``batches.`` create,
            list, retrieve, cancel; ``real_time.`` chat, embeddings. Of Ark and TI-ONE the name of
            an action, and of Ark ``real_time.`` chat, embeddings.
        status: Answered in place of the real answer; ``None`` only delays.
        code: The error's code.
        message: The error's message.
        times: How many calls.
        after: Carry the call out first, then answer ``status`` all the same.
        cut: Carry the call out, and hang up in the middle of the real answer.
        dashscope: Answer in the platform's error shape instead of OpenAI's.
        delay_s: Wait before answering.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    route: str
    status: int | None = 500
    code: str = "internal_error"
    message: str = "A fault was asked for."
    times: int = 1
    after: bool = False
    cut: bool = False
    dashscope: bool = False
    delay_s: float = 0.0


Struck = TypeVar("Struck", bound=StruckBatch)


class Faults(Generic[Struck]):
    """The faults still to happen; safe to use from any thread.

    Args:
        none: The fault that does nothing.
    """

    def __init__(self, none: Struck) -> None:
        self._none = none
        self._lock = threading.Lock()
        self._batches: list[Struck] = []
        self._calls: list[CallFault] = []
        self._running = threading.Event()
        self._running.set()

    @property
    def paused(self) -> bool:
        """While set, no batch moves on; cancelling still works."""
        return not self._running.is_set()

    @paused.setter
    def paused(self, value: bool) -> None:
        if value:
            self._running.clear()
        else:
            self._running.set()

    def add(self, *faults: Struck | CallFault) -> None:
        with self._lock:
            for fault in faults:
                if isinstance(fault, CallFault):
                    self._calls.append(fault)
                else:
                    self._batches.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._batches.clear()
            self._calls.clear()
        self.paused = False

    def take_for_batch(self, name: str) -> Struck:
        """The oldest fault meant for a new batch of this name, or one without any effect."""
        with self._lock:
            for index, fault in enumerate(self._batches):
                if fault.match in name:
                    if fault.times is not None:
                        self._batches[index : index + 1] = _once_less(fault)
                    return fault
        return self._none

    def take_for_call(self, route: str) -> CallFault | None:
        with self._lock:
            for index, fault in enumerate(self._calls):
                if fault.route == route:
                    self._calls[index : index + 1] = _call_once_less(fault)
                    return fault
        return None


class FaultOrder(BaseModel, Generic[Struck]):
    """The body of ``POST /_faults``: ``clear`` comes first, then the rest is added."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clear: bool = False
    paused: bool | None = None
    batches: tuple[Struck, ...] = ()
    calls: tuple[CallFault, ...] = ()

    def give_to(self, faults: Faults[Struck]) -> None:
        if self.clear:
            faults.clear()
        if self.paused is not None:
            faults.paused = self.paused
        faults.add(*self.batches, *self.calls)


def _once_less(fault: Struck) -> list[Struck]:
    left = (fault.times or 1) - 1
    return [fault.model_copy(update={"times": left})] if left else []


def _call_once_less(fault: CallFault) -> list[CallFault]:
    return [fault.model_copy(update={"times": fault.times - 1})] if fault.times > 1 else []
