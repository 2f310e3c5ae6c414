"""What a provider's models cost, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from shared.bucket.money import Price

STALE_AFTER_DAYS = 90
"""An older price is told of: pages change."""

_DATED = re.compile(r"(?P<model>.+?)[-@](?:latest|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{6})", re.ASCII)


@dataclass(frozen=True)
class PriceTable:
    """What a provider's models cost.

    Attributes:
        models: By name. A model that is not here has no known price.
    """

    models: Mapping[str, Price]

    def price_of(self, model: str) -> Price | None:
        """That of the model, or of the one that it is a dated version of."""
        return next((self.models[name] for name in names_of(model) if name in self.models), None)


def is_stale(price: Price, today: date) -> bool:
    return (today - price.read_on).days > STALE_AFTER_DAYS


def names_of(model: str) -> Iterator[str]:
    """Under which names its price may stand."""
    yield model
    if dated := _DATED.fullmatch(model):
        yield dated["model"]
