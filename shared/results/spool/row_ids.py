"""Finds the rows of a batch by the ids that result lines give them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


class RowIds:
    """The rows that were sent, numbered from 0 in their order.

    An id may come back without the blanks around it, or as a number. So if no row has it, it is
    that of the only row whose id differs in nothing else.
    """

    def __init__(self, asked: Iterable[str]) -> None:
        self.asked: Sequence[str] = [*asked]
        self._index = {custom_id: index for index, custom_id in enumerate(self.asked)}
        # By name, a look-up takes longer, and there is one for every line.
        self.exactly = self._index.get
        self._loosely: dict[str, int | None] | None = None

    def __contains__(self, custom_id: str) -> bool:
        return self.find(custom_id) is not None

    def find(self, custom_id: str) -> int | None:
        index = self.exactly(custom_id)
        if index is None:
            index = self._loose_ids().get(_loose(custom_id))
        return index

    def _loose_ids(self) -> dict[str, int | None]:
        """Made when the first line needs it: nearly no batch has one."""
        if self._loosely is None:
            self._loosely = {}
            for custom_id, index in self._index.items():
                key = _loose(custom_id)
                self._loosely[key] = None if key in self._loosely else index
        return self._loosely


def _loose(custom_id: str) -> str:
    bare = custom_id.strip().strip(_INVISIBLE).strip()
    number = _NUMBER.fullmatch(bare)
    return number[1] if number else bare


_INVISIBLE = "\ufeff\u200b\0"
_NUMBER = re.compile(r"0*([0-9]+)(?:\.0+)?")
