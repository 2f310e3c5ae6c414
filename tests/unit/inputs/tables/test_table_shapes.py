from __future__ import annotations

import io

import pytest
from openpyxl import Workbook

from shared.inputs.rows import InputRow
from shared.problems.render import render_problem
from tests.support.reading import codes, prompt_of, read_csv, read_rows, read_two_columns, recipe

ASKED = recipe("model: qwen-plus\nprompt: '{{ text }}'\n")
SKIPPING = recipe("model: qwen-plus\nprompt: '{{ text }}'\non_bad_rows: skip\n")


def cells_of(rows: list[InputRow]) -> list[tuple[str, ...]]:
    return [tuple(row.cells) for row in rows]


@pytest.mark.parametrize("blank", [",", '"",""', " , ", "\t,\u3000", '" "," "', ",,,,", "\u00a0,", '"",\t'])
def test_a_blank_row_within_a_table_is_no_row(blank: str) -> None:
    content = f"id,text\n1,a\n{blank}\n{blank}\n2,b\n{blank}\n3,c\n{blank}\n"

    rows, reader = read_csv(content.encode(), with_recipe=ASKED)

    assert [(row.line, row.custom_id.partition("-")[0], prompt_of(row)) for row in rows] == [
        (2, "1", "a"),
        (5, "2", "b"),
        (7, "3", "c"),
    ]
    assert [(each.code, each.line, each.values) for each in reader.facts.warnings] == [
        ("blank_rows", 3, {"rows": 3}),
        ("trailing_empty_rows", 8, {"rows": 1}),
    ]


@pytest.mark.parametrize("content", [b",\n1,a\n,\n2,b\n", b'"",""\n1,a\n , \n2,b\n'])
def test_nor_is_it_one_without_a_header(content: bytes) -> None:
    rows, reader = read_two_columns(content)

    assert [(row.line, row.custom_id) for row in rows] == [(2, "1"), (4, "2")]
    assert reader.all_problems.total == 0


def test_blank_rows_above_the_header_are_none_either() -> None:
    rows, reader = read_csv(b",,\n , ,\nid,text,x\n1,a,\n", with_recipe=ASKED)

    assert cells_of(rows) == [("1", "a", "")]
    assert reader.all_problems.total == 0


def test_blank_rows_of_a_sheet_are_none_be_they_empty_or_spaces() -> None:
    content = workbook([["id", "text"], [1, "a"], [], [2, "b"], [" ", None], ["", "\u3000"], [3, "c"]])

    rows, reader = read_rows("a.xlsx", content, ASKED)

    assert [(row.line, prompt_of(row)) for row in rows] == [(2, "a"), (4, "b"), (7, "c")]
    assert [(each.code, each.line, each.values) for each in reader.facts.warnings] == [
        ("blank_rows", 3, {"rows": 3})
    ]


def test_endless_blank_rows_are_only_counted() -> None:
    rows, reader = read_csv(b"id,text\n1,a\n" + b",\n" * 50_000 + b"2,b\n", with_recipe=ASKED)

    assert len(rows) == 2
    assert reader.facts.warnings[0].values == {"rows": 50_000}


@pytest.mark.parametrize(
    ("delimiter", "surplus"),
    [(",", ","), (";", ";"), ("\t", "\t\t"), ("|", "|"), (",", ',"",'), (";", "; ;")],
)
def test_separators_too_many_at_the_end_of_the_rows_are_dropped(delimiter: str, surplus: str) -> None:
    row = f"a{delimiter}b{delimiter}c{surplus}\n"
    content = f"id{delimiter}text{delimiter}x\n" + 30 * row

    rows, reader = read_csv(content.encode(), with_recipe=ASKED)

    assert cells_of(rows) == 30 * [("a", "b", "c")]
    assert reader.facts.columns == ("id", "text", "x")
    assert [(each.code, each.line, each.values) for each in reader.facts.warnings] == [
        ("trailing_separators", 2, {"rows": 30, "columns": 3})
    ]


