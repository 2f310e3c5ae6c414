"""A result as a workbook, read back by other programs: cells, types, sheets, files."""

from __future__ import annotations

import gc
import io
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zipfile import ZIP64_LIMIT, ZipFile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import python_calamine

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.money import Money
from shared.bucket.records.plan import Plan
from shared.bucket.records.usage import AttemptBill, Bill, Tokens
from shared.formats.sizes import MIB
from shared.formats.tables import workbook_writer
from shared.formats.tables.workbook_writer import MAX_SHEET_BYTES
from shared.pipeline.jobs.close_job import CloseJob
from shared.results.columns import RowStatus
from shared.results.tables import xlsx_result
from shared.results.tables.ledger_sheet import ledger_rows
from shared.results.tables.xlsx_result import write_xlsx_result
from tests.support.fakes import FixedClock, MemoryStore, MemoryWriter
from tests.support.kills import invocations_of, one_piece
from tests.support.whole_job import PROMPT, run_job, says

XLSX = PROMPT + "output: {format: xlsx}\n"
LONG = 32_767


def workbook(*rows: list[Any], title: str = "表 1", texts: bool = False) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for cell in (each for row in book.active.iter_rows() for each in row):
        if isinstance(cell.value, str) and cell.value.startswith("="):
            cell.data_type = "s"  # or openpyxl makes a formula of it
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def parquet(**columns: pa.Array) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content)
    return content.getvalue()


def sheets(content: bytes) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [*sheet.iter_rows(values_only=True)] for sheet in book}


def rows_of(content: bytes) -> list[dict[str, Any]]:
    header, *rows = next(iter(sheets(content).values()))
    return [dict(zip(header, row, strict=True)) for row in rows]


def by_calamine(content: bytes) -> list[list[Any]]:
    return (
        python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    )


def account(content: bytes) -> dict[str, Any]:
    _, (_, *rows) = sheets(content).values()
    return {item: value for _, item, value in rows}


