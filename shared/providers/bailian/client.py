"""Bailian's OpenAI-compatible batch API as a batch provider."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http import HTTPStatus
from random import SystemRandom
from typing import TypeVar

from openai import OpenAI, Timeout

from shared.formats.lines import byte_lines
from shared.ports.provider import BatchId, BatchRequest, BatchState, ProviderFile
from shared.problems.exceptions import (
    ConfigurationError,
    OutcomeUnknown,
    PipelineError,
    ProviderRejected,
    ProviderTrouble,
    QuotaReached,
)
from shared.providers.bailian.errors import is_not_found, translated
from shared.providers.bailian.lists import BailianLists
from shared.providers.bailian.oss_input import OssInput, explained
from shared.providers.bailian.troubles import WRONG_BASE_URL
from shared.providers.bailian.upload import open_upload
from shared.providers.bailian.wire import BatchAnswer, FileAnswer, state_of

log = logging.getLogger(__name__)

# https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai: metadata limits.
_MAX_NAME_CHARS = 100
_MAX_DESCRIPTION_CHARS = 200
_CHUNK_BYTES = 256 * 1024
# Three uploads a second are few when a hundred files are dropped at once: their submits take turns
# within half a minute. A thousand creates a minute pass; what is refused for longer is the quota of
# unfinished batches, which takes hours.
_UPLOAD_TRIES, _CREATE_TRIES = 8, 4
_MAX_PAUSE_S = 20.0
_CHANCE = SystemRandom()
_ID = re.compile(r"[A-Za-z0-9_-]+")

T = TypeVar("T")


class Bailian:
    """A ``BatchProvider`` through the OpenAI SDK; safe to use from several threads.

    The time-outs limit the silence on the line, not the length of a call. A call is answered within
    seconds, an upload only after all of it was read. For the state of a batch the timer waits, and
    it can be asked again.

    Args:
        client: The SDK's.
        oss: Where Bailian reads the requests; without it, they are uploaded to its file store.
    """

    call_timeout = Timeout(60, connect=10)
    status_timeout = Timeout(20, connect=10)
    upload_timeout = Timeout(300, connect=10)
    pause = staticmethod(time.sleep)

    def __init__(self, client: OpenAI, oss: OssInput | None = None) -> None:
        # Creating a batch is not idempotent: if the SDK repeated it, we would pay twice.
        self._client = client.with_options(max_retries=0, timeout=self.call_timeout)
        self._oss = oss

    def submit(self, request: BatchRequest) -> BatchId:
        if len(request.name) > _MAX_NAME_CHARS:
            # A cut name would not be found again, and the batch would be paid for twice.
            raise ValueError(f"Bailian takes names of at most {_MAX_NAME_CHARS} characters: {request.name}")
        return self._submit_from(self._oss, request) if self._oss else self._submit_upload(request)

    def _submit_from(self, oss: OssInput, request: BatchRequest) -> BatchId:
        name = oss.name_of(request.object_key)
        try:
            return self._patiently(lambda: self._create(request, name), _CREATE_TRIES)
        except (ProviderRejected, ProviderTrouble) as refusal:
            raise _without_service(explained(refusal)) from refusal

    def _submit_upload(self, request: BatchRequest) -> BatchId:
        try:
            file_id = self._patiently(lambda: self._upload(request), _UPLOAD_TRIES)
        except ProviderRejected as refusal:
            raise _without_service(refusal) from refusal
        try:
            return self._patiently(lambda: self._create(request, file_id), _CREATE_TRIES)
        except ProviderRejected as refusal:
            with contextlib.suppress(PipelineError):
                self.delete_file(file_id)
            raise _without_service(refusal) from refusal
        except OutcomeUnknown:
            # The batch may exist and read this file.
            raise
        except PipelineError:
            with contextlib.suppress(PipelineError):
                self.delete_file(file_id)
            raise

    def find(self, name: str, object_key: str = "") -> BatchId | None:
        # The filter by name is fuzzy, that by input is not. Both are asked: the earlier attempt may
        # have uploaded its input, and nobody says that a batch shows the name that it was given.
        found = None
        if self._oss and object_key:
            with contextlib.suppress(ProviderRejected):  # no page says that it knows such inputs
                found = self._listed(name, input_file_ids=self._oss.name_of(object_key))
        return found or self._listed(name, ds_name=name)

    def _listed(self, name: str, **filters: str) -> BatchId | None:
        batches = BailianLists(self._client).batches(**filters)  # newest first
        return next((BatchId(batch.id) for batch in batches if batch.name == name), None)

    def status(self, batch_id: BatchId) -> BatchState | None:
        try:
            with translated("get the batch", self._client):
                path = f"/batches/{_segment(batch_id)}"
                answer = self._client.get(path, cast_to=object, options={"timeout": self.status_timeout})
                return state_of(BatchAnswer.model_validate(answer))
        except ProviderRejected as refusal:
            if is_not_found(refusal):
                return None
            raise

    def results(self, state: BatchState) -> Iterator[bytes]:
        """See the port. A result file that is gone raises ``ProviderRejected`` with status 404."""
        for file_id in state.result_files:
            yield from byte_lines(self._content(file_id))

    def cancel(self, batch_id: BatchId) -> None:
        """See the port; no error if the batch has ended, is being cancelled, or cannot be just now.

        To have it cancelled, ask for its state later, and cancel again while it goes on.
        """
        try:
            with translated("cancel the batch", self._client):
                self._client.post(f"/batches/{_segment(batch_id)}/cancel", cast_to=object)
        except ProviderRejected as refusal:
            log.warning("cancel.refused", extra={"batch_id": batch_id, "reason": str(refusal)})

    def clean_up(self, state: BatchState) -> None:
        for file_id in (state.input_file, *state.result_files):
            if file_id:
                self.delete_file(file_id)

    def unused_files(self) -> Iterator[ProviderFile]:
        """See the port. Files are listed first, so that a batch made meanwhile keeps its file."""
        listed = list(BailianLists(self._client).files())
        used = BailianLists(self._client).inputs_in_use()
        return (file for file in listed if file.file_id not in used)

    def delete_file(self, file_id: str) -> None:
        """See the port. An input in OSS has no id of a file's: nothing is asked, and it stays."""
        try:
            with translated("delete a file", self._client):
                self._client.delete(f"/files/{_segment(file_id)}", cast_to=object)
        except ProviderRejected as refusal:
            if not is_not_found(refusal):
                raise

    def _patiently(self, call: Callable[[], T], tries: int) -> T:
        """Make the call; wait and repeat while the provider is too busy to carry it out."""
        for refusals in range(tries - 1):
            try:
                return call()
            except QuotaReached:  # noqa: PERF203  # each call is a try
                self.pause(_CHANCE.uniform(0, min(2.0**refusals, _MAX_PAUSE_S)))
        return call()

    def _upload(self, request: BatchRequest) -> str:
        with translated("upload the requests", self._client), open_upload(request) as stream:
            answer = self._client.files.with_raw_response.create(
                file=(f"{request.name}.jsonl", stream), purpose="batch", timeout=self.upload_timeout
            )
            return FileAnswer.model_validate_json(answer.text).id

    def _create(self, request: BatchRequest, file_id: str) -> BatchId:
        body = {
            "input_file_id": file_id,
            "endpoint": request.endpoint,
            "completion_window": _window(request.completion_window),
            "metadata": _metadata(request),
        }
        with translated("create the batch", self._client, if_unclear=OutcomeUnknown):
            answer = self._client.post("/batches", cast_to=object, body=body)
            return BatchId(BatchAnswer.model_validate(answer).id)

    def _content(self, file_id: str) -> Iterator[bytes]:
        with (
            translated("download the results", self._client),
            self._client.files.with_streaming_response.content(file_id) as response,
        ):
            yield from response.iter_bytes(_CHUNK_BYTES)


