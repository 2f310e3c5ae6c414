"""Workbooks that other programs open are read, however their writers spelled them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.support.workbooks import SHEET, codes_of, refusal_of, rows_of, sheet_of, with_part, workbook

TABLE = sheet_of(["id", "text"], [1, "好"], [2, "bad"])
ROWS = [(1, ("id", "text")), (2, ("1", "好")), (3, ("2", "bad"))]
RELATIONS = "xl/_rels/workbook.xml.rels"


def replaced(part: str, pattern: bytes, new: bytes, content: bytes = TABLE) -> bytes:
    def change(xml: bytes) -> bytes:
        changed, times = re.subn(pattern, lambda _: new, xml)
        assert times, xml
        return changed

    return with_part(content, part, change)


def repacked(rename: Callable[[str], str | None], change: Callable[[bytes], bytes] = bytes) -> bytes:
    """The table's parts under other names, left out where there is none."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(TABLE)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            renamed = rename(name)
            if renamed is not None:
                new.writestr(renamed, change(old.read(name)))
    return packed.getvalue()


@pytest.mark.parametrize(
    "reference",
    [
        *[
            "1:49",
            "",
            "A:B",
            "A1:B",
            "A",
            "1",
            "$A$1:$B$3",
            "A0:B0",
            "R1C1",
            "A1:B3:C4",
            "Sheet1!A1:B3",
            " A1:B3 ",
        ],
        *["A1", "B2:B2", "B3:A1", "A1:XFD1048576", "A1:ZZZZ9", "A1:B99999999999", "#REF!", "数据"],
    ],
)
def test_what_a_sheet_says_of_its_size_does_not_matter(reference: str) -> None:
    dimension = f'<dimension ref="{reference}"'.encode()

    assert rows_of(replaced(SHEET, b'<dimension ref="[^"]*"', dimension)) == ROWS


@pytest.mark.parametrize("dimension", [b"", b"<dimension/>", b"<dimension></dimension>"])
def test_a_sheet_need_not_say_its_size(dimension: bytes) -> None:
    assert rows_of(replaced(SHEET, b"<dimension[^>]*/>", dimension)) == ROWS


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.replace("sharedStrings", "SharedStrings"),
        lambda name: name.replace("sheet1.xml", "Sheet1.xml"),
        lambda name: name.replace("worksheets", "WorkSheets"),
        lambda name: name.replace("workbook.xml", "Workbook.xml"),
        lambda name: name.replace("styles", "Styles"),
        lambda name: name.replace("xl/", "XL/"),
        str.upper,
        lambda name: name.replace("/", "\\"),
        lambda name: name.replace("/", "\\").upper(),
        lambda name: f"/{name}",
        lambda name: f"./{name}",
        lambda name: None if name == "_rels/.rels" else name,
        lambda name: None if name == "[Content_Types].xml" else name,
        lambda name: None if name.startswith("docProps/") else name,
    ],
)
def test_the_names_of_parts_may_be_spelled_otherwise(rename: Callable[[str], str | None]) -> None:
    assert rows_of(repacked(rename)) == ROWS


@pytest.mark.parametrize(
    "before", [b"/xl/", b"", b"./", b"../xl/", b"xl/", b"\\xl\\", b".\\", b"/XL/", b"/xl/./"]
)
def test_targets_are_paths_from_the_part_or_from_the_root(before: bytes) -> None:
    assert rows_of(replaced(RELATIONS, b'(?<=Target=")/?(xl/)?', before)) == ROWS


def test_a_target_may_have_percent_escapes() -> None:
    content = replaced(RELATIONS, b"sheet1.xml", b"my%20sheet.xml")
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            new.writestr(name.replace("sheet1.xml", "my sheet.xml"), old.read(name))

    assert rows_of(packed.getvalue()) == ROWS


def test_the_workbook_may_lie_in_another_folder() -> None:
    content = repacked(
        lambda name: name.replace("xl/_rels/workbook.xml", "book/_rels/main.xml").replace(
            "xl/workbook.xml", "book/main.xml"
        ),
        lambda xml: xml.replace(b"xl/workbook.xml", b"book/main.xml"),
    )

    assert rows_of(content) == ROWS


