"""The services for single requests that the settings give access to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.ports.real_time import RealTime, Reply
from shared.providers.bailian.profile import BAILIAN
from shared.runtime.settings import Settings


def real_times(settings: Settings) -> Mapping[str, RealTime]:
    """By the name of the provider. Of the others we know none that our keys open."""
    return {BAILIAN.name: _BailianWhenAsked(settings)} if settings.dashscope_api_key else {}


class _BailianWhenAsked:
    """Loads its SDK with the first question."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def answers(self, requests: Sequence[bytes]) -> list[Reply]:
        from shared.providers.bailian.real_time import open_bailian_real_time  # noqa: PLC0415

        key = self._settings.dashscope_api_key
        secret = key.get_secret_value() if key else ""
        return open_bailian_real_time(self._settings.dashscope_base_url, secret).answers(requests)
