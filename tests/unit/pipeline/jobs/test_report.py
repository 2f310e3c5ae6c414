from __future__ import annotations

import csv
import dataclasses
import io

import pytest

from shared.pipeline.jobs.report import render_report_csv, render_report_text
from shared.problems.problem import Problem, ProblemList
from tests.support.reading import read_csv


def test_the_text_says_what_happened_and_lists_every_problem_in_both_languages() -> None:
    _, reader = read_csv("a,b\n好\n".encode("gb18030"))

    report = render_report_text("inbox/评论.csv", reader.all_problems, reader.facts)

    assert report.startswith(b"\xef\xbb\xbf")
    assert report.decode("utf-8-sig").split("\r\n") == [
        "文件 inbox/评论.csv 未通过检查：发现 1 个问题。没有提交任何请求，也没有产生任何费用。",
        "请按下面的说明修改，然后把这个文件重新上传到 inbox/。如果改的是 batch.yaml，要先上传 batch.yaml，再把表格重新上传一次：只上传 batch.yaml 不会启动任务。",
        "The file inbox/评论.csv was refused: 1 problem(s) found. Nothing was submitted and nothing was charged.",
        "Correct it as described below and upload this file to inbox/ again. If you change batch.yaml, upload it first and then the table again: batch.yaml alone starts nothing.",
        "",
        "识别结果：格式 csv，编码 gb18030，分隔符 ,；读到 1 行数据，其中 1 行有问题。",
        "Detected: format csv, encoding gb18030, delimiter ,; 1 rows read, 1 of them bad.",
        "",
        "1. 第 2 行：应有 2 列，实际有 1 列。请检查分隔符和引号，补上缺少的列，或删除多余的列。[ragged_row]",
        "   Line 2: the row should have 2 columns but has 1. Check delimiters and quotes; add or remove cells. [ragged_row]",
        "",
    ]


def test_after_a_hundred_problems_that_differ_the_rest_are_counted_by_code() -> None:
    problems = ProblemList(Problem("duplicate_key", line, found=f"key {line}") for line in range(1, 151))
    problems.add(Problem("empty_file"))

    lines = render_report_text("a.jsonl", problems).decode("utf-8-sig").split("\r\n")

    assert lines[-3] == "以上是前 100 个问题，共 151 个。各类问题的数量：duplicate_key: 150, empty_file: 1"
    assert lines[-2] == "These are the first 100 of 151 problems. By code: duplicate_key: 150, empty_file: 1"


ALIKE = [
    Problem("ragged_row", values={"expected": 3, "found_columns": 4}),
    Problem("not_an_object"),
    Problem("wrong_method", field="method", found="GET"),
    Problem("empty_prompt", field="content"),
    Problem("mixed_model", field="body.model", found="b", values={"first": "a", "first_line": 1}),
    Problem("recipe_attempts", field="attempts", found="9", file="batch.yaml"),
]


@pytest.mark.parametrize("problem", ALIKE, ids=lambda problem: problem.code)
def test_problems_that_differ_only_in_their_line_are_one_sentence(problem: Problem) -> None:
    on_lines = [dataclasses.replace(problem, line=line) for line in range(2, 32)]
    problems = ProblemList([*on_lines, Problem("bad_quote", 40, found="x")])

    zh, en, other, *_ = listed(render_report_text("a.csv", problems))

    assert "第 2、3、4、5、6 行等共 30 行" in zh
    assert "ines 2, 3, 4, 5, 6 and 25 more" in en
    assert other.startswith("2. 第 40 行：")
    assert problems.total == 31