@pytest.mark.parametrize(
    "value",
    [
        12,
        -1.5,
        0.1 + 0.2,
        1e300,
        123456789012345,
        0.125,
        True,
        False,
        "110105199003077770",
        "0012",
        "1.50",
        "TRUE",
        "2026-01-31",
        "=1+1",
        "'quoted",
        "+86 138",
        "https://example.com/a?b=1&c=<d>",
        "行一\n行二\ttab",
        "a\r\nb",
        "  spaces  ",
        "😀 & < > \" '",
        "x" * LONG,
        date(2026, 1, 31),
        datetime(2026, 1, 31, 8, 5, 30),  # noqa: DTZ001  # cells have no zone
        datetime(2026, 1, 31, 8, 5, 30, 250_000),  # noqa: DTZ001
        time(8, 5),
        timedelta(hours=26, minutes=30),
        None,
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_cell_of_a_workbook_comes_back_as_it_was(value: object) -> None:
    dropped = workbook(["a", "b", "c"], ["hello", value, "end"])

    store, plan = run_job("f/t.xlsx", dropped, XLSX)

    result = store.get(plan.result_key)
    assert plan.result_key == "results/f/t.xlsx"
    assert sheets(result)["表 1"][1][:3] == sheets(dropped)["表 1"][1]
    assert by_calamine(result)[1][:3] == by_calamine(dropped)[1]


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"])
def test_what_a_formula_ended_in_comes_back_as_the_error_that_it_was(error: str) -> None:
    dropped = workbook(["a", "b"], ["hello", error])

    store, plan = run_job("t.xlsx", dropped, XLSX)

    sheet = openpyxl.load_workbook(io.BytesIO(store.get(plan.result_key))).worksheets[0]
    assert (sheet["B2"].value, sheet["B2"].data_type) == (error, "e")


def test_every_item_of_the_ledger_has_a_chinese_name() -> None:
    store, plan = run_job("t.xlsx", workbook(["a"], ["x"]), XLSX)
    closed = BucketRecords(store).find_ledger(JobId(plan.job_id))
    assert closed is not None
    counted = {"by_status": {status.value: 1 for status in RowStatus}, "finish_reasons": {"length": 2}}
    source = closed.source.model_copy(
        update={"recipe_key": "batch.yaml", "recipe_etag": "E", "seen_at": closed.closed_at}
    )
    more = {"source": source, "unread_answers": {"answer_not_json": 1}, "retry_of": "j", "warnings": ("w",)}
    full = closed.model_copy(update={**counted, **more, **_billed(), "compression": "gzip", "delimiter": ","})

    names = {item: name for name, item, _ in ledger_rows(full, {"cells_cut": 1})}

    assert [item for item, name in names.items() if not name] == []
    assert names["finish_reasons.length"] == "不完整的答案（结束原因）"
    assert names["source.bucket"] == "存储桶"


def test_the_ledger_says_each_amount_with_all_its_digits_and_its_currency() -> None:
    store, plan = run_job("t.xlsx", workbook(["a"], ["x"]), XLSX)
    closed = BucketRecords(store).find_ledger(JobId(plan.job_id))
    assert closed is not None

    said = {item: value for _, item, value in ledger_rows(closed.model_copy(update=_billed()), {})}

    assert said["bill.cost"] == "1.500000 CNY"
    assert said["bill.over_quote"] == "-0.000001 CNY"
    assert [said[f"attempts.{number}.cost"] for number in (1, 2)] == ["1.500000 CNY", "0.000000 CNY"]


def _billed() -> dict[str, object]:
    amounts = {
        name: Money(micros=micros, currency="CNY")
        for name, micros in {
            "cost": 1_500_000, "real_time": 3_000_000, "saved": 1_500_000,
            "quoted": 1_500_001, "quoted_at_most": 9_000_000, "over_quote": -1,
        }.items()
    }  # fmt: skip
    bill = Bill(**amounts, model="qwen-flash", source="https://…", read_on=date(2026, 6, 8))  # type: ignore[arg-type]
    attempts = [
        AttemptBill(
            retries=0,
            attempt=number,
            tokens=Tokens(prompt=3),
            cost=Money(micros=micros, currency="CNY"),
            real_time=Money(micros=2 * micros, currency="CNY"),
        )
        for number, micros in ((1, 1_500_000), (2, 0))
    ]
    return {"bill": bill, "attempts": tuple(attempts)}


@pytest.mark.parametrize("name", ["评论 2026", "a&b<c>", "it's", "x" * 31, "结果", "账目", "Sheet1"])
def test_the_sheet_has_the_name_of_the_dropped_one_and_the_ledger_another(name: str) -> None:
    store, plan = run_job("t.xlsx", workbook(["a"], ["x"], title=name), XLSX)

    first, second = sheets(store.get(plan.result_key))
    assert first == name
    assert second == ("账目 2" if name == "账目" else "账目")


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("t.csv", b"a,b,a\n0012,=1+1,110105199003077770\n12.50,TRUE,2026-01-31\n", ["a", "b", "a"]),
        ("t.csv", "a;状态;content\n1;2;3\n".encode(), ["a", "状态", "content"]),
        ("t.tsv", b"a\tstatus\n1,5\t-\n", ["a", "status"]),
    ],
)
def test_cells_of_a_csv_are_texts_and_say_what_they_said(
    name: str, content: bytes, columns: list[str]
) -> None:
    recipe = XLSX.replace('row["a"]', f'row["{columns[1]}"]')

    store, plan = run_job(name, content, recipe)

    header, *rows = sheets(store.get(plan.result_key))["result"]
    delimiter = plan.delimiter or ""
    expected = [tuple(line.split(delimiter)) for line in content.decode().split("\n")[1:-1]]
    assert [row[: len(columns)] for row in rows] == expected
    assert list(header[: len(columns)]) == columns
    assert len(set(header[len(columns) :]) | set(columns)) == len(header) - len(columns) + len(set(columns))


