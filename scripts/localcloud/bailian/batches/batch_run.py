"""Takes one batch through the service's states, to its end or until the service stops."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator

from scripts.localcloud.answers.answering import Answers
from scripts.localcloud.answers.built_in_answers import Answer, Request, failed_answer
from scripts.localcloud.answers.input_lines import shuffled_lines
from scripts.localcloud.answers.result_lines import ERRORS, OUTPUT, ResultLines, result_line
from scripts.localcloud.answers.row_run import CutShort, RowRun, RunContext
from scripts.localcloud.bailian.batches.result_files import ResultFiles
from scripts.localcloud.bailian.batches.validation import validate_input
from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.files_and_batches import Batch, BatchFinding, BatchFindings, RequestCounts
from scripts.localcloud.bailian.service_faults import BatchFault
from scripts.localcloud.bailian.times import window_of
from scripts.localcloud.servers.json_bodies import quick_json


class BatchRun(RowRun[BatchFault]):
    """A quarter of the delay goes to validation, half of it to the rows, a quarter to the end."""

    def __init__(self, batch_id: str, database: Database, context: RunContext[BatchFault]) -> None:
        super().__init__(context)
        self._id = batch_id
        self._database = database
        self._fault = database.fault_of(batch_id)
        self._deadline = 0.0

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

    def _worked(self, batch: Batch, results: ResultFiles) -> str:
        if batch.status == "finalizing":
            return "completed"
        self._deadline = batch.created_at + window_of(batch.completion_window).total_seconds()
        try:
            self._tick()
            self._answer_rows(self._requests(results), results, batch.request_counts.total)
            self._database.update_batch(self._id, request_counts=results.counts)
            self._finalize()
            self._wait(self._context.batch_delay_s / 4)
        except CutShort as cut:
            return cut.status
        return "completed"

    def _finalize(self) -> None:
        with self._database.lock:
            self._check_all()
            self._database.update_batch(self._id, status="finalizing")

    def _tick(self) -> None:
        self._check_all()
        if self._now() >= self._deadline:
            raise CutShort("expired")

    def _requests(self, results: ResultFiles) -> Iterator[Request]:
        costs_nothing = self._context.answering.costs_nothing(self._batch().endpoint)
        parsed = quick_json if costs_nothing else json.loads
        for line in shuffled_lines(self._database.work_path(self._id, "input")):
            fields = parsed(line)
            if fields["custom_id"] not in results.done:
                yield Request(fields["custom_id"], fields["url"], fields["body"])

    def _kept(self, group: Answers, position: int, total: int) -> Iterable[tuple[Request, Answer]]:
        return super()._kept(group, position, total) if self._fault.strikes_rows else group

    def _spoilt(self, answer: Answer, position: int, total: int) -> Answer:
        if self._fault.outcome == "half_fail" and position % 2:
            return failed_answer(500, in_error_file=position % 4 == 1)
        if position >= total - self._fault.lose_lines:
            return Answer(is_lost=True)
        return answer

    def _before_row(self, position: int, total: int) -> None:
        if self._fault.outcome not in {"expire", "cancel"}:
            return
        after = total // 2 if self._fault.after_rows is None else self._fault.after_rows
        if position >= after:
            raise CutShort("expired" if self._fault.outcome == "expire" else "cancelled")

    def _finished(self, results: ResultFiles, status: str) -> Batch:
        silence = self._context.answering.waits_for()
        if status == "expired" and silence and not results.done:
            finding = BatchFinding(code=silence.code, message=silence.said)
            return self._failed((finding,))  # no row ran, and no row is to blame
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
            answered = ((request, unprocessed) for request in self._requests(results))
            results.hold(answered, result_line)
            results.flush()

    def _show(self, results: ResultLines) -> None:
        changes = {"completed": results.completed, "failed": results.failed}
        counts = self._batch().request_counts.model_copy(update=changes)
        self._database.update_batch(self._id, request_counts=counts)

    def _check(self) -> None:
        if self._batch().status == "cancelling":
            raise CutShort("cancelled")

    def _batch(self) -> Batch:
        batch = self._database.batch(self._id)
        if batch is None:
            raise KeyError(self._id)
        return batch
