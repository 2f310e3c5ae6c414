"""What every action works with: the jobs, the storage, the queue, the quotas and the oddities."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scripts.localcloud.actions.forms import Params
from scripts.localcloud.actions.objects import Objects
from scripts.localcloud.answers.upstream import Silence
from scripts.localcloud.ark.api.refusals import missing, no_such_job
from scripts.localcloud.ark.jobs.job import Job
from scripts.localcloud.ark.jobs.job_faults import ArkFaults
from scripts.localcloud.ark.jobs.job_run import told
from scripts.localcloud.ark.jobs.job_store import JobStore
from scripts.localcloud.ark.jobs.result_folder import publish
from shared.ports.clock import Clock


@dataclass(frozen=True)
class ProjectLimits:
    """A project's quotas, and what the service is strict about.

    Attributes:
        running_jobs: So many run at once; the others queue.
        creates_in_7_days: So many may be created, dry runs not counted.
        wants_output_prefix: Whether the folder of results must exist at a create.
    """

    running_jobs: int = 3
    creates_in_7_days: int = 500
    wants_output_prefix: bool = True


@dataclass(frozen=True)
class ArkService:
    """What actions share. Some oddities last for a number of looks, which are counted here."""

    store: JobStore
    objects: Objects
    faults: ArkFaults
    limits: ProjectLimits
    clock: Clock
    take: Callable[[Job], None]
    waits_for: Callable[[], Silence | None]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _looks: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def now(self) -> int:
        return int(self.clock.now().timestamp())

    def named(self, params: Params) -> Job:
        """The job that ``Id`` names; its place in the queue does not outlast its window.

        Raises:
            Refusal: There is no ``Id``, or no such job.
        """
        job_id = params.get("Id")
        if not isinstance(job_id, str) or not job_id:
            raise missing("Id")
        job = self.store.job(job_id)
        if job is None or job.is_deleted:
            raise no_such_job(job_id)
        return self.in_time(job)

    def in_time(self, job: Job) -> Job:
        if job.phase == "Queued" and self.now >= job.expires_at:
            return self.store.update(job.id, phase="Terminated", phase_at=self.now, updated_at=self.now)
        return job

    def shown_alone(self, job: Job) -> dict[str, Any]:
        fault = self.store.fault_of(job.id)
        if fault.odd_phase and self.count("odd", job) <= fault.odd_phase_gets:
            shown = job.shown(is_alone=True)
            return shown | {"Status": shown["Status"] | {"Phase": fault.odd_phase}}
        if job.is_terminal and not job.is_published and self.count("ended", job) > fault.late_gets > 0:
            is_cut_short = job.phase == "Terminated"
            job = publish(job, fault, self.store, self.objects, is_cut_short=is_cut_short)
        silence = self.waits_for() if job.phase == "Running" else None
        if silence:
            job = job.model_copy(update={"message": told(silence)})
        return job.shown(is_alone=True, counts_failed=not fault.failed_not_completed)

    def count(self, look: str, job: Job) -> int:
        with self._lock:
            looks = self._looks.setdefault(look, Counter())
            looks[job.id] += 1
            return looks[job.id]
