"""Other programs open a result, and see the cells that they see in the dropped file."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from datetime import date
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.waiting import PATIENCE_S
from tests.support.whole_job import PROMPT, run_job, says

OFFICE = shutil.which("soffice")
ROWS = [
    ["a", "n", "share", "day", "ok", "id", "text"],
    ["x", 12, 0.125, date(2026, 1, 31), True, "110105199003077770", "行一\n行二 <&>"],
    ["y", -1.5, None, None, False, "0012", "+86 138"],
]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A workbook and its result."""
    folder = tmp_path_factory.mktemp("books")
    made = openpyxl.Workbook()
    for row in ROWS:
        made.active.append(row)
    made.save(folder / "dropped.xlsx")
    content = (folder / "dropped.xlsx").read_bytes()
    store, plan = run_job(
        "t.xlsx", content, PROMPT + "output: {format: xlsx}\n", says("=1+1", total_tokens=5)
    )
    (folder / "result.xlsx").write_bytes(store.get(plan.result_key))
    return folder / "dropped.xlsx", folder / "result.xlsx"


@pytest.mark.parametrize("engine", ["openpyxl", "calamine"])
def test_pandas_sees_the_same_cells(book: tuple[Path, Path], engine: str) -> None:
    dropped, result = (pd.read_excel(path, engine=engine, dtype_backend="numpy_nullable") for path in book)

    pd.testing.assert_frame_equal(result[ROWS[0]], dropped)
    assert result["content"].tolist() == ["=1+1"] * 2
    assert result["total_tokens"].sum() == 10


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_sees_the_same_cells(book: tuple[Path, Path], tmp_path: Path) -> None:
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [
        str(OFFICE),
        profile,
        "--headless",
        "--convert-to",
        "csv:Text - txt - csv (StarCalc):44,34,76",
        "--outdir",
    ]
    for path in book:
        subprocess.run(
            [*command, str(tmp_path), str(path)], check=True, capture_output=True, timeout=PATIENCE_S
        )

    dropped, result = (
        list(csv.reader(io.StringIO((tmp_path / f"{path.stem}.csv").read_text("utf-8")))) for path in book
    )
    width = len(ROWS[0])
    assert [row[:width] for row in result] == dropped
    assert [row[result[0].index("content")] for row in result[1:]] == ["=1+1"] * 2


def test_duckdb_and_pandas_see_the_types_of_parquet(tmp_path: Path) -> None:
    columns = {
        "a": pa.array(["x", "y"]),
        "n": pa.array([1, None]),
        "day": pa.array([date(2026, 1, 31), None]),
        "moment": pa.array([0, None], pa.timestamp("us")),
        "ok": pa.array([True, None]),
    }
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content)
    store, plan = run_job("t.parquet", content.getvalue(), PROMPT + "output: {format: parquet}\n")
    for name, key in (("dropped", "inbox/t.parquet"), ("result", plan.result_key)):
        (tmp_path / f"{name}.parquet").write_bytes(store.get(key))

    dropped, result = (
        duckdb.read_parquet(str(tmp_path / f"{name}.parquet")).project(", ".join(columns))
        for name in ("dropped", "result")
    )
    assert result.types == dropped.types
    assert result.fetchall() == dropped.fetchall()
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "result.parquet")[list(columns)],
        pd.read_parquet(tmp_path / "dropped.parquet"),
    )
