"""A file that only its name calls a workbook is told as what it is."""

from __future__ import annotations

import io
import zipfile

import pytest

from shared.problems.exceptions import UserInputError
from shared.problems.render import render_problem
from tests.support.workbooks import read, refusal_of, sheet_of, with_parts

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1_000)


def zipped(*names: str, flags: int = 0) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            # Of a fixed time: every process must collect tests of the same names.
            archive.writestr(zipfile.ZipInfo(name), "<x/>")
    content = bytearray(packed.getvalue())
    for start in range(len(content)):
        if content[start : start + 4] == b"PK\1\2":
            content[start + 8] |= flags
        if content[start : start + 4] == b"PK\3\4":
            content[start + 6] |= flags
    return bytes(content)


def ole(*streams: str, padding: int = 0) -> bytes:
    return OLE + bytes(padding) + b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in streams)


@pytest.mark.parametrize(
    "content",
    [
        ole("EncryptionInfo", "EncryptedPackage"),
        ole("EncryptedPackage", padding=1024 * 1024 - len(OLE) - 7),
        zipped("[Content_Types].xml", "xl/workbook.xml", "_rels/.rels", flags=1),
    ],
)
def test_a_workbook_with_a_password_is_told(content: bytes) -> None:
    assert refusal_of(content) == "protected_spreadsheet"


@pytest.mark.parametrize(
    ("content", "chinese", "english"),
    [
        (ole("Workbook"), "旧版的 Excel 工作簿（.xls）", "an old Excel workbook (.xls)"),
        (ole("Book") + sheet_of(["a"]), "旧版的 Excel 工作簿（.xls）", "an old Excel workbook (.xls)"),
        (zipped("xl/workbook.bin", "_rels/.rels"), "（.xlsb）", "(.xlsb)"),
        (zipped("mimetype", "content.xml"), "（.ods）", "(.ods)"),
        (zipped("Index/Document.iwa"), "（.numbers）", "(.numbers)"),
        (zipped("word/document.xml"), "Word 文档（.docx）", "a Word document (.docx)"),
        (zipped("ppt/presentation.xml"), "PowerPoint", "PowerPoint"),
        (b"<html><body><TABLE><tr><td>1</table>", "网页（HTML）", "a web page (HTML)"),
        (b"\xef\xbb\xbf\r\n<meta charset=utf-8><table border=1>", "网页（HTML）", "a web page (HTML)"),
        (b"<!DOCTYPE html>\n<HTML lang=zh><script>", "网页（HTML）", "a web page (HTML)"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "XML 表格", "an XML spreadsheet"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "PNG", "PNG"),
        (b"\x1f\x8b\x08\x00", "gzip", "gzip"),
        (b"PAR1\x15", "Parquet", "Parquet"),
        (bytes(range(1, 32)) * 40, "二进制数据", "binary"),
    ],
)  # fmt: skip
def test_another_kind_of_file_is_told_by_its_name(content: bytes, chinese: str, english: str) -> None:
    with pytest.raises(UserInputError) as refusal:
        read(content)

    (problem,) = refusal.value.problems
    assert problem.code == "spreadsheet_is_other"
    assert chinese in render_problem(problem, "zh")
    assert english in render_problem(problem, "en")


@pytest.mark.parametrize(
    "content",
    [b"id,text\n1,hello\n", "编号,内容\n1,好\n".encode("gb18030"), "a\tb\n".encode("utf-16"), b'{"a": 1}'],
)
def test_text_is_told_as_text(content: bytes) -> None:
    assert refusal_of(content) == "spreadsheet_is_text"


@pytest.mark.parametrize(
    "content",
    [b"", b"  \n", sheet_of(["a"])[:-40], sheet_of(["a"])[:30], zipped("a.txt")],
    ids=["empty", "blank", "cut", "begun", "other archive"],
)
def test_a_damaged_workbook_is_told_as_one(content: bytes) -> None:
    assert refusal_of(content) == "unreadable_spreadsheet"


def test_a_workbook_may_hold_other_documents() -> None:
    content = with_parts(sheet_of(["a"]), {"word/document.xml": "<x/>", "content.xml": "<x/>"})

    assert [record.cells for record in read(content)[0]] == [("a",)]
