from __future__ import annotations

import pytest

from shared.formats.csv.delimiters import delimiter_for, find_preamble
from shared.problems.exceptions import UserInputError
from shared.problems.render import render_problem
from tests.support.reading import codes, read_csv, read_rows, read_two_columns, recipe

TEXT = recipe("model: qwen-plus\nprompt: '{{ text }}'\n")


@pytest.mark.parametrize(
    ("sample", "delimiter"),
    [
        ("a,b;c\n1,2\n", ","),
        ("a;b;c\n1;2;3\n", ";"),
        ("a\tb;c\td\ne\tf\tg\n", "\t"),
        ('"a,b";c\n', ";"),
        ('"a"",b"\tc\n', "\t"),
        ("a\n", ","),
        ("a|b\n1|2\n", "|"),
        ('"a\n,b', ","),
        # Prose has more commas than the table has semicolons.
        ("q1;Hello, dear, world\nq2;Yes\n", ";"),
        ("a;2,50 Euro ist billig\nb;teuer\n", ";"),
        ("问题一|好,很好;不错\n问题二|差,很差\n问题三|好\n", "|"),
        ("1\t苹果, 香蕉\n2\t梨\n", "\t"),
        ('1;"Zeile, eins\nZeile; zwei, drei"\n2;drei, vier, fünf\n', ";"),
        # Commas of prose have a space behind them, delimiters have none.
        ("q1;Hello, world\nq2;Good morning, all\n", ";"),
        ("q1,Hello; world\nq2,Good morning; all\n", ","),
        ("q1|Hello, world\nq2|Bye, all\n", "|"),
        # A line that is not like the others is told later.
        ("1,a\n2\n", ","),
        ("\n\n1;a, b\n\n2;c\n", ";"),
        # The sample may end within a quoted cell.
        ('1;"a, b"\n2;"c, d\n', ";"),
    ],
)
def test_the_delimiter_cuts_every_line_into_as_many_cells(sample: str, delimiter: str) -> None:
    assert delimiter_for(sample, None) == delimiter


@pytest.mark.parametrize(
    "sample",
    [
        "q1,甲;乙\nq2,丙;丁\n",
        "Müller, Hans;Frage eins\nMeier, Anna;Frage zwei\n",
        "q1, a;b\nq2, c;d\n",
        "a|1,Hello\na|2,World\n",
        "1;x|y\n",
        "1\t2,5\n2\t3,5\n",
        # Every line has one comma, and a semicolon before it.
        "q1;Hello, world\nq2;a;b, c\n",
        # Three columns or two?
        "1;ja, gut;x\n2;nein, schlecht;y\n3;Mut,los;z\n",
        # What no table is separated by, before a comma of prose.
        "q1；你好,世界\nq2；再见,朋友\n",
        "q1：Hello, world\nq2：Bye, all\n",
        "q1^Hello, world\nq2^Bye, all\n",
        "q1: Hello, world\nq2: Bye, all\n",
    ],
)
def test_without_a_header_a_delimiter_in_doubt_is_refused(sample: str) -> None:
    with pytest.raises(UserInputError) as refusal:
        delimiter_for(sample, None)

    (problem,) = refusal.value.problems
    assert problem.code == "delimiter_in_doubt"


def test_the_refusal_shows_what_each_delimiter_would_give_and_what_to_write() -> None:
    rows, reader = read_two_columns("Müller, Hans;Wie?\nMeier, Anna;Was?\n".encode())

    (problem,) = reader.problems.first
    english = render_problem(problem, "en")
    assert rows == []
    assert '"," / ";" (, → [Müller] [ Hans;Wie?]   ; → [Müller, Hans] [Wie?])' in english
    assert "delimiter:" in english
    assert "sep=," in render_problem(problem, "zh")


