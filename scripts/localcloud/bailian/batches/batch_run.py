"""Takes one batch through the service's states, to its end or until the service stops."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from scripts.localcloud.bailian.batches.answering import Answering
from scripts.localcloud.bailian.batches.built_in_answers import Answer, Request, failed_answer
from scripts.localcloud.bailian.batches.input_lines import shuffled_lines
from scripts.localcloud.bailian.batches.result_files import ERRORS, OUTPUT, ResultFiles
from scripts.localcloud.bailian.batches.validation import validate_input
from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.files_and_batches import Batch, BatchFinding, BatchFindings, RequestCounts
from scripts.localcloud.bailian.service_faults import BatchFault, Faults
from scripts.localcloud.bailian.times import window_of
from shared.ports.clock import Clock

_TICK_S = 0.02
_SHOW_COUNTS_EVERY_S = 0.1


class Stopped(Exception):
    """The service stops; the batch goes on when it starts again."""


class CutShort(Exception):
    """The batch ends before all rows are done."""

    def __init__(self, status: Literal["expired", "cancelled"]) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class RunContext:
    """What all batches of this service share; one takes at least ``batch_delay_s``."""

    database: Database
    faults: Faults
    answering: Answering
    clock: Clock
    stopping: threading.Event
    batch_delay_s: float


class BatchRun:
    """A quarter of the delay goes to validation, half of it to the rows, a quarter to the end."""

    def __init__(self, batch_id: str, context: RunContext) -> None:
        self._id = batch_id
        self._context = context
        self._database = context.database
        self._fault: BatchFault = context.database.fault_of(batch_id)
        self._shown_at = 0.0

    def run(self) -> Batch:
        """Take the batch from its present state to its end.

        Raises:
            Stopped: The service stops first.
        """
        batch = self._validated()
        if batch.is_terminal:
            return batch
        with ResultFiles(self._database, self._id, batch.request_counts.total) as results:
            return self._finished(results, self._worked(batch, results))

    def _validated(self) -> Batch:
        batch = self._batch()
        if batch.request_counts.total:
            return batch
        # Validate a cancelled batch all the same: its rows must be counted as failed.
        with contextlib.suppress(CutShort):
            self._wait(self._context.batch_delay_s / 4)
        findings, total = self._findings(batch)
        now = self._now()
        if findings:
            return self._failed(findings)
        changes: dict[str, object] = {"request_counts": RequestCounts(total=total)}
        with self._database.lock:
            if self._batch().status == "validating":
                changes |= {"status": "in_progress", "in_progress_at": now}
            return self._database.update_batch(self._id, **changes)

    def _failed(self, findings: tuple[BatchFinding, ...]) -> Batch:
        errors = BatchFindings(data=findings)
        return self._database.update_batch(self._id, status="failed", errors=errors, failed_at=self._now())

    def _findings(self, batch: Batch) -> tuple[tuple[BatchFinding, ...], int]:
        if self._fault.outcome == "fail":
            return (BatchFinding(code=self._fault.fail_code, message=self._fault.fail_message),), 0
        validated = validate_input(self._database.work_path(self._id, "input"), batch.endpoint)
        return validated.findings, validated.total

    def _worked(self, batch: Batch, results: ResultFiles) -> Literal["completed", "expired", "cancelled"]:
        if batch.status == "finalizing":
            return "completed"
        try:
            self._tick(batch)
            self._answer_rows(batch, results)
            self._database.update_batch(self._id, request_counts=results.counts)
            self._finalize()
            self._wait(self._context.batch_delay_s / 4)
        except CutShort as cut:
            return cut.status
        return "completed"

    def _finalize(self) -> None:
        with self._database.lock:
            self._check()
            self._database.update_batch(self._id, status="finalizing")

    def _answer_rows(self, batch: Batch, results: ResultFiles) -> None:
        total = batch.request_counts.total
        pause_s = self._context.batch_delay_s / 2 / max(total, 1)
        started = time.monotonic() - pause_s * len(results.done)
        answered = self._context.answering.answers(self._requests(results), lambda: self._tick(batch))
        for position, (request, answer) in enumerate(answered, start=len(results.done)):
            self._end_by_fault(position, total)
            # Before anything that may end the run: an upstream may have been paid for it.
            results.add(request, self._spoilt(answer, position, total))
            self._show(results.counts)
            self._tick(batch)
            self._wait_until(started + pause_s * (position + 1))

    def _tick(self, batch: Batch) -> None:
        """End in time, also while an upstream is waited for."""
        self._check()
        deadline = batch.created_at + window_of(batch.completion_window).total_seconds()
        if self._now() >= deadline:
            raise CutShort("expired")

    def _requests(self, results: ResultFiles) -> Iterator[Request]:
        for line in shuffled_lines(self._database.work_path(self._id, "input")):
            fields = json.loads(line)
            if fields["custom_id"] not in results.done:
                yield Request(fields["custom_id"], fields["url"], fields["body"])

    def _spoilt(self, answer: Answer, position: int, total: int) -> Answer:
        if self._fault.outcome == "half_fail" and position % 2:
            return failed_answer(500, in_error_file=position % 4 == 1)
        if position >= total - self._fault.lose_lines:
            return Answer(is_lost=True)
        return answer

    def _end_by_fault(self, position: int, total: int) -> None:
        after = total // 2 if self._fault.after_rows is None else self._fault.after_rows
        if self._fault.outcome == "expire" and position >= after:
            raise CutShort("expired")
        if self._fault.outcome == "cancel" and position >= after:
            raise CutShort("cancelled")

    def _finished(self, results: ResultFiles, status: Literal["completed", "expired", "cancelled"]) -> Batch:
        silence = self._context.answering.waits_for()
        if status == "expired" and silence and not results.done:
            return self._failed((silence,))  # no row ran, and no row is to blame
        self._report_unprocessed(results, status)
        results.repeat_lines(self._fault.repeat_lines)
        results.add_unknown_lines(self._fault.unknown_lines)
        now = self._now()
        changes: dict[str, object] = {
            "status": status,
            "output_file_id": results.publish(OUTPUT, now),
            "error_file_id": results.publish(ERRORS, now),
            "request_counts": results.counts,
            f"{status}_at": now,
        }
        if status == "completed":
            changes["finalizing_at"] = now
        if status == "cancelled":
            changes["cancelling_at"] = now
        if self._fault.missing_output and changes["output_file_id"]:
            self._database.delete_file(str(changes["output_file_id"]))
        batch = self._database.update_batch(self._id, **changes)
        self._database.work_path(self._id, "input").unlink(missing_ok=True)
        return batch

    def _report_unprocessed(self, results: ResultFiles, status: str) -> None:
        """Cancelled rows go to the error file, as recorded; about expired ones nothing is known."""
        if status == "cancelled" or (status == "expired" and self._fault.report_unprocessed):
            message = f"The batch was {status} before this request was processed."
            unprocessed = Answer(error={"code": f"batch_{status}", "message": message}, in_error_file=True)
            for request in self._requests(results):
                results.add(request, unprocessed)

    def _show(self, counts: RequestCounts) -> None:
        if time.monotonic() >= self._shown_at + _SHOW_COUNTS_EVERY_S:
            self._shown_at = time.monotonic()
            self._database.update_batch(self._id, request_counts=counts)

    def _wait(self, seconds: float) -> None:
        self._wait_until(time.monotonic() + seconds)

    def _wait_until(self, moment: float) -> None:
        self._check()
        while self._context.faults.paused or time.monotonic() < moment:
            self._context.stopping.wait(_TICK_S)
            self._check()

    def _check(self) -> None:
        if self._context.stopping.is_set():
            raise Stopped
        if self._batch().status == "cancelling":
            raise CutShort("cancelled")

    def _batch(self) -> Batch:
        batch = self._database.batch(self._id)
        if batch is None:
            raise KeyError(self._id)
        return batch

    def _now(self) -> int:
        return int(self._context.clock.now().timestamp())
