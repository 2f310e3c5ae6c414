from __future__ import annotations

import pytest

from tests.support.reading import prompt_of, read_csv, read_rows, read_two_columns, recipe
from tests.unit.inputs.tables.test_table_shapes import workbook

ASKED = recipe("model: qwen-plus\nprompt: '{{ text }}'\n")


def read(content: str) -> tuple[list[str], list[tuple[str, int | None, object]]]:
    rows, reader = read_csv(content.encode(), with_recipe=ASKED)
    assert reader.all_problems.total == 0
    return [prompt_of(row).strip() for row in rows], [
        (each.code, each.line, each.values.get("rows")) for each in reader.facts.warnings
    ]


@pytest.mark.parametrize(
    "content",
    [
        "| id | text |\n|----|------|\n| 1 | good |\n",
        "|id|text|\n|:---|:---:|\n|1|good|\n",
        "id,text\n---,---\n1,good\n",
        "id,text\n--,----\n1,good\n",
        "id\ttext\n==\t====\n1\tgood\n",
        " id | text\n----+------\n 1 | good\n",
        "text\n------------\ngood\n",
        "id,text\n───,───\n1,good\n",
    ],
)
def test_a_rule_below_the_header_is_no_row(content: str) -> None:
    assert read(content) == (["good"], [("rule_below_header", 2, None)])


@pytest.mark.parametrize("row", ["--,--", "-,-", "1,---", "---,-5", "---,--- see above", "a---,---"])
def test_a_row_of_a_few_dashes_is_one(row: str) -> None:
    prompts, warnings = read(f"id,text\n{row}\n1,good\n")

    assert (len(prompts), warnings) == (2, [])


@pytest.mark.parametrize(
    "content",
    [
        "id,text\n1,a\nid,text\n2,b\nid,text\n3,c\n",
        'id,text\n1,a\n"id","text"\n2,b\nid,"text"\n3,c\n',
        "id;text\r\n1;a\r\nid;text\r\n2;b\r\nid;text\r\n3;c\r\n",
        "id,text\n1,a\n\ufeffid,text\n2,b\n\ufeffid,text\n3,c\n",
        'id,"te""xt",text\n1,x,a\nid,"te""xt",text\n2,x,b\nid,"te""xt",text\n3,x,c\n',
        "编号,text\n1,a\n编号,text\n2,b\n编号,text\n3,c\n",
        "id,text\n1,a\nID,Text\n2,b\nId,TEXT\n3,c\n",
        'ID,Été,text\n1,x,a\nid,été,Text\n2,x,b\n"Id",Été,"text"\n3,x,c\n',
        "id,text\n1,a\nid,text,\n2,b\nid,text,,\n3,c\n",
        'id;text\n1;a\nid;text;""\n2;b\nid;text;;\n3;c\n',
        "id,text\n1,a\nid,text\n--,----\n2,b\nid,text\n---,---\n3,c\n",
        "|id|text|\n|1|a|\n|id|text|\n|---|:---:|\n|2|b|\n|id|text|\n|3|c|\n",
        "id,text\n1,a\nid,text,\n===,===\n2,b\nID,text\n3,c\n",
    ],
)
def test_a_repeated_header_is_no_row(content: str) -> None:
    assert read(content) == (["a", "b", "c"], [("repeated_header", 3, 2)])


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("id,text\n1,good\n2,bad\ntext,id\nfine,3\nok,4\n", 4),
        ("id,text\n1,good\n\nText,ID\nfine,3\n", 4),
        ('id;text;x\n1;a;b\n"x";"text";"id"\nb;a;2\n', 3),
        ("编号,评价,text\n1,a,b\ntext,编号,评价\nb,1,a\n", 3),
        ('id,te"xt,text\n1,a,b\ntext,id,te"xt\nb,1,a\n', 3),
    ],
)
def test_a_header_whose_columns_come_in_another_order_is_refused(content: str, line: int) -> None:
    _, reader = read_csv(content.encode(), with_recipe=ASKED)

    assert [(each.code, each.line) for each in reader.all_problems.first] == [
        ("columns_in_other_order", line)
    ]


def test_nor_is_it_one_in_a_sheet() -> None:
    content = workbook([["id", "text"], [1, "a"], ["id", "text"], [2, "b"]])

    rows, reader = read_rows("a.xlsx", content, ASKED)

    assert [(row.line, prompt_of(row)) for row in rows] == [(2, "a"), (4, "b")]
    assert [(each.code, each.line) for each in reader.facts.warnings] == [("repeated_header", 3)]


def test_only_directly_below_a_header_is_a_rule_one() -> None:
    prompts, warnings = read("id,text\n1,a\nid,text\n2,b\n---,---\n3,c\n")

    assert (prompts, warnings) == (["a", "b", "---", "c"], [("repeated_header", 3, 1)])


@pytest.mark.parametrize("row", ["id, text", "id,texts", "id,id", "text,text", "TEXT,1", "text,id2"])
def test_a_row_that_is_only_like_the_header_is_one(row: str) -> None:
    prompts, warnings = read(f"id,text\n1,a\n{row}\n")

    assert (len(prompts), warnings) == (2, [])


def test_the_name_of_a_single_column_may_be_a_value_of_it() -> None:
    assert read("text\nword\ntext\n") == (["word", "text"], [("header_as_row", 3, 1)])


@pytest.mark.parametrize("row", ["---", "====", "-----"])
def test_a_single_column_may_hold_dashes(row: str) -> None:
    assert read(f"text\n{row}\nb\n") == ([row, "b"], [])


@pytest.mark.parametrize("row", [["---", "---"], ["────", "----"]])
def test_a_sheet_has_no_rules(row: list[str]) -> None:
    rows, reader = read_rows("a.xlsx", workbook([["id", "text"], row, ["1", "b"]]), ASKED)

    assert ([prompt_of(each) for each in rows], reader.facts.warnings) == ([row[1], "b"], ())


def test_without_a_header_nothing_repeats_it() -> None:
    rows, _ = read_two_columns(b"1,a\n---,---\n2,b\n")

    assert len(rows) == 3
