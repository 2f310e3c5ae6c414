"""Which columns the result of a job has, in which order, and how their values are taken from an answer."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from shared.domain.answers import COLUMNS, NUMBERS, Answer, Column

REQUEST_KIND = "request_jsonl"


def _in_order(place_of: itemgetter[int | None]) -> tuple[str, ...]:
    places = {name: place for name, column in COLUMNS.items() if (place := place_of(column)) is not None}
    return tuple(sorted(places, key=places.__getitem__))


# What a table gets behind its own columns, and what request lines get.
TABLE_COLUMNS = _in_order(itemgetter(Column._fields.index("table")))
REQUEST_COLUMNS = _in_order(itemgetter(Column._fields.index("requests")))

# Plans of an older version do not name their columns: they have the first of each kind, which were all of their time.
_TABLE_COLUMNS_OF_OLD_PLANS = 12
_REQUEST_COLUMNS_OF_OLD_PLANS = 10


def columns_of(kind: str) -> tuple[str, ...]:
    """The result columns that a new job of this kind gets."""
    return REQUEST_COLUMNS if kind == REQUEST_KIND else TABLE_COLUMNS


class ResultColumns:
    """The result columns of one job, which its plan fixes for its life: every part must have the same.

    Attributes:
        names: As the plan has them. A column that this version does not know, after a roll-back, stays empty.
    """

    def __init__(self, kind: str, planned: Sequence[str] = ()) -> None:
        self.is_table = kind != REQUEST_KIND
        if not planned:
            old = _TABLE_COLUMNS_OF_OLD_PLANS if self.is_table else _REQUEST_COLUMNS_OF_OLD_PLANS
            planned = columns_of(kind)[:old]
        self.names = tuple(planned)
        known = {name: index for index, name in enumerate(Answer._fields) if name in COLUMNS}
        # One more than the columns, since of a single one there would be no tuple.
        self._pick = itemgetter(*(known.get(name, _NOTHING) for name in self.names), _NOTHING)

    def values(self, answer: Answer) -> tuple[str | int | None, ...]:
        """In the order of the columns; a status is its word."""
        picked: tuple[str | int | None, ...] = self._pick((*answer, None))
        return picked[:-1]

    def numbers(self) -> frozenset[int]:
        """Where the counts and times are."""
        return frozenset(index for index, name in enumerate(self.names) if name in NUMBERS)

    def json(self) -> frozenset[int]:
        """Where JSON is kept as text."""
        return frozenset(
            index for index, name in enumerate(self.names) if name in COLUMNS and COLUMNS[name].is_json
        )


# The place of a value that is always ``None``.
_NOTHING = -1


def fit(cells: Sequence[str], width: int) -> list[str]:
    """A bad row may be ragged: its answer must stay in its own column, and a surplus cell must not be lost."""
    if len(cells) > width > 0:
        return [*cells[: width - 1], ",".join(cells[width - 1 :])]
    return [*cells, *[""] * (width - len(cells))]


def free_names(columns: Sequence[str], more: Sequence[str]) -> list[str]:
    """The names of what a table gets, renamed ``result_…`` where there is a column of that name already."""
    taken = set(columns)
    names = []
    for name in more:
        free = name
        while free in taken:
            free = f"result_{free}"
        names.append(free)
        taken.add(free)
    return names
