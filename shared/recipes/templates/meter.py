"""Counts the work of a template, so that no recipe takes a function's memory or its time.

The limits are counts and not seconds: a file has the same outcome on every machine.
"""

from __future__ import annotations

from collections.abc import Collection
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jinja2 import pass_context
from jinja2.exceptions import SecurityError

if TYPE_CHECKING:
    from jinja2.runtime import Context

# A step is about 50 ns: a node of the template that is run, or a character that is handled.
MAX_ROW_STEPS = 30_000_000
MAX_FILE_STEPS = 3_000_000_000
FILTER_STEPS = 40
CALL_STEPS = 200
ITEM_STEPS = 20
# For each character of a name that is looked for among columns that only look the same.
NAME_STEPS = 20
# To write a number of so many takes 3 µs, and four times as long for twice as many.
_MAX_BITS = 2000
# What the items of a mapping are seen through. It copies nothing.
VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_COLLECTIONS: tuple[type[Collection[object]], ...] = (list, tuple, set, frozenset, *VIEWS)
_MAPPINGS = (dict, MappingProxyType)
_SINGLE = (bool, float, type(None))


class TooMuchWork(SecurityError):
    """A template has taken all steps that a row, or a file, may take."""


class Meter:
    """The steps that the templates of one file may still take."""

    def __init__(self) -> None:
        self._file_left = MAX_FILE_STEPS
        self._granted = self._left = MAX_ROW_STEPS

    @property
    def is_file_spent(self) -> bool:
        """Whether the whole file has had its steps, and not just this row."""
        return self._granted < MAX_ROW_STEPS

    def start_row(self) -> None:
        self._file_left -= self._granted - max(self._left, 0)
        self._granted = self._left = min(MAX_ROW_STEPS, self._file_left)

    def charge(self, steps: int) -> int:
        """Take the steps; return them."""
        self._left -= steps
        if self._left < 0:
            raise TooMuchWork("too many steps")
        return steps

    @pass_context  # so that Jinja2 does not take the result for a constant
    def measured(self, _context: Context, value: Any) -> Any:
        """The value, paid for by its size. A template may call this, too: it can only pay."""
        self.charge(1 + (len(value) if type(value) is str else self.weight(value)))
        return value

    @pass_context
    def ran(self, _context: Context, steps: int) -> None:
        """Pay for one run of a body. A template may call this, too: it can only pay."""
        if not steps > 0:  # nor is NaN
            raise SecurityError("steps are more than 0")
        self.charge(steps)

    def pay(self, given: Collection[object], steps: int, times: int = 1) -> int:
        """Pay before a call for all that is handed to it; return how much that weighs."""
        weight = sum(map(self.weight, given))
        self.charge(steps + weight * times)
        return weight

    def pay_growth(self, result: Any, paid: int) -> Any:
        """Pay for what a result weighs more than what it was made of; return it."""
        self.charge(max(self.weight(result) - paid, 0))
        return result

    def pay_indent(self, value: object, indent: int) -> None:
        """Pay for the blanks in front of all that is in a value, the deeper the more."""
        level, depth = [value], 0
        while level:
            depth += 1
            self.charge(len(level) * depth * (indent + 1))
            level = [item for each in level for item in _items(each)]

    def weight(self, value: object) -> int:
        """How many characters and items would be written, compared or copied.

        What is in a value twice counts twice: a list that holds a list twice, thirty times over,
        takes no memory until it is written.
        """
        if type(value) is str:
            return len(value)
        if type(value) in _SINGLE:
            return ITEM_STEPS
        total = 0
        waiting: list[Collection[object]] = [(value,)]
        while waiting:
            total += _weigh(waiting.pop(), waiting)
            if total > self._left:
                raise TooMuchWork("a value is too large")
        return total


def _weigh(items: Collection[object], waiting: list[Collection[object]]) -> int:
    """The weight of the items without what they hold, which is to wait."""
    total = len(items) * ITEM_STEPS
    if set(map(type, items)) == {str}:
        return total + sum(map(len, items))  # type: ignore[arg-type]  # all are texts
    for item in items:
        if isinstance(item, str):
            total += len(item)
        elif isinstance(item, int) and item.bit_length() > _MAX_BITS:
            raise TooMuchWork("a number is too large")
        elif inner := _items(item):
            waiting.append(inner)
    return total


def _items(value: object) -> Collection[object]:
    """What a value holds."""
    if isinstance(value, _MAPPINGS):
        return value.items()
    return value if isinstance(value, _COLLECTIONS) else ()
