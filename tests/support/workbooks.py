"""Made-up workbooks, as openpyxl and other programs write them, and how we read them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import openpyxl
import pytest

from shared.formats.record import Record
from shared.formats.tables.workbook import workbook_records
from shared.inputs.rows import Observations
from shared.problems.exceptions import UserInputError
from tests.support.reading import assert_told

SHEET = "xl/worksheets/sheet1.xml"


def workbook(fill: Callable[[Any], object], title: str = "Sheet") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = title
    fill(book)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def sheet_of(*rows: list[object]) -> bytes:
    return workbook(lambda book: [book.active.append(row) for row in rows])


def with_part(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one of its parts changed, as other programs would have written it."""
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return changed.getvalue()


def read(content: bytes, sheet: str | None = None) -> tuple[list[Record], Observations]:
    observed = Observations()
    records = list(workbook_records(io.BytesIO(content), sheet, observed))
    assert_told(observed.warnings.first)
    return records, observed


def rows_of(content: bytes, sheet: str | None = None) -> list[tuple[int, tuple[str, ...]]]:
    return [(record.line, tuple(record.cells)) for record in read(content, sheet)[0]]


def refusal_of(content: bytes, sheet: str | None = None) -> str:
    with pytest.raises(UserInputError) as refusal:
        read(content, sheet)
    assert_told(refusal.value.problems)
    return refusal.value.problems[0].code


def codes_of(content: bytes) -> list[str]:
    return [problem.code for problem in read(content)[1].warnings.first]


def with_cells(xml: bytes) -> bytes:
    def changed(sheet: bytes) -> bytes:
        return sheet.partition(b"<sheetData")[0] + b"<sheetData>" + xml + b"</sheetData></worksheet>"

    return with_part(sheet_of(["a"]), SHEET, changed)


def with_parts(content: bytes, added: Mapping[str, str]) -> bytes:
    """The workbook with more parts, by name."""
    changed = io.BytesIO(content)
    with zipfile.ZipFile(changed, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, text in added.items():
            archive.writestr(name, text)
    return changed.getvalue()