def test_a_strict_workbook_is_read() -> None:
    def strict(xml: bytes) -> bytes:
        office = b"http://schemas.openxmlformats.org/officeDocument/2006"
        main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        return xml.replace(main, b"http://purl.oclc.org/ooxml/spreadsheetml/main").replace(
            office, b"http://purl.oclc.org/ooxml/officeDocument"
        )

    assert rows_of(repacked(str, strict)) == ROWS


def test_a_workbook_without_styles_is_read() -> None:
    assert rows_of(repacked(lambda name: None if name.endswith("styles.xml") else name)) == ROWS


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize(
    "part", [SHEET, "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml", RELATIONS]
)
def test_a_part_may_be_in_utf_16(part: str, encoding: str) -> None:
    def change(xml: bytes) -> bytes:
        text = re.sub(r"^<\?xml[^>]*\?>", "", xml.decode())
        mark = "\ufeff" if encoding.endswith(("le", "be")) else ""
        return f'{mark}<?xml version="1.0"?>{text}'.encode(encoding)

    assert rows_of(with_part(TABLE, part, change)) == ROWS


def test_a_blank_line_in_front_of_the_archive_is_passed_by() -> None:
    assert rows_of(b"\r\n" + TABLE) == ROWS


def test_dates_count_from_where_the_workbook_says() -> None:
    def fill(book: Any) -> None:
        book.epoch = CALENDAR_MAC_1904
        book.active.append(["day", "moment", "error"])
        book.active.append([date(2026, 1, 31), datetime(2026, 1, 31, 8, 5), "#N/A"])  # noqa: DTZ001
        book.active["C2"].data_type = "e"  # so that a copy of the sheet is read

    expected = (2, ("2026-01-31", "2026-01-31 08:05:00", "#N/A"))
    assert rows_of(workbook(fill))[1] == expected
    assert (
        rows_of(replaced("xl/workbook.xml", b'date1904="1"', b'date1904="true"', workbook(fill)))[1]
        == expected
    )


def test_a_copy_says_what_the_original_says() -> None:
    """A wrong size of the sheet makes us read a copy, in which every kind of cell must be equal."""

    def fill(book: Any) -> None:
        book.active.title = "数据 & <表>"
        book.active.append(["a", "b", "c"])
        book.active.append([" 好\n二 ", 0.1, True])
        book.active.append([date(2026, 1, 31), 'a\tb & <c> "d"', "_x000D_ \r\n"])
        book.active.append([None, "=1+1", 13800138000])
        book.active.append([1.5, 0.25, 1e-7])
        book.active["B5"].number_format = "h:mm"
        book.active["A6"] = None
        book.active["C7"] = "end"

    content = workbook(fill)
    copied = replaced(SHEET, b'<dimension ref="[^"]*"', b'<dimension ref="1:49"', content)

    assert rows_of(copied) == rows_of(content)
    assert codes_of(copied) == codes_of(content) == ["formula_without_value"]


@pytest.mark.parametrize("number", range(20))
def test_we_read_what_openpyxl_reads(number: int) -> None:
    """Texts, whole numbers and truths at drawn places, as another program reads them."""
    values = ["字", "a b", "", None, 1, -7, 10**9, True, False, "=", "0012", "1.0", " x "]

    def fill(book: Any) -> None:
        for row in range(1, 9):
            for column in range(1, 6):
                drawn = values[(row * 7 + column * 11 + number * (row + column)) % len(values)]
                book.active.cell(row, column, drawn)
                if drawn == "=":
                    book.active.cell(row, column).data_type = "s"

    content = workbook(fill)
    sheet = openpyxl.load_workbook(io.BytesIO(content), data_only=True).active
    shown = {None: "", True: "TRUE", False: "FALSE"}
    expected = [
        tuple(shown[value] if value is None or isinstance(value, bool) else str(value) for value in row)
        for row in sheet.iter_rows(values_only=True)
    ]
    read = dict(rows_of(content))
    for row, cells in enumerate(expected, start=1):
        found = read.get(row, ())
        assert [*found, *[""] * (5 - len(found))] == list(cells)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (repacked(lambda name: None if name == SHEET else name), "unreadable_spreadsheet"),
        (replaced(SHEET, b'r="A2"', b'r="2A"'), "unreadable_spreadsheet"),
        (replaced(SHEET, b"</row>", b""), "unreadable_spreadsheet"),
    ],
)
def test_what_no_program_reads_is_refused(content: bytes, code: str) -> None:
    assert refusal_of(content) == code
