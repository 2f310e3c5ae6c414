"""Finds the delimiter of a table in its first lines, or says which two are in doubt."""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

IsHeader = Callable[[Sequence[str]], bool]

DELIMITERS = (",", ";", "\t", "|")
HEADER_ROWS = 20
"""How many records may stand above the header, titles and such; it is looked for no further."""

_ROWS = 100
_SHOWN_CHARS, _SHOWN_CELLS = 20, 6
_BLANK = " \t\r,;|"
# What people and programs also put between columns, and no table is read by. A colon may well stand
# in an id.
UNUSUAL = "；，、：¦^~\x01\x1f"
_UNUSUAL_IN_PROSE = ":="
# A quote opens a cell only at its start. The sample may end within one.
_QUOTED = re.compile(r'(?<![^,;\t|\n])"(?:[^"]|"")*"')
_OPEN_QUOTE = re.compile(r'(?<![^,;\t|\n])"')
_ANY_QUOTED = re.compile(r'"(?:[^"]|"")*"?')
_JSON = re.compile(r'\s*(?:\{\s*(?:"|\Z)|\[\s*(?:["{\[]|\Z))')
_SEP_LINE = re.compile(r'"?sep=([^\w\s"\\.]|\t)"?[,;\t|]*\s*', re.IGNORECASE | re.ASCII)
_TYPE_LINE = re.compile(r'"?#TYPE ')


@dataclass(frozen=True)
class Preamble:
    """A line above the table that programs write for other programs, and never show."""

    delimiter: str | None


def find_preamble(line: str) -> Preamble | None:
    """What the first line is if it is Excel's ``sep=;`` or the ``#TYPE …`` of Export-Csv.

    https://learn.microsoft.com/powershell/module/microsoft.powershell.utility/export-csv
    """
    sep = _SEP_LINE.fullmatch(line)
    if sep:
        return Preamble(sep[1])
    return Preamble(None) if _TYPE_LINE.match(line) else None


def delimiter_for(sample: str, is_header: IsHeader | None) -> str:
    """The delimiter of the table that begins with ``sample``, which has whole lines.

    The prompt knows the columns: where it finds them, that is the header, cut as it should be. Else
    the delimiter is the one that cuts every line into the same number of cells.

    Raises:
        UserInputError: There is a second one, or there is no header to tell it.
    """
    lines = _written_lines(sample)
    readings = [each for each in (_Reading(one, sample, lines) for one in DELIMITERS) if each.cuts]
    if is_header is not None and _is_one_column(lines, readings, is_header):
        return ","
    with_header = _with_header(readings, is_header) if is_header else []
    readings = with_header or readings
    chosen = _certain_of(readings)
    if chosen is not None:
        if is_header is None:
            _refuse_unusual(chosen)
        return chosen.delimiter
    rivals = [each for each in readings if each.is_even]
    if rivals and (with_header or is_header is None):
        raise _in_doubt(rivals if len(rivals) > 1 else readings)
    return rivals[0].delimiter if rivals else _by_first_line(sample)


def _written_lines(sample: str) -> list[str]:
    """The records, each on one line; no blank ones, and nothing of what is in quotes."""
    masked = _QUOTED.sub("_", sample)
    unfinished = _OPEN_QUOTE.search(masked)
    if unfinished:
        start = unfinished.start()
        masked = masked[: masked.rfind("\n", 0, start) + 1] or masked[:start]
    lines = masked.split("\n")
    return [line for line in lines if line.strip(_BLANK)][:_ROWS]


def _is_one_column(lines: Sequence[str], readings: Sequence[_Reading], is_header: IsHeader) -> bool:
    """Whether the first line is the whole header: what may cut the rows is in their cells."""
    first = lines[0] if lines else ""
    return bool(readings) and not any(each.delimiter in first for each in readings) and is_header([first])


