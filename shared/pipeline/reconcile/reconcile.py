"""One run of the timer. It starts again whatever is overdue, and alone can finish every job."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import TIMER_CURSOR
from shared.bucket.money import Money
from shared.bucket.tickets import TimerCursor
from shared.events.oss import UploadedObject
from shared.pipeline.quota.admission import WaitingLists
from shared.pipeline.reconcile.lull import Lull
from shared.pipeline.reconcile.repairs.lost_uploads import Asked, FindLostUploads
from shared.pipeline.reconcile.repairs.poll_running import PollRunning
from shared.pipeline.reconcile.repairs.repair_tickets import (
    AdmitWaiting,
    RepairAgain,
    RepairFinished,
    RepairReady,
)
from shared.pipeline.reconcile.repairs.resume_open_jobs import ResumeOpenJobs, SweepApprovals
from shared.pipeline.reconcile.repairs.retry_words import RetryWords
from shared.pipeline.reconcile.repairs.sweep_files import SweepFiles
from shared.pipeline.reconcile.repairs.sweep_slots import SweepSlots
from shared.pipeline.reconcile.round_robin import RoundRobin
from shared.pipeline.reconcile.step import RepairStep
from shared.ports.clock import Clock
from shared.ports.providers import Providers
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Overdue:
    """How old tickets and inbox files may be before the timer acts; how often files are swept."""

    ready: timedelta
    poll: timedelta
    finished: timedelta
    inbox: timedelta
    files: timedelta

    @classmethod
    def from_seconds(cls, ready: float, poll: float, finished: float, inbox: float, files: float) -> Overdue:
        return cls(*(timedelta(seconds=seconds) for seconds in (ready, poll, finished, inbox, files)))


@dataclass(frozen=True)
class Reconcile:
    """One run of the timer. It only puts tickets; the work itself stays with its function.

    Attributes:
        validate: Asks for the validation of an upload whose event was lost.
        budget: How long one run may take. The next run goes on where this one stopped.
        lull: Learns whether there is anything that a run must look at soon.
        month_budget: What the stack allows all files in a month.
    """

    store: ObjectStore
    providers: Providers
    clock: Clock
    overdue: Overdue
    validate: Callable[[UploadedObject], Asked]
    bucket: str
    budget: timedelta
    lull: Lull
    month_budget: Money | None = None

    def __call__(self) -> dict[str, int]:
        """Run once and return the repairs by kind. Each means that an event was lost or is late."""
        records = BucketRecords(self.store)
        stop_at = self.clock.now() + self.budget
        cursor = records.find(TIMER_CURSOR, TimerCursor) or TimerCursor()
        swept = dict(cursor.files_swept)
        turns = RoundRobin(
            self.clock, stop_at, dict(cursor.stopped_after), cursor.last_step, slow_before=cursor.slow
        )
        try:
            turns(self._steps(swept))
        finally:
            reached = TimerCursor(
                stopped_after=turns.stopped_after,
                last_step=turns.last_step,
                slow=tuple(sorted(turns.slow)),
                files_swept=swept,
            )
            if reached != cursor.model_copy(update={"made_by": ""}):
                self.store.put(TIMER_CURSOR, reached.to_bytes())
        self.lull.all_rests &= not turns.is_cut_short
        repairs = _by_kind(turns.repairs)
        log.log(
            logging.WARNING if turns.is_cut_short else logging.INFO,
            "reconcile.cut_short" if turns.is_cut_short else "reconcile.finished",
            extra={"repairs": repairs, "looks": turns.looks, "unfinished": sorted(turns.stopped_after)},
        )
        return repairs

    def _steps(self, swept: dict[str, datetime]) -> tuple[RepairStep, ...]:
        store, clock, overdue = self.store, self.clock, self.overdue
        lists = WaitingLists(store, self.providers.pools)
        return (
            SweepSlots(store, clock, overdue.finished, lists),
            RepairFinished(store, clock, overdue.finished),
            AdmitWaiting(store, clock, lists),
            RepairReady(store, clock, overdue.ready, lists, self.month_budget),
            *(
                PollRunning(store, provider, clock, overdue.poll, self.providers)
                for provider in self.providers
            ),
            ResumeOpenJobs(store, clock),
            SweepApprovals(store, clock),
            RepairAgain(store, clock, overdue.inbox),
            RetryWords(store, clock),
            FindLostUploads(store, clock, overdue.inbox, self.validate, self.bucket, self.lull),
            *(SweepFiles(store, provider, clock, overdue.files, swept) for provider in self.providers),
        )


def _by_kind(repairs: Mapping[str, int]) -> dict[str, int]:
    """The repairs of all providers together; a step's name begins with its kind."""
    by_kind: Counter[str] = Counter()
    for name, count in repairs.items():
        by_kind[name.partition(" ")[0]] += count
    return dict(+by_kind)
