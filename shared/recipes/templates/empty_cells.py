"""Counts the rows in which a column that the prompts use is empty, and says what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from shared.formats.json.cells import JsonCells, escape
from shared.formats.visible_text import visible
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, ProblemList, Values

OnEmpty = Literal["skip", "send", "refuse"]

# What programs write for no value: pandas, R, databases, and Excel's error values. What people type
# ("-", "无", "none", "Null") is not among them: it may be the answer of somebody.
NO_VALUES = frozenset(
    ("nan", "NaN", "NAN", "-nan", "<NA>", "NaT", "NA", "N/A", "n/a", "#N/A", "#NA", "None", "null", "NULL")
) | {"(null)", "<null>", "\\N", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!"}
_BLANKS = ("", " ", "\t", "\n", "\r\n", "\u3000", "\u00a0", "\u200b", "\ufeff", "\u2060")
_LONGEST = max(map(len, NO_VALUES))
_LONGEST_BLANK = 10
_LISTED_LINES = 5
_FEWEST_REFUSED = 2


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
        self._lines: dict[int, list[int]] = {place: [] for place in self._names}
        self._counts = dict.fromkeys(self._names, 0)

    def suspect(self, cells: Sequence[str]) -> None:
        """Look whether a row may have an empty cell; ``note`` looks more closely."""
        self.suspected = not isinstance(cells, JsonCells) or not EMPTY_IN_JSON.isdisjoint(
            [cells.escaped[place] for place in self._names]
        )

    def note(self, line: int, cells: Sequence[str]) -> Problem | None:
        """Count the row's empty cells; return why it is not to be sent if the recipe says so."""
        self.suspected = False
        places = [place for place in self._names if is_empty(cells[place])]
        if not places:
            return None
        self._rows += 1
        for place in places:
            self._counts[place] += 1
            if len(self._lines[place]) < _LISTED_LINES:
                self._lines[place].append(line)
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
        if is_refused[self._wish]:
            raise UserInputError(self._problems("too_many_empty_cells", rows))
        warnings.extend(self._problems("empty_cells_left_out" if self.is_skipped else self._warning, rows))

    def _problems(self, code: str, rows: int) -> list[Problem]:
        found = []
        for place, lines in self._lines.items():
            if lines:
                more = ", …" if self._counts[place] > len(lines) else ""
                listed = ", ".join(map(str, lines)) + more
                values: Values = {"rows": self._counts[place], "total": rows, "lines": listed}
                found.append(Problem(code, found=self._names[place], values=values))
        return found


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
