"""The profiles of all providers; they load no SDK."""

from __future__ import annotations

from shared.ports.choice import ProviderChoice
from shared.problems.exceptions import ConfigurationError
from shared.providers.ark.profile import ARK
from shared.providers.bailian.profile import BAILIAN
from shared.providers.tione.profile import TIONE
from shared.runtime.settings import Settings

PROFILES = (BAILIAN, ARK, TIONE)


def provider_choice(settings: Settings) -> ProviderChoice:
    """Among what recipes choose; told by name, where there are no keys.

    Raises:
        ConfigurationError: A setting names a provider that does not exist.
    """
    named = (name.strip() for name in settings.providers.split(","))
    set_up = [name for name in named if name]
    known = [profile.name for profile in PROFILES]
    for variable, names in (("PROVIDERS", set_up), ("DEFAULT_PROVIDER", [settings.default_provider])):
        if not {*names} <= {*known}:
            raise ConfigurationError(
                f"environment: {variable} names no provider; there is: {', '.join(known)}"
            )
    return ProviderChoice(PROFILES, settings.default_provider, set_up)