def _with_header(readings: Sequence[_Reading], is_header: IsHeader) -> list[_Reading]:
    """The readings that have the prompt's columns: in the first record if possible."""
    if len(readings) < 2:
        return []
    for first, last in ((0, 1), (1, HEADER_ROWS)):
        found = [each for each in readings if any(map(is_header, islice(each.records(), first, last)))]
        if found:
            return found
    return []


def _certain_of(readings: Sequence[_Reading]) -> _Reading | None:
    """The only reading; or the only even one, if no other cuts the first cell of every line.

    Where several are even, commas and such of prose are followed by a space; delimiters are not.
    """
    if len(readings) == 1:
        return readings[0]
    even = [each for each in readings if each.is_even]
    written = [each for each in even if not each.is_prose] if len(even) > 1 else even
    if len(written) != 1:
        return None
    (found,) = written
    return None if any(found.has_in_first_cells(each.delimiter) for each in readings) else found


def _refuse_unusual(reading: _Reading) -> None:
    """Without a header nothing tells whether ``q1：Hello, world`` is cut at its comma."""
    for separator in UNUSUAL + (_UNUSUAL_IN_PROSE if reading.is_prose else ""):
        if reading.has_in_first_cells(separator):
            raise _in_doubt([dataclasses.replace(reading, delimiter=separator), reading])


def looks_like_json(text: str) -> bool:
    """Whether the text is an object or a list, or the line at which one begins."""
    return bool(_JSON.match(text)) and text.rstrip().endswith(("{", "[", "}", "]", ","))


def _in_doubt(readings: Sequence[_Reading]) -> UserInputError:
    first = next(iter(readings[0].lines), "")
    if looks_like_json(first):
        return UserInputError([Problem("json_in_table", found=first)])
    names = [shown_delimiter(each.delimiter) for each in readings]
    shown = "   ".join(f"{name} → {each.shown()}" for name, each in zip(names, readings, strict=True))
    typed = next((name for name in names if name != "tab"), ",")
    values = {
        "delimiters": " / ".join(f'"{name}"' for name in names),
        "readings": shown,
        "example": f'"{typed}"',
        "typed": typed,
    }
    return UserInputError([Problem("delimiter_in_doubt", values=values)])


def shown_delimiter(delimiter: str) -> str:
    """As a recipe names it."""
    return "tab" if delimiter == "\t" else delimiter


def _by_first_line(sample: str) -> str:
    """A comma if there is one outside of quotes, else the most frequent of the others."""
    first = next((line for line in _ANY_QUOTED.sub("", sample).split("\n") if line.strip()), "")
    if "," in first:
        return ","
    delimiter = max(";\t|", key=first.count)
    return delimiter if delimiter in first else ","


@dataclass(frozen=True)
class _Reading:
    """The sample as one delimiter cuts it."""

    delimiter: str
    sample: str
    lines: Sequence[str]

    @cached_property
    def _counts(self) -> list[int]:
        return [line.count(self.delimiter) for line in self.lines]

    @property
    def cuts(self) -> bool:
        return any(self._counts)

    @property
    def is_even(self) -> bool:
        return self.cuts and len({*self._counts}) == 1

    @property
    def is_prose(self) -> bool:
        """Whether a space follows each of these characters."""
        tight = re.compile(re.escape(self.delimiter) + "(?! )")
        return not any(map(tight.search, self.lines))

    def has_in_first_cells(self, separator: str) -> bool:
        """Whether the first cell of every line has this character."""
        return all(separator in line.partition(self.delimiter)[0] for line in self.lines)

    def records(self) -> Iterator[list[str]]:
        """The records that hold anything, as far as ``csv`` can read them."""
        lines = (f"{line}\n" for line in self.sample.replace("\0", "").split("\n"))
        try:
            for cells in csv.reader(lines, delimiter=self.delimiter):
                if any(map(str.strip, cells)):
                    yield cells
        except csv.Error:
            return

    def shown(self) -> str:
        """The first record, cut into its cells."""
        cells = next(self.records(), [])
        return " ".join(f"[{cell[:_SHOWN_CHARS]}]" for cell in cells[:_SHOWN_CELLS])
