from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest

from shared.formats.sheets.scanner import MAX_LOADED_BYTES
from shared.formats.tables.workbook import _Panics
from shared.formats.tables.workbook_scan import scan_workbook
from shared.problems.exceptions import UserInputError
from tests.support.workbooks import read, refusal_of, rows_of, sheet_of, with_cells, with_part, workbook


def test_each_kind_of_cell_comes_as_its_value() -> None:
    content = sheet_of(
        ["text", "number", "share", "day", "moment", "clock", "truth", "nothing", "end"],
        [
            *[" 好\n二行 ", 13800138000, 0.5, date(2026, 1, 31)],
            datetime(2026, 1, 31, 8, 5),  # noqa: DTZ001  # cells have no zone
            time(8, 5),
            *[True, None, "."],
        ],
    )

    assert rows_of(content)[1] == (
        2,
        (
            " 好\n二行 ",
            "13800138000",
            "0.5",
            "2026-01-31",
            "2026-01-31 08:05:00",
            "08:05:00",
            "TRUE",
            "",
            ".",
        ),
    )


@pytest.mark.parametrize(
    ("days", "form", "text"),
    [
        (-0.5, "h:mm", "-12:00:00"),
        (-1.25, "h:mm", "-30:00:00"),
        (-1 / 3, "hh:mm:ss", "-8:00:00"),
        (-1, "h:mm AM/PM", "-24:00:00"),
        (-3, "yyyy-mm-dd", "-72:00:00"),
        (-0.5, "[h]:mm", "-12:00:00"),
        (-6.9e-18, "h:mm", "00:00:00"),
        (0.5, "h:mm", "12:00:00"),
        (-0.5, "0.0", "-0.5"),
    ],
)
def test_a_negative_time_stays_negative_in_texts_and_types(days: float, form: str, text: str) -> None:
    def fill(book: Any) -> None:
        book.active.append(["id", "diff", "number"])
        for line in (2, 3):
            book.active.append([-1234567890123456, days, -0.25])
            book.active.cell(row=line, column=2).number_format = form

    content = workbook(fill)
    records, _ = read(content)

    assert [record.cells[1:] for record in records[1:]] == [(text, "-0.25")] * 2
    assert {record.cells[0] for record in records[1:]} == {"-1234567890123456"}
    typed = records[1].cells.typed()[1]
    sent = {"seconds": timedelta(days=days).total_seconds()} if text[0] == "-" and ":" in text else None
    assert typed == (sent or {"time": text} if ":" in text else -0.5)


def test_lines_are_the_row_numbers_of_the_spreadsheet() -> None:
    content = sheet_of([], [], ["a", "b"], ["1", "2"], [], ["3", "4"])

    assert rows_of(content) == [(3, ("a", "b")), (4, ("1", "2")), (5, ("", "")), (6, ("3", "4"))]


def test_a_table_may_begin_at_any_column() -> None:
    def fill(book: Any) -> None:
        book.active["C2"], book.active["D2"], book.active["D3"] = "a", "b", "#N/A"
        book.active["D3"].data_type = "e"

    assert rows_of(workbook(fill)) == [(2, ("a", "b")), (3, ("", "#N/A"))]


def test_empty_cells_to_the_right_of_the_header_are_no_columns_but_written_ones_are() -> None:
    content = sheet_of(["a", "b", None, None], ["1", None], ["1", "2", None, "stray"])

    assert rows_of(content) == [(1, ("a", "b")), (2, ("1", "")), (3, ("1", "2", "", "stray"))]


def test_errors_come_as_people_see_them() -> None:
    def fill(book: Any) -> None:
        book.active.append(["a", "b", "c"])
        book.active.append(["#N/A", "#DIV/0!", "fine"])
        book.active["A2"].data_type = book.active["B2"].data_type = "e"

    assert rows_of(workbook(fill))[1] == (2, ("#N/A", "#DIV/0!", "fine"))


