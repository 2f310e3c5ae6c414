"""Cells that the reader loses come as people see them, and what is lost is told."""

from __future__ import annotations

import pytest

from shared.formats.sheets.cells import column_letters
from shared.problems.problem import Problem
from tests.support.reading import read_rows, recipe
from tests.support.workbooks import read, rows_of, with_cells

HEADER = b'<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="inlineStr"><is><t>v</t></is></c></row>'


def cells(*written: bytes) -> bytes:
    """A sheet with these attributes and contents of cells in its column B."""
    rows = [
        b'<row r="%d"><c r="A%d"><v>1</v></c><c r="B%d" %b</c></row>' % (row, row, row, cell)
        for row, cell in enumerate(written, start=2)
    ]
    return with_cells(HEADER + b"".join(rows))


def texts_of(*written: bytes) -> list[str]:
    return [row[1] for _, row in rows_of(cells(*written))[1:]]


def warnings_of(content: bytes) -> list[Problem]:
    return list(read(content)[1].warnings.first)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.30000000000000004", "0.3"),
        ("3.3000000000000003", "3.3"),
        ("-222.22000000000003", "-222.22"),
        ("0.57999999999999996", "0.58"),
        ("1.1000000000000001E-7", "1.1e-07"),
        ("123456789.12345679", "123456789.123457"),
        ("0.1", "0.1"),
        ("99999.999999999985", "100000"),
        ("2.2204460492503131E-16", "2.22044604925031e-16"),
        ("1234567890123456.5", "1234567890123460"),
        ("5", "5"),
        ("-0", "0"),
        ("1E+3", "1000"),
    ],
)
def test_numbers_have_the_digits_that_a_spreadsheet_shows(value: str, text: str) -> None:
    assert texts_of(b"><v>%b</v>" % value.encode()) == [text]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("123456789012345678", "123456789012345678"),
        ("-1234567890123456789", "-1234567890123456789"),
        ("110101199003077758", "110101199003077758"),
        ("4111111111111111", "4111111111111111"),
        ("1.23456789012346E+17", "123456789012346000"),
        ("1.2345678901234499e+17", "123456789012345000"),
        ("1E+15", "1000000000000000"),
        ("12345678901234567890", "12345678901234567890"),
        (" 123456789012345678\n", "123456789012345678"),
    ],
)
def test_a_number_of_more_than_15_digits_keeps_what_the_file_has_and_is_told(value: str, text: str) -> None:
    content = cells(b"><v>1</v>", b"><v>%b</v>" % value.encode(), b't="n"><v>%b</v>' % value.encode())

    assert [row[1] for _, row in rows_of(content)[2:]] == [text, text]
    assert warnings_of(content) == [Problem("long_number", 3, "B", values={"cells": 2})]


@pytest.mark.parametrize(
    "cell",
    [
        b"><v>123456789012345</v>",
        b"><v>1.23456789012345E+14</v>",
        b"><v>0.1234567890123456789</v>",
        b"><v>1.5E-17</v>",
        b"><v>1E+21</v>",
        b't="str"><v>123456789012345678</v>',
        b't="str"><f>A1</f><v>123456789012345678</v>',
        b't="inlineStr"><is><t>123456789012345678</t></is>',
        b't="str"><v>DISPIMG(1), IMAGE("a")</v>',
    ],
)
def test_what_is_no_long_number_is_not_told(cell: bytes) -> None:
    assert warnings_of(cells(cell)) == []


def test_a_formula_may_give_a_long_number() -> None:
    assert [each.code for each in warnings_of(cells(b"><f>A2*1</f><v>1.23456789012346E+17</v>"))] == [
        "long_number"
    ]


def test_a_long_number_is_seen_wherever_the_sheet_is_cut_for_reading() -> None:
    filler = [b't="inlineStr"><is><t>%b</t></is>' % (b"x" * 2_000)] * 530
    numbers = [b"><v>%d</v>" % (123456789012345678 + row) for row in range(1_500)]

    texts = texts_of(*filler, *numbers)

    assert texts[530:] == [str(123456789012345678 + row) for row in range(1_500)]


