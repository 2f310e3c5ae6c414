from __future__ import annotations

import csv
import io

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


def test_after_a_hundred_problems_the_rest_are_counted_by_code() -> None:
    problems = ProblemList(Problem("not_an_object", line) for line in range(1, 151))
    problems.add(Problem("empty_file"))

    lines = render_report_text("a.jsonl", problems).decode("utf-8-sig").split("\r\n")

    assert lines[-3] == "以上是前 100 个问题，共 151 个。各类问题的数量：not_an_object: 150, empty_file: 1"
    assert lines[-2] == "These are the first 100 of 151 problems. By code: not_an_object: 150, empty_file: 1"


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
