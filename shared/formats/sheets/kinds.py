"""Says what a file is whose name ends in ``.xlsx`` and whose content is something else."""

from __future__ import annotations

from typing import IO
from zipfile import BadZipFile, ZipFile

from shared.formats.binary_files import refuse_binary
from shared.formats.sizes import MIB
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Bilingual, Problem

_HEAD_BYTES = 64 * 1024
_OLE = b"\xd0\xcf\x11\xe0"  # of workbooks with a password, and of all of Excel 97-2003
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # MS-OFFCRYPTO 2.3
_IS_ENCRYPTED = 0x1  # of an archive's member

_OLD = Bilingual("旧版的 Excel 工作簿（.xls）", "an old Excel workbook (.xls)")
_PACKED = (
    ("xl/workbook.bin", Bilingual("二进制工作簿（.xlsb）", "a binary workbook (.xlsb)")),
    ("content.xml", Bilingual("OpenDocument 表格（.ods）", "an OpenDocument spreadsheet (.ods)")),
    ("Index/Document.iwa", Bilingual("Numbers 表格（.numbers）", "a Numbers spreadsheet (.numbers)")),
    ("word/document.xml", Bilingual("Word 文档（.docx）", "a Word document (.docx)")),
    ("ppt/presentation.xml", Bilingual("PowerPoint 演示文稿（.pptx）", "a PowerPoint presentation (.pptx)")),
)
_MARKED = (
    (b"urn:schemas-microsoft-com:office:spreadsheet", Bilingual("XML 表格（Excel 2003）", "an XML spreadsheet (Excel 2003)")),
    (b"<table", Bilingual("网页（HTML）", "a web page (HTML)")),
    (b"<html", Bilingual("网页（HTML）", "a web page (HTML)")),
)  # fmt: skip


def refuse_old_or_encrypted(file: IO[bytes]) -> None:
    """Raise ``BadZipFile`` for such a workbook: an archive inside it is not the workbook."""
    file.seek(0)
    if file.read(len(_OLE)) == _OLE:
        raise BadZipFile("OLE")


def other_kind(file: IO[bytes]) -> Problem | None:
    """What a file is that could not be read as a workbook; ``None`` for a damaged workbook."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if head.startswith(_OLE):
        return Problem("protected_spreadsheet") if _holds(file, _ENCRYPTED) else _is(_OLD)
    try:
        with ZipFile(file) as archive:
            return _packed(archive)
    except BadZipFile:
        return None if head.startswith(b"PK") else _plain(head)


def _packed(archive: ZipFile) -> Problem | None:
    if any(member.flag_bits & _IS_ENCRYPTED for member in archive.infolist()):
        return Problem("protected_spreadsheet")
    names = set(archive.namelist())
    return next((_is(kind) for name, kind in _PACKED if name in names), None)


def _plain(head: bytes) -> Problem | None:
    if not head.strip():
        return None
    lowered = head.lower()
    for mark, kind in _MARKED:
        if mark in lowered:
            return _is(kind)
    try:
        refuse_binary(head)
    except UserInputError as refusal:
        return Problem("spreadsheet_is_other", values={"reason": refusal.problems[0].values["reason"]})
    return Problem("spreadsheet_is_text")


def _is(kind: Bilingual) -> Problem:
    return Problem("spreadsheet_is_other", values={"reason": kind})


def _holds(file: IO[bytes], sought: bytes) -> bool:
    file.seek(0)
    before = b""
    while piece := file.read(MIB):
        if sought in before + piece:
            return True
        before = piece[-len(sought) :]
    return False
