"""Counts the rows in which a column that the prompts use is empty, and says what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.formats.json.cells import JsonCells, escape
from shared.formats.visible_text import visible
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, ProblemList, Values

OnEmpty = Literal["skip", "send", "refuse"]

# What programs write for no value: pandas, R, databases, and Excel's error values. What people type
# ("-", "无", "none", "Null") is not among them: it may be the answer of somebody.
NO_VALUES = frozenset(
    ("nan", "NaN", "NAN", "-nan", "-NaN", "<NA>", "NaT", "NA", "N/A", "n/a", "None", "null", "NULL")
) | {"(null)", "<null>", "\\N", "undefined", "1.#QNAN", "-1.#QNAN", "1.#IND", "-1.#IND"} | {
    "#N/A", "#NA", "#N/A N/A", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!",
    "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#GETTING_DATA",
}  # fmt: skip
_BLANKS = ("", " ", "\t", "\n", "\r\n", "\u3000", "\u00a0", "\u200b", "\ufeff", "\u2060")
_LONGEST = max(map(len, NO_VALUES))
_LONGEST_BLANK = 10
_LISTED_LINES = 5
_FEWEST_REFUSED = 2


@dataclass
class _Found:
    """How many rows have an empty cell in a column, and the first of their lines."""

    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        self.count += 1
        if len(self.lines) < _LISTED_LINES:
            self.lines.append(line)

    def plus(self, other: _Found) -> _Found:
        return _Found(self.count + other.count, sorted(self.lines + other.lines)[:_LISTED_LINES])


class EmptyCells:
    """The empty cells of one table.

    Attributes:
        suspected: The row of which the prompts were made last may have one. Few rows do, so that
            only these are looked at closely.

    Args:
        columns: The place of each column that the prompts put in without asking whether it is
            empty.
        wish: The recipe's ``on_empty``; ``None`` refuses a table of which they are more than a
            tenth, and not just one row.
        warning: The code of the warning of those that are sent.
    """

    def __init__(
        self, columns: Mapping[str, int], wish: OnEmpty | None, warning: str = "empty_cells"
    ) -> None:
        self.suspected = False
        self.is_skipped = wish == "skip"
        self._wish = wish
        self._warning = warning
        self._names = {place: name for name, place in columns.items()}
        self._rows = 0
        self._unsent = 0
        self._found = {place: _Found() for place in self._names}
        self._found_unsent = {place: _Found() for place in self._names}

    def suspect(self, cells: Sequence[str]) -> None:
        """Look whether a row may have an empty cell; ``note`` looks more closely."""
        self.suspected = not isinstance(cells, JsonCells) or not EMPTY_IN_JSON.isdisjoint(
            [cells.escaped[place] for place in self._names]
        )

    def note(self, line: int, cells: Sequence[str], *, is_nothing_else: bool = False) -> Problem | None:
        """Count the row's empty cells; return why it is not sent, if it is not.

        Args:
            line: Of the row.
            cells: Of the row.
            is_nothing_else: A prompt is empty because of them, so that there is nothing to send.
        """
        self.suspected = False
        places = [place for place in self._names if is_empty(cells[place])]
        if not places:
            return None
        self._rows += 1
        is_left_out = is_nothing_else and not self.is_skipped
        self._unsent += is_left_out
        for place in places:
            (self._found_unsent if is_left_out else self._found)[place].add(line)
        if is_left_out:
            return Problem("empty_prompt", line, "prompt")
        first = places[0]
        return Problem("empty_cell", line, self._names[first], cells[first]) if self.is_skipped else None

    def finish(self, rows: int, warnings: ProblemList) -> None:
        """Warn of the empty cells among so many rows.

        Raises:
            UserInputError: They are too many, or the recipe wants none, or no row is left.
        """
        if not self._rows:
            return
        are_many = self._rows >= _FEWEST_REFUSED and self._rows * 10 > rows
        is_refused = {"skip": self._rows == rows, "send": False, "refuse": True, None: are_many}
        if is_refused[self._wish] or self._unsent == rows:
            every = {place: each.plus(self._found_unsent[place]) for place, each in self._found.items()}
            raise UserInputError(self._problems("too_many_empty_cells", every, rows))
        code = "empty_cells_left_out" if self.is_skipped else self._warning
        warnings.extend(self._problems(code, self._found, rows))
        warnings.extend(self._problems("empty_prompts", self._found_unsent, rows))

    def _problems(self, code: str, found: Mapping[int, _Found], rows: int) -> list[Problem]:
        problems = []
        for place, each in found.items():
            if each.count:
                listed = ", ".join([*map(str, each.lines), *(["…"] if each.count > len(each.lines) else [])])
                values: Values = {"rows": each.count, "total": rows, "lines": listed}
                problems.append(Problem(code, found=self._names[place], values=values))
        return problems


def is_empty(text: str) -> bool:
    """Whether a cell holds nothing, nothing that is drawn, or a program's word for no value."""
    text = text.strip()
    if len(text) > _LONGEST:
        return False
    return text in NO_VALUES or not text or (not text[0].isalnum() and visible(text) in {"", *NO_VALUES})


def _in_json() -> frozenset[bytes]:
    """The empty cells that occur, as they stand in JSON."""
    blank = {left + right for left in _BLANKS for right in _BLANKS}
    blank |= {part * times for part in _BLANKS for times in range(_LONGEST_BLANK + 1)}
    words = {f"{left}{word}{right}" for word in NO_VALUES for left in _BLANKS for right in ("", " ")}
    return frozenset(map(escape, blank | words))


EMPTY_IN_JSON = _in_json()
LONGEST_IN_JSON = max(map(len, EMPTY_IN_JSON))
