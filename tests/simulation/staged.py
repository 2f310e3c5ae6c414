"""What the services have in common whose batches read and write a bucket of ours."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.ports.provider import BatchProblem, BatchRequest, BatchStatus
from shared.problems.exceptions import PipelineError, TransientError
from tests.simulation.kernel import Kernel
from tests.simulation.service import Batch, Service
from tests.support.fakes import START, MemoryStore

_INITIALIZING_S = 4 * 3600.0
_FOREIGN_S = 2 * 3600.0


class StagingBucket(MemoryStore):
    """The bucket in which a service writes its results when their time has come."""

    def __init__(self, kernel: Kernel, service: StagedService) -> None:
        super().__init__(TrueClock(kernel))
        self._service = service

    def _call(self, what: str, key: str) -> None:
        self._service.called_by_store(what, key)

    def _done(self, what: str, key: str) -> None:
        if self._service.strikes("upload_fails_after", key, 0.2):
            raise TransientError(f"{what} {key}: no answer, but it was done")

    def hold(self, key: str, content: bytes) -> None:
        """What the service writes: no call of ours."""
        self._write(key, content, if_absent=False)


class TrueClock:
    """A service's own time, which is right."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def now(self) -> datetime:
        return START + timedelta(seconds=self._kernel.now_s)


@dataclass
class Job:
    """What a service keeps of a batch, in its own words, beside what will become of it.

    Attributes:
        batch: ``None`` if it is somebody else's.
        begins_s: When it is no longer queued.
        runs_s: When it is no longer initializing.
        expires_s: When the service ends it, if it does.
        phase: Of a job that ended otherwise than its status says.
        written: How many lines of each file lie there.
        torn: What stands behind the last line of a file.
    """

    job_id: str
    name: str
    input_key: str
    folder: str
    created_s: float
    ends_s: float
    batch: Batch | None = None
    begins_s: float = 0.0
    runs_s: float = 0.0
    expires_s: float = 0.0
    phase: str = ""
    is_stopped: bool = False
    written: dict[str, int] = field(default_factory=dict)
    torn: dict[str, bytes] = field(default_factory=dict)


