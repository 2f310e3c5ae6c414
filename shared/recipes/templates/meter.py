"""Counts the work of a template, so that no recipe takes a function's memory or its time.

The limits are counts and not seconds: a file has the same outcome on every machine.
"""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, ValuesView
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
# Where a text is taken apart, each character becomes a text of its own, of 80 bytes.
_ITERATED_STEPS = 8
_MAX_BITS = 10_000
_COLLECTIONS = (list, tuple, set, frozenset, KeysView, ValuesView, ItemsView)


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

    def charge(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise TooMuchWork("too many steps")

    @pass_context  # so that Jinja2 does not take the result for a constant
    def measured(self, _context: Context, value: Any, steps: int = 1) -> Any:
        """The value, paid for by its size. A template may call this, too: it can only pay."""
        self.charge(max(steps, 1) + (len(value) if type(value) is str else self.weight(value)))
        return value

    def pay(self, given: tuple[object, ...], steps: int, times: int = 1) -> int:
        """Pay before a call for all that is handed to it; return how much that weighs."""
        weight = sum(map(self.weight, given))
        self.charge(steps + weight * times)
        return weight

    def pay_iterated(self, value: object) -> None:
        if isinstance(value, str):
            self.charge(len(value) * _ITERATED_STEPS)

    def pay_growth(self, result: Any, paid: int) -> Any:
        """Pay for what a result weighs more than what it was made of; return it."""
        self.charge(max(self.weight(result) - paid, 0))
        return result

    def weight(self, value: object) -> int:
        """How many characters and items would be written, compared or copied.

        What is in a value twice counts twice: a list that holds a list twice, thirty times over,
        takes no memory until it is written.
        """
        if type(value) is str:
            return len(value)
        total, waiting = 0, [value]
        while waiting:
            value = waiting.pop()
            total += ITEM_STEPS
            if isinstance(value, str | bytes):
                total += len(value)
            elif not isinstance(value, float | None):
                self._open(value, waiting)
            if total > self._left:
                raise TooMuchWork("a value is too large")
        return total

    def _open(self, value: object, waiting: list[object]) -> None:
        """Add the items that a value has to those that wait."""
        if isinstance(value, int):
            if value.bit_length() > _MAX_BITS:
                raise TooMuchWork("a number is too large")
            return
        if isinstance(value, dict | MappingProxyType):
            value = value.items()
        if isinstance(value, _COLLECTIONS):
            if len(value) * ITEM_STEPS > self._left:
                raise TooMuchWork("a value has too many items")
            waiting.extend(value)