@pytest.mark.parametrize(
    "answer",
    [
        '=HYPERLINK("http://x")',
        "@SUM(A1)",
        "12",
        "0.50",
        "TRUE",
        "#N/A",
        "2026-01-31",
        "http://example.com",
        "mailto:a@b.c",
        "<b>&amp;</b>",
        "a\r\nb\n\n- c",
        " ",
        "']];--",
        "\u2028\u0085好\ufeff",
        "\ufffd",
    ],
)
def test_an_answer_is_a_text_cell_whatever_it_looks_like(answer: str) -> None:
    store, plan = run_job("t.csv", b"a\nx\n", XLSX, says(answer))

    content = store.get(plan.result_key)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    (cell,) = [each for each in sheet[2] if sheet.cell(1, each.column).value == "content"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (answer, "s", None)
    assert answer in by_calamine(content)[1]


@pytest.mark.parametrize("answer", ["bell\x07 nul\0 esc\x1b", "_x0041_", "\x0b\x0c", "_x000d_ and _x005F_"])
def test_what_xml_cannot_hold_is_escaped_as_excel_does(answer: str) -> None:
    store, plan = run_job("t.csv", b"a\nx\n", XLSX, says(answer))

    assert answer in by_calamine(store.get(plan.result_key))[1]


def test_a_character_that_no_program_takes_becomes_the_replacement_character() -> None:
    store, plan = run_job("t.csv", b"a\nx\n", XLSX, says("a\ufffe\uffffb"))

    assert "a\ufffd\ufffdb" in by_calamine(store.get(plan.result_key))[1]


def test_our_counts_are_numbers_and_the_reasons_texts() -> None:
    store, plan = run_job("t.csv", b"a\nx\n", XLSX, says("fine", prompt_tokens=3, total_tokens=10**15))

    (row,) = rows_of(store.get(plan.result_key))
    assert (row["prompt_tokens"], row["completion_tokens"]) == (3, None)
    assert row["total_tokens"] == str(10**15)  # a spreadsheet would drop its last digit
    assert (row["status"], row["content"], row["error_code"]) == ("answered", "fine", None)


SCHEMA = """columns:
  type: object
  properties:
    score: {type: integer}
    part: {type: [number, 'null']}
    ok: {type: boolean}
    name: {type: string}
    tags: {type: array}
    any: {}
"""


def test_answers_of_a_schema_have_its_types() -> None:
    said = '{"score": 5, "part": 0.5, "ok": true, "name": "=1", "tags": [1.0], "any": 7}'

    store, plan = run_job("t.csv", b"a\nx\n", XLSX + SCHEMA, says(said))

    (row,) = rows_of(store.get(plan.result_key))
    assert [row[name] for name in ("score", "part", "ok", "name", "tags", "any")] == [
        5, 0.5, True, "=1", "[1.0]", "7"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "cell"),
    [("12345678901234567890", "12345678901234567890"), ("9007199254740993", "9007199254740993"),
     ('"five"', "five"), ("[1]", "[1]"), ("null", None), ("-0.0", 0), ("true", "true")],
)  # fmt: skip
def test_an_answer_that_does_not_fit_its_type_or_a_cell_is_a_text(said: str, cell: object) -> None:
    store, plan = run_job("t.csv", b"a\nx\n", XLSX + SCHEMA, says(f'{{"score": {said}}}'))

    (row,) = rows_of(store.get(plan.result_key))
    assert row["score"] == cell
    assert type(row["score"]) is type(cell)


