"""Small files in every format that people drop, and results in every format that they get."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZipFile, ZipInfo

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook

Rows = Sequence[Sequence[str]]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_WORKBOOK = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r" '
    f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
    '<sheet name="Sheet1" sheetId="1" r:id="s"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="s" '
    f'Type="{_RELATIONS}/worksheet" Target="sheet.xml"/></Relationships>',
}
TABLES = (".csv", ".csv", ".csv", ".csv.gz", ".tsv", ".xlsx", ".parquet")
LINES = (".jsonl", ".jsonl", ".jsonl.gz")
OUTPUTS = ("csv", "csv", "csv", "jsonl", "parquet", "xlsx")


def table(suffix: str, rows: Rows) -> bytes:
    """The rows, the first of which is the header, as a file of this kind; always the same bytes."""
    if suffix == ".xlsx":
        return _workbook(rows)
    if suffix == ".parquet":
        names, *cells = rows
        columns = {name: [row[number] for row in cells] for number, name in enumerate(names)}
        file = io.BytesIO()
        pq.write_table(pa.table(columns), file)
        return file.getvalue()
    text = io.StringIO()
    csv.writer(text, delimiter="\t" if suffix == ".tsv" else ",").writerows(rows)
    return packed(suffix, text.getvalue().encode())


def packed(suffix: str, content: bytes) -> bytes:
    return gzip.compress(content, mtime=0) if suffix.endswith(".gz") else content


def _workbook(rows: Rows) -> bytes:
    cells = "".join("<row>" + "".join(map(_cell, row)) + "</row>" for row in rows)
    sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{cells}</sheetData></worksheet>'
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for name, content in {**_WORKBOOK, "xl/sheet.xml": sheet}.items():
            archive.writestr(ZipInfo(name), content)
    return file.getvalue()


def _cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def result_rows(key: str, content: bytes) -> list[dict[str, str]]:
    """The rows of a result by column; empty cells are ``""``."""
    if key.endswith(".csv"):
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    return [{name: _text(value) for name, value in row.items()} for row in _records(key, content)]


def _records(key: str, content: bytes) -> list[dict[str, Any]]:
    if key.endswith(".jsonl"):
        return [json.loads(line) for line in content.split(b"\n") if line]
    if key.endswith(".parquet"):
        whole = pq.ParquetFile(io.BytesIO(content)).read(use_threads=False)
        records: list[dict[str, Any]] = whole.to_pylist()
        return records
    names, *cells = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    return [dict(zip(map(str, names), row, strict=True)) for row in cells]


def _text(value: object) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return "" if value is None else str(value)
