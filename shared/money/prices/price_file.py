"""Reads ``prices.yaml``: the prices of a provider's models, each with its page and day."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache

from shared.bucket.money import Price
from shared.money.prices.price_reader import PriceReader
from shared.money.prices.price_table import PriceTable, names_of


@cache
def listed_price(text: str, model: str) -> Price | None:
    """What ``parse_prices(text).price_of(model)`` says, and without the models of no interest.

    To parse all of them takes as long as to read a file of 30 MB. A text whose blocks do not stand
    out is parsed as a whole.
    """
    head, heading, models = text.partition("\nmodels:\n")
    for name in names_of(model):
        block = re.search(rf"^  {re.escape(name)}:\n(?:    .*\n|\n)+", models, re.MULTILINE)
        if block:
            return parse_prices(f"{head}{heading}{block[0]}").models[name]
    return parse_prices(text).price_of(model)


@cache
def parse_prices(text: str) -> PriceTable:
    """Read a provider's own file; one process reads it once.

    Raises:
        UserInputError: With every problem found, each with its line.
    """
    from shared.formats.yaml_values import parse_yaml_mapping  # noqa: PLC0415 - most runs plan nothing

    reader = PriceReader(parse_yaml_mapping(text), is_own=False)
    table = PriceTable(dict(reader.models((), reader.values)))
    reader.require_right()
    return table


def parse_own_prices(text: str, provider: str, providers: Collection[str]) -> PriceTable:
    """What the operator's own file says of one provider: a block of the same form, under its name.

    Args:
        text: Of the whole file.
        provider: Whose block is read.
        providers: Whose blocks there may be.

    Raises:
        UserInputError: As above; other blocks may be wrong.
    """
    from shared.formats.yaml_values import parse_yaml_mapping  # noqa: PLC0415 - most buckets have none

    reader = PriceReader(parse_yaml_mapping(text), is_own=True)
    reader.only((), reader.values, tuple(sorted(providers)))
    models: Iterable[tuple[str, Price]] = ()
    if provider in reader.values:
        models = reader.models((provider,), reader.mapping((provider,), reader.values[provider]))
    table = PriceTable(dict(models))
    reader.require_right()
    return table
