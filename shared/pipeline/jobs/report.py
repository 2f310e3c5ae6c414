"""The report of a refused file, under ``rejected/``: a text to read and a table to filter."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from shared.formats.csv.cells import guard_formula
from shared.inputs.rows import InputFacts
from shared.problems.problem import Problem, ProblemList
from shared.problems.render import quote, render_problem, render_repeated

COLUMNS = ("line", "field", "code", "found", "zh", "en")
_ENCODING = "utf-8-sig"  # Notepad, Excel and WPS need the BOM to see that it is UTF-8.


# What to do, for whoever uploads by hand; ``scripts/batchdrop run`` says something else.
UPLOAD_AGAIN = (
    "请按下面的说明修改，然后把这个文件重新上传到 inbox/。如果改的是 batch.yaml，要先上传 batch.yaml，再把表格重新上传一次：只上传 batch.yaml 不会启动任务。",
    "Correct it as described below and upload this file to inbox/ again. If you change batch.yaml, upload it first and then the table again: batch.yaml alone starts nothing.",
)


def render_report_text(file_name: str, problems: ProblemList, facts: InputFacts | None = None) -> bytes:
    """The report for people, in Chinese and English, with the line ends that Notepad expects."""
    return "\r\n".join([*_header(file_name, problems.total, facts), *_list(problems), ""]).encode(_ENCODING)


def render_notice(file_name: str, problem: Problem) -> bytes:
    """A later problem of an accepted file, in the same form."""
    name = quote(file_name)
    lines = [
        f"文件 {name}：{render_problem(problem, 'zh')}",
        f"The file {name}: {render_problem(problem, 'en')}",
        "",
    ]
    return "\r\n".join(lines).encode(_ENCODING)


def render_report_csv(problems: ProblemList) -> bytes:
    """The fully reported problems as a table, safe to open in a spreadsheet."""
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    for problem in problems.first:
        writer.writerow([guard_formula(cell) for cell in _cells(problem)])
    return table.getvalue().encode(_ENCODING)


def _cells(problem: Problem) -> tuple[str, ...]:
    return (
        str(problem.line or ""),
        quote(problem.field or ""),
        problem.code,
        quote(problem.found or ""),
        render_problem(problem, "zh"),
        render_problem(problem, "en"),
    )


def _header(file_name: str, total: int, facts: InputFacts | None) -> Iterator[str]:
    name = quote(file_name)
    yield f"文件 {name} 未通过检查：发现 {total} 个问题。没有提交任何请求，也没有产生任何费用。"
    yield UPLOAD_AGAIN[0]
    yield f"The file {name} was refused: {total} problem(s) found. Nothing was submitted and nothing was charged."
    yield UPLOAD_AGAIN[1]
    yield ""
    if facts is not None:
        zh, en = _detected(facts)
        read_zh, read_en = _read(facts)
        yield f"识别结果：{zh}{read_zh}。"
        yield f"Detected: {en}{read_en}."
        yield ""


def _detected(facts: InputFacts) -> tuple[str, str]:
    form = facts.form
    name = f"{form.format} (gzip)" if form.is_gzip else form.format
    found = [("格式", "format", name)]
    if facts.sheet is not None:
        found.append(("工作表", "sheet", quote(facts.sheet)))
    if form.is_text:
        found.append(("编码", "encoding", facts.encoding))
    if facts.delimiter is not None:
        found.append(("分隔符", "delimiter", "tab" if facts.delimiter == "\t" else facts.delimiter))
    return "，".join(f"{zh} {value}" for zh, _, value in found), ", ".join(
        f"{en} {value}" for _, en, value in found
    )


def _read(facts: InputFacts) -> tuple[str, str]:
    """How many rows; no counts of 0, which would contradict a problem of the file as a whole."""
    if not facts.rows:
        return "", ""
    bad_zh, bad_en = f"，其中 {facts.bad_rows} 行有问题", f", {facts.bad_rows} of them bad"
    zh, en = f"；读到 {facts.rows} 行数据", f"; {facts.rows} rows read"
    return (zh + bad_zh, en + bad_en) if facts.bad_rows else (zh, en)


def _list(problems: ProblemList) -> Iterator[str]:
    for number, repeated in enumerate(problems.repeated, start=1):
        yield f"{number}. {render_repeated(repeated, 'zh')}"
        yield f"   {render_repeated(repeated, 'en')}"
    shown = sum(repeated.count for repeated in problems.repeated)
    if problems.total > shown:
        counts = ", ".join(f"{code}: {count}" for code, count in problems.by_code.items())
        yield ""
        yield f"以上是前 {shown} 个问题，共 {problems.total} 个。各类问题的数量：{counts}"
        yield f"These are the first {shown} of {problems.total} problems. By code: {counts}"
