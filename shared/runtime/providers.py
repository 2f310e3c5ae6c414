"""The batch provider that the settings name."""

from __future__ import annotations

from shared.adapters.bailian import open_bailian
from shared.ports import BatchProvider
from shared.runtime.settings import Settings


def open_provider(settings: Settings) -> BatchProvider:
    """Bailian, the first provider.

    Raises:
        ConfigurationError: DASHSCOPE_API_KEY is not set.
    """
    access = settings.require_provider()
    return open_bailian(base_url=access.base_url, api_key=access.api_key.get_secret_value())