@pytest.mark.parametrize("sample", ["1;x|y\n", "1\t2,5\n2\t3,5\n"])
def test_one_line_more_settles_the_doubt(sample: str) -> None:
    assert delimiter_for(sample + "3" + sample[1] + "plain\n", None) == sample[1]


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("Name, Vorname;text;Ort\nA, B;gut;Bonn\nC, D;schlecht;Köln\n", ";"),
        ("id;text;Alter, Jahre\n1;gut, gern;30\n2;schlecht;40\n", ";"),
        ("序号|text|金额, 元\n1|好, 很好|3\n2|差, 很差|4\n", "|"),
        ("id\ttext\tName, first\n1\ta, b\tc, d\n", "\t"),
        ("text,name;title\ngood;x,A\nbad;y,B\n", ","),
        # One row is ragged, and a comma would fit them all.
        ("a, b;text\n1, 2;x\n3, 4;x;y\n", ";"),
        ("Bericht, 2026;Stand, Mai\nid;text\n1;gut, gern\n", ";"),
        ('"id";"text";"a,b"\n"1";"x";"y"\n', ";"),
        ("text\nHello there\n", ","),
        ("text\nthis; that\nnone\n", ","),
    ],
)
def test_the_columns_of_the_prompt_tell_the_delimiter(content: str, delimiter: str) -> None:
    _, reader = read_csv(content.encode(), with_recipe=TEXT)

    assert reader.facts.delimiter == delimiter
    assert "delimiter_in_doubt" not in codes(reader)


@pytest.mark.parametrize("content", ["id;text,x\n1;a,b\n", "a;b,c\n1;2,3\n"])
def test_where_no_column_tells_a_missing_one_is_told_not_a_doubt(content: str) -> None:
    _, reader = read_csv(content.encode(), with_recipe=TEXT)

    assert codes(reader) == ["missing_column"]


def test_a_prompt_without_columns_does_not_tell_the_delimiter() -> None:
    whole_row = recipe("model: qwen-plus\nprompt: '{{ row | tojson }}'\n")

    _, reader = read_csv(b"a;b,c\n1;2,3\n", with_recipe=whole_row)

    assert codes(reader) == ["delimiter_in_doubt"]


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        (b"q1\tHello, world\nq2\tWhat is 2+2?\n", [("q1", "Hello, world"), ("q2", "What is 2+2?")]),
        (b"q1\ta,b\nq2\tc,d\n", [("q1", "a,b"), ("q2", "c,d")]),
        (b"q1\ta;b|c\n", [("q1", "a;b|c")]),
        # Named so by mistake: there is no tab.
        (b"q1,Hello\nq2,Bye\n", [("q1", "Hello"), ("q2", "Bye")]),
    ],
)
@pytest.mark.parametrize("name", ["a.tsv", "A.TSV"])
def test_tsv_means_tab(name: str, content: bytes, cells: list[tuple[str, str]]) -> None:
    rows, reader = read_rows(name, content, None)

    assert [tuple(row.cells) for row in rows] == cells
    assert reader.facts.form.format == "tsv"


@pytest.mark.parametrize(
    "content",
    [
        b"id,text\n1,a\tb\n2,c\n",
        b"\xef\xbb\xbf\r\nid,text\n1,\ta b\n2,c\n",
        b"id;text\n1;a\t\t\n2;c\n",
        b"#TYPE X\nid,text\n1,c\td\n",
        b'text,id\n"a\tb",1\n',
        b"id\ttext\n1\ta,b\n",
        b"Report, 2024\nid\ttext\n1\ta,b\n2\tc,d\n",
    ],
)
def test_a_tab_counts_in_a_tsv_if_the_first_line_has_one(content: bytes) -> None:
    header_row = "header_row: 2\n" if content.startswith(b"Report") else ""
    asked = recipe("model: qwen-plus\nprompt: 'Say {{ text }}'\n" + header_row)

    rows, reader = read_rows("a.tsv", content, asked)

    assert codes(reader) == []
    assert {len(row.cells) for row in rows} == {2}


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [
        ("sep=;", ";"), ("sep=,\r", ","), ("SEP=|", "|"), ("sep=\t", "\t"), ('"sep=;"', ";"), ("Sep=^", "^"),
        ("sep=;;;", ";"), ("sep=,,,\r", ","),
        ("#TYPE System.IO.FileInfo", None), ('"#TYPE Selected.X"', None),
    ],
)  # fmt: skip
def test_lines_for_other_programs_are_known(line: str, delimiter: str | None) -> None:
    found = find_preamble(line)

    assert found is not None
    assert found.delimiter == delimiter


