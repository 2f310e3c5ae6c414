"""Finds out what a model costs: by the operator's own prices, or else by the provider's list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from shared.bucket.keys import PRICES
from shared.bucket.money import Price
from shared.money.prices.price_file import listed_price, parse_own_prices
from shared.money.prices.price_table import PriceTable
from shared.ports.profile import ProviderProfile
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing, UserInputError
from shared.problems.problem import Problem
from shared.recipes.recipe_text import MAX_RECIPE_BYTES, decode

_NONE = PriceTable({})
# Of a file that cannot be read at all; what is said of recipes would be about another file.
_UNREADABLE = {"recipe_too_large", "recipe_encoding", "recipe_rich_text", "recipe_not_a_mapping"}
_SHOWN = 3


@dataclass(frozen=True)
class FoundPrices:
    """The prices of one provider.

    Attributes:
        own: The operator's, which go before those of the ``listed`` file.
        problems: Why there are no own ones although somebody wrote some.
    """

    own: PriceTable
    listed: str
    problems: tuple[Problem, ...] = ()

    def price_of(self, model: str) -> Price | None:
        return self.own.price_of(model) or listed_price(self.listed, model)


def find_prices(store: ObjectStore, profile: ProviderProfile, providers: Collection[str]) -> FoundPrices:
    """A mistake in the operator's file keeps no file from being sent, but none of it is used.

    Args:
        store: The bucket.
        profile: Of the provider that charges.
        providers: All that this installation knows, by which the operator's file may go.
    """
    listed = profile.read_prices()
    try:
        text = decode(_content(store))
        if not text.strip():
            return FoundPrices(_NONE, listed, (Problem("prices_empty", file=PRICES),))
        return FoundPrices(_own(text, profile.name, providers), listed)
    except ObjectMissing:
        return FoundPrices(_NONE, listed)
    except UserInputError as error:
        told = Problem("prices_not_used", file=PRICES)
        return FoundPrices(_NONE, listed, (told, *map(_named, error.problems[:_SHOWN])))


def _content(store: ObjectStore) -> bytes:
    content = b""
    for chunk in store.read(PRICES):
        content += chunk
        if len(content) > MAX_RECIPE_BYTES:
            break
    return content


def _own(text: str, provider: str, providers: Collection[str]) -> PriceTable:
    is_empty = all(not line.strip() or line.lstrip().startswith("#") for line in text.split("\n"))
    return _NONE if is_empty else parse_own_prices(text, provider, providers)


def _named(problem: Problem) -> Problem:
    if problem.code in _UNREADABLE:
        return Problem("prices_unreadable", file=PRICES)
    return Problem(problem.code, problem.line, problem.field, problem.found, problem.values, PRICES)