def test_rows_may_end_in_different_numbers_of_them() -> None:
    rows, reader = read_csv(b"id,text\n1,a,,\n2,b,\n3,c,,,\n4,d,\n", with_recipe=ASKED)

    assert cells_of(rows) == [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")]
    assert reader.facts.warnings[0].values == {"rows": 4, "columns": 2}


@pytest.mark.parametrize(
    ("content", "bad"),
    [
        # In one row alone, a cell more likely has a comma in it.
        (b"id,text,x\n1,good, but,\n2,fine,y\n", [2]),
        (b"id,text,x\n1,fine,y\n2,good, but,\n", [3]),
        (b"id,text,x\n1,good, but,\n", [2]),
        (b"id,text,x\n1,good, but,\n2,so, so,\n3,a,y\n4,b,y\n", [2, 3]),
        (b"id,text\n1,a,\n2,b,\n3,c,lost\n4,d,\n", [4]),
        (b"id,text\n1,a,x\n2,b,y\n3,c\n", [2, 3]),
        # Nor is it at the end of the row if others end without one.
        (b"id,text,x\n1,Good, but slow,\n2,Nice, cheap,\n3,OK,thanks\n", [2, 3]),
        (b"name,text,x\nSmith, John,good,\nDoe, Jane,bad,\nCher,OK,\n", [2, 3]),
        (b"id,n,text,x\n1,1,200,good,\n2,3,400,bad,\n3,4,ok,y\n", [2, 3]),
        (b"id,text,x\n" + 6 * b"1,so, so,\n" + 5 * b"1,ok,y\n", [2, 3, 4, 5, 6, 7]),
    ],
)
def test_what_may_be_a_lost_quote_stays_a_bad_row_with_all_its_cells(content: bytes, bad: list[int]) -> None:
    rows, reader = read_csv(content, with_recipe=SKIPPING)

    assert [row.line for row in rows if row.request is None] == bad
    assert codes(reader) == ["ragged_row"] * len(bad)
    written = [line.split(b",") for line in content.splitlines()]
    for row in rows:
        if row.request is None:
            assert [cell.encode() for cell in row.cells] == written[row.line - 1]


@pytest.mark.parametrize(
    "content",
    [
        # Blanks behind commas are of sentences, names and places.
        "id,text,x\n1,Austin, TX,\n2,Boston, MA,\n3,Denver, CO,\n",
        "name,text,x\nSmith, John,good,\nDoe, Jane,bad,\n",
        "id,address,text,x\n1,Rue A, 1,good,\n2,Rue B, 2,bad,\n",
        # R's row names in front, and a last column that is blank.
        'text,x\n"1","good",""\n"2","bad",""\n',
        "评论;text\n1;很好;\n2;不好;\n3;一般;\n",
        '"city"\t"text"\n"1"\t"Rome"\t""\n"2"\t"Oslo"\t""\n',
        # A comma in a number, or row names in front: the prompt gets numbers, the text is beside.
        "id,price,text,x\n1,3,50,good,\n2,4,99,bad,\n",
        "id,n,text,x\n1,1,200,good,\n2,3,400,bad,\n",
        'id,text,x\n"1",11,"good",\n"2",12,"bad",\n',
        "id\ttext\tx\n1\t11\tgood\t\n2\t12\tbad\t\n",
        "id;text\n1;11;good\n2;12;bad\n3;13;fine\n",
        "id text x\n1 2 good y\n2 3 bad y\n".replace(" ", "|"),
    ],
)
def test_rows_that_all_have_a_cell_too_many_in_front_or_amid_are_refused(content: str) -> None:
    rows, reader = read_csv(content.encode(), with_recipe=SKIPPING)

    assert (rows, codes(reader)) == ([], ["rows_one_cell_longer"])
    assert "row.names = FALSE" in render_problem(reader.problems.first[0], "en")


@pytest.mark.parametrize(
    "content",
    [
        "id,text,x\n1,a,,\n2,b,,\n",
        "id,text,x\n1,a,y,\n2,b,,\n",
        "id, text, x\n1, a, y, \n2, b, y, \n",
        "id,text,x\n1,5,4,\n2,3,4,\n",
        "id,text,x\n1,5,y,,\n2,3,y,,\n",
    ],
)
def test_separators_at_the_end_are_dropped_whatever_the_last_column_has(content: str) -> None:
    rows, _ = read_csv(content.encode(), with_recipe=SKIPPING)

    assert [len(row.cells) for row in rows] == [3, 3]


@pytest.mark.parametrize(
    "names",
    [
        *[
            "line,text",
            "row,text",
            "uid,text",
            "sku,text",
            "user,text",
            "label,text",
            "date,text",
            "question,text",
        ],
        *[
            "asin,text",
            "category,text",
            "type,text",
            "customer,text",
            "product,text",
            "order,text",
            "source,text",
        ],
        *[
            "用户,text",
            "日期,text",
            "标签,text",
            "类型,text",
            "客户,text",
            "题目,text",
            "问题,text",
            "来源,text",
        ],
    ],
)
def test_rows_that_count_their_first_column_may_end_in_a_separator(names: str) -> None:
    content = f"{names}\n1,hello world,\n2,good bye,\n3,abc def,\n"
    rows, reader = read_csv(content.encode(), with_recipe=ASKED)

    assert cells_of(rows) == [("1", "hello world"), ("2", "good bye"), ("3", "abc def")]
    assert [each.code for each in reader.facts.warnings] == ["trailing_separators"]


@pytest.mark.parametrize(
    "name",
    [
        *[
            "name",
            "Full name",
            "title",
            "city",
            "country",
            "content",
            "text",
            "comment",
            "review",
            "description",
        ],
        *["姓名", "名称", "标题", "城市", "内容", "评论内容", "商品", "商品名称", "正文", "留言"],
    ],
)
def test_a_name_or_a_text_that_counts_from_1_is_the_number_of_its_row(name: str) -> None:
    content = f'{name},other\n"1","good",""\n"2","bad",""\n"3","fine",""\n'
    asked = recipe("model: qwen-plus\nprompt: '{{ other }}'\n")
    rows, reader = read_csv(content.encode(), with_recipe=asked)

    assert (rows, codes(reader)) == ([], ["rows_one_cell_longer"])


@pytest.mark.parametrize("end", [";", ";;;", "; ;", ';"";'])
def test_separators_too_many_in_the_header_alone_are_dropped(end: str) -> None:
    rows, reader = read_csv(f"id;text{end}\n1;good\n2;bad\n".encode(), with_recipe=ASKED)

    assert cells_of(rows) == [("1", "good"), ("2", "bad")]
    assert reader.facts.columns == ("id", "text")
    assert [each.code for each in reader.facts.warnings] == ["trailing_separators_in_header"]


def test_a_template_that_does_more_finds_the_columns_of_a_shortened_header() -> None:
    asked = recipe("model: qwen-plus\nprompt: '{{ text | upper }}{{ row }}'\n")

    rows, _ = read_csv(b"id;text;;\n1;good\n2;bad\n", with_recipe=asked)

    assert [prompt_of(row)[:4].strip("{") for row in rows] == ["GOOD", "BAD"]


def test_a_column_without_a_name_whose_cells_are_there_is_kept() -> None:
    rows, reader = read_csv(b"id,text,\n1,good,x\n2,bad,\n", with_recipe=ASKED)

    assert cells_of(rows) == [("1", "good", "x"), ("2", "bad", "")]
    assert reader.facts.columns == ("id", "text", "")
    assert reader.facts.warnings == ()


def test_a_header_is_not_shortened_for_some_of_its_rows() -> None:
    _, reader = read_csv(b"id,text,\n1,good\n2,bad,x\n", with_recipe=ASKED)

    assert codes(reader) == ["ragged_row"]


def test_two_columns_may_end_in_separators_too() -> None:
    rows, reader = read_two_columns(b"q1,Hello,\nq2,Bye,\n")

    assert cells_of(rows) == [("q1", "Hello"), ("q2", "Bye")]
    assert [each.code for each in reader.facts.warnings] == ["trailing_separators"]


def test_what_is_wrong_with_the_file_comes_after_the_rows_before_it() -> None:
    rows, reader = read_csv(b'id,text\n1,a,\n2,b,\n3,"c\n', with_recipe=ASKED)

    assert [row.line for row in rows] == [2, 3]
    assert codes(reader) == ["unclosed_quote"]


def test_the_first_row_of_a_file_in_another_encoding_may_be_of_another_width() -> None:
    content = b"id,text\n1,a,\n" + "2,评论,\n".encode("gb18030") * 3

    rows, reader = read_csv(content, with_recipe=ASKED)

    assert [row.cells[1] for row in rows] == ["a", "评论", "评论", "评论"]
    assert reader.facts.encoding == "gb18030"


def test_the_warnings_say_it_in_both_languages() -> None:
    _, reader = read_csv(b"id,text\n1,a,\n,\n2,b,\n", with_recipe=ASKED)

    blank, dropped = reader.facts.warnings
    assert "1 个空行" in render_problem(blank, "zh")
    assert render_problem(dropped, "en").startswith("Line 2: from here on, 2 rows have")


def workbook(rows: list[list[object]]) -> bytes:
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("rows", "line", "place"),
    [
        ([[1, "a", None, None, "看这里"]], 2, "E2"),
        ([[1, "a"], [2, "b", None, "note"], [3, "c", "x"]] + [[4, "d"]] * 18, 3, "D3"),
        ([[1, "a"], [], [2, "b", 0]], 4, "C4"),
    ],
)
def test_a_note_beside_the_table_of_a_sheet_is_told_and_left_out(
    rows: list[list[object]], line: int, place: str
) -> None:
    read, reader = read_rows("a.xlsx", workbook([["id", "text"], *rows]), ASKED)

    assert {len(row.cells) for row in read} == {2}
    assert reader.all_problems.total == 0
    warning = reader.facts.warnings[-1]
    assert (warning.code, warning.line, warning.field) == ("cells_beside_table", line, place)