@pytest.mark.parametrize(
    ("lines", "zh", "en"),
    [
        ([7], "第 7 行：该行", "Line 7: this line"),
        ([7, 9], "第 7、9 行：该行", "Lines 7 and 9: this line"),
        ([1, 2, 3, 4, 5], "第 1、2、3、4、5 行：该行", "Lines 1, 2, 3, 4 and 5: this line"),
        (
            [1, 2, 3, 4, 5, 6],
            "第 1、2、3、4、5 行等共 6 行：该行",
            "Lines 1, 2, 3, 4, 5 and 1 more: this line",
        ),
    ],
)
def test_lines_are_listed_as_people_do(lines: list[int], zh: str, en: str) -> None:
    chinese, english, *_ = listed(
        render_report_text("a", ProblemList(Problem("not_an_object", n) for n in lines))
    )

    assert chinese.startswith(f"1. {zh}")
    assert english.startswith(f"   {en}")


def test_a_million_that_are_alike_are_still_one_sentence() -> None:
    problems = ProblemList(Problem("not_an_object", line) for line in range(1, 10_001))

    zh, _, end = listed(render_report_text("a", problems))

    assert "共 10000 行" in zh
    assert end == ""


def test_what_two_lists_found_is_counted_together() -> None:
    problems = ProblemList([Problem("not_an_object", 1), Problem("not_an_object", 2)])
    problems.absorb(ProblemList(Problem("not_an_object", line) for line in range(3, 10)))

    zh, *_ = listed(render_report_text("a", problems))

    assert zh.startswith("1. 第 1、2、3、4、5 行等共 9 行：")


def test_lines_that_differ_in_more_stay_apart() -> None:
    _, reader = read_csv(b"a,b\n1\n1,2,3\n1\n")

    lines = listed(render_report_text("a.csv", reader.all_problems, reader.facts))

    assert [line.partition("：")[0] for line in lines[::2]] == ["1. 第 2、4 行", "2. 第 3 行", ""]


@pytest.mark.parametrize(
    ("content", "zh", "en"),
    [
        (b'a,b\n1,2\n3,4\n5,"6\n', "；读到 2 行数据。", "; 2 rows read."),
        (b'a,b\n1,2\n3\n5,"6\n', "；读到 2 行数据，其中 1 行有问题。", "; 2 rows read, 1 of them bad."),
        (b'a,b\n1,"2\n', "。", "."),
        (b"a,b\n", "。", "."),
        (b"b,c\n1,2\n", "。", "."),
    ],
)
def test_no_count_of_rows_contradicts_a_problem_of_the_file(content: bytes, zh: str, en: str) -> None:
    _, reader = read_csv(content)

    lines = render_report_text("a.csv", reader.all_problems, reader.facts).decode("utf-8-sig").split("\r\n")

    assert reader.problems.total == 1
    assert (lines[5], lines[6]) == (
        f"识别结果：格式 csv，编码 utf-8，分隔符 ,{zh}",
        f"Detected: format csv, encoding utf-8, delimiter ,{en}",
    )


def listed(report: bytes) -> list[str]:
    lines = report.decode("utf-8-sig").split("\r\n")
    return lines[next(n for n, line in enumerate(lines) if line.startswith("1. ")) :]


def test_no_line_of_the_report_comes_from_the_input() -> None:
    problems = ProblemList([Problem("bad_quote", 1, "a\r\nb", "x\r\n2. fake\u2028")])

    report = render_report_text("a\n.csv", problems).decode("utf-8-sig")

    assert "\n" not in report.replace("\r\n", "")
    assert len(report.split("\r\n")) == 8
    assert "\u2028" not in report


def test_the_table_has_one_line_per_problem_and_runs_nothing() -> None:
    problems = ProblemList(
        [
            Problem("bad_quote", 2, None, "=cmd|'/c calc'!A1"),
            Problem("unknown_file_type", found="@x", values={"accepted": ".csv"}),
        ]
    )

    table = list(csv.DictReader(io.StringIO(render_report_csv(problems).decode("utf-8-sig"), newline="")))

    assert [(row["line"], row["field"], row["code"], row["found"]) for row in table] == [
        ("2", "", "bad_quote", "'=cmd|'/c calc'!A1"),
        ("", "", "unknown_file_type", "'@x"),
    ]
    assert table[0]["zh"].startswith("第 2 行：结束引号后面")
    assert table[0]["en"].startswith("Line 2: something follows")
