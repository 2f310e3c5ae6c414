from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable

import pytest

from shared.formats.binary_files import refuse_binary
from shared.formats.gzip_chunks import unpack_gzip
from shared.formats.record import TableNotes
from shared.formats.tables.parquet import parquet_records
from shared.formats.tables.workbook_scan import scan_workbook
from shared.formats.yaml_values import parse_yaml_mapping
from shared.problems.exceptions import UserInputError
from shared.problems.parser_words import in_chinese
from shared.problems.render import render_problem
from shared.recipes.templates.prompt_check import template_problems

PACKED = gzip.compress(b"id,content\n" * 1000, mtime=0)  # parametrized: each worker must see the same bytes


def unpack(content: bytes) -> None:
    list(unpack_gzip([content], print))


def read_parquet(content: bytes) -> None:
    list(parquet_records(io.BytesIO(content), TableNotes()))


def read_empty_zip(_content: bytes) -> None:
    file = io.BytesIO()
    zipfile.ZipFile(file, "w").close()
    scan_workbook(file, None)


def read_yaml(content: bytes) -> None:
    parse_yaml_mapping(content.decode())


@pytest.mark.parametrize(
    ("read", "content", "chinese"),
    [
        (refuse_binary, b"PK\x03\x04", "（Excel 或 zip）"),
        (refuse_binary, b"\xd0\xcf\x11\xe0", "（Excel 97-2003）"),
        (unpack, b"id,content\n", "（不是 gzip 格式）"),
        (unpack, PACKED[:20] + b"\xff" * 9 + PACKED[29:], "（压缩数据已损坏）"),
        (unpack, PACKED[:-8] + bytes(8), "（校验和不符）"),
        (unpack, PACKED[:20], "（文件不完整）"),
        (read_parquet, b"id,content\n", "（不是 Parquet 格式）"),
        (read_empty_zip, b"", "（其中缺少 xl/workbook.xml）"),
        (read_yaml, b"model: @x", "：不能以字符“@”开头，"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_chinese(
    read: Callable[[bytes], None], content: bytes, chinese: str
) -> None:
    with pytest.raises(UserInputError) as refused:
        read(content)

    assert chinese in render_problem(refused.value.problems[0], "zh")


@pytest.mark.parametrize(
    ("template", "chinese"),
    [
        ("{{ 'x }}", "：不认识的字符“'”。"),
        ("{{ x. }}", "：“.”后面缺少名称。"),
        ("{{ x | }}", "：“}}”之前缺少名称。"),
        ("{{ x is nope }}", "：没有名为“nope”的测试。"),
        ("{% if x %}a{% endfor %}", "：不认识的标签“endfor”。"),
        ("{{ x 3 }}", "，实际是“（整数）”。"),
        ("{{ x 'a' }}", "，实际是“（文本）”。"),
    ],
)
def test_what_is_wrong_with_a_template_is_said_in_chinese(template: str, chinese: str) -> None:
    (problem,) = template_problems(template, "prompt")

    assert chinese in render_problem(problem, "zh")


@pytest.mark.parametrize(
    ("said", "chinese"),
    [
        ('"z" is not one of "a", "b" or 4 other candidates', '"z" 不是允许的值："a", "b" 等（另有 4 个）'),
        ('"c" is not one of "a" or "b"', '"c" 不是允许的值："a" 或 "b"'),
        ("SecurityError: % works on numbers up to 1000000 only", "“%”只能用于不超过 1000000 的数"),
        (
            "SecurityError: access to attribute '__class__' of 'str' object is unsafe.",
            "用到了模板中不允许的属性",
        ),
    ],
)
def test_what_a_library_said_is_said_in_chinese(said: str, chinese: str) -> None:
    assert in_chinese(said) == chinese
