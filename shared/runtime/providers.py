"""The batch provider that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from shared.domain.batches import BatchId, BatchRequest, BatchState, ProviderFile
from shared.ports import BatchProvider
from shared.runtime.settings import ProviderAccess, Settings


def open_provider(settings: Settings) -> BatchProvider:
    """Bailian, the first provider.

    Raises:
        ConfigurationError: DASHSCOPE_API_KEY is not set.
    """
    return _BailianWhenAsked(settings.require_provider())


class _BailianWhenAsked:
    """Bailian, loaded with the first question to it.

    Loading its SDK takes longer than everything else together, and a timer that finds nothing to poll or a ticket
    that comes twice never asks.
    """

    def __init__(self, access: ProviderAccess) -> None:
        self._access = access

    @cached_property
    def _bailian(self) -> BatchProvider:
        from shared.adapters.bailian import open_bailian  # noqa: PLC0415 - loads openai; see the class

        return open_bailian(self._access.base_url, self._access.api_key.get_secret_value())

    def submit(self, request: BatchRequest) -> BatchId:
        return self._bailian.submit(request)

    def find(self, name: str) -> BatchId | None:
        return self._bailian.find(name)

    def status(self, batch_id: BatchId) -> BatchState | None:
        return self._bailian.status(batch_id)

    def results(self, state: BatchState) -> Iterator[bytes]:
        return self._bailian.results(state)

    def cancel(self, batch_id: BatchId) -> None:
        self._bailian.cancel(batch_id)

    def clean_up(self, state: BatchState) -> None:
        self._bailian.clean_up(state)

    def unused_files(self) -> Iterator[ProviderFile]:
        return self._bailian.unused_files()

    def delete_file(self, file_id: str) -> None:
        self._bailian.delete_file(file_id)
