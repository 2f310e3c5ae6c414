from __future__ import annotations

import pytest

from shared.problems.render import render_problem
from tests.support.reading import codes, prompt_of, read_csv, read_rows, read_two_columns, recipe
from tests.unit.inputs.tables.test_table_shapes import workbook

BASE = "model: qwen-plus\nprompt: '{{ text }}'\n"
ASKED, AUTO = recipe(BASE), recipe(BASE + "header_row: auto\n")

TITLES = [
    (b"2026 review export\n\nid,text\n1,good\n", 3),
    (b"UTF-8\nid,text\n1,good\n", 2),
    ("汇总表,,\n制表人：王,,\n,,\nid,text,备注\n1,good,\n".encode(), 4),
    (b'"Report\nof May";x\n;\nid;text\n1;good\n', 4),
    (b"a,b,c\nid,text\n1,good\n", 2),
    (b"title\n" * 19 + b"id,text\n1,good\n", 20),
]


@pytest.mark.parametrize(("content", "line"), TITLES)
def test_a_header_below_other_rows_is_named_with_what_to_write(content: bytes, line: int) -> None:
    rows, reader = read_csv(content, with_recipe=ASKED)

    (problem,) = reader.problems.first
    assert (problem.code, problem.line, rows) == ("header_below", line, [])
    assert f"header_row: {line}" in render_problem(problem, "zh")
    assert f"header_row: {line}" in render_problem(problem, "en")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"1,good\n2,bad\n3,x\nid,text\n", 4),
        (b"apple,1\ncat,2\ntext,id\nzebra,3\n", 3),
        (b"1;good;y\nid;text;x\n2;bad;y\n", 2),
        (b'"1","good, or so"\n"id","text"\n', 2),
    ],
)
def test_a_header_sorted_among_its_rows_is_to_be_moved_to_the_top(content: bytes, line: int) -> None:
    rows, reader = read_csv(content, with_recipe=ASKED)

    (problem,) = reader.problems.first
    assert (problem.code, problem.line, rows) == ("header_amid_rows", line, [])
    assert f"请把第 {line} 行移到最上面" in render_problem(problem, "zh")
    assert f"Move line {line} to the top" in render_problem(problem, "en")


@pytest.mark.parametrize("content", ["id,意见\nno,text\n1,good\n", "编号,点评\nid,text\n1,good\n"])
def test_of_two_headers_the_first_is_not_taken_for_a_row(content: str) -> None:
    _, reader = read_csv(content.encode(), with_recipe=ASKED)

    (problem,) = reader.problems.first
    assert (problem.code, problem.line) == ("header_below", 2)


@pytest.mark.parametrize(("content", "line"), TITLES)
def test_auto_finds_it_and_warns_of_what_stands_above(content: bytes, line: int) -> None:
    rows, reader = read_csv(content, with_recipe=AUTO)

    assert [(row.line, prompt_of(row)) for row in rows] == [(content.count(b"\n"), "good")]
    assert "text" in reader.facts.columns
    (warning,) = reader.facts.warnings
    assert (warning.code, warning.values) == ("rows_above_header", {"header_line": line})


@pytest.mark.parametrize(("content", "line"), TITLES)
def test_a_number_names_the_line(content: bytes, line: int) -> None:
    rows, _ = read_csv(content, with_recipe=recipe(BASE + f"header_row: {line}\n"))

    assert [prompt_of(row) for row in rows] == ["good"]


@pytest.mark.parametrize(("number", "last"), [(1, 0), (3, 2), (9, 6)])
def test_a_line_on_which_no_row_begins_is_told(number: int, last: int) -> None:
    content = b'\n"Report\nof May",\n\nid,text\n1,good\n'

    _, reader = read_csv(content, with_recipe=recipe(BASE + f"header_row: {number}\n"))

    (problem,) = reader.problems.first
    assert (problem.code, problem.found, problem.values) == (
        "header_row_not_there",
        str(number),
        {"last": last},
    )


def test_a_named_line_that_is_not_the_header_misses_its_column() -> None:
    _, reader = read_csv(b"id,text\n1,good\n", with_recipe=recipe(BASE + "header_row: 2\n"))

    assert codes(reader) == ["missing_column"]


@pytest.mark.parametrize("asked", [ASKED, AUTO])
def test_beyond_twenty_rows_nobody_looks(asked: object) -> None:
    _, reader = read_csv(b"title\n" * 20 + b"id,text\n1,good\n", with_recipe=asked)  # type: ignore[arg-type]

    assert codes(reader) == ["missing_column"]


def test_auto_is_the_first_row_where_nothing_stands_above() -> None:
    rows, reader = read_csv(b"id,text\n1,good\n", with_recipe=AUTO)

    assert (len(rows), reader.facts.warnings) == (1, ())


SHEET: list[list[object]] = [["2026 年评论"], [], ["id", "text", "x"], [1, "good"], [2, "bad", "y"]]


@pytest.mark.parametrize("header_row", ["auto", "3"])
def test_the_rows_of_a_sheet_below_a_title_are_as_wide_as_the_header(header_row: str) -> None:
    rows, _ = read_rows("a.xlsx", workbook(SHEET), recipe(BASE + f"header_row: {header_row}\n"))

    assert [tuple(row.cells) for row in rows] == [("1", "good", ""), ("2", "bad", "y")]