class StagedService(Service):
    """A service of the same batches and faults, told in its own words to its real adapter.

    It is no provider itself: the adapter is, and calls it as the SDK's client.

    Attributes:
        writes_empty_files: Also where there is no line for them.

    Args:
        where: How the trace calls its bucket.
        odd: Decides what is special about it.
    """

    kept_for_s = math.inf  # what lies in a bucket stays there
    writes_empty_files = False

    def __init__(
        self, kernel: Kernel, seed: int, where: str, odd: random.Random, notify: Callable[[Batch], object]
    ) -> None:
        super().__init__(kernel, seed, notify)
        self._where = where
        self._odd = odd
        self._jobs: dict[str, Job] = {}
        self._unwritten: list[Job] = []
        self._clock = TrueClock(kernel)
        self.store = StagingBucket(kernel, self)

    @property
    def left(self) -> dict[str, str]:
        self._write_what_is_due()
        return {key: key for key in self.store.objects}

    def strikes(self, kind: str, where: str, likely: float = 1.0) -> bool:
        return self._strikes(kind, where, likely)

    def called_by_store(self, what: str, key: str) -> None:
        self._kernel.call(f"{self._where} {what} {key}")
        self._write_what_is_due()
        is_upload = what in {"write", "create"}
        if self.strikes("upload_fails" if is_upload else "api_fails", key, 0.2):
            raise TransientError(f"{what} {key}: 503")

    # What becomes of its jobs.

    def _accept(self, request: BatchRequest, folder: str, begins_s: float) -> Job:
        """What becomes of it is for the service to decide."""
        lines = tuple(json.loads(line) for line in b"".join(request.open_lines()).split(b"\n") if line)
        batch, now_s = self._create(request, lines, request.object_key), self._kernel.now_s
        job = Job(
            batch.batch_id, request.name, request.object_key, folder, now_s, batch.ends_s, batch, begins_s
        )
        initializing_s = (
            self._odd.uniform(0, _INITIALIZING_S) if self.strikes("initializing", job.name) else 0
        )
        job.runs_s = job.begins_s + initializing_s
        batch.ends_s += job.runs_s - now_s
        self.batches[batch.batch_id] = batch
        self._jobs[job.job_id] = job
        self._unwritten.append(job)
        return job

    def _let_somebody_create(self, name: str, input_key: str) -> Job:
        now_s = self._kernel.now_s
        job = Job(self._new_id("batch"), name, input_key, "somebody/", now_s + 1, now_s + _FOREIGN_S)
        self._jobs[job.job_id] = job
        return job

    def _stop(self, job: Job, batch: Batch, status: BatchStatus) -> None:
        if not job.is_stopped and not batch.ignores_cancel:
            job.is_stopped, job.phase = True, ""
            self._end(batch, self._kernel.now_s + self._random.uniform(5, 120), status)

    def _fail(self, batch: Batch, *problems: BatchProblem) -> None:
        super()._fail(batch, *problems)
        self._jobs[batch.batch_id].ends_s = batch.ends_s

    def _end(self, batch: Batch, ends_s: float, status: BatchStatus) -> None:
        job = self._jobs[batch.batch_id]
        job.ends_s = ends_s
        batch.output_file, batch.error_file = self._files_of(job)
        super()._end(batch, ends_s, status)
        self.files.clear()  # it has no store of files
        if self.strikes("resumed", job.name):
            batch.output += batch.output
        if status is not BatchStatus.COMPLETED and self.strikes("no_files_after_stop", job.name):
            batch.files_at_s = None

    def _files_of(self, job: Job) -> tuple[str, str]:
        """Where it writes its answers, and where its errors."""
        raise NotImplementedError

    def _write_what_is_due(self) -> None:
        """Files grow, and one that we have deleted comes again only if there is more of it."""
        for job in list(self._unwritten):
            batch, now_s = job.batch, self._kernel.now_s
            if batch is None or now_s < batch.ends_s or batch.files_at_s is None or now_s < batch.files_at_s:
                continue
            if self._write(job, batch):
                self._unwritten.remove(job)

    def _write(self, job: Job, batch: Batch) -> bool:
        """Whether all is written."""
        self._hold(job, batch.error_file, batch.errors)
        if self._kernel.now_s < batch.output_at_s:
            return False
        is_whole = self._kernel.now_s >= batch.complete_at_s
        self._hold(
            job, batch.output_file, batch.output if is_whole else batch.output[: len(batch.output) // 2]
        )
        return is_whole

    def _hold(self, job: Job, key: str, lines: list[bytes]) -> None:
        if len(lines) > job.written.get(key, -1 if self.writes_empty_files else 0):
            job.written[key] = len(lines)
            self.store.hold(key, lines_of(lines) + job.torn.get(key, b""))

    # What it shows.

    def _is_known(self, job: Job) -> bool:
        batch = job.batch
        return batch is None or batch.known_s <= self._kernel.now_s < batch.forgotten_s

    def _shows(self, job: Job) -> bool:
        return job.batch is None or self._lists(job.batch)

    def _word_of(self, job: Job, ends: dict[BatchStatus, str], stopping: str, *before: str) -> str:
        """Its status; ``before`` are the words for queued, initializing and running."""
        now_s = self._kernel.now_s
        if self.strikes("phase_unknown", job.job_id):
            return "Pausing"
        if now_s >= job.ends_s and not self.strikes("status_backwards", job.job_id):
            return job.phase or ends[job.batch.status if job.batch else BatchStatus.COMPLETED]
        if job.is_stopped:
            return stopping
        return before[(now_s >= job.begins_s) + (now_s >= job.runs_s)]


def lines_of(lines: Iterable[bytes]) -> bytes:
    """The content of a file of these lines."""
    return b"".join(line + b"\n" for line in lines)


@contextmanager
def told_as(exception_for: Callable[[PipelineError], Exception]) -> Iterator[None]:
    """Raise what the service raises as the SDK's exception."""
    try:
        yield
    except PipelineError as error:
        raise exception_for(error) from None