def open_bailian(base_url: str, api_key: str, oss: OssInput | None = None) -> Bailian:
    """Bailian at a region's base URL, such as https://dashscope.aliyuncs.com/compatible-mode/v1.

    Raises:
        ConfigurationError: There is no key.
    """
    return Bailian(open_client(base_url, api_key), oss)


def open_client(base_url: str, api_key: str) -> OpenAI:
    """The SDK's client; the arguments and errors are those of ``open_bailian``."""
    if not api_key:
        raise ConfigurationError("The operator must set DASHSCOPE_API_KEY: it is empty.")
    return OpenAI(base_url=base_url, api_key=api_key)


def _segment(name: str) -> str:
    """An id as one segment of a path; a message may hold anything, so a bad id is not found."""
    if not _ID.fullmatch(name):
        raise ProviderRejected("This is no id of Bailian's", status=404)
    return name


def _window(window: timedelta) -> str:
    return f"{int(window.total_seconds() // 3600)}h"


def _metadata(request: BatchRequest) -> dict[str, str]:
    """The request's own entries and Bailian's three, which they cannot replace."""
    metadata = {**request.metadata, "ds_name": request.name}
    if request.description:
        metadata["ds_description"] = request.description[:_MAX_DESCRIPTION_CHARS]
    if request.callback_url:
        metadata["ds_batch_finish_callback"] = request.callback_url
    return metadata


def _without_service(refusal: PipelineError) -> PipelineError:
    """A path that does not exist means that the base URL is wrong; the rows are not to blame."""
    if isinstance(refusal, ProviderRejected) and refusal.status in {
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
    }:
        return ProviderTrouble(f"The operator must correct DASHSCOPE_BASE_URL: {refusal}", WRONG_BASE_URL)
    return refusal