def test_the_title_of_a_sheet_is_told_with_the_row_of_the_header() -> None:
    _, reader = read_rows("a.xlsx", workbook(SHEET), ASKED)

    assert [(each.code, each.line) for each in reader.problems.first] == [("header_below", 3)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"id,te\rxt\n1,a\n", "lone_carriage_return"),
        (b'"id"x,text\n1,a\n', "bad_quote"),
        (b"id,t\0\n1,a\n", "nul_character"),
        (
            b"\xef\xbb\xbfid,te\xffxt\n1,a\n",
            "invalid_encoding",
        ),
        (b'id,"text\n1,a\n', "unclosed_quote"),
        (b'"id,text\n1,a\n"2",b\n', "broken_quotes"),
    ],
)
def test_what_is_wrong_with_the_header_is_told_not_that_a_column_is_missing(
    content: bytes, code: str
) -> None:
    _, reader = read_csv(content, with_recipe=ASKED)

    assert [(each.code, each.line) for each in reader.problems.first] == [(code, 1)]


def test_a_damaged_name_that_the_prompt_does_not_use_is_a_warning() -> None:
    rows, reader = read_csv(b"i\0d,text\n1,a\n", with_recipe=ASKED)

    assert prompt_of(rows[0]) == "a"
    assert [each.code for each in reader.facts.warnings] == ["nul_character"]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"id,text\r1,good\r2,bad\r", [2, 3]),
        (b"id;text\r1;good, so\r2;bad", [2, 3]),
        (b'\xef\xbb\xbfid,text\r1,"good\nso"\r2,bad\r', [2, 4]),
        ("id,text\r1,很好\r2,差\r".encode("gb18030"), [2, 3]),
        (b"\xff\xfe" + "id,text\r1,很好\r2,差\r".encode("utf-16-le"), [2, 3]),
        (b"\r\rid,text\r\r1,good\r2,bad\r", [5, 6]),
        (b"sep=;\rid;text\r1;a,b\r2;c\r", [3, 4]),
        (b'"id","text"\r"1","a ""b"""\r"2","c"\r', [2, 3]),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 1000])
def test_lines_that_end_with_a_carriage_return_alone_are_read(
    content: bytes, lines: list[int], chunk_bytes: int
) -> None:
    rows, reader = read_csv(content, with_recipe=ASKED, chunk_bytes=chunk_bytes)

    assert reader.all_problems.total == 0
    assert [row.line for row in rows] == lines
    assert all(len(row.cells) == 2 and row.request for row in rows)


def test_a_long_file_of_carriage_returns_is_read_to_its_end() -> None:
    rows, reader = read_csv(b"id,text\r" + b"1,good\r" * 50_000, with_recipe=ASKED, chunk_bytes=10_000)

    assert (len(rows), reader.facts.bad_rows) == (50_000, 0)


def test_one_carriage_return_among_line_feeds_stays_told() -> None:
    rows, reader = read_csv(b"id,text\n1,go\rod\n2,bad\n", with_recipe=ASKED)

    assert [(each.code, each.line) for each in reader.all_problems.first] == [("lone_carriage_return", 2)]
    assert len(rows) == 2


@pytest.mark.parametrize("separator", ["；", "，", "^", "~", "：", "、", "¦", "\x1f"])
def test_what_no_table_is_separated_by_is_named(separator: str) -> None:
    content = f"id{separator}text\n1{separator}good\n".encode()

    _, reader = read_csv(content, with_recipe=ASKED)
    _, without = read_two_columns(content)

    assert [(each.code, each.values) for each in reader.problems.first] == [
        ("unusual_delimiter", {"separator": separator})
    ]
    assert codes(without) == ["unusual_delimiter"]


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        ("text,id\n很好,1\n\ufeff一般,2\n太差,3\n", [("很好", "1"), ("一般", "2"), ("太差", "3")]),
        ("\ufefftext,id\n\ufeffa,1\n\ufeffb,2\n", [("a", "1"), ("b", "2")]),
        ('text,id\n\ufeff"a, b",1\n', [("a, b", "1")]),
        ('text,id\n"a\n\ufeffb",1\n\ufeffc,2\n', [("a\n\ufeffb", "1"), ("c", "2")]),
        ("text,id\n\ufeff\n\ufeff\na,1\n", [("a", "1")]),
        ("text,id\na\ufeffb,1\n", [("a\ufeffb", "1")]),
        ("text,id\n" + "x,1\n" * 20_000 + "\ufeffy,2\n", [*[("x", "1")] * 20_000, ("y", "2")]),
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16"])
def test_a_byte_order_mark_where_files_were_joined_is_dropped(
    content: str, cells: list[tuple[str, str]], codec: str
) -> None:
    asked = recipe(BASE + "encoding: gb18030\n") if codec == "gb18030" else ASKED

    rows, _ = read_csv(content.encode(codec), with_recipe=asked)

    assert [tuple(row.cells) for row in rows] == cells
