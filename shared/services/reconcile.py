"""The timer's work: whatever is overdue in any prefix is brought up again. It alone can finish every job."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.errors import ConfigurationError, PipelineError
from shared.domain.events import UploadedObject
from shared.ports import BatchProvider, Clock, ObjectStore
from shared.services.find_lost_uploads import FindLostUploads
from shared.services.poll_running import PollRunning
from shared.services.repair_again import RepairAgain
from shared.services.repair_finished import RepairFinished
from shared.services.repair_ready import RepairReady
from shared.services.repair_step import RepairStep
from shared.services.resume_open_jobs import ResumeOpenJobs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Overdue:
    """How old a ticket or an inbox file may be before the timer acts on it."""

    ready: timedelta
    poll: timedelta
    finished: timedelta
    inbox: timedelta

    @classmethod
    def from_seconds(cls, ready: int, poll: int, finished: int, inbox: int) -> Overdue:
        return cls(*(timedelta(seconds=seconds) for seconds in (ready, poll, finished, inbox)))


@dataclass(frozen=True)
class Reconcile:
    """One run of the timer. It repairs by putting tickets again, so that the work itself stays with its function.

    Attributes:
        validate: Has an upload validated whose event was lost; says ``WAITING`` if it did so lately.
        budget: How long one run may take; what is left waits for the next run.
    """

    store: ObjectStore
    provider: BatchProvider
    clock: Clock
    overdue: Overdue
    validate: Callable[[UploadedObject], str]
    bucket: str
    budget: timedelta

    def __call__(self) -> dict[str, int]:
        """Run once and return the repairs by kind; anything but zero means that an event was lost or is late."""
        stop_at = self.clock.now() + self.budget
        repairs: Counter[str] = Counter()
        for step in self._steps():
            for is_repaired in self._looks(step):
                if is_repaired:
                    repairs[step.name] += 1
                if self.clock.now() > stop_at:
                    log.warning("reconcile.cut_short", extra={"repairs": dict(repairs)})
                    return dict(repairs)
        log.info("reconcile.finished", extra={"repairs": dict(repairs)})
        return dict(repairs)

    def _steps(self) -> tuple[RepairStep, ...]:
        store, clock, overdue = self.store, self.clock, self.overdue
        return (
            RepairFinished(store, clock, overdue.finished),
            RepairReady(store, clock, overdue.ready),
            PollRunning(store, self.provider, clock, overdue.poll),
            ResumeOpenJobs(store, clock),
            RepairAgain(store, clock, overdue.inbox),
            FindLostUploads(store, clock, overdue.inbox, self.validate, self.bucket),
        )

    def _looks(self, step: RepairStep) -> Iterator[bool]:
        """Whether each object that was looked at was repaired."""
        for head in step.overdue():
            try:
                yield step.look(head)
            except ConfigurationError:  # noqa: PERF203  # one odd object must not stop the others
                # The key, the region or the account: the next one would be refused the same way.
                log.exception("repair.refused", extra={"step": step.name, "key": head.key})
                return
            except PipelineError as error:
                log.warning("repair.failed", extra={"step": step.name, "key": head.key, "reason": str(error)})
                yield False
