"""The providers of one installation, by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.ports.profile import ProviderProfile, SlotPool
from shared.ports.provider import BatchProvider
from shared.ports.real_time import RealTime
from shared.problems.exceptions import ProviderTrouble
from shared.problems.problem import Values


@dataclass(frozen=True)
class Provider:
    """A provider as the use cases are handed it: what is known of it, and the ways to call it.

    ``real_time`` is ``None`` where we know of no such service, or none for the keys that are set.
    """

    profile: ProviderProfile
    batches: BatchProvider
    real_time: RealTime | None = None


class Providers:
    """The providers of this installation, by the names that plans hold."""

    def __init__(self, *providers: Provider) -> None:
        self._by_name = {provider.profile.name: provider for provider in providers}

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._by_name.values())

    def of(self, name: str) -> Provider:
        """The provider of that name.

        Raises:
            ProviderTrouble: It is not set up here, or another version knows it.
        """
        if name not in self._by_name:
            raise ProviderTrouble(name, "provider_missing")
        return self._by_name[name]

    def terms_of(self, name: str) -> Values:
        """How messages call it; empty if there is no such provider."""
        provider = self._by_name.get(name)
        return provider.profile.terms if provider else {}

    @property
    def pools(self) -> tuple[SlotPool, ...]:
        return tuple(pool for provider in self for pool in provider.profile.pools)
