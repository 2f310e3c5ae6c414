"""An in-memory batch provider for the tests of use cases: records what it is given, says what the test tells it to."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from shared.adapters.bailian_profile import BAILIAN
from shared.adapters.bailian_wire import provider_file
from shared.domain.batches import BatchId, BatchProblem, BatchRequest, BatchState, BatchStatus, ProviderFile
from shared.domain.errors import ProviderRejected, TransientError
from shared.domain.provider_profile import ProviderProfile
from shared.ports import BatchProvider, Clock, Provider, Providers
from tests.fakes import FixedClock


def only(batches: BatchProvider, profile: ProviderProfile = BAILIAN) -> Providers:
    """An installation with one provider."""
    return Providers(Provider(profile, batches))


Answer = Callable[[dict[str, Any]], "dict[str, Any] | None"]


@dataclass(frozen=True)
class Submission:
    """What one ``submit`` was given; ``lines`` are its request lines, parsed."""

    batch_id: BatchId
    request: BatchRequest
    lines: tuple[dict[str, Any], ...]


def echo(line: dict[str, Any]) -> dict[str, Any]:
    """A successful result line that quotes the request's last message, or its input."""
    body = line.get("body", {})
    messages = body.get("messages")
    content = messages[-1]["content"] if messages else str(body.get("input", ""))
    return result_line(line["custom_id"], content=f"answer: {content}")


def result_line(custom_id: str, *, content: str = "ok", status: int = 200) -> dict[str, Any]:
    """A line of an output file."""
    message = {"role": "assistant", "content": content}
    body = {"choices": [{"finish_reason": "stop", "index": 0, "message": message}]} if status == 200 else {}
    return {
        "id": f"r-{custom_id}",
        "custom_id": custom_id,
        "response": {"status_code": status, "request_id": f"r-{custom_id}", "body": body},
        "error": None,
    }


def error_line(custom_id: str, code: str, message: str = "It failed.") -> dict[str, Any]:
    """A line of an error file."""
    return {
        "id": f"r-{custom_id}",
        "custom_id": custom_id,
        "response": None,
        "error": {"code": code, "message": message},
    }


def failure_of(*problems: BatchProblem) -> dict[str, Any]:
    """What an adapter says of a batch that failed for these problems, also in our own words."""
    told = tuple(replace(each, is_file_wide=BAILIAN.troubles.is_file_wide(each)) for each in problems)
    failed_for, trouble = BAILIAN.troubles.why_failed(told)
    return {"problems": told, "failed_for": failed_for, "trouble": trouble}


