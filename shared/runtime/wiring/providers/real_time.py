"""The services for single requests that the settings give access to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import SecretStr

from shared.ports.real_time import RealTime, Reply
from shared.providers.ark.profile import ARK
from shared.providers.bailian.profile import BAILIAN
from shared.runtime.settings import Settings

Load = Callable[[], RealTime]


def real_times(settings: Settings) -> Mapping[str, RealTime]:
    """By the name of the provider. TI-ONE's tasks have no address."""
    known = {
        BAILIAN.name: (settings.dashscope_api_key, _load_bailian),
        ARK.name: (settings.ark_api_key, _load_ark),
    }
    return {name: _WhenAsked(_loader(load, settings, key)) for name, (key, load) in known.items() if key}


def _loader(load: Callable[[Settings, str], RealTime], settings: Settings, key: SecretStr) -> Load:
    return lambda: load(settings, key.get_secret_value())


# These load openai; see ``_WhenAsked``.
def _load_bailian(settings: Settings, key: str) -> RealTime:
    from shared.providers.bailian.real_time import open_bailian_real_time  # noqa: PLC0415

    return open_bailian_real_time(settings.dashscope_base_url, key)


def _load_ark(settings: Settings, key: str) -> RealTime:
    from shared.providers.ark.real_time import open_ark_real_time  # noqa: PLC0415

    return open_ark_real_time(settings.ark_base_url, key)


class _WhenAsked:
    """Loads its SDK with the first question."""

    def __init__(self, load: Load) -> None:
        self._load = load

    def answers(self, requests: Sequence[bytes], model: str) -> list[Reply]:
        return self._load().answers(requests, model)