def test_columns_of_paths_are_texts() -> None:
    store, plan = run_job(
        "t.csv", b"a\nx\n", XLSX + "columns: {n: n, o: o}\n", says('{"n": 5, "o": {"k": 1}}')
    )

    (row,) = rows_of(store.get(plan.result_key))
    assert (row["n"], row["o"]) == ("5", '{"k":1}')


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        (pa.array([1, -5, None]), [1, -5, None]),
        (pa.array([110105199003077770, 999_999_999_999_999]), ["110105199003077770", 999_999_999_999_999]),
        (pa.array([0.5, 1e300, None]), [0.5, 1e300, None]),
        (pa.array([True, False, None]), [True, False, None]),
        (pa.array([date(2026, 1, 31), None]), [datetime(2026, 1, 31), None]),  # noqa: DTZ001
        (pa.array([date(1899, 1, 31)]), ["1899-01-31"]),
        (pa.array([datetime(2026, 1, 31, 8, 5)]), [datetime(2026, 1, 31, 8, 5)]),  # noqa: DTZ001
        (pa.array([1], pa.timestamp("ns")), ["1970-01-01 00:00:00.000000001"]),
        (pa.array([1], pa.timestamp("us")), ["1970-01-01 00:00:00.000001"]),
        (pa.array([0], pa.timestamp("us", "Asia/Shanghai")), ["1970-01-01 00:00:00Z"]),
        (pa.array([time(8, 5)]), [time(8, 5)]),
        (pa.array([Decimal("1.50"), Decimal("-2.00")]), [1.5, -2]),
        (pa.array([Decimal("12345678901234567.50")]), ["12345678901234567.50"]),
        (pa.array(["0012", None, ""]), ["0012", None, None]),
        (pa.array([[1], None]), ["[1]", None]),
    ],
    ids=lambda each: str(each.type) if isinstance(each, pa.Array) else "",
)  # fmt: skip
def test_columns_of_parquet_keep_what_a_spreadsheet_can_hold(column: pa.Array, cells: list[object]) -> None:
    store, plan = run_job("t.parquet", parquet(a=pa.array(["x"] * len(column)), b=column), XLSX)

    got = [row["b"] for row in rows_of(store.get(plan.result_key))]
    assert got == cells
    assert list(map(type, got)) == list(map(type, cells))


def test_request_lines_make_a_workbook_too() -> None:
    body = {"model": "qwen-plus", "messages": [{"role": "user", "content": "hi"}]}
    line = {"custom_id": "0012", "method": "POST", "url": "/v1/chat/completions", "body": body}

    store, plan = run_job("t.jsonl", json.dumps(line).encode(), XLSX, says("好", total_tokens=5))

    (row,) = rows_of(store.get(plan.result_key))
    assert (row["custom_id"], row["content"], row["status_code"]) == ("0012", "好", 200)
    assert row["usage"] == '{"total_tokens":5}'


@pytest.mark.parametrize(
    "rows",
    [
        [["a", "n", "m"], ["x", 2.5], ["y", 3, 4]],
        [["a", "n", "m"], ["x", 2.5, None], [None, None, None], ["y", 3, 4]],
        [["a", "n", "m"], ["x", 2.5, None, " "], ["y", 3, 4, " "], ["z", 5, 6, " "]],
        [["a", "n", "m", None], ["x", 2.5], ["y", 3, 4, None]],
        [["a", "n", "m", "o"], ["x", 2.5], ["y"], ["z", 1]],
    ],
    ids=["short", "blank row", "surplus", "header", "empty columns"],
)
def test_a_row_that_is_made_as_wide_as_the_header_keeps_its_types(rows: list[list[Any]]) -> None:
    store, plan = run_job("t.xlsx", workbook(*rows), XLSX)

    got = [(row["a"], row["n"], row["m"]) for row in rows_of(store.get(plan.result_key))]
    wanted = [tuple([*row, None, None][:3]) for row in rows[1:] if row[0]]
    assert got == wanted
    assert type(got[0][1]) is float


FILLED = XLSX + "fill_down: [g]\n"


@pytest.mark.parametrize(
    "value",
    ["饮料", 7.5, 7, True, date(2026, 1, 31), time(8, 5), timedelta(hours=26), "0012", "#N/A"],
    ids=repr,
)
def test_a_row_that_is_filled_down_keeps_its_types_and_gets_that_of_the_value_above(value: object) -> None:
    day = datetime(2026, 1, 31)  # noqa: DTZ001  # cells have no zone
    rows = [["g", "a", "n", "d"], [value, "x", 7.5, day], [None, "y", 2.5, day], [None, "z", None, True]]

    store, plan = run_job("t.xlsx", workbook(*rows), FILLED)

    got = [[row[name] for name in ("g", "a", "n", "d")] for row in rows_of(store.get(plan.result_key))]
    filled = got[0][0]
    assert got == [[filled, "x", 7.5, day], [filled, "y", 2.5, day], [filled, "z", None, True]]
    assert [type(row[0]) for row in got] == [type(filled)] * 3
    assert [filled] == [row[0] for row in sheets(workbook(rows[1]))["表 1"]]


