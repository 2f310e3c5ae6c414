"""The batch providers that the settings give access to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial

from shared.ports.provider import BatchId, BatchProvider, BatchRequest, BatchState, ProviderFile
from shared.ports.providers import Provider, Providers
from shared.problems.exceptions import ConfigurationError
from shared.providers.bailian.profile import BAILIAN
from shared.runtime.settings import Settings

Load = Callable[[], BatchProvider]


def _bailian(settings: Settings) -> Load | None:
    key = settings.dashscope_api_key
    return partial(_load_bailian, settings.dashscope_base_url, key.get_secret_value()) if key else None


def _load_bailian(base_url: str, api_key: str) -> BatchProvider:
    # This loads openai; see ``_WhenAsked``.
    from shared.providers.bailian.client import open_bailian  # noqa: PLC0415

    return open_bailian(base_url, api_key)


# Beside each profile, what loads the provider; ``None`` if the settings hold no key to it.
_PROVIDERS = ((BAILIAN, _bailian),)


def open_providers(settings: Settings) -> Providers:
    """Every provider to which there is a key; its SDK is loaded when it is asked.

    Raises:
        ConfigurationError: There is no key to any.
    """
    loads = [(profile, load_with(settings)) for profile, load_with in _PROVIDERS]
    opened = [Provider(profile, _WhenAsked(load)) for profile, load in loads if load]
    if not opened:
        keys = " or ".join(str(profile.terms["key_variable"]) for profile, _ in _PROVIDERS)
        raise ConfigurationError(f"environment: {keys} is missing, and this function needs it")
    return Providers(*opened)


class _WhenAsked:
    """A provider, loaded with the first question to it.

    Loading an SDK takes longer than everything else together. A timer that finds nothing to poll,
    or a ticket that comes twice, never asks.
    """

    def __init__(self, load: Load) -> None:
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
