"""Reads and writes amounts of money as people do: ``50 CNY``, ``50 元``, ``¥0.42``."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from shared.bucket.money import MICROS, Money
from shared.problems.problem import Bilingual

# ISO 4217 by what people write instead. Of the two countries that write ¥ ours is meant.
_CURRENCIES = {
    "cny": "CNY", "rmb": "CNY", "yuan": "CNY", "元": "CNY", "人民币": "CNY", "¥": "CNY", "￥": "CNY",
    "usd": "USD", "dollar": "USD", "dollars": "USD", "美元": "USD", "$": "USD",
}  # fmt: skip
_SIGNS = {"CNY": "¥", "USD": "$"}
CURRENCIES = tuple(_SIGNS)

# More is a slip of the keyboard, and a digit more than a millionth cannot be kept.
_NUMBER = r"(?P<number>[0-9]{1,12}(?:\.[0-9]{1,6})?|[0-9]{1,3}(?:,[0-9]{3}){1,3}(?:\.[0-9]{1,6})?)"
_SIGN = "|".join(sorted(map(re.escape, _CURRENCIES), key=len, reverse=True))
_AMOUNT = re.compile(rf"(?P<before>{_SIGN})?\s*{_NUMBER}\s*(?P<after>{_SIGN})?", re.I | re.ASCII)

# As Chinese keyboards and web pages write them.
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x00A0: " ", 0x202F: " "}

_CENT = MICROS // 100


def parse_money(text: str) -> Money | None:
    """The amount that a text says with its currency once, or with two signs of the same one.

    ``None`` if it says none, or no currency: a bare number may mean either.
    """
    match = _AMOUNT.fullmatch(text.translate(_WIDE).strip())
    if match is None:
        return None
    named = {_CURRENCIES[sign.lower()] for sign in (match["before"], match["after"]) if sign}
    if len(named) != 1:
        return None
    number = Decimal(match["number"].replace(",", ""))
    return Money(micros=int(number * MICROS), currency=named.pop())


def money_text(amount: Money, *, is_gain: bool = False) -> str:
    """``¥1,234.56``; below one, what is no whole cent as ``¥0.0153``, and the least ``<¥0.0001``.

    A cost is rounded up, a gain and what is left are rounded down: nothing is shown better than it
    is. In cents alone, the sums of a small job would look wrong.
    """
    return _shown(amount, ROUND_FLOOR if is_gain else ROUND_CEILING)


def _shown(amount: Money, rounding: str) -> str:
    sign = _SIGNS.get(amount.currency, f"{amount.currency} ")
    minus, micros = ("-" if amount.micros < 0 else ""), abs(amount.micros)
    digits = Decimal(micros) / MICROS
    if micros >= MICROS or micros % _CENT == 0:
        return f"{minus}{sign}{digits.quantize(Decimal('0.01'), rounding):,}"
    shown = digits.quantize(Decimal("0.0001"), rounding)
    return f"{minus}<{sign}0.0001" if digits < shown == Decimal("0.0001") else f"{minus}{sign}{shown}"


def about_text(amount: Money) -> Bilingual:
    """An estimate, which is rounded to the nearest: ``about ¥0.42``, ``less than ¥0.0001``."""
    if is_tiny(amount):
        return spoken_text(amount)
    shown = _shown(amount, ROUND_HALF_UP)
    return Bilingual(f"约 {shown}", f"about {shown}")


def spoken_text(amount: Money) -> Bilingual:
    """A cost in a sentence: ``¥0.42``, ``less than ¥0.0001``."""
    shown = most_text(amount)
    return Bilingual(f"不到 {shown}", f"less than {shown}") if is_tiny(amount) else Bilingual(shown, shown)


def is_tiny(amount: Money) -> bool:
    """Whether it is too little to be shown in figures."""
    return money_text(amount).startswith("<")


def most_text(amount: Money) -> str:
    """What it is at most, which the least amount is, too."""
    return money_text(amount).removeprefix("<")


def exact_digits(amount: Money) -> str:
    """Every millionth, for programs that reckon: ``0.423411``."""
    return format((Decimal(amount.micros) / MICROS).quantize(Decimal("0.000001")), "f")


def exact_amount(amount: Money) -> str:
    """``0.423411 CNY``."""
    return f"{exact_digits(amount)} {amount.currency}"
