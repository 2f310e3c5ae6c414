"""The sandbox in which templates run: Jinja2 without ways to make very much of very little."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateSyntaxError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shared.problems.exceptions import UserInputError

if TYPE_CHECKING:
    from jinja2.runtime import Context

# These make gigabytes of one short expression, and a prompt needs none of them. Doubling a variable
# forty times still gets there: for those who mean harm, the function's memory and time-out are the
# limit.
_INFLATING_FILTERS = frozenset(
    {"batch", "center", "format", "indent", "pprint", "slice", "urlize", "wordwrap"}
)
_INFLATING_METHODS = frozenset({"center", "expandtabs", "format", "format_map", "ljust", "rjust", "zfill"})
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
    except Exception as error:
        is_on_text = isinstance(error, TypeError) and "str" in str(error)
        reason = f"{type(error).__name__}: {error}{_ON_TEXT if is_on_text else ''}"
        raise TemplateFailed(reason) from error


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, without globals and without ways to make very much of very little."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self) -> None:
        # autoescape stays off: a model reads plain text, and &lt; would change what it reads.
        super().__init__(undefined=StrictUndefined, autoescape=False)
        self.globals.clear()
        for name in _INFLATING_FILTERS:
            self.filters.pop(name, None)

    def wrap_str_format(self, value: Any) -> None:
        """Leave ``str.format`` to ``is_safe_attribute``: the sandbox allows it, with any width."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in _INFLATING_METHODS and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, str) or isinstance(right, str):
            raise SecurityError(f"{operator} works on numbers only{_ON_TEXT}")
        if not (_is_small_number(left) and _is_small_number(right)):
            raise SecurityError(f"{operator} works on numbers up to {_LARGEST_OPERAND} only")
        if operator == "**" and abs(right) > 100:
            raise SecurityError("** works with exponents up to 100 only")
        return super().call_binop(context, operator, left, right)


def _is_small_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= _LARGEST_OPERAND
