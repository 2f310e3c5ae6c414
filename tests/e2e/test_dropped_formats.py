"""Spreadsheets, Parquet and gzip from the inbox to the result, over real HTTP."""

from __future__ import annotations

import gzip
import io
import json

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from scripts.localcloud.answers.built_in_texts import answer_for
from tests.e2e.conftest import RunningCloud

RECIPE = "model: qwen-flash\nprompt: 'Say {{ name }}'\n"


def ledger_of(cloud: RunningCloud, name: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(cloud.wait_for(f"results/{name}.report.json"))
    return document


def test_a_workbook_comes_back_as_a_table(cloud: RunningCloud) -> None:
    book = openpyxl.Workbook()
    book.active.title = "读我"
    sheet = book.create_sheet("客户")
    for row in (["name", "phone"], ["王", 13800138000], ["Ada", 0.5]):
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    cloud.drop("books/batch.yaml", (RECIPE + "sheet: 客户\n").encode())

    cloud.drop("books/names.xlsx", content.getvalue())

    rows = cloud.wait_for_rows("results/books/names.csv")
    assert [(row["name"], row["phone"], row["content"]) for row in rows] == [
        ("王", "13800138000", answer_for("Say 王")),
        ("Ada", "0.5", answer_for("Say Ada")),
    ]
    ledger = ledger_of(cloud, "books/names")
    assert (ledger["format"], ledger["sheet"], ledger["compression"]) == ("xlsx", "客户", None)


def test_a_packed_table_comes_back_unpacked(cloud: RunningCloud) -> None:
    cloud.drop("packed/two.csv.gz", gzip.compress("7,你好\n".encode("gb18030")) + gzip.compress(b"8,hello\n"))

    rows = cloud.wait_for_rows("results/packed/two.csv")

    assert [(row["id"], row["prompt"], row["content"]) for row in rows] == [
        ("7", "你好", answer_for("你好")),
        ("8", "hello", answer_for("hello")),
    ]
    ledger = ledger_of(cloud, "packed/two")
    assert (ledger["format"], ledger["compression"], ledger["encoding"]) == ("csv", "gzip", "gb18030")


def test_a_parquet_file_comes_back_as_a_table(cloud: RunningCloud) -> None:
    content = io.BytesIO()
    pq.write_table(pa.table({"name": ["王", "Ada"], "age": [30, None], "tags": [["a"], []]}), content)
    cloud.drop("parquet/batch.yaml", RECIPE.encode())

    cloud.drop("parquet/names.parquet", content.getvalue())

    rows = cloud.wait_for_rows("results/parquet/names.csv")
    assert [(row["name"], row["age"], row["tags"], row["content"]) for row in rows] == [
        ("王", "30", '["a"]', answer_for("Say 王")),
        ("Ada", "", "[]", answer_for("Say Ada")),
    ]
    assert ledger_of(cloud, "parquet/names")["format"] == "parquet"


def test_a_result_may_be_parquet(cloud: RunningCloud) -> None:
    cloud.drop("out/batch.yaml", (RECIPE + "output: {format: parquet}\n").encode())

    cloud.drop("out/names.csv", "name,phone\n王,0012\nAda,=1\n".encode())

    ledger = ledger_of(cloud, "out/names")
    assert ledger["result_key"] == "results/out/names.parquet"
    table = pq.read_table(io.BytesIO(cloud.wait_for("results/out/names.parquet")))
    assert table.select(["name", "phone", "content"]).to_pylist() == [
        {"name": "王", "phone": "0012", "content": answer_for("Say 王")},
        {"name": "Ada", "phone": "=1", "content": answer_for("Say Ada")},
    ]
    assert min(table["total_tokens"].to_pylist()) > 0


def test_a_cut_off_upload_of_a_packed_file_costs_nothing(cloud: RunningCloud) -> None:
    whole = gzip.compress(b"".join(b"%d,hello %d\n" % (n, n) for n in range(5000)))

    cloud.drop("half/two.csv.gz", whole[: len(whole) // 2])

    report = cloud.wait_for("rejected/half/two.csv.gz.report.txt").decode("utf-8-sig")
    assert "[damaged_gzip]" in report
    assert not cloud.path("results/half").exists()
