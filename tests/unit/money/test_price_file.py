from __future__ import annotations

import json
from datetime import date

import pytest
import yaml

from shared.bucket.money import Price
from shared.money.prices.price_file import listed_price, parse_own_prices, parse_prices
from shared.money.prices.price_table import PriceTable, is_stale
from shared.ports.profile import ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.providers.ark.profile import ARK
from shared.providers.bailian.profile import BAILIAN
from shared.providers.tione.profile import TIONE

PROVIDERS = (BAILIAN, ARK, TIONE)
WHOLE = """\
currency: CNY
models:
  qwen-plus:
    source: https://example.com/prices
    read_on: 2026-11-27
    thinks: if asked
    batch: 0.5
    tiers:
      - {up_to: 128000, in: 0.8, out: 2, thinking: 8}
      - {in: 2.4, out: 20, cached: 0.5, batch: {in: 1, out: 9}}
"""


def price_of(table: PriceTable, model: str) -> Price:
    price = table.price_of(model)
    assert price is not None
    return price


def problems_in(text: str) -> list[tuple[str, int | None]]:
    with pytest.raises(UserInputError) as raised:
        parse_prices(text)
    assert {problem.file for problem in raised.value.problems} == {"prices.yaml"}
    return [(problem.code, problem.line) for problem in raised.value.problems]


def test_prices_are_whole_millionths_for_a_million_tokens() -> None:
    first, second = price_of(parse_prices(WHOLE), "qwen-plus").tiers

    assert first.real_time.model_dump() == {
        "input": 800_000,
        "output": 2_000_000,
        "thinking": 8_000_000,
        "cached": None,
    }
    assert first.batch is not None
    assert first.batch.model_dump() == {
        "input": 400_000,
        "output": 1_000_000,
        "thinking": 4_000_000,
        "cached": None,
    }
    assert second.real_time.cached == 500_000
    assert second.batch is not None
    assert (second.batch.input, second.batch.output, second.batch.thinking) == (
        1_000_000,
        9_000_000,
        9_000_000,
    )


def test_a_share_of_a_price_is_rounded_up() -> None:
    table = parse_prices(
        WHOLE.replace("batch: 0.5", "batch: 0.333333333333").replace("out: 2,", "out: 0.000001,")
    )

    batch = price_of(table, "qwen-plus").tiers[0].batch
    assert batch is not None
    assert (batch.input, batch.output) == (266_667, 1)


@pytest.mark.parametrize(("tokens", "input_rate"), [(0, 800_000), (128_000, 800_000), (128_001, 2_400_000)])
def test_a_request_is_charged_by_its_length(tokens: int, input_rate: int) -> None:
    assert price_of(parse_prices(WHOLE), "qwen-plus").tier_for(tokens).real_time.input == input_rate


@pytest.mark.parametrize(
    "model", ["qwen-plus-latest", "qwen-plus-2025-07-14", "qwen-plus-251201", "qwen-plus@250101"]
)
def test_a_dated_version_costs_what_its_model_does(model: str) -> None:
    assert price_of(parse_prices(WHOLE), model).model == "qwen-plus"


@pytest.mark.parametrize("model", ["qwen-plus-character", "qwen", "plus", "", "qwen-plus-us"])
def test_a_model_with_another_name_has_no_known_price(model: str) -> None:
    assert parse_prices(WHOLE).price_of(model) is None


