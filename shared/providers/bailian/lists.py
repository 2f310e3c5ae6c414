"""Reads Bailian's lists of batches and files page by page, whatever the last page claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from openai import OpenAI
from pydantic import BaseModel

from shared.ports.provider import ProviderFile
from shared.problems.exceptions import TransientError
from shared.providers.bailian.errors import translated
from shared.providers.bailian.wire import BatchAnswer, BatchPage, FilePage, ListedFile, provider_file

# Pages of 100 batches and 2,000 files:
# https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai
# https://help.aliyun.com/zh/model-studio/openai-file-interface
_BATCHES_A_PAGE = 100
_FILES_A_PAGE = 2000
_MAX_PAGES = 200
_UNFINISHED = "validating,in_progress,finalizing,cancelling"

Listed = TypeVar("Listed", BatchAnswer, ListedFile)
Page = TypeVar("Page", bound=BaseModel)


class BailianLists:
    """Bailian's lists of batches and files.

    Not ``client.batches.list``: the SDK's pages fail on the null of an empty list and believe
    ``has_more``.
    """

    def __init__(self, client: OpenAI) -> None:
        self._client = client

    def batches(self, **filters: str) -> Iterator[BatchAnswer]:
        """Newest first; only those of the last 30 days are listed."""

        def page(after: str | None) -> Sequence[BatchAnswer]:
            params: dict[str, object] = {**filters, "limit": _BATCHES_A_PAGE}
            return self._get("/batches", "list the batches", BatchPage, params, after).data or ()

        return _entries(page, "batches")

    def files(self) -> Iterator[ProviderFile]:
        """All files of the account, other people's included."""

        def page(after: str | None) -> Sequence[ListedFile]:
            params: dict[str, object] = {"limit": _FILES_A_PAGE}
            return self._get("/files", "list the files", FilePage, params, after).data or ()

        for file in _entries(page, "files"):
            if file.created_at is not None:  # it was always there; without an age nothing can be decided
                yield provider_file(file.id, file.filename or "", file.created_at, file.bytes or 0)

    def inputs_in_use(self) -> frozenset[str]:
        """The input files of all batches that are listed as unfinished."""
        unfinished = self.batches(status=_UNFINISHED)
        return frozenset(batch.input_file_id for batch in unfinished if batch.input_file_id)

    def _get(
        self, path: str, action: str, model: type[Page], params: dict[str, object], after: str | None
    ) -> Page:
        if after:
            params["after"] = after
        with translated(action, self._client):
            answer = self._client.get(path, cast_to=object, options={"params": params})
            return model.model_validate(answer)


def _entries(page_after: Callable[[str | None], Sequence[Listed]], what: str) -> Iterator[Listed]:
    """Every entry once, until a page brings nothing new.

    ``has_more`` was true on a last page, and no source says that a short page is the last one.

    Raises:
        TransientError: The list has no end.
    """
    seen: set[str] = set()
    after: str | None = None
    for _ in range(_MAX_PAGES):
        new = [entry for entry in page_after(after) if entry.id not in seen]
        if not new:
            return
        yield from new
        seen.update(entry.id for entry in new)
        after = new[-1].id
    raise TransientError(f"Bailian's list of {what} has no end")
