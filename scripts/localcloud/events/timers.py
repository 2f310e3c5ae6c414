"""Timer triggers: fires each at the options' interval, never while its last event is under way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timezone

from scripts.localcloud.events.payloads import timer_payload
from scripts.localcloud.interruptions import Interruptions
from scripts.template.stack import TimerTrigger

log = logging.getLogger(__name__)


class Timers:
    """One thread for all timers. Schedules count only in the cloud: nobody here waits a minute.

    ``accept(function, payload)`` returns a request id; while ``is_pending(request_id)`` a timer
    skips its turns.
    """

    def __init__(
        self,
        *,
        triggers: Iterable[TimerTrigger],
        accept: Callable[[str, bytes], str],
        is_pending: Callable[[str], bool],
        interval_s: float,
        interruptions: Interruptions | None = None,
    ) -> None:
        self._accept = accept
        self._is_pending = is_pending
        self._interval_s = interval_s
        self._interruptions = interruptions or Interruptions()
        self._triggers = [trigger for trigger in triggers if trigger.enabled]
        self._request_ids: dict[str, str] = {}  # of each timer's last event
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    def start(self) -> Timers:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Fire nothing more."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def __enter__(self) -> Timers:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            for trigger in self._triggers:
                with self._interruptions.outlived("timers"):
                    self._fire(trigger)

    def _fire(self, trigger: TimerTrigger) -> None:
        last = self._request_ids.get(trigger.name)
        if last is not None and self._is_pending(last):
            log.info("timer.skipped", extra={"timer": trigger.name})
            return
        payload = timer_payload(trigger, datetime.now(timezone.utc))
        self._request_ids[trigger.name] = self._accept(trigger.function, payload)
