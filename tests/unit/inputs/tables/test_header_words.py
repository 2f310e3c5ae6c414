from __future__ import annotations

import pytest

from shared.inputs.tables.header_words import looks_like_header
from shared.problems.render import render_problem
from tests.support.reading import codes, read_rows, read_two_columns


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("id", "content"), ("ID", "Text"), ("custom_id", "prompt"), ("Order ID", "Comment"), ("No.", "question"),
        ("编号", "内容"), ("序号", "问题"), ("订单号", "评论"), ("商品ID", "评论内容"), ("用户编号", "留言"),
        ("訂單編號", "內容"), ("工单流水号", "您对本次服务有什么意见或建议？"), ("番号", "質問"), ("번호", "내용"),
        (" 编号 ", "内容（必填）"), ("姓名", "评论"), ("标题", "正文"), ("name", "review"), ("Kennung", "Frage"),
        ("uuid", "hello"), ("题目编号", "题目"), ("客户", "反馈"), ("row_id", "input"), ("row", "review"), ("asin", "title"), ("SKU", "Description"),
    ],
)  # fmt: skip
def test_names_of_columns_are_a_header(first: str, second: str) -> None:
    assert looks_like_header(first, second)

    _, reader = read_two_columns(f"{first},{second}\n1,甲\n2,乙\n".encode())

    assert codes(reader) == ["looks_like_header"]
    assert reader.problems.first[0].line == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("q-001", "你好"), ("1", "内容"), ("a", "问题"), ("编号1", "内容"), ("订单号20240101", "评论"),
        ("id1", "content"), ("no", "God morgen"), ("Anna", "review"), ("id", "x" * 61), ("内容", "请翻译"),
        ("姓名", "请介绍这位客户"), ("order", "text"), ("编号是什么", "内容"), ("", "内容"), ("视频", "描述一下"),
    ],
)  # fmt: skip
def test_an_id_and_a_text_are_none(first: str, second: str) -> None:
    assert not looks_like_header(first, second)


@pytest.mark.parametrize("content", ["\n编号,内容\n1,甲\n", ",\n编号,内容\n1,甲\n"])
def test_a_header_below_blank_rows_is_told_with_its_line(content: str) -> None:
    rows, reader = read_two_columns(content.encode())

    (problem,) = reader.problems.first
    assert (problem.code, problem.line, rows) == ("looks_like_header", 2, [])
    assert "batch.yaml" in render_problem(problem, "zh")


def test_tabs_make_no_difference() -> None:
    _, reader = read_rows("a.tsv", "编号\t内容\n1\t甲\n".encode(), None)

    assert codes(reader) == ["looks_like_header"]
