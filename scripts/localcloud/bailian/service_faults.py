"""Faults on demand for the next batches and calls, set from Python or by ``POST /_faults``."""

from __future__ import annotations

import threading
from typing import Literal

from pydantic import BaseModel, ConfigDict


class BatchFault(BaseModel):
    """What goes wrong with the batches that it strikes; all of it combines.

    Attributes:
        match: Part of the ``ds_name`` of the batches that it strikes; empty for any batch.
        times: How many batches it strikes; ``None`` for all from now on.
        outcome: ``fail`` refuses the file at validation; ``expire`` and ``cancel`` end the batch
            after ``after_rows`` rows (half of them if not given); ``half_fail`` fails every second
            row, in turn in the error file and in the output file.
        fail_code: The validation code for ``fail``.
        fail_message: Its message.
        after_rows: See ``outcome``.
        report_unprocessed: Whether an expired batch lists its unprocessed rows in the error file.
        lose_lines: How many answered rows are written nowhere (they count as completed).
        repeat_lines: How many output lines appear twice.
        unknown_lines: How many output lines carry a custom_id that nobody sent.
        late_output_gets: How many GETs of the finished batch show no output or error file.
        missing_output: The output file is named, but does not exist.
        unseen_gets: How many GETs after the creation answer 404.
        unlisted_lists: How many list calls leave the batch out.
        cut_connection: Create the batch and hang up without an answer.
        odd_status: An unknown status word, shown by the first ``odd_status_gets`` GETs.
        odd_status_gets: See ``odd_status``.
        callbacks: How often the callback URL is called.
        events: How often ``on_finished`` is called.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    match: str = ""
    times: int | None = 1
    outcome: Literal["fail", "expire", "cancel", "half_fail"] | None = None
    fail_code: str = "internal_error"
    fail_message: str = "The batch could not be validated."
    after_rows: int | None = None
    report_unprocessed: bool = False
    lose_lines: int = 0
    repeat_lines: int = 0
    unknown_lines: int = 0
    late_output_gets: int = 0
    missing_output: bool = False
    unseen_gets: int = 0
    unlisted_lists: int = 0
    cut_connection: bool = False
    odd_status: str = ""
    odd_status_gets: int = 1
    callbacks: int = 1
    events: int = 1


class CallFault(BaseModel):
    """What goes wrong with the next ``times`` calls of one route.

    Attributes:
        route: ``files.`` upload, list, retrieve, delete, content; ``batches.`` create, list,
            retrieve, cancel.
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


class FaultOrder(BaseModel):
    """The body of ``POST /_faults``: ``clear`` comes first, then the rest is added."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clear: bool = False
    paused: bool | None = None
    batches: tuple[BatchFault, ...] = ()
    calls: tuple[CallFault, ...] = ()


class Faults:
    """The faults still to happen; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batches: list[BatchFault] = []
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

    def add(self, *faults: BatchFault | CallFault) -> None:
        with self._lock:
            for fault in faults:
                if isinstance(fault, BatchFault):
                    self._batches.append(fault)
                else:
                    self._calls.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._batches.clear()
            self._calls.clear()
        self.paused = False

    def obey(self, order: FaultOrder) -> None:
        if order.clear:
            self.clear()
        if order.paused is not None:
            self.paused = order.paused
        self.add(*order.batches, *order.calls)

    def take_for_batch(self, name: str) -> BatchFault:
        """The oldest fault meant for a new batch of this name, or one without any effect."""
        with self._lock:
            for index, fault in enumerate(self._batches):
                if fault.match in name:
                    if fault.times is not None:
                        self._batches[index : index + 1] = _once_less(fault)
                    return fault
        return BatchFault()

    def take_for_call(self, route: str) -> CallFault | None:
        with self._lock:
            for index, fault in enumerate(self._calls):
                if fault.route == route:
                    self._calls[index : index + 1] = _call_once_less(fault)
                    return fault
        return None


def _once_less(fault: BatchFault) -> list[BatchFault]:
    left = (fault.times or 1) - 1
    return [fault.model_copy(update={"times": left})] if left else []


def _call_once_less(fault: CallFault) -> list[CallFault]:
    return [fault.model_copy(update={"times": fault.times - 1})] if fault.times > 1 else []
