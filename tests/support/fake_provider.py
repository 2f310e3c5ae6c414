"""An in-memory batch provider: records what it is given, says what the test tells it to."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.ports.clock import Clock
from shared.ports.profile import ProviderProfile
from shared.ports.provider import (
    BatchId,
    BatchProblem,
    BatchProvider,
    BatchRequest,
    BatchState,
    BatchStatus,
    ProviderFile,
)
from shared.ports.providers import Provider, Providers
from shared.problems.exceptions import OutcomeUnknown, PipelineError, ProviderRejected
from shared.providers.bailian.profile import BAILIAN
from shared.providers.bailian.troubles import is_file_wide, why_failed
from shared.providers.bailian.wire import provider_file
from tests.support.fakes import FixedClock, Hook


def only(batches: BatchProvider, profile: ProviderProfile = BAILIAN) -> Providers:
    """An installation with one provider."""
    return Providers(Provider(profile, batches))


Answer = Callable[[dict[str, Any]], "dict[str, Any] | None"]


@dataclass
class Batch:
    """One batch as the provider has it; ``lines`` are its request lines, parsed.

    Attributes:
        state: What ``status`` says.
        results: The lines of its result files, by the files' ids.
        is_hidden: It is too new to be seen by ``status`` and ``find``.
    """

    batch_id: BatchId
    request: BatchRequest
    lines: tuple[dict[str, Any], ...]
    state: BatchState
    results: dict[str, Sequence[bytes]] = field(default_factory=dict)
    is_hidden: bool = False


def echo(line: dict[str, Any]) -> dict[str, Any]:
    """A successful result line that quotes the request's last message, or its input."""
    body = line.get("body", {})
    messages = body.get("messages")
    content = messages[-1]["content"] if messages else str(body.get("input", ""))
    return result_line(line["custom_id"], content=f"answer: {content}")


def result_line(
    custom_id: str,
    *,
    content: str = "ok",
    reason: str = "stop",
    status: int = 200,
    usage: dict[str, int] | None = None,
) -> dict[str, Any]:
    """A line of an output file."""
    message = {"role": "assistant", "content": content}
    body: dict[str, Any] = {}
    if status == 200:
        body = {"choices": [{"finish_reason": reason, "index": 0, "message": message}]}
        body |= {"usage": usage} if usage else {}
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
    told = tuple(replace(each, is_file_wide=is_file_wide(each)) for each in problems)
    failed_for, trouble = why_failed(told)
    return {"problems": told, "failed_for": failed_for, "trouble": trouble}