@pytest.mark.parametrize(
    ("wrong", "right", "code", "line"),
    [
        ("    source: https://example.com/prices\n", "", "recipe_missing_key", 3),
        ("    read_on: 2026-11-27\n", "", "recipe_missing_key", 3),
        ("2026-11-27", "2026-02-30", "price_day", 5),
        ("2026-11-27", "27.11.2026", "price_day", 5),
        ("currency: CNY", "currency: EUR", "recipe_choice", 1),
        ("thinks: if asked", "thinks: perhaps", "recipe_choice", 6),
        ("batch: 0.5\n", "batch: 50\n", "price_share", 7),
        ("batch: 0.5\n", "batch: half\n", "price_share", 7),
        ("in: 0.8", "in: free", "price_number", 9),
        ("in: 0.8", "in: -1", "price_number", 9),
        ("in: 0.8", "in: 0.0000001", "price_number", 9),
        ("in: 0.8", "in: 1e9", "price_number", 9),
        ("in: 0.8", "in: true", "price_number", 9),
        ("in: 0.8, ", "", "recipe_missing_key", 8),
        ("up_to: 128000", "up_to: 128K", "price_tiers", 9),
        ("up_to: 128000, ", "", "price_tiers", 8),
        ("{in: 2.4, out: 20", "{up_to: 128000, in: 2.4, out: 20", "price_tiers", 10),
        ("out: 2,", "output: 2,", "recipe_unknown_key", 9),
        ("{in: 1, out: 9}", "9", "price_mapping", 10),
        ("models:", "model:", "recipe_unknown_key", 2),
        ("currency: CNY", "currency: CNY\ncached_from: 1K", "price_tokens", 2),
    ],
)
def test_a_mistake_is_told_with_its_line(wrong: str, right: str, code: str, line: int) -> None:
    assert wrong in WHOLE

    assert (code, line) in problems_in(WHOLE.replace(wrong, right, 1))


def own(text: str, provider: str = "bailian") -> PriceTable:
    return parse_own_prices(text, provider, ["bailian", "ark"])


def block(provider: str) -> str:
    return f"{provider}:\n" + "".join(f"  {line}\n" for line in WHOLE.splitlines())


def test_own_prices_stand_under_the_provider_that_charges_them() -> None:
    price = price_of(own("ark: wrong, but not asked for\n" + block("bailian")), "qwen-plus")

    assert price == price_of(parse_prices(WHOLE), "qwen-plus").model_copy(update={"is_own": True})
    assert own(block("ark")).models == {}


@pytest.mark.parametrize(
    ("text", "code", "line", "field"),
    [
        (block("bailian").replace("in: 0.8", "in: free"), "price_number", 10, "bailian.models.qwen-plus.tiers.0.in"),
        (block("bailian").replace("batch: 0.5\n", "batch: 2\n"), "price_share", 8, "bailian.models.qwen-plus.batch"),
        (block("balian"), "recipe_unknown_key", 1, "balian"),
        (WHOLE, "recipe_unknown_key", 1, "currency"),
        ("bailian: 0.8\n", "price_mapping", 1, "bailian"),
    ],
)  # fmt: skip
def test_a_mistake_in_own_prices_is_told_with_its_place(text: str, code: str, line: int, field: str) -> None:
    with pytest.raises(UserInputError) as raised:
        own(text)

    first = raised.value.problems[0]
    assert (first.code, first.line, first.field, first.file) == (code, line, field, "prices.yaml")


def test_a_price_is_old_after_ninety_days() -> None:
    price = price_of(parse_prices(WHOLE), "qwen-plus")

    assert not is_stale(price, date(2027, 2, 25))
    assert is_stale(price, date(2027, 2, 26))


@pytest.mark.parametrize("profile", PROVIDERS, ids=lambda each: each.name)
def test_each_providers_prices_have_their_page_and_day(profile: ProviderProfile) -> None:
    table = parse_prices(profile.read_prices())

    for price in table.models.values():
        assert price.source.startswith("https://")
        assert date(2025, 1, 1) < price.read_on <= date.today()  # noqa: DTZ011


@pytest.mark.parametrize("profile", PROVIDERS, ids=lambda each: each.name)
def test_one_models_price_is_that_of_the_whole_file(profile: ProviderProfile) -> None:
    text = profile.read_prices()
    table = parse_prices(text)

    for model in (*table.models, *(f"{each}-2026-11-27" for each in table.models), "of nobody", "models", ""):
        assert listed_price(text, model) == table.price_of(model)


def test_a_file_of_another_form_is_read_as_a_whole() -> None:
    text = json.dumps(yaml.safe_load(WHOLE), default=str)

    assert listed_price(text, "qwen-plus-latest") == parse_prices(WHOLE).price_of("qwen-plus")
