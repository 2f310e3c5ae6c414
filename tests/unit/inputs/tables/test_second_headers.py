"""What surveys and translators put below a header is told."""

from __future__ import annotations

import pytest

from tests.support.reading import read_csv, read_rows, recipe
from tests.unit.inputs.tables.test_table_shapes import workbook

SURVEY = "Respondent ID,text,Rate us\n,Open-Ended Response,Response\n1,good,5\n2,bad,1\n"
QUALTRICS = (
    'StartDate,ResponseId,text\nStart Date,Response ID,"What, in short?"\n'
    '"{""ImportId"":""startDate""}","{""ImportId"":""_recordId""}","{""ImportId"":""QID1_TEXT""}"\n'
    "2026-01-01,R_1,good\n"
)


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (SURVEY, 1),
        (SURVEY.replace(",", ";"), 1),
        (QUALTRICS, 2),
        ("订单号,text,金额\nOrderID,Comment,Amount\n001,很好,1\n002,差,2\n", 1),
        ("order_id,text\n订单号,评价\nA-1,good\n", 1),
        ("id,text\n1,Open-Ended Response is a kind\n2,x\n", 0),
        ("word,text\nkey,键\nname,名称\n", 0),
        ("id,text\nOrderID,x\n", 0),
        ("text\nid\n2\n", 0),
        ('id,text\n"1","x" y\n2,z\n', 0),
    ],
)
def test_a_second_header_is_told_and_sent(content: str, rows: int) -> None:
    asked = recipe("model: qwen-plus\nprompt: '{{ text }}'\non_empty: send\non_bad_rows: skip\n")

    sent, reader = read_csv(content.encode(), with_recipe=asked)

    told = [(each.line, each.values) for each in reader.facts.warnings if each.code == "second_header"]
    assert told == ([(2, {"rows": rows})] if rows else [])
    assert sent[0].line == 2


def test_so_it_is_in_a_sheet() -> None:
    content = workbook([["订单号", "text"], ["Order ID", "Comment"], [1, "好"], [2, "差"]])

    _, reader = read_rows("a.xlsx", content, recipe("model: qwen-plus\nprompt: '{{ text }}'\n"))

    assert [each.code for each in reader.facts.warnings] == ["second_header"]