@pytest.mark.parametrize("line", ["sep", "sep=", "sep=ab", "sep=a", "separator=;", "#TYPES", "id;sep=;", ""])
def test_other_lines_are_not(line: str) -> None:
    assert find_preamble(line) is None


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("sep=;\r\nid;text\r\n1;好, 很好\r\n", [(3, ("1", "好, 很好"))]),
        ("sep=,\nid,text\n1,a;b\n", [(3, ("1", "a;b"))]),
        ("\nsep=\t\nid\ttext\n1\ta,b\n", [(4, ("1", "a,b"))]),
        ("sep=^\nid^text\n1^a,b\n", [(3, ("1", "a,b"))]),
        ('#TYPE Selected.Custom\r\n"id","text"\r\n"1","a;b"\r\n', [(3, ("1", "a;b"))]),
        ('#TYPE System.X\r\n"id";"text"\r\n"1";"a,b"\r\n', [(3, ("1", "a,b"))]),
        ("#TYPE X\nsep=|\nid|text\n1|a\n", [(4, ("1", "a"))]),
    ],
)
def test_they_are_honoured_and_are_no_rows(
    content: str, rows: list[tuple[int, tuple[str, str]]], bom: bytes
) -> None:
    made, reader = read_csv(bom + content.encode(), with_recipe=TEXT)

    assert [(row.line, tuple(row.cells)) for row in made] == rows
    assert reader.facts.columns == ("id", "text")


@pytest.mark.parametrize(
    "content", ["sep=,\nq1,a;b\nq2,c;d\n", "sep=;\nq1;a,b\nq2;c,d\n", "#TYPE X\nq1;a,b\nq2;c\n"]
)
def test_they_hold_without_a_recipe_too(content: str) -> None:
    rows, _ = read_two_columns(content.encode())

    assert [row.custom_id for row in rows] == ["q1", "q2"]
    assert rows[0].line == 2


def test_utf16_and_a_sep_line_as_excel_writes_them() -> None:
    rows, _ = read_csv(
        b"\xff\xfe" + "sep=\t\r\nid\ttext\r\n1\t你,好\r\n".encode("utf-16-le"), with_recipe=TEXT
    )

    assert [tuple(row.cells) for row in rows] == [("1", "你,好")]


def test_the_recipe_outranks_a_sep_line_and_the_name() -> None:
    asked = recipe("model: qwen-plus\nprompt: '{{ text }}'\ndelimiter: '|'\n")

    rows, _ = read_rows("a.tsv", b"sep=;\nid|text\n1|a;b\tc\n", asked)

    assert [tuple(row.cells) for row in rows] == [("1", "a;b\tc")]


def test_a_long_table_is_judged_by_its_first_lines() -> None:
    content = "".join(f"q{number};Hello, world {number}, again\n" for number in range(5000)) + "q;bye\n"

    rows, reader = read_two_columns(content.encode(), chunk_bytes=1000)

    assert (len(rows), reader.facts.delimiter) == (5001, ";")


def test_a_row_longer_than_the_sample_is_read() -> None:
    rows, _ = read_two_columns(b'q1,"' + b"a;b, c\n" * 20_000 + b'"\nq2,x\n')

    assert [row.custom_id for row in rows] == ["q1", "q2"]


def test_wrong_bytes_do_not_hide_the_delimiter() -> None:
    rows, reader = read_csv(
        "id;text\n1;好\n2;".encode() + b"\xff\n" + "3;很好很好很好很好很好很好\n".encode(), with_recipe=TEXT
    )

    assert reader.facts.delimiter == ";"
    assert [row.request is None for row in rows] == [False, True, False]


@pytest.mark.parametrize(
    ("sample", "example"),
    [("1,a,b\t2\n3,c,d\t4\n", '","'), ("a|b\tc\nd|e\tf\n", '"|"'), ("a;b|c\nd;e|f\n", '";"')],
)
def test_the_delimiter_of_the_example_is_one_of_those_in_doubt(sample: str, example: str) -> None:
    with pytest.raises(UserInputError) as refusal:
        delimiter_for(sample, None)

    told = render_problem(refusal.value.problems[0], "en")
    assert f"such as delimiter: {example}." in told
    assert f"such as sep={example[1]} ." in told