def test_the_error_of_a_formula_comes_as_people_see_it() -> None:
    def calculated(sheet: bytes) -> bytes:
        return sheet.replace(
            b'<c r="B2"><f>1/0</f><v /></c>', b'<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
        )

    content = with_part(sheet_of(["a", "b"], ["x", "=1/0"]), "xl/worksheets/sheet1.xml", calculated)

    assert rows_of(content)[1] == (2, ("x", "#DIV/0!"))


def test_a_formula_is_its_saved_value() -> None:
    def calculated(sheet: bytes) -> bytes:
        return sheet.replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>")

    content = with_part(sheet_of(["a"], ["=1+1"]), "xl/worksheets/sheet1.xml", calculated)
    records, observed = read(content)

    assert records[1].cells == ("2",)
    assert observed.warnings.total == 0


def test_formulas_without_a_saved_value_are_warned_about() -> None:
    records, observed = read(sheet_of(["a", "b"], ["x", "y"], ["x", "=1+1"], ["x", "=A1"]))

    assert records[2].cells == ("x", "")
    (warning,) = observed.warnings.first
    assert (warning.code, warning.line, warning.values) == ("formula_without_value", 3, {"cells": 2})


def test_a_merged_cell_has_its_value_in_its_first_cell_and_hidden_rows_are_rows() -> None:
    def fill(book: Any) -> None:
        for row in (["a", "b"], ["x", None], ["y", "z"]):
            book.active.append(row)
        book.active.merge_cells("A2:B2")
        book.active.row_dimensions[3].hidden = True

    assert rows_of(workbook(fill)) == [(1, ("a", "b")), (2, ("x", "")), (3, ("y", "z"))]


def two_sheets(book: Any) -> None:
    book.active["A1"] = "hidden"
    book.active.sheet_state = "hidden"
    book.create_sheet("数据 & 表")["A1"] = "seen"
    book.active = 1


@pytest.mark.parametrize(
    ("sheet", "name", "cell"),
    [(None, "数据 & 表", "seen"), ("数据 & 表", "数据 & 表", "seen"), ("Sheet", "Sheet", "hidden")],
)
def test_the_first_sheet_that_is_not_hidden_is_read_or_the_one_that_is_named(
    sheet: str | None, name: str, cell: str
) -> None:
    records, observed = read(workbook(two_sheets), sheet)

    assert [record.cells for record in records] == [(cell,)]
    assert observed.sheet == name


def test_a_sheet_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(UserInputError) as refusal:
        read(workbook(two_sheets), "data")

    (problem,) = refusal.value.problems
    assert (problem.code, problem.found) == ("unknown_sheet", "data")
    assert problem.values["sheets"] == "Sheet, 数据 & 表"


def test_a_cell_far_out_is_told_before_it_takes_the_memory() -> None:
    def fill(book: Any) -> None:
        book.active["A1"], book.active["XFD1048576"] = "a", "stray"

    assert refusal_of(workbook(fill)) == "spreadsheet_too_large"


def test_a_formatted_cell_far_out_costs_nothing() -> None:
    def fill(book: Any) -> None:
        book.active["A1"] = "a"
        book.active["XFD1048576"].font = openpyxl.styles.Font(bold=True)

    assert rows_of(workbook(fill)) == [(1, ("a",))]


def as_excel_writes(texts: list[str], cells: list[tuple[str, int]]) -> bytes:
    """A workbook whose cells refer to texts by number; openpyxl writes texts into the cells."""
    relation = (
        '<Relationship Id="rIdTexts" Target="sharedStrings.xml" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/></Relationships>'
    )
    rows = "".join(
        f'<row r="{place[1:]}"><c r="{place}" t="s"><v>{text}</v></c></row>' for place, text in cells
    )
    name = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

    def filled(sheet: bytes) -> bytes:
        return sheet.partition(b"<sheetData")[0] + f"<sheetData>{rows}</sheetData></worksheet>".encode()

    content = with_part(sheet_of(), "xl/worksheets/sheet1.xml", filled)
    content = with_part(
        content,
        "xl/_rels/workbook.xml.rels",
        lambda part: part.replace(b"</Relationships>", relation.encode()),
    )
    changed = io.BytesIO(content)
    with zipfile.ZipFile(changed, "a", zipfile.ZIP_DEFLATED) as archive:
        items = "".join(f"<si>{text}</si>" for text in texts)
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{name}">{items}</sst>')
    return changed.getvalue()