ERRORS = ["#N/A", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA"]
NEW_ERRORS = [
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#BLOCKED!",
    "#CONNECT!",
    "#BUSY!",
    "#UNKNOWN!",
    "#PYTHON!",
    "Err:502",
]


@pytest.mark.parametrize("error", [*ERRORS, *NEW_ERRORS])
def test_every_error_comes_as_people_see_it(error: str) -> None:
    content = cells(
        b't="e"><v>%b</v>' % error.encode(), b't="e"><f>A1</f><v>%b</v>' % error.encode(), b"><v>0.5</v>"
    )

    assert [row[1] for _, row in rows_of(content)[1:]] == [error, error, "0.5"]
    assert warnings_of(content) == []


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (b't="b"><v>1</v>', "TRUE"),
        (b't="b"><v>true</v>', "TRUE"),
        (b't="b"><v>0</v>', "FALSE"),
        (b't="d"><v>2026-01-31T08:05:00</v>', "2026-01-31 08:05:00"),
        (b't="zz"><v>1</v>', "1"),
        (b't="inlineStr"><is><r><t>a</t></r><r><t xml:space="preserve"> b</t></r></is>', "a b"),
        (b't="inlineStr"><is><t>\xe6\x9d\xb1</t><rPh><t>x</t></rPh></is>', "東"),
        (b't="inlineStr"><is><t>a&#13;&#10;b_x000D_c</t></is>', "a\r\nb\rc"),
        (b't="str"><v xml:space="preserve"> a </v>', " a "),
        (b's="99"><v>45000</v>', "45000"),
        (b"><f>SUM(A1)</f><v>3</v>", "3"),
    ],
)
def test_other_cells_are_the_same_beside_an_error(cell: bytes, text: str) -> None:
    assert texts_of(cell) == [text]
    assert texts_of(cell, b't="e"><v>#CALC!</v>')[0] == text


@pytest.mark.parametrize(
    "formula",
    [
        b"<f>1+1</f>",
        b"<f>1+1</f><v/>",
        b'<f t="shared" ref="B2:B3" si="0">A2*2</f>',
        b'<f t="shared" si="0"/><v></v>',
    ],
)
def test_a_formula_without_a_saved_value_is_told(formula: bytes) -> None:
    assert warnings_of(cells(b">" + formula)) == [Problem("formula_without_value", 2, values={"cells": 1})]


def test_a_formula_that_gives_an_empty_text_has_a_value() -> None:
    content = cells(b't="str"><f>IF(A2,"","x")</f><v></v>', b't="str"><f>""</f><v/>')

    assert warnings_of(content) == []
    assert texts_of(b't="str"><f>""</f><v></v>') == [""]


@pytest.mark.parametrize(
    "cell",
    [
        b't="str"><f>_xlfn.DISPIMG("ID_0A",1)</f><v>=DISPIMG("ID_0A",1)</v>',
        b't="str"><f>DISPIMG("ID_0A",1)</f><v>=_xlfn.DISPIMG("ID_0A",1)</v>',
        b't="str"><v>=DISPIMG("ID_0A",1)</v>',
        b't="e"><f>_xlfn.DISPIMG("ID_0A",1)</f><v>#NAME?</v>',
        b'><f>_xlfn.DISPIMG("ID_0A",1)</f>',
        b't="e"><f>_xlfn.IMAGE("https://a/b.png")</f><v>#VALUE!</v>',
        b'><f>IMAGE("https://a/b.png")</f><v></v>',
        b't="e"><f>_xlfn._xlws.IMAGE(A1)</f><v>#BLOCKED!</v>',
        b't="e"><f>IF(A2=1,_xlfn.IMAGE(A1),"")</f><v>#VALUE!</v>',
    ],
)
def test_a_picture_in_a_cell_is_empty_and_told(cell: bytes) -> None:
    content = cells(b't="str"><v>text</v>', cell, cell)

    assert [row[1] for _, row in rows_of(content)[1:]] == ["text", "", ""]
    assert warnings_of(content) == [Problem("image_in_cell", 3, "B", values={"cells": 2})]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (b't="e"><f>MYIMAGE(A1)</f><v>#NAME?</v>', "#NAME?"),
        (b't="str"><f>IF(A2=1,"no",_xlfn.IMAGE(A1))</f><v>no</v>', "no"),
        (b't="str"><f>IF(A2=1,"",_xlfn.IMAGE(A1))</f><v></v>', ""),
        (b"><f>LEN(_xlfn.IMAGE(A1))</f><v>5</v>", "5"),
    ],
)
def test_what_is_no_picture_keeps_its_value(cell: bytes, text: str) -> None:
    assert texts_of(cell) == [text]
    assert warnings_of(cells(cell)) == []


@pytest.mark.parametrize(
    ("column", "letters"),
    [(1, "A"), (26, "Z"), (27, "AA"), (52, "AZ"), (702, "ZZ"), (703, "AAA"), (16_384, "XFD")],
)
def test_columns_have_the_names_that_a_spreadsheet_gives_them(column: int, letters: str) -> None:
    assert column_letters(column) == letters


@pytest.mark.parametrize("rows", [1, 30])
def test_a_picture_that_is_the_whole_prompt_is_told_beside_the_empty_cell(rows: int) -> None:
    picture = b't="str"><f>_xlfn.DISPIMG("ID_0A",1)</f><v>=DISPIMG("ID_0A",1)</v>'
    content = cells(picture, *[b't="str"><v>text</v>'] * (rows - 1))

    _, reader = read_rows("a.xlsx", content, recipe("model: qwen-plus\nprompt: '{{ v }}'\n"))

    told = [each.code for each in (*reader.problems.first, *reader.facts.warnings)]
    assert "image_in_cell" in told
    assert {"empty_prompts", "too_many_empty_cells"} & {*told} == {
        "empty_prompts" if rows > 1 else "too_many_empty_cells"
    }
