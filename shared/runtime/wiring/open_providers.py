"""The batch providers that the settings give access to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial

from shared.ports.provider import BatchId, BatchProvider, BatchRequest, BatchState, ProviderFile
from shared.ports.providers import Provider, Providers
from shared.providers.bailian.profile import BAILIAN
from shared.runtime.settings import ProviderAccess, Settings


def open_providers(settings: Settings) -> Providers:
    """Every provider, by the name in ``Plan.provider``; its SDK is loaded when it is asked.

    Raises:
        ConfigurationError: None is set up: DASHSCOPE_API_KEY is not set.
    """
    access = settings.require_provider()
    return Providers(Provider(BAILIAN, _WhenAsked(partial(_open_bailian, access))))


def _open_bailian(access: ProviderAccess) -> BatchProvider:
    # This loads openai; see the class.
    from shared.providers.bailian.client import open_bailian  # noqa: PLC0415

    return open_bailian(access.base_url, access.api_key.get_secret_value())


class _WhenAsked:
    """A provider, loaded with the first question to it.

    Loading an SDK takes longer than everything else together. A timer that finds nothing to poll,
    or a ticket that comes twice, never asks.
    """

    def __init__(self, load: Callable[[], BatchProvider]) -> None:
        self._load = load

    @cached_property
    def _loaded(self) -> BatchProvider:
        return self._load()

    def submit(self, request: BatchRequest) -> BatchId:
        return self._loaded.submit(request)

    def find(self, name: str) -> BatchId | None:
        return self._loaded.find(name)

    def status(self, batch_id: BatchId) -> BatchState | None:
        return self._loaded.status(batch_id)

    def results(self, state: BatchState) -> Iterator[bytes]:
        return self._loaded.results(state)

    def cancel(self, batch_id: BatchId) -> None:
        self._loaded.cancel(batch_id)

    def clean_up(self, state: BatchState) -> None:
        self._loaded.clean_up(state)

    def unused_files(self) -> Iterator[ProviderFile]:
        return self._loaded.unused_files()

    def delete_file(self, file_id: str) -> None:
        self._loaded.delete_file(file_id)
