"""A batch inference service as odd as the real ones, which remembers what it billed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from shared.pipeline.deadlines import LISTED_WITHIN
from shared.ports.provider import BatchId, BatchProblem, BatchRequest, BatchState, BatchStatus, ProviderFile
from shared.problems.exceptions import (
    ConfigurationError,
    OutcomeUnknown,
    ProviderRejected,
    QuotaReached,
    TransientError,
)
from shared.providers.bailian.troubles import IN_OSS, why_failed
from tests.simulation.answers import Ask, answer_to, other_answer_to, reply_to, usage_of
from tests.simulation.kernel import Kernel
from tests.support.fake_provider import Batch as FakeBatch
from tests.support.fake_provider import ScriptedProvider, encoded, error_line, result_line

LISTED_AFTER_S = LISTED_WITHIN.total_seconds()
# No older batch is listed, and results are deleted so long after its end:
# https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai
_KEPT_FOR_S = 30 * 24 * 3600.0
_GIVE_UP_S = 40 * 24 * 3600.0


@dataclass
class Batch(FakeBatch):
    """One batch, and all that will become of it.

    Attributes:
        asks: Each row's request by custom_id, in the order of the lines; ``texts`` are their texts.
        said: What was written for each row that has an answer, and why it ended.
        output: The lines of the file of answers; ``errors`` are those of the file of errors.
        answered: The ids of the rows whose answers are in the output.
        failed: The error codes of rows that have a line without an answer, by id.
        billed: The ids of the rows that were run, and are billed once it has ended.
        contradicted: The ids of the rows that have a second line with another answer.
        forgotten_s: From when on the provider knows nothing of it: somebody deleted it.
        told: The most rows that the provider has counted of it so far.
        files_at_s: When its result files can be read; ``None`` for never.
    """

    asks: dict[str, Ask] = field(default_factory=dict)
    said: dict[str, tuple[str, str]] = field(default_factory=dict)
    created_s: float = 0.0
    listed_s: float = 0.0
    known_s: float = 0.0
    ends_s: float = 0.0
    status: BatchStatus = BatchStatus.COMPLETED
    output: list[bytes] = field(default_factory=list)
    errors: list[bytes] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    billed: list[str] = field(default_factory=list)
    problems: tuple[BatchProblem, ...] = ()
    files_at_s: float | None = 0.0
    complete_at_s: float = 0.0
    output_at_s: float = 0.0
    counts_are_null: bool = False
    told: int = 0
    ignores_cancel: bool = False
    output_file: str = ""
    error_file: str = ""
    failed: dict[str, str] = field(default_factory=dict)
    contradicted: set[str] = field(default_factory=set)
    forgotten_s: float = math.inf

    @cached_property
    def texts(self) -> dict[str, str]:
        return {custom_id: ask.text for custom_id, ask in self.asks.items()}

    @property
    def result_files(self) -> dict[str, list[bytes]]:
        """The lines of each file that there is at its end."""
        files = {self.output_file: self.output, self.error_file: self.errors}
        return {file_id: lines for file_id, lines in files.items() if lines and self.files_at_s is not None}


class Service(ScriptedProvider):
    """The fake provider, which decides by itself what becomes of each batch.

    Attributes:
        kept_for_s: So long after a batch's end its results are there.
        cuts_off: Some answers are cut off at the length limit.
        has_columns: Where any is, the recipe takes columns from the answers.
        mended_s: By when the operator will have done what it asks for.

    Args:
        notify: Told of every batch, and when it will have ended.
    """

    batches: dict[BatchId, Batch]  # type: ignore[assignment]
    kept_for_s = _KEPT_FOR_S
    cuts_off = has_columns = False
    mended_s = 0.0

    def __init__(self, kernel: Kernel, seed: int, notify: Callable[[Batch], object]) -> None:
        super().__init__(kernel)
        self._kernel = kernel
        self._random = random.Random(f"service {seed}")
        self._notify = notify
        self.refused: set[str] = set()
        self.blocked_until_s = self.key_refused_until_s = 0.0
        self._most_lines = 1 if self._strikes("limit_lowered", "service", 3) else math.inf

    @property
    def left(self) -> dict[str, str]:
        """The names of the files that lie there, by their ids."""
        return {file.file_id: file.name for file in self.files.values()}

    def be_down_until(self, until_s: float) -> None:
        """The account is refused whatever it asks for."""
        self.key_refused_until_s = self.blocked_until_s = until_s

    def lists_no_more(self, _batch: Batch, _at_s: float) -> bool:
        """Whether nobody who does not know its id can then find it, for good."""
        return False

    def hides(self, _batch: Batch, _at_s: float) -> bool:
        """Whether it then no longer says what became of the batch, nor shows anything of it."""
        return False

    def status_at(self, batch: Batch, _at_s: float) -> BatchStatus:
        """How a batch that has ended did so, as far as can then be seen."""
        return batch.status

    def _lists(self, batch: Batch) -> bool:  # type: ignore[override]
        now_s = self._kernel.now_s
        return batch.listed_s <= now_s < min(batch.forgotten_s, batch.created_s + _KEPT_FOR_S)

    def _state_of(self, batch: Batch) -> BatchState | None:  # type: ignore[override]
        now_s = self._kernel.now_s
        if not batch.known_s <= now_s < batch.forgotten_s:
            return None
        if now_s < batch.ends_s or self._strikes("status_backwards", batch.batch_id):
            return replace(batch.state, **self._counts(batch, now_s))
        from_oss = (batch.state.input_file or "").startswith(IN_OSS)
        failed_for, trouble = why_failed(batch.problems, from_oss=from_oss) if batch.problems else (None, "")
        has_files = batch.files_at_s is not None and now_s >= batch.files_at_s
        return replace(
            batch.state,
            status=batch.status,
            raw_status=batch.status.value,
            result_files=self._visible(batch, now_s) if has_files else (),
            problems=batch.problems,
            failed_for=failed_for,
            trouble=trouble,
            **self._counts(batch, now_s),
        )

    def _counts(self, batch: Batch, now_s: float) -> dict[str, int | None]:
        """As the real one counts: rows that failed inside the output file count as completed."""
        if batch.counts_are_null:
            return {}
        share = min((now_s - batch.created_s) / (batch.ends_s - batch.created_s), 1)
        completed, failed = int(share * len(batch.output)), int(share * len(batch.errors))
        batch.told = max(batch.told, completed)
        return {"requests_completed": completed, "requests_failed": failed}

    def _lines_of(self, batch: Batch, file_id: str) -> Iterator[bytes]:  # type: ignore[override]
        if self._kernel.now_s >= batch.ends_s + self.kept_for_s:
            self.files.pop(file_id, None)
            raise ProviderRejected("The result file has expired", provider_code="not_found", status=404)
        lines = batch.result_files[file_id]
        is_complete = self._kernel.now_s >= batch.complete_at_s
        for number, line in enumerate(lines if is_complete else lines[: len(lines) // 2]):
            if number == 1 and self._strikes("results_break", batch.batch_id):
                raise TransientError("results: the connection broke")
            yield line

    def cancel(self, batch_id: BatchId) -> None:
        self._call("cancel", batch_id)
        batch = self.batches[batch_id]
        if self._kernel.now_s >= batch.ends_s or batch.ignores_cancel:
            return
        self._end(batch, self._kernel.now_s + self._random.uniform(5, 120), BatchStatus.CANCELLED)

    def clean_up(self, state: BatchState) -> None:
        for file_id in (state.input_file, *state.result_files):
            if file_id:
                self.delete_file(file_id)

    def unused_files(self) -> Iterator[ProviderFile]:
        self._call("list files", "all")
        listed = list(self.files.values())
        self._call("list batches", "unfinished")
        now_s = self._kernel.now_s
        used = {
            each.state.input_file
            for each in self.batches.values()
            if self._lists(each) and now_s < each.ends_s
        }
        yield from (file for file in listed if file.file_id not in used)

    # What happens inside.

    def _uploaded(self, request: BatchRequest) -> None:
        if self._strikes("upload_fails_after", request.name):
            raise TransientError("upload: no answer, but the file is there")

    def _create(self, request: BatchRequest, lines: tuple[dict[str, Any], ...], file_id: str) -> Batch:
        now_s = self._kernel.now_s
        listed_s = now_s + (
            self._random.uniform(1, LISTED_AFTER_S) if self._strikes("slow_to_list", request.name) else 0
        )
        known_s = now_s + (
            self._random.uniform(1, 120) if self._strikes("unknown_at_first", request.name) else 0
        )
        longest_s = 20 * 3600 if self._strikes("long_batch", request.name) else 3600
        ends_in_s = self._random.uniform(60, longest_s)
        if self._strikes("short_batch", request.name, 3):
            ends_in_s = self._random.uniform(2, 60)
        batch_id = BatchId(self._new_id("batch"))
        return Batch(
            batch_id,
            request,
            lines,
            BatchState(batch_id, BatchStatus.RUNNING, "in_progress", file_id, name=request.name),
            asks={each["custom_id"]: Ask.of(each) for each in lines},
            created_s=now_s,
            listed_s=listed_s,
            known_s=known_s,
            ends_s=now_s + ends_in_s,
        )

    def _created(self, batch: Batch) -> None:  # type: ignore[override]
        if len(batch.lines) > self._most_lines:
            self._fail(batch, BatchProblem("invalid_file_size", "The file is larger than this model takes"))
        else:
            self._decide(batch)
        self._notify(batch)
        if self._strikes("create_fails_after", batch.request.name):
            raise OutcomeUnknown("create: no answer, but it was done")

    def _discard(self, file_id: str) -> None:
        self._kernel.call(f"delete {file_id}")
        super()._discard(file_id)

    def _decide(self, batch: Batch) -> None:
        """What becomes of the batch: its end, its answers, and when they can be read."""
        name = batch.request.name
        batch.ignores_cancel = self._strikes("ignores_cancel", name)
        if self._strikes("forgotten", name):
            batch.forgotten_s = self._kernel.now_s + self._random.uniform(600, 36_000)
        if self._strikes("failed_by_rows", name):
            self._fail(batch, *(BatchProblem("invalid", "bad row", line=1),))
        elif self._strikes("failed_by_quota", name):
            self._fail(batch, BatchProblem("token_limit_exceeded", "Enqueued token limit reached"))
        elif self._strikes("failed_by_account", name):
            self._fail(batch, BatchProblem("Arrearage", "The account is in arrears"))
        elif self._strikes("never_ends", name):
            self._end(batch, self._kernel.now_s + _GIVE_UP_S, BatchStatus.EXPIRED)
        elif self._strikes("expired", name):
            self._end(
                batch,
                self._kernel.now_s + batch.request.completion_window.total_seconds(),
                BatchStatus.EXPIRED,
            )
        elif self._strikes("cancelled", name):
            self._end(batch, batch.ends_s, BatchStatus.CANCELLED)
        else:
            self._end(batch, batch.ends_s, BatchStatus.COMPLETED)

    def _visible(self, batch: Batch, now_s: float) -> tuple[str, ...]:
        is_late = now_s < batch.output_at_s
        return tuple(each for each in batch.result_files if not (is_late and each == batch.output_file))

    def _fail(self, batch: Batch, *problems: BatchProblem) -> None:
        batch.status, batch.problems = BatchStatus.FAILED, problems
        batch.ends_s = self._kernel.now_s + self._random.uniform(5, 120)
        batch.output, batch.errors, batch.answered, batch.billed, batch.failed = [], [], [], [], {}

    def _end(self, batch: Batch, ends_s: float, status: BatchStatus) -> None:
        batch.ends_s, batch.status = ends_s, status
        name = batch.request.name
        is_whole = status is BatchStatus.COMPLETED
        batch.contradicted = set()
        ran = [each for each in batch.texts if is_whole or self._random.random() < 0.5]
        batch.output, batch.errors, batch.answered, batch.billed, batch.failed = [], [], [], [], {}
        for custom_id in ran:
            self._run_row(batch, custom_id)
        self._random.shuffle(batch.output)
        batch.files_at_s = batch.complete_at_s = batch.output_at_s = ends_s
        batch.counts_are_null = self._strikes("counts_null", name)
        if is_whole and self._strikes("files_never", name):
            batch.files_at_s = None
        elif is_whole and self._strikes("files_late", name):
            batch.files_at_s = ends_s + self._random.uniform(10, 3000)
        elif is_whole and self._strikes("output_late", name):
            batch.output_at_s = ends_s + self._random.uniform(10, 3000)
        elif is_whole and self._strikes("lines_late", name):
            batch.complete_at_s = ends_s + self._random.uniform(10, 3000)
        batch.output_file = batch.output_file or self._new_id("file")
        batch.error_file = batch.error_file or self._new_id("file")
        for file_id in (batch.output_file, batch.error_file):
            self.files.pop(file_id, None)
        for file_id in batch.result_files:
            self.add_file(f"results of {batch.batch_id}", file_id=file_id)

    def _run_row(self, batch: Batch, custom_id: str) -> None:
        """Write the row's line; a row that ran is billed, whether or not its line is there."""
        if self._strikes("row_refused", custom_id):
            self._refuse_row(batch, custom_id, "InvalidParameter")
        elif self._strikes("row_throttled", custom_id):
            self._refuse_row(batch, custom_id, "Throttling")
        elif self._strikes("row_failed_in_output", custom_id):
            batch.failed[custom_id] = ""
            batch.output.append(encoded(result_line(custom_id, status=500)))
        else:
            batch.billed.append(custom_id)
            self._answer_row(batch, custom_id)
        if self._strikes("line_unknown", custom_id):
            batch.output.append(encoded(result_line(f"other-{custom_id}")))
        if self._strikes("rows_mixed", custom_id):
            other = self._random.choice(list(self.batches.values()) or [batch])
            mixed = self._random.choice(list(other.texts))
            if mixed not in batch.texts:
                batch.output.append(encoded(result_line(mixed, content=answer_to(other.texts[mixed]))))
        if self._strikes("line_garbage", custom_id):
            batch.output.append(b'{"custom_id": ')

    def _reply_to(self, ask: Ask) -> tuple[str, str]:
        return reply_to(ask, may_be_cut=self.cuts_off, has_columns=self.has_columns)

    def _answer_row(self, batch: Batch, custom_id: str) -> None:
        if self._strikes("line_missing", custom_id):
            return
        ask = batch.asks[custom_id]
        content, reason = batch.said[custom_id] = self._reply_to(ask)
        line = encoded(result_line(custom_id, content=content, reason=reason, usage=usage_of(ask)))
        batch.output.append(line)
        batch.answered.append(custom_id)
        if self._strikes("line_twice", custom_id):
            batch.output.append(line)
        if self._strikes("line_contradicts", custom_id):
            batch.contradicted.add(custom_id)
            other = result_line(custom_id, content=other_answer_to(ask.text), usage=usage_of(ask))
            batch.output.append(encoded(other))

    def _refuse_row(self, batch: Batch, custom_id: str, code: str) -> None:
        batch.failed[custom_id] = code
        batch.errors.append(encoded(error_line(custom_id, code)))

    def _call(self, what: str, about: str) -> None:
        self._kernel.call(f"{what} {about}")
        if what == "create":
            self._refuse_create(about)
            return
        if self._strikes("key_refused", about, 0.1):
            self.key_refused_until_s = self._kernel.now_s + self._random.uniform(600, 30_000)
        if self._kernel.now_s < self.key_refused_until_s and not self._kernel.faults.are_over:
            raise ConfigurationError(f"{what}: the operator must set another key")
        if self._strikes("api_throttled", about, 0.3):
            raise QuotaReached(f"{what}: 429")
        if self._strikes("upload_fails" if what == "submit" else "api_fails", about, 0.3):
            raise TransientError(f"{what}: 500")

    def _refuse_create(self, name: str) -> None:
        if self._strikes("create_throttled", name):
            raise QuotaReached("create: 429")
        if self._strikes("create_fails", name):
            raise OutcomeUnknown("create: no answer, and it was not done")
        if self._strikes("create_refused", name):
            self.refused.add(name)
            raise ProviderRejected("create: 400", provider_code="InvalidParameter", status=400)
        if self._strikes("account_blocked", name):
            self.blocked_until_s = self._kernel.now_s + self._random.uniform(600, 30_000)
        if self._kernel.now_s < self.blocked_until_s and not self._kernel.faults.are_over:
            raise ConfigurationError("The operator must pay: Arrearage")

    def _strikes(self, kind: str, where: str, likely: float = 1.0) -> bool:
        return self._kernel.faults.strikes(kind, where, self._kernel.now_s, likely=likely)