def test_it_is_named_as_the_sheet_has_it() -> None:
    content = workbook([[], [None, None, "id", "text"], [None, None, 1, "a", None, "note"]])

    _, reader = read_rows("a.xlsx", content, ASKED)

    (warning,) = reader.facts.warnings
    assert (warning.line, warning.field, warning.found) == (3, "F3", "note")


@pytest.mark.parametrize("filled", [2, 20])
def test_a_column_without_a_name_beside_the_table_is_refused(filled: int) -> None:
    rows = [[at, "a", *(["x"] if at < filled else [])] for at in range(20)]
    content = workbook([["id", "text"], *rows])

    _, reader = read_rows("a.xlsx", content, ASKED)

    if filled == 2:
        assert [(each.code, each.values) for each in reader.facts.warnings] == [
            ("cells_beside_table", {"rows": 2, "columns": 3})
        ]
    else:
        (problem,) = reader.all_problems.first
        assert (problem.code, problem.field, problem.values) == (
            "column_without_name",
            "C2",
            {"rows": 20, "columns": 3},
        )


@pytest.mark.parametrize(
    ("rows", "line", "place"),
    [
        ([["q1", "a"], ["q2", "b", "note"], ["q3", "c"]], 2, "C2"),
        ([["q1", "a"], ["q2", "b", None, None, 2026]], 2, "E2"),
        ([[], ["q1", "a"], [], ["q2", "b", "note"]], 4, "C4"),
        ([["q1", "a"], *[["q2", "b"]] * 18, ["q3", "c", "x"], ["q4", "d", None, "y"]], 20, "C20"),
    ],
)
def test_so_is_a_note_beside_two_columns(rows: list[list[object]], line: int, place: str) -> None:
    rows = [[f"{cells[0]}-{at}", *cells[1:]] if cells else [] for at, cells in enumerate(rows)]

    read, reader = read_rows("a.xlsx", workbook(rows), None)

    assert {len(row.cells) for row in read} == {2}
    assert reader.all_problems.total == 0
    (warning,) = (each for each in reader.facts.warnings if each.code != "blank_rows")
    assert (warning.code, warning.line, warning.field) == ("cells_beside_two_columns", line, place)


@pytest.mark.parametrize(
    "rows",
    [
        [["q1", "a", "x"], ["q2", "b"]],
        [["q1", "a", "x"]],
        [["q1", "a", None, "x"], ["q2", "b", None, "x"]],
        [["q1", "a"], ["q2", "b", "x"], ["q3", "b", "y"]],
    ],
)
def test_a_third_column_is_not_left_out(rows: list[list[object]]) -> None:
    _, reader = read_rows("a.xlsx", workbook(rows), None)

    (problem,) = reader.all_problems.first
    assert (problem.code, problem.line) == ("two_columns_expected", 2 if len(rows) == 3 else 1)


def test_separators_dropped_from_two_columns_are_counted_once() -> None:
    _, reader = read_two_columns(b"q1,Hello,\nq2,Bye,\n")

    (warning,) = reader.facts.warnings
    assert (warning.code, warning.values["rows"]) == ("trailing_separators", 2)
