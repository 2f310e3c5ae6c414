"""Which columns the result of a job has, in which order, and their values in an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter

from shared.results.answers import COLUMNS, NUMBERS, Answer, Column

REQUEST_KIND = "request_jsonl"


def _in_order(place_of: itemgetter[int | None]) -> tuple[str, ...]:
    places = {name: place for name, column in COLUMNS.items() if (place := place_of(column)) is not None}
    return tuple(sorted(places, key=places.__getitem__))


# What a table gets behind its own columns, and what request lines get.
TABLE_COLUMNS = _in_order(itemgetter(Column._fields.index("table")))
REQUEST_COLUMNS = _in_order(itemgetter(Column._fields.index("requests")))

# Plans of an older version name no columns. They mean the first of each kind: then there were no
# others.
_TABLE_COLUMNS_OF_OLD_PLANS = 12
_REQUEST_COLUMNS_OF_OLD_PLANS = 10


def columns_of(kind: str) -> tuple[str, ...]:
    """The result columns that a new job of this kind gets."""
    return REQUEST_COLUMNS if kind == REQUEST_KIND else TABLE_COLUMNS


class ResultColumns:
    """The result columns of one job, fixed by its plan for its life: all parts must have the same.

    Attributes:
        names: As the plan has them.
        values: Takes their values from an answer. After a roll-back, a column that only the newer
            version knows is an empty text.
    """

    def __init__(self, kind: str, planned: Sequence[str] = ()) -> None:
        self.is_table = kind != REQUEST_KIND
        if not planned:
            old = _TABLE_COLUMNS_OF_OLD_PLANS if self.is_table else _REQUEST_COLUMNS_OF_OLD_PLANS
            planned = columns_of(kind)[:old]
        self.names = tuple(planned)
        known = {name: index for index, name in enumerate(Answer._fields) if name in COLUMNS}
        self._at = [known.get(name) for name in self.names]
        is_simple = None not in self._at and len(self._at) > 1
        self.values: Callable[[Answer], Sequence[str | int | None]] = (
            itemgetter(*self._at) if is_simple else self._values
        )

    def _values(self, answer: Answer) -> Sequence[str | int | None]:
        return ["" if index is None else answer[index] for index in self._at]

    def numbers(self) -> frozenset[int]:
        """Where the counts and times are."""
        return frozenset(index for index, name in enumerate(self.names) if name in NUMBERS)

    def json(self) -> frozenset[int]:
        """Where JSON is kept as text."""
        return frozenset(
            index for index, name in enumerate(self.names) if name in COLUMNS and COLUMNS[name].is_json
        )


def fit(cells: Sequence[str], width: int) -> list[str]:
    """Make a ragged bad row as wide as the header; cells too many are kept in the last one."""
    if len(cells) > width > 0:
        return [*cells[: width - 1], ",".join(cells[width - 1 :])]
    return [*cells, *[""] * (width - len(cells))]


def free_names(columns: Sequence[str], more: Sequence[str]) -> list[str]:
    """What a table gets, by name: ``result_…`` where the table has that name already."""
    taken = set(columns)
    names = []
    for name in more:
        free = name
        while free in taken:
            free = f"result_{free}"
        names.append(free)
        taken.add(free)
    return names