class ScriptedProvider:
    """A ``BatchProvider``; a new batch is pending until the test moves it on.

    Attributes:
        files: By id, what lies in the account's file store.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.files: dict[str, ProviderFile] = {}
        self._clock = clock or FixedClock()
        self.submissions: list[Submission] = []
        self.cancelled: list[BatchId] = []
        self.cleaned: list[BatchId] = []
        self._states: dict[BatchId, BatchState] = {}
        self._results: dict[BatchId, tuple[bytes, ...]] = {}
        self._hidden: set[BatchId] = set()
        self._failures: list[tuple[str, Exception, bool]] = []
        self._numbers = itertools.count(1)

    @property
    def last(self) -> Submission:
        return self.submissions[-1]

    def fail_next(self, method: str, error: Exception, *, after: bool = False) -> None:
        """Let the next call of ``method`` raise; with ``after``, once it has been carried out."""
        self._failures.append((method, error, after))

    def set_state(self, batch_id: BatchId, status: BatchStatus, **changes: Any) -> BatchState:
        """Change any field of a batch's state; the provider's word is our own unless given."""
        changes = {"raw_status": status.value} | changes
        self._states[batch_id] = replace(self._states[batch_id], status=status, **changes)
        return self._states[batch_id]

    def set_results(self, batch_id: BatchId, lines: Iterable[dict[str, Any] | bytes]) -> None:
        """The result lines of a batch, as parsed lines or as raw bytes."""
        self._results[batch_id] = tuple(
            line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode()
            for line in lines
        )
        self._states[batch_id] = replace(self._states[batch_id], result_files=(f"results-of-{batch_id}",))
        self.add_file(f"{batch_id}_success.jsonl", file_id=f"results-of-{batch_id}")

    def answer_all(
        self, batch_id: BatchId, status: BatchStatus = BatchStatus.COMPLETED, answer: Answer = echo
    ) -> BatchState:
        """End a batch with one result line a request, never in the order of the requests; ``answer`` may return ``None`` to leave one out."""
        requests = self._submission(batch_id).lines
        lines = [line for line in map(answer, requests) if line is not None]
        lines = lines[1::2][::-1] + lines[::2][::-1]
        self.set_results(batch_id, lines)
        return self.set_state(
            batch_id, status, requests_total=len(requests), requests_completed=len(lines), requests_failed=0
        )

    def fail_validation(self, batch_id: BatchId, *problems: BatchProblem) -> BatchState:
        return self.set_state(batch_id, BatchStatus.FAILED, **failure_of(*problems))

    def hide(self, batch_id: BatchId) -> None:
        """Make a batch too new to be seen by ``status`` and ``find``."""
        self._hidden.add(batch_id)

    def show(self, batch_id: BatchId) -> None:
        self._hidden.discard(batch_id)

    def add_file(self, name: str, *, file_id: str | None = None) -> str:
        """Put a file into the file store, as an upload does, and return its id."""
        file_id = file_id or f"input-{next(self._numbers)}"
        self.files[file_id] = provider_file(file_id, name, self._clock.now(), size_bytes=1)
        return file_id

    def submit(self, request: BatchRequest) -> BatchId:
        """``fail_next`` knows two more points: ``submit``, before the upload, and ``create``, after it."""
        self._fail("submit", after=False)
        file_id = self.add_file(f"{request.name}.jsonl")
        self._fail("create", after=False)
        number = len(self.submissions) + 1
        batch_id = BatchId(f"batch_{number:08d}-0000-4000-8000-000000000000")
        content = b"".join(request.open_lines())
        lines = tuple(json.loads(line) for line in content.split(b"\n") if line)
        self.submissions.append(Submission(batch_id, request, lines))
        self._states[batch_id] = BatchState(
            batch_id, BatchStatus.PENDING, "pending", input_file=file_id, name=request.name
        )
        self._fail("submit", after=True)
        return batch_id

    def find(self, name: str) -> BatchId | None:
        self._fail("find", after=False)
        for submission in reversed(self.submissions):
            if submission.request.name == name and submission.batch_id not in self._hidden:
                return submission.batch_id
        return None

    def status(self, batch_id: BatchId) -> BatchState | None:
        self._fail("status", after=False)
        return None if batch_id in self._hidden else self._states.get(batch_id)

    def results(self, state: BatchState) -> Iterator[bytes]:
        self._fail("results", after=False)
        if not set(state.result_files) <= set(self.files):
            raise ProviderRejected("The result file is gone", provider_code="not_found", status=404)
        yield from self._results.get(state.batch_id, ()) if state.result_files else ()

    def cancel(self, batch_id: BatchId) -> None:
        self._fail("cancel", after=False)
        self.cancelled.append(batch_id)
        state = self._states.get(batch_id)
        if state and not state.status.is_terminal:
            self.set_state(batch_id, BatchStatus.CANCELLED)

    def clean_up(self, state: BatchState) -> None:
        self._fail("clean_up", after=False)
        self.cleaned.append(state.batch_id)
        for file_id in (state.input_file, *state.result_files):
            self.files.pop(file_id or "", None)

    def unused_files(self) -> Iterator[ProviderFile]:
        self._fail("unused_files", after=False)
        used = {
            state.input_file
            for batch_id, state in self._states.items()
            if not state.status.is_terminal and batch_id not in self._hidden
        }
        return iter([file for file in self.files.values() if file.file_id not in used])

    def delete_file(self, file_id: str) -> None:
        self._fail("delete_file", after=False)
        self.files.pop(file_id, None)

    def _submission(self, batch_id: BatchId) -> Submission:
        return next(submission for submission in self.submissions if submission.batch_id == batch_id)

    def _fail(self, method: str, *, after: bool) -> None:
        for index, (failing, error, is_after) in enumerate(self._failures):
            if failing == method and is_after == after:
                del self._failures[index]
                raise error


class DownProvider(ScriptedProvider):
    """A provider that answers nothing but ``TransientError``."""

    def _fail(self, method: str, *, after: bool) -> None:
        raise TransientError(f"{method} is down")