def test_texts_that_cells_share_are_whole_with_their_runs_and_without_their_reading_aid() -> None:
    texts = [
        '<t xml:space="preserve"> a &amp; b </t>',
        "<r><t>红</t></r><r><rPr><b/></rPr><t>色</t></r>",
        "<t>東京</t><rPh><t>トウキョウ</t></rPh>",
        "<t>one_x000D_two</t>",
    ]

    content = as_excel_writes(texts, [("A1", 0), ("A2", 1), ("A3", 2), ("A4", 3), ("A5", 0)])

    assert [cells for _, (cells,) in rows_of(content)] == [" a & b ", "红色", "東京", "one\rtwo", " a & b "]


def test_a_long_text_that_many_cells_share_is_told_before_it_takes_the_memory() -> None:
    content = as_excel_writes([f"<t>{'x' * 32_000}</t>"], [(f"A{row}", 0) for row in range(1, 20_000)])

    assert refusal_of(content) == "spreadsheet_too_large"


def test_what_loading_takes_is_not_underestimated() -> None:
    content = sheet_of(*[["x" * 100, n] for n in range(100)])

    scan = scan_workbook(io.BytesIO(content), None)

    assert 100 * (100 + 2 * 32) <= scan.loaded_bytes <= MAX_LOADED_BYTES


def test_the_names_of_elements_may_have_a_prefix() -> None:
    def prefixed(sheet: bytes) -> bytes:
        for name in (b"worksheet", b"sheetData", b"row", b"c", b"v"):
            for before, after in ((b"<", b" "), (b"<", b">"), (b"</", b">")):
                sheet = sheet.replace(before + name + after, before + b"x:" + name + after)
        return sheet.replace(b"xmlns=", b"xmlns:x=")

    content = with_part(sheet_of(["a", "b"], [1, 2]), "xl/worksheets/sheet1.xml", prefixed)

    assert rows_of(content) == [(1, ("a", "b")), (2, ("1", "2"))]
    assert scan_workbook(io.BytesIO(content), None).loaded_bytes > 4 * 40


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "unreadable_spreadsheet"),
        (sheet_of(["a"])[:-40], "unreadable_spreadsheet"),
        (
            with_part(sheet_of(["a"]), "xl/worksheets/sheet1.xml", lambda sheet: sheet[:-30]),
            "unreadable_spreadsheet",
        ),
        (with_part(sheet_of(["a"]), "xl/workbook.xml", lambda _: b"<"), "unreadable_spreadsheet"),
    ],
)
def test_what_is_no_workbook_is_refused_with_advice(content: bytes, code: str) -> None:
    assert refusal_of(content) == code


def test_entities_that_grow_without_end_are_refused() -> None:
    def bomb(_: bytes) -> bytes:
        entities = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 12))
        return b'<!DOCTYPE x [<!ENTITY e0 "0123456789">' + entities + b"]><workbook>&e11;</workbook>"

    assert refusal_of(with_part(sheet_of(["a"]), "xl/workbook.xml", bomb)) == "unreadable_spreadsheet"


TEXT_A = b'<c r="A1" t="inlineStr"><is><t>a</t></is></c>'


