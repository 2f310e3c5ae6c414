"""The first rows of tables and results, whatever their format, and however little is there."""

from __future__ import annotations

import gzip
import tracemalloc
from datetime import date

import pytest

from shared.pipeline.page.first_results import first_results
from shared.pipeline.page.first_rows import MAX_BINARY_BYTES, FirstRows, first_rows, rows_by_line
from shared.problems.exceptions import UserInputError
from tests.support.whole_job import PROMPT, run_job, says
from tests.support.workbooks import sheet_of

TEXT = "名称,评论\n甲,好\n乙,坏\n"
ROWS = FirstRows(["名称", "评论"], [["甲", "好"], ["乙", "坏"]])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", TEXT.encode()),
        ("t.csv", TEXT.encode("utf-8-sig")),
        ("t.csv", TEXT.encode("gb18030")),
        ("t.csv", TEXT.encode("utf-16")),
        ("t.csv", TEXT.replace(",", ";").encode()),
        ("t.tsv", TEXT.replace(",", "\t").encode()),
        ("T.CSV.gz", gzip.compress(TEXT.encode(), mtime=0)),
        ("t.csv", f"\n\n{TEXT}".encode()),
        ("t.xlsx", sheet_of(["名称", "评论"], ["甲", "好"], ["乙", "坏"])),
    ],
    ids=[*("utf-8", "mark", "gb18030", "utf-16", "semicolons", "tabs", "packed", "blank lines"), "workbook"],
)
def test_a_table_shows_its_header_and_rows(name: str, content: bytes) -> None:
    assert first_rows(name, content) == ROWS


def test_five_rows_are_shown_and_what_is_cut_off_behind_them_does_not_matter() -> None:
    content = TEXT.encode() + b"x,y\n" * 100_000

    shown = first_rows("t.csv", content[: 256 * 1024 - 1])
    packed = first_rows("t.csv.gz", gzip.compress(content)[:-9])

    assert shown == packed == FirstRows(ROWS.columns, [*ROWS.rows, *[["x", "y"]] * 3])


@pytest.mark.parametrize(
    ("name", "unpacked", "code"),
    [
        ("bomb.xlsx.gz", bytes(64 * 1024 * 1024), "too_large_to_show"),
        ("bomb.csv.gz", b"\n" * (64 * 1024 * 1024), "empty_file"),
        ("bomb.xlsx", sheet_of(["a"] * 40, *[["x" * 32_000] * 40] * 4), "too_large_to_show"),
    ],
    ids=["zeros", "line ends", "texts that are shared"],
)
def test_a_small_file_that_unpacks_to_much_is_not_unpacked(name: str, unpacked: bytes, code: str) -> None:
    content = gzip.compress(unpacked) if name.endswith(".gz") else unpacked
    assert len(content) < 200_000
    tracemalloc.start()
    with pytest.raises(UserInputError) as error:
        first_rows(name, content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [problem.code for problem in error.value.problems] == [code]
    assert peak < 128 * 1024 * 1024


def test_request_lines_have_no_columns_and_need_no_recipe() -> None:
    assert first_rows("t.jsonl", b'{"custom_id":"1"}\n') == FirstRows([], [])


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("t.csv", b"", "empty_file"),
        ("t.csv", b"\n\n", "empty_file"),
        ("t.pdf", b"%PDF", "unknown_file_type"),
        ("t.xlsx", b"no workbook", "spreadsheet_is_text"),
        ("t.xlsx", b"x" * (MAX_BINARY_BYTES + 1), "too_large_to_show"),
    ],
    ids=["empty", "blank", "no table", "no workbook", "too large"],
)
def test_what_cannot_be_shown_says_why(name: str, content: bytes, code: str) -> None:
    with pytest.raises(UserInputError) as error:
        first_rows(name, content)

    assert [problem.code for problem in error.value.problems] == [code]


def test_rows_are_found_by_the_lines_that_a_report_names() -> None:
    assert rows_by_line("t.csv", TEXT.encode(), {3, 99}) == {3: FirstRows(["名称", "评论"], [["乙", "坏"]])}
    assert rows_by_line("t.csv", TEXT.encode(), set()) == {}


@pytest.mark.parametrize("output", ["csv", "jsonl", "xlsx", "parquet"])
def test_the_first_results_are_shown_in_whatever_format_they_are(output: str) -> None:
    recipe = f"{PROMPT}output: {{format: {output}}}\n"
    store, plan = run_job("t.csv", b"a,b\n1,=x\n", recipe, says("回答"))

    shown = first_results(store, plan)

    assert shown
    assert shown.columns[:4] == ["a", "b", "status", "content"]
    assert shown.rows[0][2:4] == ["answered", "回答"]


def test_of_typed_cells_their_texts_are_shown() -> None:
    table = sheet_of(["a", "day", "price", "paid"], ["x", date(2026, 1, 2), 2.0, True])
    store, plan = run_job("t.xlsx", table, f"{PROMPT}output: {{format: xlsx}}\n", says("回答"))

    shown = first_results(store, plan)

    assert shown
    assert shown.rows[0][:6] == ["x", "2026-01-02", "2", "TRUE", "answered", "回答"]


def test_a_long_answer_is_shown_too() -> None:
    store, plan = run_job("t.csv", b"a,b\n1,x\n", PROMPT, says("长" * 50_000 + "x" * 60_000))

    shown = first_results(store, plan)

    assert shown
    assert shown.columns[:3] == ["a", "b", "status"]


def test_of_a_result_whose_parts_are_gone_nothing_is_shown() -> None:
    store, plan = run_job("t.csv", b"a,b\n1,x\n", PROMPT)
    for key in store.keys("work/"):
        store.delete(key)

    assert first_results(store, plan) is None
