"""Writes an xlsx workbook as a stream: each row goes into the file at once, in constant memory.

Texts stand in the cells themselves, so that no table of them has to be held. A text is never a
formula or a link, whatever it begins with. The same rows give the same bytes.

The parts of a workbook: https://ecma-international.org/publications-and-standards/standards/ecma-376/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, time, timedelta
from io import RawIOBase
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from shared.formats.sheets.cells import column_letters
from shared.formats.sizes import MIB
from shared.formats.tables.typed_cells import CellError, SheetValue
from shared.formats.tables.workbook_parts import DATE, DATETIME, HEAD, MAIN, QUOTED, SPAN, TIME, fixed_parts

# Excel's own bounds: https://support.microsoft.com/en-us/office/1672b34d-7043-467e-8e27-269d656771c3
MAX_ROWS = 1_048_576
MAX_CELL_CHARS = 32_767  # of UTF-16
_MAX_NAME_CHARS = 31
# Larger parts need 64-bit sizes, which Excel does not take; ``zipfile`` writes 2 GiB without them.
# The last block and the last row still have to fit.
MAX_SHEET_BYTES = 1536 * MIB

_VIEW = (
    '<sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
)

_BLOCK_BYTES = MIB // 4
# As small as the default makes them but for a fifth, in a quarter of the time.
_LEVEL = 3

# Somebody who opens such a cell and leaves it again must not have made a number of it.
_MAY_TURN = frozenset("0123456789.=+-@'＝＋－＠")

# XML cannot hold these. Excel reads "_x0041_" as "A", so that is how to write some of them.
_UNSAFE = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]|_(?=x[0-9A-Fa-f]{4}_)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_NO_NAME = re.compile(r"[\x00-\x1f\[\]:*?/\\]")
_FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001  # cells have no zone
_FIRST_TRUE_DAY = 61  # Excel has a 29th of February 1900
_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"})


def sheet_name_for(text: str, taken: str = "") -> str:
    """The text as the name of a sheet, as near as Excel allows, other than ``taken``."""
    name = _NO_NAME.sub("_", text).strip("'").strip()
    while len(name.encode("utf-16-le")) > 2 * _MAX_NAME_CHARS:
        name = name[:-1]
    return f"{name} 2" if name.casefold() == taken.casefold() else name


@contextmanager
def open_workbook(file: IO[bytes] | RawIOBase, names: Sequence[str]) -> Iterator[WorkbookWriter]:
    """A workbook that is whole once the block is left, unless it is left by an error.

    Args:
        file: Need not be able to seek. Nothing is written to it later.
        names: Of the sheets, as ``sheet_name_for`` makes them.
    """
    archive = ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_LEVEL)
    try:
        for part, content in fixed_parts(names):
            # ``writestr`` would write the time.
            with archive.open(part, "w") as written:
                written.write(f"{HEAD}{content}".encode())
        yield WorkbookWriter(archive)
        archive.close()
    finally:
        with suppress(Exception):  # after an error; or it would close itself whenever it is collected
            archive.close()


class WorkbookWriter:
    """Writes the sheets of ``open_workbook`` one after another."""

    def __init__(self, archive: ZipFile) -> None:
        self._zip = archive
        self._sheets = 0

    @contextmanager
    def sheet(self) -> Iterator[SheetWriter]:
        """The next sheet, whose first row stays in view."""
        self._sheets += 1
        with self._zip.open(f"xl/worksheets/sheet{self._sheets}.xml", "w") as part:
            sheet = SheetWriter(part.write)
            yield sheet
            sheet.end()


class SheetWriter:
    """Writes rows; ``rows`` and ``size_bytes`` say how many there are, and how large."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._columns: Sequence[str] = ()
        self._block: list[str] = [f'{HEAD}<worksheet xmlns="{MAIN}">{_VIEW}<sheetData>']
        self._block_chars = 0
        self.rows = 0
        self.size_bytes = 0

    def row(self, values: Sequence[SheetValue]) -> None:
        """Write the next row; every text has at most ``MAX_CELL_CHARS``."""
        if len(values) > len(self._columns):
            self._columns = [column_letters(number) for number in range(1, len(values) + 1)]
        self.rows += 1
        number = self.rows
        cells = [
            f'<c r="{column}{number}"{_RENDERERS[type(value)](value)}</c>'
            for column, value in zip(self._columns, values, strict=False)
            if value is not None and value != ""
        ]
        row = f'<row r="{number}">{"".join(cells)}</row>'
        self._block.append(row)
        self._block_chars += len(row)
        if self._block_chars >= _BLOCK_BYTES:
            self._flush()

    def end(self) -> None:
        self._block.append("</sheetData></worksheet>")
        self._flush()

    def _flush(self) -> None:
        content = "".join(self._block).encode()
        self._write(content)
        self.size_bytes += len(content)
        self._block.clear()
        self._block_chars = 0


def _text(text: str) -> str:
    style = f' s="{QUOTED}"' if text[0] in _MAY_TURN else ""
    if _UNSAFE.search(text):
        text = _UNSAFE.sub(_escaped, text)
    return f'{style} t="inlineStr"><is><t xml:space="preserve">{text}</t></is>'


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    return _ENTITIES.get(found) or (f"_x{ord(found):04X}_" if found < "\x80" else "\ufffd")


def _error(error: CellError) -> str:
    return f' t="e"><v>{error}</v>' if error in _ERRORS else _text(error)


def _number(number: float) -> str:
    return f"><v>{repr(number).removesuffix('.0')}</v>"


def _moment(moment: datetime) -> str:
    return _day(moment, DATETIME) or _text(moment.isoformat(" "))


def _date(day: date) -> str:
    return _day(datetime(day.year, day.month, day.day), DATE) or _text(day.isoformat())  # noqa: DTZ001


def _day(moment: datetime, style: int) -> str | None:
    days = _days(moment.replace(tzinfo=None) - _FIRST_DAY)
    return _styled(days, style) if days >= _FIRST_TRUE_DAY and moment.tzinfo is None else None


def _time(of_day: time) -> str:
    span = datetime.combine(_FIRST_DAY, of_day) - _FIRST_DAY
    return _styled(_days(span), TIME)


def _span(span: timedelta) -> str:
    return _styled(_days(span), SPAN)


def _days(span: timedelta) -> float:
    return span.total_seconds() / 86_400


def _styled(days: float, style: int) -> str:
    return f' s="{style}"{_number(days)}'


_RENDERERS: Mapping[type, Callable[[Any], str]] = {
    str: _text,
    bool: lambda value: f' t="b"><v>{value:d}</v>',
    int: _number,
    float: _number,
    datetime: _moment,
    date: _date,
    time: _time,
    timedelta: _span,
    CellError: _error,
}
