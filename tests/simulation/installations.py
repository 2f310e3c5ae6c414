"""Which providers a run has. Seeds that older mutants are pinned to stay with those they had."""

from __future__ import annotations

import random
from enum import Enum

from tests.support.scripted_tione import TIONE_MODEL

ARK_MODEL = "doubao-seed-2-1-pro-260628"
# Bailian is asked about several; of each other provider the simulation has one.
_PROVIDERS = {ARK_MODEL: "ark", TIONE_MODEL: "tione"}
MODELS = {name: model for model, name in _PROVIDERS.items()}


class Installation(Enum):
    """Who is set up, and so whom recipes choose; the first is the default one."""

    BAILIAN = ("bailian",)
    ARK = ("ark",)
    BAILIAN_AND_ARK = ("bailian", "ark")
    TIONE = ("tione",)
    ALL = ("bailian", "ark", "tione")

    @property
    def default(self) -> str:
        return self.value[0]

    @property
    def others(self) -> tuple[str, ...]:
        return self.value[1:]


# Of so many seeds in a row those with other providers than Bailian, and which.
_OF = 20
_WITH_ARK = dict.fromkeys((12, 15, 18), (Installation.ARK, Installation.BAILIAN_AND_ARK))
# Several providers have more files, and take several times as long.
_WITH_TIONE = dict.fromkeys((2, 5, 8), (*[Installation.TIONE] * 14, Installation.ALL))
_CHOICES = {**_WITH_ARK, **_WITH_TIONE}


# Of so many, those whose Bailian reads the requests from the bucket.
_READING = 4


def reads_bucket(seed: int) -> bool:
    return seed % _OF == _READING


def installation_of(seed: int) -> Installation:
    choices = _CHOICES.get(seed % _OF)
    return random.Random(f"installation {seed}").choice(choices) if choices else Installation.BAILIAN


def provider_of(model: str) -> str:
    """Who is asked about that model."""
    return _PROVIDERS.get(model, "bailian")