def test_a_skipped_row_keeps_its_cells_their_types_and_its_reason() -> None:
    dropped = workbook(["a", "b"], ["x", 1], [None, 2.5])

    store, plan = run_job("t.xlsx", dropped, XLSX + "on_bad_rows: skip\n")

    good, bad = rows_of(store.get(plan.result_key))
    assert (good["b"], good["status"]) == (1, "answered")
    assert (bad["a"], bad["b"], bad["status"], bad["error_code"]) == (None, 2.5, "refused", "empty_prompt")


def test_the_second_sheet_is_the_ledger() -> None:
    store, plan = run_job("f/t.xlsx", workbook(["a"], ["x"], ["y"]), XLSX, says("ok", total_tokens=5))

    told = account(store.get(plan.result_key))
    assert told["job_id"] == plan.job_id
    assert (told["rows_in"], told["rows_out"], told["by_status.answered"], told["adds_up"]) == (2, 2, 2, True)
    assert (told["tokens.total"], told["rows_in_file"]) == (10, 2)
    assert told["source.key"] == "inbox/f/t.xlsx"


@pytest.fixture
def small_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three rows, with the header."""
    monkeypatch.setattr(xlsx_result, "MAX_ROWS", 3)


def test_a_sheet_ends_before_its_part_needs_sizes_that_excel_does_not_take() -> None:
    last_row = 256 * MIB

    assert MAX_SHEET_BYTES + last_row < ZIP64_LIMIT


@pytest.mark.parametrize("text", ["x" * 300, "好" * 300, "&" * 300, "\x07" * 300])
def test_rows_beyond_the_bytes_that_a_sheet_may_have_go_to_numbered_files(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_result, "MAX_SHEET_BYTES", bound := 5_000)
    monkeypatch.setattr(workbook_writer, "_BLOCK_BYTES", 1)

    store, _ = run_job("t.csv", csv_of(30), XLSX, says(text))

    keys = [f"results/t.{number}.xlsx" for number in range(2, 100)]
    contents = [store.get("results/t.xlsx"), *(store.objects[key] for key in keys if key in store.objects)]
    rows = [row["a"] for content in contents for row in rows_of(content)]
    assert rows == [f"row {number}" for number in range(30)]
    sizes = [
        ZipFile(io.BytesIO(content)).getinfo("xl/worksheets/sheet1.xml").file_size for content in contents
    ]
    assert len(sizes) > 2
    assert all(bound <= size < 2 * bound for size in sizes[:-1])


class LeftWriters(MemoryStore):
    """Workbooks take ``room`` writes, and none once their ``with`` block was left."""

    def __init__(self, room: int = 1_000) -> None:
        super().__init__(FixedClock())
        self.room = room
        self.late = 0

    def open_writer(self, key: str, *, if_absent: bool = False) -> MemoryWriter:
        writer = super().open_writer(key, if_absent=if_absent)
        return LeftWriter(self, writer) if key.endswith(".xlsx") else writer  # type: ignore[return-value]


class LeftWriter:
    def __init__(self, store: LeftWriters, writer: MemoryWriter) -> None:
        self._store, self._writer, self._left = store, writer, False

    def __enter__(self) -> LeftWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self._left = True
        self._writer.__exit__(*error)

    def write(self, chunk: bytes) -> None:
        self._store.late += self._left
        self._store.room -= 1
        if self._store.room < 0:
            raise OSError("full")
        self._writer.write(chunk)

    def commit(self) -> None:
        self._writer.commit()


def no_row(*_: object) -> Any:
    raise ArithmeticError


@pytest.mark.parametrize("failing", ["_values", "file_name", "ledger_rows", "write at once", "write", "late"])
def test_an_error_comes_as_it_was_and_nothing_is_written_after_it(
    failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LeftWriters({"write at once": 1, "write": 12, "late": 24}.get(failing, 1_000))
    if store.room == 1_000:
        owner = xlsx_result._Books if failing == "_values" else xlsx_result
        monkeypatch.setattr(owner, failing, no_row)

    gc.freeze()  # to look through what all other tests hold would take half a second
    # Without a name for the error, whose frames would hold the workbook.
    with suppress(ArithmeticError, OSError):
        run_job("t.csv", csv_of(5), XLSX, store=store)
        pytest.fail("there was no error")
    gc.collect()
    gc.unfreeze()

    assert store.late == 0
    assert "results/t.xlsx" not in store.objects


@pytest.mark.usefixtures("small_sheets")
def test_an_error_is_not_hidden_by_what_closing_the_workbook_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    store = LeftWriters()

    def no_key(*_: object) -> str:
        store.room = 0
        raise ArithmeticError

    monkeypatch.setattr(xlsx_result, "numbered_result_key_for", no_key)

    with pytest.raises(ArithmeticError):
        run_job("t.csv", csv_of(5), XLSX, store=store)


def csv_of(rows: int) -> bytes:
    return b"a\n" + b"".join(b"row %d\n" % number for number in range(rows))


@pytest.mark.usefixtures("small_sheets")
@pytest.mark.parametrize(("rows", "sizes"), [(1, [1]), (2, [2]), (3, [2, 1]), (4, [2, 2]), (5, [2, 2, 1])])
def test_rows_that_a_sheet_cannot_hold_go_to_numbered_files(rows: int, sizes: list[int]) -> None:
    store, plan = run_job("f/t.csv", csv_of(rows), XLSX)

    keys = ["results/f/t.xlsx", *(f"results/f/t.{number}.xlsx" for number in range(2, len(sizes) + 1))]
    assert [key for key in store.objects if key.endswith(".xlsx")] == keys
    books = [rows_of(store.get(key)) for key in keys]
    assert [len(book) for book in books] == sizes
    assert [row["a"] for book in books for row in book] == [f"row {number}" for number in range(rows)]
    assert [account(store.get(key)).get("next_file") for key in keys] == [
        *(key.rpartition("/")[2] for key in keys[1:]), None
    ]  # fmt: skip
    assert {account(store.get(key))["rows_out"] for key in keys} == {rows}
    assert plan.result_key == keys[0]
    report = json.loads(store.get("results/f/t.report.json"))
    assert (report["result_key"], report.get("further_results", [])) == (keys[0], keys[1:])


@pytest.mark.usefixtures("small_sheets")
def test_a_numbered_file_takes_no_name_of_another_files_result() -> None:
    store, _ = run_job("t.2.csv", b"a\nother\n", XLSX)

    store, plan = run_job("t.csv", csv_of(3), XLSX, store=store)

    assert [row["a"] for row in rows_of(store.get("results/t.2.xlsx"))] == ["other"]
    assert account(store.get("results/t.xlsx"))["next_file"] == f"t.2.{plan.job_id}.xlsx"
    assert [row["a"] for row in rows_of(store.get(f"results/t.2.{plan.job_id}.xlsx"))] == ["row 2"]


@pytest.mark.usefixtures("small_sheets")
def test_a_file_that_is_dropped_later_takes_no_name_of_a_numbered_file() -> None:
    store, _ = run_job("t.csv", csv_of(3), XLSX)

    store, plan = run_job("t.2.csv", b"a\nother\n", XLSX, store=store)

    assert plan.result_key == "results/t.2.csv.xlsx"
    assert [row["a"] for row in rows_of(store.get("results/t.2.xlsx"))] == ["row 2"]


@pytest.mark.usefixtures("small_sheets")
def test_numbered_files_of_an_earlier_version_of_the_file_are_emptied() -> None:
    store, _ = run_job("t.csv", csv_of(5), XLSX)

    store, _ = run_job("t.csv", csv_of(1), XLSX, store=store)

    assert [row["a"] for row in rows_of(store.get("results/t.xlsx"))] == ["row 0"]
    assert [rows_of(store.get(f"results/t.{number}.xlsx")) for number in (2, 3)] == [[], []]
    assert "further_results" not in json.loads(store.get("results/t.report.json"))


def overflow(store: MemoryStore, name: str = "t") -> list[dict[str, Any]]:
    content = store.get(f"results/{name}.overflow.jsonl")
    return [json.loads(line) for line in content.split(b"\n")[:-1]]


@pytest.mark.parametrize(
    "text",
    ["x" * (LONG + 1), "好" * 40_000, "😀" * (LONG // 2 + 1), "\x07" * 40_000, "&<" * 20_000],
    ids=["ascii", "chinese", "emoji", "control", "markup"],
)
def test_a_text_that_no_cell_can_hold_is_cut_there_and_whole_beside_the_result(text: str) -> None:
    store, plan = run_job("t.csv", b"a\nx\ny\n", XLSX, says(text))

    for row in rows_of(store.get(plan.result_key)):
        assert row["error_code"] == "cell_cut"
        assert "t.overflow.jsonl" in row["error_message"]
        assert row["status"] == "answered"
    for row in by_calamine(store.get(plan.result_key))[1:]:
        (cell,) = [each for each in row if isinstance(each, str) and len(each) > 10_000]
        assert text.startswith(cell[:-1])
        assert cell[-1] == "…"
        assert LONG - 2 < len(cell.encode("utf-16-le")) // 2 <= LONG
    assert overflow(store) == [
        {"file": "t.xlsx", "row": number, "column": "content", "text": text} for number in (2, 3)
    ]
    told = account(store.get(plan.result_key))
    assert (told["cells_cut"], told["overflow_file"]) == (2, "t.overflow.jsonl")


@pytest.mark.parametrize("text", ["x" * LONG, "好" * LONG, "😀" * (LONG // 2), "&" * LONG])
def test_a_text_that_just_fits_is_not_cut(text: str) -> None:
    store, plan = run_job("t.csv", b"a\nx\n", XLSX, says(text))

    assert text in by_calamine(store.get(plan.result_key))[1]
    assert "results/t.overflow.jsonl" not in store.objects


def test_a_cell_of_the_file_that_is_too_long_is_kept_whole_beside_it_and_other_reasons_stay() -> None:
    content = b"a,b\nx,%b\n" % (b"y" * 40_000)

    store, plan = run_job("t.csv", content, XLSX + "columns: {n: n}\n", says("no JSON"))

    (row,) = rows_of(store.get(plan.result_key))
    assert row["error_code"] == "answer_not_json"
    assert "cell_cut" in row["error_message"]
    assert "JSON" in row["error_message"]
    assert [each["column"] for each in overflow(store)] == ["b"]


@pytest.mark.parametrize(
    "names", [("y" * 40_000,), ("好" * 32_768,), ("y" * 40_000 + "1", "y" * 40_000 + "2")]
)
def test_so_is_the_name_of_a_column(names: tuple[str, ...]) -> None:
    content = f"a,{','.join(names)}\nx,{','.join('z' for _ in names)}\n".encode()

    store, plan = run_job("t.csv", content, XLSX, says("short"))

    header = by_calamine(store.get(plan.result_key))[0]
    assert [name[:-1] for name in header[1 : len(names) + 1]] == [name[: LONG - 1] for name in names]
    assert overflow(store) == [{"file": "t.xlsx", "row": 1, "column": name, "text": name} for name in names]
    told = account(store.get(plan.result_key))
    assert (told["cells_cut"], told["overflow_file"]) == (len(names), "t.overflow.jsonl")


def test_long_texts_of_an_earlier_version_of_the_file_go() -> None:
    store, _ = run_job("t.csv", b"a\nx\n", XLSX, says("x" * 40_000))

    store, _ = run_job("t.csv", b"a\ny\n", XLSX, says("short"), store)

    assert overflow(store) == []


def many_shards(texts: Sequence[str]) -> tuple[MemoryStore, Plan, list[str]]:
    """A closed job, whose part is cut into those of three shards."""
    store, plan = run_job("t.csv", b"a\n" + b"".join(f"{text}\n".encode() for text in texts), XLSX)
    lines = store.get(next(key for key in store.objects if "/part-" in key)).splitlines(keepends=True)
    cuts = [0, 3, 4, len(lines)]
    parts = [f"work/{plan.job_id}/cut-{number}" for number in (1, 2, 3)]
    for part, first, end in zip(parts, cuts, cuts[1:], strict=False):
        store.put(part, b"".join(lines[first:end]))
    shards = tuple(
        plan.shards[0].model_copy(update={"shard": number, "rows": end - first})
        for number, (first, end) in enumerate(pairwise(cuts), 1)
    )
    return store, plan.model_copy(update={"shards": shards}), parts


def results_of(store: MemoryStore) -> dict[str, bytes]:
    return {key: content for key, content in store.objects.items() if key.startswith("results/t.")}


TEXTS = {
    "short": [f"row {number}" for number in range(9)],
    "too long for a cell in some": ["a" * 40_000, "b", "c", "d" * 40_000, "e", "f", "g", "h", "i" * 40_000],
    "too long for a cell in the first": ["a" * 40_000, *"bcdefghi"],
}


@pytest.mark.usefixtures("small_sheets")
@pytest.mark.parametrize("texts", TEXTS)
@pytest.mark.parametrize("is_one_deleted", [False, True])
def test_many_workbooks_are_written_one_an_invocation_whoever_is_killed(
    texts: str, is_one_deleted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of nine rows' five workbooks; if a person deletes one meanwhile, it is written again."""
    monkeypatch.setattr(xlsx_result, "_MANY_ROWS", 1)
    store, plan, parts = many_shards(TEXTS[texts])
    ledger = BucketRecords(store).find_ledger(JobId(plan.job_id))
    assert ledger is not None
    before = results_of(store)
    for key in before:
        store.delete(key)
    deleted = [False]

    def write() -> None:
        if is_one_deleted and "results/t.3.xlsx" in store.objects and not deleted[0]:
            deleted[0] = True
            store.delete("results/t.2.xlsx")
        write_xlsx_result(store, plan, parts, plan.result_key, ledger, pause=one_piece)

    assert invocations_of(store, write) >= 5

    before.pop("results/t.report.json")
    assert results_of(store) == before


