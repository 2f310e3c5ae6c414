from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bucket.money import Money, Rates, TokenCounts, cost
from shared.money.amounts import (
    CURRENCIES,
    about_text,
    exact_amount,
    exact_digits,
    money_text,
    most_text,
    parse_money,
    spoken_text,
)


@pytest.mark.parametrize(
    ("text", "micros", "currency"),
    [
        ("50 CNY", 50_000_000, "CNY"),
        ("50元", 50_000_000, "CNY"),
        ("人民币 50", 50_000_000, "CNY"),
        ("¥1,234.50", 1_234_500_000, "CNY"),
        ("￥0.000001", 1, "CNY"),
        ("¥50元", 50_000_000, "CNY"),
        ("$3", 3_000_000, "USD"),
        ("0.5 usd", 500_000, "USD"),
        ("２００　元", 200_000_000, "CNY"),
        ("1，000．5 元", 1_000_500_000, "CNY"),
        ("＄３", 3_000_000, "USD"),
        ("200\u00a0CNY", 200_000_000, "CNY"),
        ("999999999999 CNY", 999_999_999_999_000_000, "CNY"),
    ],
)
def test_an_amount_is_read_as_people_write_it(text: str, micros: int, currency: str) -> None:
    assert parse_money(text) == Money(micros=micros, currency=currency)


@pytest.mark.parametrize(
    "text",
    [
        "50",
        "",
        "CNY",
        "50 EUR",
        "¥50 USD",
        "1,23 CNY",
        "-5 CNY",
        "0.0000001 CNY",
        "１２",
        "5² 元",
        "1e3 CNY",
        "nan元",
    ],
)
def test_what_names_no_amount_or_no_currency_is_none(text: str) -> None:
    assert parse_money(text) is None


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "¥0.00"),
        (1, "<¥0.0001"),
        (101, "¥0.0002"),
        (10_000, "¥0.01"),
        (15_300, "¥0.0153"),
        (15_301, "¥0.0154"),
        (999_999, "¥1.0000"),
        (12_345_678, "¥12.35"),
        (1_234_567_890_123, "¥1,234,567.90"),
        (-12_345_678, "-¥12.35"),
    ],
)
def test_an_amount_is_never_shown_as_less_than_it_is(micros: int, text: str) -> None:
    assert money_text(Money(micros=micros, currency="CNY")) == text


@pytest.mark.parametrize(
    ("micros", "zh", "en", "most"),
    [
        (0, "约 ¥0.00", "about ¥0.00", "¥0.00"),
        (1, "不到 ¥0.0001", "less than ¥0.0001", "¥0.0001"),
        (100, "约 ¥0.0001", "about ¥0.0001", "¥0.0001"),
        (420_000, "约 ¥0.42", "about ¥0.42", "¥0.42"),
    ],
)
def test_an_estimate_says_one_thing_of_how_exact_it_is(micros: int, zh: str, en: str, most: str) -> None:
    amount = Money(micros=micros, currency="CNY")

    assert about_text(amount) == (zh, en)
    assert spoken_text(amount) == (zh.removeprefix("约 "), en.removeprefix("about "))
    assert most_text(amount) == most


@pytest.mark.parametrize(
    ("micros", "about", "most"),
    [
        (1_723, "¥0.0017", "¥0.0018"),
        (2_123, "¥0.0021", "¥0.0022"),
        (1_750, "¥0.0018", "¥0.0018"),
        (12_344_999, "¥12.34", "¥12.35"),
        (149, "¥0.0001", "¥0.0002"),
    ],
)
def test_an_estimate_is_rounded_to_the_nearest_and_a_cost_up(micros: int, about: str, most: str) -> None:
    amount = Money(micros=micros, currency="CNY")

    assert about_text(amount) == (f"约 {about}", f"about {about}")
    assert most_text(amount) == most


@given(st.integers(0, 10**17), st.sampled_from(CURRENCIES))
def test_what_is_shown_is_read_again_within_a_cent(micros: int, currency: str) -> None:
    amount = Money(micros=micros, currency=currency)

    read = parse_money(money_text(amount).removeprefix("<"))

    assert read is not None
    assert read.currency == currency
    assert 0 <= read.micros - micros < 10_000


@given(st.lists(st.integers(0, 10**9), min_size=4, max_size=4), st.integers(0, 10**9))
def test_a_cost_is_rounded_up_once_and_never_by_more_than_a_millionth(counts: list[int], rate: int) -> None:
    tokens = TokenCounts(input=counts[0], output=counts[1], thinking=counts[2], cached=counts[3])
    rates = Rates(input=rate, output=rate, thinking=rate, cached=rate)

    micros = cost(tokens, rates, "CNY").micros

    assert 0 <= micros * 1_000_000 - sum(counts) * rate < 1_000_000


def test_amounts_of_two_currencies_are_not_added() -> None:
    with pytest.raises(ValueError, match="USD"):
        Money(micros=1, currency="CNY") + Money(micros=1, currency="USD")


@pytest.mark.parametrize(
    ("micros", "shown"),
    [(1_529_999, "¥1.52"), (1_520_000, "¥1.52"), (9_999, "¥0.0099"), (15_399, "¥0.0153"), (0, "¥0.00")],
)
def test_a_gain_is_rounded_down(micros: int, shown: str) -> None:
    assert money_text(Money(micros=micros, currency="CNY"), is_gain=True) == shown


@pytest.mark.parametrize(
    ("micros", "said"),
    [(423_411, "0.423411"), (0, "0.000000"), (-1, "-0.000001"), (10**12, "1000000.000000")],
)
def test_programs_get_every_millionth(micros: int, said: str) -> None:
    amount = Money(micros=micros, currency="CNY")

    assert (exact_digits(amount), exact_amount(amount)) == (said, f"{said} CNY")
