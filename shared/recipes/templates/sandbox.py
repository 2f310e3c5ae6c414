"""The sandbox in which templates run: Jinja2 without ways to make very much of very little."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shared.formats.visible_text import shortened
from shared.problems.exceptions import UserInputError
from shared.recipes.templates.meter import FILTER_STEPS, ITEM_STEPS, VIEWS, Meter
from shared.recipes.templates.metering import METERED, RAN, pay_call, paying, with_meters

if TYPE_CHECKING:
    from jinja2.runtime import Context

# These make gigabytes of one short expression, and a prompt needs none of them. What makes much in
# many steps, such as doubling a text forty times, is the meter's.
_INFLATING_FILTERS = frozenset(
    {"batch", "center", "format", "indent", "pprint", "slice", "urlize", "wordwrap"}
)
_INFLATING_METHODS = frozenset(
    ("center", "encode", "expandtabs", "format", "format_map", "from_bytes", "fromkeys", "ljust", "maketrans")
) | {"rjust", "to_bytes", "translate", "zfill"}
_ON_SMALL_NUMBERS = frozenset({"*", "**", "%"})
_LARGEST_OPERAND = 10**6
_ON_TEXT = "; cells are texts, so write price|float"


class TemplateFailed(Exception):
    """What somebody else's template raised, in its own words."""


@contextmanager
def guarded() -> Iterator[None]:
    """Around compiling or running a template, which may raise anything that Python code may.

    Raises:
        TemplateFailed: It raised something else than a finding on the template.
    """
    try:
        yield
    except (TemplateSyntaxError, UserInputError):
        raise
    except Exception as error:  # filters are given cells of any kind and raise what they like
        is_on_text = isinstance(error, TypeError) and "str" in str(error)
        # Jinja2's words quote a whole cell, if it was taken for a name.
        reason = f"{type(error).__name__}: {shortened(str(error))}{_ON_TEXT if is_on_text else ''}"
        raise TemplateFailed(reason) from error


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, without globals, and with a meter of all that a template does."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def __init__(self) -> None:
        self.meter = Meter()
        # autoescape stays off: a model reads plain text, and &lt; would change what it reads.
        super().__init__(undefined=StrictUndefined, autoescape=False, finalize=self.meter.measured)
        self.globals.clear()
        for name in _INFLATING_FILTERS:
            self.filters.pop(name, None)
        self.filters = {name: paying(self.meter, name, each) for name, each in self.filters.items()}
        self.tests = {name: paying(self.meter, name, each) for name, each in self.tests.items()}
        self.filters |= {METERED: self.meter.measured, RAN: self.meter.ran}

    def concat(self, parts: Iterable[str]) -> str:
        """What a macro, a block or a ``{% set %}`` made of its parts."""
        pieces = list(parts)
        self.meter.charge(sum(map(len, pieces)))
        return "".join(pieces)

    def getitem(self, obj: Any, argument: Any) -> Any:
        self.meter.charge(ITEM_STEPS)
        return super().getitem(obj, argument)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as in Jinja2
        paid = pay_call(__self.meter, __obj, args, kwargs)
        result = super().call(__context, __obj, *args, **kwargs)
        return result if isinstance(result, VIEWS) else __self.meter.pay_growth(result, paid)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(with_meters(source), *args, **kwargs)

    def wrap_str_format(self, value: Any) -> None:
        """Leave ``str.format`` to ``is_safe_attribute``: the sandbox allows it, with any width."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        is_modest = attr not in _INFLATING_METHODS and not isinstance(obj, set)
        return is_modest and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        self.meter.pay((left, right), FILTER_STEPS)
        if operator in _ON_SMALL_NUMBERS:
            _require_small(operator, left, right)
        return super().call_binop(context, operator, left, right)


@lru_cache(maxsize=16)  # each header that is tried asks again
def parsed(source: str) -> nodes.Template:
    """The template's nodes, to be looked at only: to compile is to change them.

    Raises:
        TemplateSyntaxError: It is no template.
    """
    return Sandbox().parse(source)


def _require_small(operator: str, left: Any, right: Any) -> None:
    if isinstance(left, str) or isinstance(right, str):
        raise SecurityError(f"{operator} works on numbers only{_ON_TEXT}")
    if not (_is_small_number(left) and _is_small_number(right)):
        raise SecurityError(f"{operator} works on numbers up to {_LARGEST_OPERAND} only")
    if operator == "**" and abs(right) > 100:
        raise SecurityError("** works with exponents up to 100 only")


def _is_small_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= _LARGEST_OPERAND
