"""Takes prices from what stands in a ``prices.yaml``, and says what is wrong with it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, get_args

from shared.bucket.money import MICROS, Price, Rates, Thinks, Tier
from shared.money.amounts import CURRENCIES
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, nearest

if TYPE_CHECKING:
    from shared.formats.yaml_values import Path, YamlValues

PRICES_FILE = "prices.yaml"
_UNKNOWN = "unknown"
_THINKS = tuple(word.replace("_", " ") for word in get_args(Thinks))
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_RATES = ("in", "out", "thinking", "cached")
_TIER_KEYS = ("up_to", *_RATES, "batch")
_MODEL_KEYS = ("source", "read_on", "thinks", "batch", "tiers")
_EXAMPLE = "{in: 0.8, out: 2}"
_HIGHEST = 100_000  # of a currency for a million tokens; more is a slip of the keyboard


class PriceReader:
    """Takes prices from what stands in a file; ``problems`` has whatever is wrong there."""

    def __init__(self, tree: YamlValues, *, is_own: bool) -> None:
        self._tree = tree
        self._is_own = is_own
        self.values = tree.values
        self.problems: list[Problem] = list(tree.problems)

    def require_right(self) -> None:
        if self.problems:
            named = (dataclasses.replace(each, file=PRICES_FILE) for each in self.problems)
            raise UserInputError(sorted(named, key=lambda each: each.line or 0))

    def models(self, root: Path, block: Mapping[str, Any]) -> Iterator[tuple[str, Price]]:
        self.only(root, block, ("currency", "cached_from", "models"))
        cached_from = self._cached_from((*root, "cached_from"), block.get("cached_from", 0))
        currency = block.get("currency")
        if currency not in CURRENCIES:
            self._wrong((*root, "currency"), "recipe_choice", currency, choices=", ".join(CURRENCIES))
        for name, said in self.mapping((*root, "models"), block.get("models")).items():
            path: Path = (*root, "models", name)
            model = self.mapping(path, said)
            self.only(path, model, _MODEL_KEYS)
            tiers = tuple(self._tiers(path, model))
            source, read_on = self._source(path, model), self._read_on(path, model)
            thinks = self._thinks(path, model)
            if not self.problems and source and read_on:
                yield (
                    name,
                    Price(
                        model=name,
                        currency=str(currency),
                        thinks=thinks,
                        tiers=tiers,
                        source=source,
                        read_on=read_on,
                        is_own=self._is_own,
                        cached_from=cached_from,
                    ),
                )

    def _cached_from(self, path: Path, said: Any) -> int:
        if isinstance(said, int) and not isinstance(said, bool) and said >= 0:
            return said
        self._wrong(path, "price_tokens", said)
        return 0

    def _source(self, path: Path, model: Mapping[str, Any]) -> str | None:
        source = model.get("source")
        if isinstance(source, str) and source.strip():
            return source
        self._missing((*path, "source"), "source: https://…")
        return None

    def _read_on(self, path: Path, model: Mapping[str, Any]) -> date | None:
        said = model.get("read_on")
        try:
            if isinstance(said, str) and _DAY.fullmatch(said):
                return date.fromisoformat(said)
        except ValueError:
            pass  # such as 2026-02-30
        if said is None:
            self._missing((*path, "read_on"), "read_on: 2026-11-27")
        else:
            self._wrong((*path, "read_on"), "price_day", said)
        return None

    def _thinks(self, path: Path, model: Mapping[str, Any]) -> Thinks:
        said = model.get("thinks", _UNKNOWN)
        if said not in _THINKS:
            self._wrong((*path, "thinks"), "recipe_choice", said, choices=", ".join(_THINKS))
        return said.replace(" ", "_") if isinstance(said, str) else _UNKNOWN  # type: ignore[return-value]

    def _tiers(self, path: Path, model: Mapping[str, Any]) -> Iterator[Tier]:
        said = model.get("tiers")
        if not isinstance(said, list) or not said:
            self._missing((*path, "tiers"), "tiers: [{in: 0.8, out: 2}]")
            return
        before = 0
        for number, each in enumerate(said):
            here: Path = (*path, "tiers", number)
            tier = self.mapping(here, each)
            self.only(here, tier, _TIER_KEYS)
            up_to = tier.get("up_to")
            is_last = number == len(said) - 1
            is_ascending = isinstance(up_to, int) and not isinstance(up_to, bool) and up_to > before
            if not is_ascending and not (up_to is None and is_last):
                self._wrong((*here, "up_to"), "price_tiers", up_to)
                return
            before = up_to or before
            yield self._tier(here, tier, model.get("batch", _UNKNOWN), up_to)

    def _tier(self, path: Path, tier: Mapping[str, Any], batch: Any, up_to: int | None) -> Tier:
        real_time = self._rates(path, tier)
        own = tier.get("batch")
        if own is not None:
            here: Path = (*path, "batch")
            rates = self.mapping(here, own)
            self.only(here, rates, _RATES)
            return Tier(up_to=up_to, real_time=real_time, batch=self._rates(here, rates))
        share = self._share((*path[:-2], "batch"), batch)
        return Tier(
            up_to=up_to, real_time=real_time, batch=None if share is None else _part(real_time, share)
        )

    def _rates(self, path: Path, said: Mapping[str, Any]) -> Rates:
        found = {name: self._micros((*path, name), said.get(name)) for name in _RATES}
        for name in ("in", "out"):
            if said.get(name) is None:
                self._missing((*path, name), f"{name}: 0.8")
        thinking = found["thinking"]
        return Rates(
            input=found["in"] or 0,
            output=found["out"] or 0,
            thinking=(found["out"] or 0) if thinking is None else thinking,
            cached=found["cached"],
        )

    def _micros(self, path: Path, said: Any) -> int | None:
        """A price as millionths.

        ``repr`` of a number is what was written; no float is counted with.
        """
        if said is None or (said == _UNKNOWN and path[-1] == "cached"):
            return None
        try:
            price = Decimal(repr(said)) if _is_number(said) else Decimal(-1)
        except InvalidOperation:
            price = Decimal(-1)
        micros = price * MICROS
        if not 0 <= price <= _HIGHEST or micros != int(micros):
            self._wrong(path, "price_number", said)
            return None
        return int(micros)

    def _share(self, path: Path, said: Any) -> Decimal | None:
        if said == _UNKNOWN:
            return None
        share = Decimal(repr(said)) if _is_number(said) else Decimal(-1)
        if not 0 < share <= 1:
            self._wrong(path, "price_share", said)
            return None
        return share

    def mapping(self, path: Path, said: Any) -> Mapping[str, Any]:
        if isinstance(said, dict):
            return said
        if said is None:
            self._missing(path, _EXAMPLE)
        else:
            self._wrong(path, "price_mapping", said, example=_EXAMPLE)
        return {}

    def only(self, path: Path, said: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in said:
            if key not in known:
                values = {"nearest": nearest(key, known) or known[0], "known": ", ".join(known)}
                self._wrong((*path, key), "recipe_unknown_key", key, **values)

    def _missing(self, path: Path, write: str) -> None:
        self._wrong(path, "recipe_missing_key", None, write=write)

    def _wrong(self, path: Path, code: str, found: Any, **values: str) -> None:
        field = ".".join(map(str, path))
        shown = None if found is None else str(found)
        self.problems.append(Problem(code, self._tree.line_of(path), field, shown, values))


def _is_number(said: Any) -> bool:
    return isinstance(said, int | float) and not isinstance(said, bool)


def _part(rates: Rates, share: Decimal) -> Rates:
    """A share of each rate, rounded up: no bill is to be higher than the quote for that."""

    def part(rate: int) -> int:
        return int((rate * share).to_integral_value(ROUND_CEILING))

    return Rates(
        input=part(rates.input),
        output=part(rates.output),
        thinking=part(rates.thinking),
        cached=None,
    )
