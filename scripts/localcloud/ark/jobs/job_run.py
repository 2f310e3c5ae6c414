"""Takes one job through its phases, to its end or until the service stops."""

from __future__ import annotations

import json
from collections.abc import Iterator

from scripts.localcloud.actions.objects import Objects
from scripts.localcloud.answers.built_in_answers import Answer, Request
from scripts.localcloud.answers.input_lines import shuffled_lines
from scripts.localcloud.answers.result_lines import ERRORS, OUTPUT, ResultLines
from scripts.localcloud.answers.row_run import CutShort, RowRun, RunContext
from scripts.localcloud.answers.upstream import Silence
from scripts.localcloud.ark.jobs.input_check import Checked, check_input
from scripts.localcloud.ark.jobs.job import Job, Phase
from scripts.localcloud.ark.jobs.job_faults import JobFault
from scripts.localcloud.ark.jobs.job_store import JobStore
from scripts.localcloud.ark.jobs.result_folder import in_ark_form, publish, take_back
from shared.ports.profile import CHAT, EMBEDDINGS

INPUT = "input"
EXPIRED, STOPPED = "expired", "stopped"


def told(silence: Silence) -> str:
    """What a job's message says of an upstream that does not answer; the real Ark has none."""
    return f"{silence.code}: {silence.said}"


class JobRun(RowRun[JobFault]):
    """A quarter of the delay goes to the check, half of it to the rows, a quarter to the end."""

    def __init__(self, job_id: str, store: JobStore, objects: Objects, context: RunContext[JobFault]) -> None:
        super().__init__(context)
        self._id = job_id
        self._store = store
        self._objects = objects
        self._fault = store.fault_of(job_id)

    def run(self) -> Job:
        """Take the job from its present phase to its end.

        Raises:
            Stopped: The service stops first.
        """
        job = self._job()
        if job.is_terminal:
            return job
        if job.was_resumed:
            take_back(job, self._fault, self._store, self._objects)
        with ResultLines({kind: self._store.work_path(self._id, kind) for kind in (OUTPUT, ERRORS)}) as lines:
            try:
                job = self._checked(job)
                if not job.is_terminal:
                    self._answered(job, lines)
                    job = self._ended("Completed", lines)
            except CutShort as cut:
                job = self._cut_short(lines, is_expired=cut.status == EXPIRED)
        return job

    def _checked(self, job: Job) -> Job:
        if job.phase == "Queued":
            job = self._enter("Initializing")
        if job.is_terminal:
            return job
        self._wait(self._context.batch_delay_s / 4)
        if job.phase == "Initializing":
            checked = self._check_result(job)
            if checked.message:
                return self._enter("Failed", message=checked.message)
            job = self._enter("Running", total=checked.total)
        return job

    def _check_result(self, job: Job) -> Checked:
        if self._fault.outcome == "fail":
            return Checked(0, self._fault.fail_message)
        if self._fault.bad_line:
            return Checked(0, f"第{self._fault.bad_line}行非json数据")
        file = self._store.work_path(self._id, INPUT)
        if not file.exists() and not self._objects.fetch(*job.input_file.place, file):
            return Checked(0, "输入文件不存在")
        return check_input(file)

    def _answered(self, job: Job, lines: ResultLines) -> None:
        if job.was_resumed and self._fault.resume_repeats:
            lines.done.clear()
            lines.completed = lines.failed = 0
        self._answer_rows(self._requests(job, lines), lines, job.total)
        self._wait(self._context.batch_delay_s / 4)

    def _cut_short(self, lines: ResultLines, *, is_expired: bool) -> Job:
        silence = self._context.answering.waits_for()
        if is_expired and silence and not lines.done:
            # No row ran, and no row is to blame.
            return self._enter("Failed", message=told(silence))
        if is_expired:
            expires_at = min(self._now() + self._fault.early_s, self._job().expires_at)
            self._store.update(self._id, expires_at=expires_at)
        return self._ended("Terminated", lines)

    def _ended(self, phase: Phase, lines: ResultLines) -> Job:
        """All files are there before the end shows, but for late ones: Gets put those there."""
        if lines.done:
            lines.repeat_lines(self._fault.repeat_lines)
            lines.add_unknown_lines(self._fault.unknown_lines)
        self._show(lines)
        if not self._fault.late_gets:
            is_cut_short = phase == "Terminated"
            publish(self._job(), self._fault, self._store, self._objects, is_cut_short=is_cut_short)
        return self._enter(phase)

    def _enter(self, phase: Phase, **changes: object) -> Job:
        """Somebody's stop goes first, except at the end; if it was in the queue, it is the end."""
        with self._store.lock:
            if (job := self._job()).is_terminal:
                return job
            if phase not in {"Terminated", "Failed"}:
                self._check_all()
            now = self._now()
            return self._store.update(self._id, phase=phase, phase_at=now, updated_at=now, **changes)

    def _requests(self, job: Job, lines: ResultLines) -> Iterator[Request]:
        model = job.model_reference
        known = model.get("FoundationModel") or {"Name": model.get("CustomModelId")}
        name = "-".join(filter(None, (known.get("Name"), known.get("ModelVersion"))))
        for line in shuffled_lines(self._store.work_path(self._id, INPUT)):
            fields = json.loads(line)
            if fields["custom_id"] not in lines.done:
                body = {"model": name, **fields["body"]}
                url = CHAT if "messages" in body else EMBEDDINGS
                yield Request(fields["custom_id"], url, body)

    def _spoilt(self, answer: Answer, position: int, total: int) -> Answer:
        if position >= total - self._fault.lose_lines:
            return Answer(is_lost=True)
        return in_ark_form(answer, with_headers=self._fault.http_headers and position % 2 == 0)

    def _before_row(self, position: int, total: int) -> None:
        after = total // 2 if self._fault.after_rows is None else self._fault.after_rows
        is_struck = self._fault.outcome in {"expire", "stop"} and position >= after
        if is_struck and not self._job().was_resumed:
            raise CutShort(EXPIRED if self._fault.outcome == "expire" else STOPPED)

    def _show(self, results: ResultLines) -> None:
        self._store.update(self._id, succeeded=results.completed, failed=results.failed)

    def _tick(self) -> None:
        self._check_all()

    def _check(self) -> None:
        job = self._job()
        if job.phase == "Terminating":
            raise CutShort(STOPPED)
        if self._now() >= job.expires_at:
            raise CutShort(EXPIRED)

    def _job(self) -> Job:
        job = self._store.job(self._id)
        if job is None:
            raise KeyError(self._id)
        return job
