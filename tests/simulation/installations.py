"""Which providers a run has. Seeds that older mutants are pinned to stay Bailian's."""

from __future__ import annotations

import random
from enum import Enum

ARK_MODEL = "doubao-seed-2-1-pro-260628"
# Of so many seeds in a row these have Ark, alone or beside Bailian.
_OF = 20
_WITH_ARK = (12, 15, 18)


class Installation(Enum):
    """Who is set up, and so whom recipes choose."""

    BAILIAN = "bailian"
    ARK = "ark"
    BOTH = "both"

    @property
    def has_ark(self) -> bool:
        return self is not Installation.BAILIAN


def installation_of(seed: int) -> Installation:
    if seed % _OF not in _WITH_ARK:
        return Installation.BAILIAN
    return random.Random(f"installation {seed}").choice((Installation.ARK, Installation.BOTH))
