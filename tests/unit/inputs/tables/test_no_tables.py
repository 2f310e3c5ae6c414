"""What is no table, or not cut into columns, is told for what it is."""

from __future__ import annotations

import pytest

from tests.support.reading import codes, prompt_of, read_csv, read_rows, read_two_columns, recipe
from tests.unit.inputs.tables.test_table_shapes import workbook

ASKED = recipe("model: qwen-plus\nprompt: '{{ text }}'\n")


@pytest.mark.parametrize(
    "content",
    [
        '[{"id":1,"text":"good"}]\n',
        '[{"id": 1, "text": "good"}, {"id": 2, "text": "bad"}]',
        '{"id":1,"text":"good"}\n{"id":2,"text":"bad"}\n',
        '{"id": 1, "text": "good"}\n{"id": 2, "text": "bad"}\n',
        '[\n  {\n    "id": 1,\n    "text": "good"\n  }\n]\n',
        '{\n  "rows": [\n    {"id": 1}\n  ]\n}\n',
        '["id", "text"]\n["1", "good"]\n',
        '[["id","text"],["1","good"]]\n',
    ],
)
def test_json_under_the_name_of_a_table_is_told(content: str) -> None:
    _, with_recipe = read_csv(content.encode(), with_recipe=ASKED)
    _, without = read_two_columns(content.encode())

    assert codes(with_recipe) == codes(without) == ["json_in_table"]


@pytest.mark.parametrize(
    "content",
    ['id,text\n1,"{""a"": 1}"\n', '"{""id""}",text\n1,good\n', "{id},text\n1,good\n", "[id],text\n1,good\n"],
)
def test_json_in_cells_is_none(content: str) -> None:
    rows, _ = read_csv(content.encode(), with_recipe=ASKED)

    assert len([prompt_of(row) for row in rows]) == 1


def test_nor_is_it_one_in_two_columns() -> None:
    rows, reader = read_two_columns(b'q1,"{""a"": 1}"\n{q2},[x]\n[3],y\n')

    assert (len(rows), codes(reader)) == (3, [])


@pytest.mark.parametrize(
    ("content", "separator"),
    [
        ('"id,text"\n"1,good"\n', ","),
        ('"id;text"\n"1;good"\n', ";"),
        ('"id\ttext"\n"1\tgood"\n', "tab"),
        ('"id,""text"""\n"1,""good, bad"""\n', ","),
    ],
)
def test_rows_in_quotes_as_a_whole_are_told(content: str, separator: str) -> None:
    _, reader = read_csv(content.encode(), with_recipe=ASKED)
    _, without = read_two_columns(content.replace("id", "0").encode())

    (problem,) = reader.problems.first
    assert (problem.code, problem.values) == ("row_in_one_cell", {"separator": separator})
    assert codes(without) == ["row_in_one_cell"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("header", ["a{}b", "{}", "a{}", "a{}b{}c", '""a""{}b', "a b{}{}c;"])
def test_one_column_whose_header_has_line_breaks_is_told_for_what_it_is(header: str, line_end: str) -> None:
    content = f'"{header.replace("{}", line_end)}"\nx\ny\n'.encode()

    assert codes(read_two_columns(content)[1]) == ["two_columns_expected"]
    assert codes(read_csv(content, with_recipe=ASKED)[1]) == ["missing_column"]


def test_a_table_that_is_one_cell_as_a_whole_is_told() -> None:
    assert codes(read_two_columns(b'"0,text\n1,good\n"\n"x"\n')[1]) == ["row_in_one_cell"]


def test_so_are_rows_that_were_pasted_into_one_column_of_a_sheet() -> None:
    _, reader = read_rows("a.xlsx", workbook([["id,text"], ["1,good"]]), ASKED)

    assert codes(reader) == ["row_in_one_cell"]


def test_and_a_delimiter_of_the_recipe_that_is_another() -> None:
    wrong = recipe("model: qwen-plus\nprompt: '{{ text }}'\ndelimiter: ';'\n")

    assert codes(read_csv(b"id,text\n1,good\n", with_recipe=wrong)[1]) == ["row_in_one_cell"]


def test_one_column_that_is_not_the_prompts_is_missing_it() -> None:
    assert codes(read_csv(b'"Name, first"\n"1,good"\n', with_recipe=ASKED)[1]) == ["missing_column"]
