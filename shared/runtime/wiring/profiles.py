"""The profiles of all providers that there are; no SDK comes with them."""

from __future__ import annotations

from shared.providers.bailian.profile import BAILIAN

# Where a recipe does not choose, and none can yet, its files go to this one.
DEFAULT_PROFILE = BAILIAN
PROFILES = (BAILIAN,)
