"""The profiles of all providers; they load no SDK."""

from __future__ import annotations

from shared.providers.bailian.profile import BAILIAN

# No recipe can choose yet, so every file goes to this one.
DEFAULT_PROFILE = BAILIAN
PROFILES = (BAILIAN,)
