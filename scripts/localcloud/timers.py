"""Timer triggers: fires each on its schedule, or faster on a laptop, and never while its last event is under way."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import TracebackType

from scripts.localcloud.payloads import timer_payload
from scripts.localcloud.routing import TimerTrigger

log = logging.getLogger(__name__)


@dataclass
class _Alarm:
    """A trigger, when it fires next, and the request id of its last event."""

    trigger: TimerTrigger
    fires_at: datetime
    request_id: str | None = None


class _Time:
    """The timers' own time: begins now, runs on the monotonic clock, ``speed`` times as fast."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began_at = datetime.now(timezone.utc)
        self._began_s = time.monotonic()

    def now(self) -> datetime:
        return self._began_at + timedelta(seconds=(time.monotonic() - self._began_s) * self._speed)

    def wait_s(self, until: datetime) -> float:
        return max(0.0, (until - self.now()).total_seconds() / self._speed)


class Timers:
    """One thread for all timers.

    ``accept(function, payload)`` returns a request id; while ``is_pending(request_id)`` a timer skips its turns.
    ``next_fire(expression, after)`` reads the schedule; with ``interval_s`` every timer fires that often instead.
    """

    def __init__(
        self,
        *,
        triggers: Iterable[TimerTrigger],
        accept: Callable[[str, bytes], str],
        is_pending: Callable[[str], bool],
        next_fire: Callable[[str, datetime], datetime],
        interval_s: float | None = None,
        speed: float = 1.0,
    ) -> None:
        self._accept = accept
        self._is_pending = is_pending
        self._next_fire = next_fire
        self._interval_s = interval_s
        self._time = _Time(speed)
        began_at = self._time.now()
        enabled = [trigger for trigger in triggers if trigger.enabled]
        self._alarms = [_Alarm(trigger, self._next_at(trigger, began_at)) for trigger in enabled]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    def start(self) -> Timers:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Fire nothing more; at once."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def __enter__(self) -> Timers:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while self._alarms:
            alarm = min(self._alarms, key=lambda each: each.fires_at)
            if self._stopped.wait(self._time.wait_s(alarm.fires_at)):
                return
            self._fire(alarm)

    def _fire(self, alarm: _Alarm) -> None:
        if alarm.request_id is not None and self._is_pending(alarm.request_id):
            log.info("timer.skipped", extra={"timer": alarm.trigger.name})
        else:
            payload = timer_payload(alarm.trigger, alarm.fires_at)
            alarm.request_id = self._accept(alarm.trigger.function, payload)
        alarm.fires_at = self._next_at(alarm.trigger, alarm.fires_at)
        if alarm.fires_at <= self._time.now():  # turns missed while the machine was busy are not made up for
            alarm.fires_at = self._next_at(alarm.trigger, self._time.now())

    def _next_at(self, trigger: TimerTrigger, after: datetime) -> datetime:
        if self._interval_s is not None:
            return after + timedelta(seconds=self._interval_s)
        return self._next_fire(trigger.cron_expression, after)
