"""Tables to which lines in another encoding were appended: these are bad, the others are read."""

from __future__ import annotations

import codecs

import pytest

from shared.inputs.rows import InputRow
from tests.support.reading import prompt_of, read_csv, recipe

ASKED = "model: qwen-plus\nprompt: '{{ 内容 }}'\n"
MANY = ["质量很好，推荐购买", "物流太慢了", "一般", "客服态度不错"] * 25
FEW = ["很好", "太慢"]

# Some are an even number of bytes, which GB18030 reads without a fault.
APPENDED = [
    "质量很差",
    "太慢",
    "不好用",
    "好",
    "好A",
    "差评！不会再买",
    "😀",
    "good 不错 ok",
    "😀很好",
    "：）",
    "刀",
]


def table(texts: list[str], appended: list[str], encodings: tuple[str, str]) -> bytes:
    first = "".join(["编号,内容\n", *(f"{number},{text}\n" for number, text in enumerate(texts))])
    later = "".join(f"{number},{text}\n" for number, text in enumerate(appended, start=len(texts)))
    return first.encode(encodings[0]) + later.encode(encodings[1])


def outcomes(content: bytes, asked: str = ASKED) -> list[str]:
    """What is sent of each row, or what its problems are."""
    rows, reader = read_csv(content, with_recipe=recipe(asked))
    assert not reader.problems.total, reader.problems.first
    return [outcome(row) for row in rows]


def outcome(row: InputRow) -> str:
    if row.request:
        return prompt_of(row)
    (problem,) = row.problems
    return f"{problem.code} {problem.values['encoding']} {row.cells[1]}"


def told(encoding: str, texts: list[str]) -> list[str]:
    return [f"mixed_encodings {encoding} {text}" for text in texts]


@pytest.mark.parametrize("more", ["", "encoding: gb18030\n"], ids=["detected", "named"])
@pytest.mark.parametrize("texts", [MANY, FEW], ids=["many", "few"])
@pytest.mark.parametrize("text", APPENDED)
def test_a_line_of_utf_8_in_a_gbk_table_is_a_bad_row(text: str, texts: list[str], more: str) -> None:
    content = table(texts, [text, "plain"], ("gb18030", "utf-8"))

    assert outcomes(content, ASKED + more) == [*texts, *told("utf-8", [text]), "plain"]


@pytest.mark.parametrize("text", ["质量很差", "太慢", "不好用", "好", "差评！不会再买", "good 不错 ok"])
def test_a_line_of_gbk_in_a_utf_8_table_is_a_bad_row(text: str) -> None:
    content = table(MANY, [text, "plain"], ("utf-8", "gb18030"))

    assert outcomes(content) == [*MANY, *told("gb18030", [text]), "plain"]


@pytest.mark.parametrize("size", [1, 2, 3, 10, 200])
def test_half_and_half_is_told_line_by_line(size: int) -> None:
    texts = (MANY * 2)[:size]

    assert outcomes(table(texts, texts, ("gb18030", "utf-8"))) == [*texts, *told("utf-8", texts)]


@pytest.mark.parametrize("encoding", ["big5", "shift_jis", "euc-jp", "euc-kr"])
def test_lines_of_utf_8_are_told_under_a_named_encoding_of_two_bytes(encoding: str) -> None:
    content = "id,text\n1,人力\n".encode(encoding) + "2,太慢\n".encode()
    asked = f"model: qwen-plus\nprompt: '{{{{ text }}}}'\nencoding: {encoding}\n"

    assert outcomes(content, asked) == ["人力", *told("utf-8", ["太慢"])]


def test_a_byte_order_mark_in_the_middle_begins_the_part_that_is_told() -> None:
    later = codecs.BOM_UTF8 + "编号,内容\n900,很好\n".encode() + codecs.BOM_UTF8 + b"id,text\n901,ok\n"
    content = table(MANY, [], ("gb18030", "utf-8")) + later

    assert outcomes(content) == [*MANY, *told("utf-8", ["很好", "text"]), "ok"]


def test_a_row_of_which_one_cell_is_in_utf_8_is_told() -> None:
    content = "编号,内容\n1,很好\n二,".encode("gb18030") + "太慢\n".encode()
    rows, _ = read_csv(content, with_recipe=recipe(ASKED))

    assert [problem.code for problem in rows[1].problems] == ["mixed_encodings"]


@pytest.mark.parametrize(
    "text", ["涓滴归公", "谢鸪档", "黏附\n黏胶", "玳瑁\n妩媚", "皓发", "甬江", "璎©", "馋😀", "诶𠀀"]
)
def test_rare_hanzi_that_are_valid_utf_8_are_no_mixture(text: str) -> None:
    texts = [*MANY, *text.split("\n")]

    assert outcomes(table(texts, [], ("gb18030", "utf-8"))) == texts