class ScriptedProvider:
    """A ``BatchProvider``; a new batch is pending until the test moves it on.

    Attributes:
        before: Called with the call's name and what it is about before each call of the port.
        batches: All that were ever created, in their order.
        files: By id, what lies in the account's file store.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.before: Hook | None = None
        self.batches: dict[BatchId, Batch] = {}
        self.files: dict[str, ProviderFile] = {}
        self.cancelled: list[BatchId] = []
        self.cleaned: list[BatchId] = []
        self._clock = clock or FixedClock()
        self._failures: list[tuple[str, BaseException, bool]] = []
        self._numbers = itertools.count(1)

    # What a test does.

    @property
    def submissions(self) -> list[Batch]:
        return list(self.batches.values())

    @property
    def last(self) -> Batch:
        return self.submissions[-1]

    def unfinished(self) -> list[BatchId]:
        return [each.batch_id for each in self.submissions if not each.state.status.is_terminal]

    def fail_next(self, method: str, error: BaseException, *, after: bool = False) -> None:
        """Let the next call of ``method`` raise; with ``after``, once it has been carried out.

        There is one more point: ``submit`` is before the upload, ``create`` after it.
        """
        self._failures.append((method, error, after))

    def set_state(self, batch_id: BatchId, status: BatchStatus, **changes: Any) -> BatchState:
        """Change any field of a batch's state; the provider's word is our own unless given."""
        batch = self.batches[batch_id]
        batch.state = replace(batch.state, status=status, **{"raw_status": status.value} | changes)
        return batch.state

    def set_results(self, batch_id: BatchId, lines: Iterable[dict[str, Any] | bytes]) -> None:
        """The result lines of a batch, as parsed lines or as raw bytes."""
        batch = self.batches[batch_id]
        file_id = self.add_file(f"{batch_id}_success.jsonl", file_id=f"results-of-{batch_id}")
        batch.results = {file_id: [each if isinstance(each, bytes) else encoded(each) for each in lines]}
        batch.state = replace(batch.state, result_files=(file_id,))

    def answer_all(
        self, batch_id: BatchId, status: BatchStatus = BatchStatus.COMPLETED, answer: Answer = echo
    ) -> BatchState:
        """End a batch with one result line a request, never in the order of the requests.

        ``answer`` may return ``None`` to leave one out.
        """
        requests = self.batches[batch_id].lines
        lines = [line for line in map(answer, requests) if line is not None]
        lines = lines[1::2][::-1] + lines[::2][::-1]
        self.set_results(batch_id, lines)
        return self.set_state(batch_id, status, requests_completed=len(lines), requests_failed=0)

    def fail_validation(self, batch_id: BatchId, *problems: BatchProblem) -> BatchState:
        return self.set_state(batch_id, BatchStatus.FAILED, **failure_of(*problems))

    def hide(self, batch_id: BatchId) -> None:
        self.batches[batch_id].is_hidden = True

    def show(self, batch_id: BatchId) -> None:
        self.batches[batch_id].is_hidden = False

    def add_file(self, name: str, *, file_id: str | None = None) -> str:
        """Put a file into the file store, as an upload does, and return its id."""
        file_id = file_id or self._new_id("file")
        self.files[file_id] = provider_file(file_id, name, self._clock.now(), size_bytes=1)
        return file_id

    # The port.

    def submit(self, request: BatchRequest) -> BatchId:
        self._call("submit", request.name)
        content = b"".join(request.open_lines())
        lines = tuple(json.loads(line) for line in content.split(b"\n") if line)
        file_id = self.add_file(f"{request.name}.jsonl")
        self._uploaded(request)
        try:
            self._call("create", request.name)
            batch = self._create(request, lines, file_id)
        except OutcomeUnknown:
            raise
        except PipelineError:
            self._discard(file_id)
            raise
        self.batches[batch.batch_id] = batch
        self._created(batch)
        return batch.batch_id

    def find(self, name: str, _object_key: str = "") -> BatchId | None:
        self._call("find", name)
        found = [each for each in self.batches.values() if each.request.name == name and self._lists(each)]
        return found[-1].batch_id if found else None

    def status(self, batch_id: BatchId) -> BatchState | None:
        self._call("status", batch_id)
        batch = self.batches.get(batch_id)
        return self._state_of(batch) if batch else None

    def results(self, state: BatchState) -> Iterator[bytes]:
        self._call("results", state.batch_id)
        batch = self.batches[state.batch_id]
        for file_id in state.result_files:
            if file_id not in self.files:
                raise ProviderRejected("The result file is gone", provider_code="not_found", status=404)
            yield from self._lines_of(batch, file_id)

    def cancel(self, batch_id: BatchId) -> None:
        self._call("cancel", batch_id)
        self.cancelled.append(batch_id)
        batch = self.batches.get(batch_id)
        if batch and not batch.state.status.is_terminal:
            self.set_state(batch_id, BatchStatus.CANCELLED)

    def clean_up(self, state: BatchState) -> None:
        self._call("clean_up", state.batch_id)
        self.cleaned.append(state.batch_id)
        for file_id in (state.input_file, *state.result_files):
            self.files.pop(file_id or "", None)

    def unused_files(self) -> Iterator[ProviderFile]:
        self._call("unused_files", "all")
        used = {
            each.state.input_file
            for each in self.batches.values()
            if not each.state.status.is_terminal and not each.is_hidden
        }
        return iter([file for file in self.files.values() if file.file_id not in used])

    def delete_file(self, file_id: str) -> None:
        self._call("delete_file", file_id)
        self.files.pop(file_id, None)

    # What the simulation's provider does otherwise.

    def _call(self, what: str, about: str) -> None:
        if self.before:
            self.before(what, about)
        self._fail(what, after=False)

    def _uploaded(self, request: BatchRequest) -> None:
        """The input file lies there; no batch yet."""

    def _create(self, request: BatchRequest, lines: tuple[dict[str, Any], ...], file_id: str) -> Batch:
        batch_id = BatchId(self._new_id("batch"))
        pending = BatchState(batch_id, BatchStatus.PENDING, "pending", input_file=file_id, name=request.name)
        return Batch(batch_id, request, lines, pending)

    def _created(self, batch: Batch) -> None:
        self._fail("submit", after=True)

    def _discard(self, file_id: str) -> None:
        self.files.pop(file_id, None)

    def _lists(self, batch: Batch) -> bool:
        return not batch.is_hidden

    def _state_of(self, batch: Batch) -> BatchState | None:
        return None if batch.is_hidden else batch.state

    def _lines_of(self, batch: Batch, file_id: str) -> Iterable[bytes]:
        return batch.results[file_id]

    def _new_id(self, kind: str) -> str:
        return f"{kind}_{next(self._numbers):08x}-0000-4000-8000-000000000000"

    def _fail(self, method: str, *, after: bool) -> None:
        for index, (failing, error, is_after) in enumerate(self._failures):
            if failing == method and is_after == after:
                del self._failures[index]
                raise error


def encoded(line: dict[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode()
