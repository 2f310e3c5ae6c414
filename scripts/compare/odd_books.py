"""Workbooks and Parquet files that people drop, whole and damaged."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from scripts.compare.odd_tables import RECIPE

_DAY = datetime(2026, 1, 31, 8, 5, tzinfo=timezone.utc)
_SHEET = (
    ("name", "text", "value"),
    ("王", "好", 13800138000),
    ("Ada", "  ", 0.1 + 0.2),
    ("=1+1", "formula", "=SUM(C2:C3)"),
    ("day", "date", _DAY.replace(tzinfo=None)),
    ("yes", True, date(2026, 1, 31)),
    ("two\nlines", "x", time(8, 5)),
)


def odd_books() -> dict[str, bytes]:
    """By name, in folders with recipes."""
    book, parquet = _workbook(), _parquet()
    return {
        "books/batch.yaml": RECIPE,
        "books/cells.xlsx": book,
        "books/macros.xlsm": book,
        "books/cut.xlsx": book[: len(book) // 2],
        "books/text.xlsx": b"name,text\nA,a\n",
        "books/password.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
        "books/merged.xlsx": _workbook(merged=True),
        "books/empty-rows.xlsx": _workbook(
            extra=((None, None, None), ("last", "row", None), (" ", None, None))
        ),
        "books/one-row.xlsx": _workbook(rows=_SHEET[:1]),
        "books/empty.xlsx": _workbook(rows=()),
        "sheets/batch.yaml": RECIPE + "sheet: 客户\n".encode(),
        "sheets/second.xlsx": _workbook(title="客户"),
        "sheets/none.xlsx": book,
        "columns/batch.yaml": RECIPE + b"output: {format: jsonl}\n",
        "columns/types.parquet": parquet,
        "columns/cut.parquet": parquet[:-20],
        "columns/text.parquet": b"name,text\n",
        "columns/other.parquet": _parquet({"id": [1, 2]}),
    }


def _workbook(
    *,
    title: str = "Sheet",
    rows: tuple[tuple[object, ...], ...] = _SHEET,
    extra: tuple[tuple[object, ...], ...] = (),
    merged: bool = False,
) -> bytes:
    book = openpyxl.Workbook()
    hidden = book.active
    hidden.title, hidden.sheet_state = "hidden", "hidden"
    hidden.append(("name", "text"))
    sheet = book.create_sheet(title)
    for row in (*rows, *extra):
        sheet.append(row)
    if merged:
        sheet.merge_cells("A2:A3")
    book.active = 1
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _parquet(columns: dict[str, object] | None = None) -> bytes:
    table = pa.table(
        columns
        or {
            "name": ["王", None, "=1"],
            "text": ["好", "b", ""],
            "amount": [Decimal("1.50"), None, Decimal("-2.00")],
            "at": [_DAY, None, _DAY + timedelta(microseconds=1)],
            "span": [timedelta(seconds=1), None, timedelta(0)],
            "tags": [["a"], [], None],
            "place": [{"city": "上海", "n": 1}, None, {"city": None, "n": 2}],
            "bytes": [b"\xff", b"", None],
            "share": [0.1, float("nan"), float("inf")],
        }
    )
    content = io.BytesIO()
    pq.write_table(table, content)
    return content.getvalue()