@pytest.mark.parametrize(
    "far",
    [
        b"<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
        b'<row r="1048576"><c t="n" r="XFD1048576"><v>1</v></c></row>',
        b'<row r="9000000"><c r="A9000000"><v>1</v></c><c r="IV9000000"><v>1</v></c></row>',
        b'<row r="1048576"><c r="XFC1048576"><v>1</v></c><c><v>1</v></c></row>',
        b'<row r="1048576"><c><v>1</v></c><c r="xfd1"><v>1</v></c></row>',
        b'<row r="1048575"/><row><c r="XFD1"><v>1</v></c><c r="A1048576"><v>1</v></c></row>',
        b'<row r="1048576"><c\nr\n=\n"XFD1048576"\n><f>1</f></c></row>',
    ],
)
def test_a_cell_far_out_is_seen_however_it_is_written(far: bytes) -> None:
    assert refusal_of(with_cells(b'<row r="1">' + TEXT_A + b"</row>" + far)) == "spreadsheet_too_large"


@pytest.mark.parametrize(
    "cell",
    [
        b'<c t="e" r="B1"><v>#N/A</v></c>',
        b"<c r='B1' t='e'><v>#N/A</v></c>",
        b'<c t="e"><v>#N/A</v></c>',
        b'<c r="B1" t="e"><f>NA()</f><!-- saved --><v><![CDATA[#N/A]]></v></c>',
        b'<x:c r="B1" t="e"><x:v>#N&#47;A</x:v></x:c>',
    ],
)
def test_an_error_is_seen_however_it_is_written(cell: bytes) -> None:
    content = with_cells(b'<row r="1">' + TEXT_A + cell + b"</row>")

    assert rows_of(content) == [(1, ("a", "#N/A"))]


def test_rows_and_cells_without_a_number_follow_each_other() -> None:
    cell = b'<c t="e"><v>#N/A</v></c>'
    content = with_cells(b'<row r="3">%b</row><row>%b%b</row>' % (TEXT_A.replace(b"A1", b"A3"), cell, cell))

    assert rows_of(content) == [(3, ("a",)), (4, ("#N/A", "#N/A"))]


@pytest.mark.parametrize(
    "junk", [b"<c " * 2_000_000, b"<c r" + b" " * 40_000_000, b"<f>" * 100_000 + b"<" * 9]
)
def test_what_is_no_xml_is_refused_without_looking_at_it_again_and_again(junk: bytes) -> None:
    assert refusal_of(with_cells(junk)) in {"unreadable_spreadsheet", "spreadsheet_too_large"}


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
def test_a_sheet_with_entities_of_its_own_is_refused(part: str) -> None:
    def declared(xml: bytes) -> bytes:
        return b'<!DOCTYPE x [<!ENTITY e "1">]>' + xml[xml.index(b"?>") + 2 if xml[:2] == b"<?" else 0 :]

    content = with_part(as_excel_writes(["<t>a</t>"], [("A1", 0)]), part, declared)

    assert refusal_of(content) == "unreadable_spreadsheet"


def test_a_comment_does_not_hide_which_text_is_long() -> None:
    texts = ["<!-- <si/></si> --><t>short</t>", f"<t>{'x' * 32_000}</t>"]

    content = as_excel_writes(texts, [(f"A{row}", 1) for row in range(1, 20_000)])

    assert refusal_of(content) == "spreadsheet_too_large"


def test_an_empty_sheet_has_no_rows() -> None:
    assert rows_of(sheet_of()) == []


def test_a_panic_of_the_reader_is_a_file_that_cannot_be_read() -> None:
    class PanicException(BaseException):  # as the Rust binding derives and names it
        pass

    with pytest.raises(UserInputError), _Panics():
        raise PanicException("index out of bounds")
    with pytest.raises(KeyboardInterrupt), _Panics():
        raise KeyboardInterrupt


@pytest.mark.parametrize("written", ["y_x0000_", "_x0000_", "a_x0000_b_x0000_"])
def test_a_nul_in_a_cell_is_its_rows_problem(written: str) -> None:
    records, _ = read(sheet_of(["id", "text"], [1, written], [2, "good"]))

    found = [(record.line, [problem.code for problem in record.problems]) for record in records]
    assert found == [(1, []), (2, ["nul_character"]), (3, [])]