@pytest.mark.usefixtures("small_sheets")
def test_the_same_parts_give_the_same_bytes_whenever_they_are_joined() -> None:
    store, plan = run_job("t.csv", csv_of(4) + b"z" * 40_000, XLSX)
    before = {key: content for key, content in store.objects.items() if key.startswith("results/t.")}
    assert len(before) == 5
    clock = FixedClock()
    clock.advance(timedelta(days=3))
    for key in before:
        store.delete(key)
    store.delete(f"jobs/{plan.job_id}/ledger.json")

    CloseJob(store, clock)(plan)

    after = {key: content for key, content in store.objects.items() if key.startswith("results/t.")}
    assert {key for key in before if before[key] != after[key]} == {"results/t.report.json"}


def test_a_result_of_more_columns_than_a_sheet_has_is_refused_before_anything_is_sent() -> None:
    content = (",".join(["a", *map(str, range(16_400))]) + "\n" + "x," * 16_400 + "y\n").encode()

    with pytest.raises(AssertionError, match="too_many_columns"):
        run_job("t.csv", content, XLSX)


def test_the_result_of_a_workbook_can_be_dropped_again() -> None:
    dropped = workbook(["a", "n"], ["x", 5], title="评论")
    store, plan = run_job("t.xlsx", dropped, XLSX)

    store, again = run_job("u.xlsx", store.get(plan.result_key), XLSX, says("second"))

    (row,) = rows_of(store.get(again.result_key))
    assert (row["a"], row["n"], row["content"], row["result_content"]) == ("x", 5, "answer: x", "second")
