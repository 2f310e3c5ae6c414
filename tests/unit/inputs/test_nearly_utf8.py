"""Files that are UTF-8, or ASCII, but not quite."""

from __future__ import annotations

import pytest

from shared.formats.charsets.names import codec_of
from shared.inputs.reading import RowReader
from shared.problems.render import render_problem
from tests.support.reading import prompt_of, read_csv, recipe

ASKED = "model: qwen-plus\nprompt: '{{ text }}'\n"
TEXT = recipe(ASKED)


def table(*cells: bytes) -> bytes:
    return b"id,text\n" + b"".join(b"%d,%b\n" % row for row in enumerate(cells, start=1))


def cesu_8(text: str) -> bytes:
    units = text.encode("utf-16-be")
    halves = (units[at : at + 2].decode("utf-16-be", "surrogatepass") for at in range(0, len(units), 2))
    return "".join(halves).encode("utf-8", "surrogatepass")


def warnings_of(reader: RowReader) -> list[str]:
    return [warning.code for warning in reader.facts.warnings]


@pytest.mark.parametrize("chunk_bytes", [7, 64 * 1024])
@pytest.mark.parametrize(
    "texts",
    [
        ["很好的产品我很喜欢😀"],
        ["nice 😀", "ok"],
        ["物流很快👍🏽", "质量很差😡", "一般"] * 40,
        ["plain"] * 3000 + ["好看🎉"],
        ["🎉"],
    ],
)
def test_emoji_in_two_halves_are_joined(texts: list[str], chunk_bytes: int) -> None:
    rows, reader = read_csv(table(*map(cesu_8, texts)), with_recipe=TEXT, chunk_bytes=chunk_bytes)

    assert [prompt_of(row) for row in rows] == texts
    assert (reader.facts.encoding, warnings_of(reader)) == ("utf-8", [])


CUT = "很好的产品我很喜欢".encode()[:20]


@pytest.mark.parametrize(
    "broken",
    [
        [CUT + b"..."],
        [CUT + b"..."] * 30,
        [b"5 " + CUT + b" ok"],
        [b'"' + CUT + b'"'],
        ["很好，".encode() + b"caf\xe9", CUT + b"..."],
        ["大家都很喜欢".encode() + cesu_8("😀")[:3]],
    ],
)
def test_utf_8_with_broken_characters_is_never_read_as_gb18030(broken: list[bytes]) -> None:
    rows, reader = read_csv(table(*broken, b"ok"), with_recipe=TEXT)

    assert reader.facts.encoding == "utf-8"
    assert {row.problems[0].code for row in rows[:-1]} <= {"invalid_encoding", "cut_character"}
    assert prompt_of(rows[-1]) == "ok"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gbk", "很好"),
        ("gb2312", "张三"),
        ("latin-1", "café"),
        ("windows-1252", "It’s late"),
        ("windows-1251", "хорошо"),
        ("iso-8859-2", "żółty"),
        ("big5", "café"),
        ("shift_jis", "東京"),
        ("koi8-r", "Москва"),
        ("gbk", "👍"),
    ],
)
@pytest.mark.parametrize("rows_before", [0, 3000])
def test_a_file_in_utf_8_is_read_as_such_whatever_its_recipe_says(
    encoding: str, text: str, rows_before: int
) -> None:
    content = table(*[b"plain"] * rows_before, text.encode())

    rows, reader = read_csv(content, with_recipe=recipe(f"{ASKED}encoding: {encoding}\n"))

    assert prompt_of(rows[-1]) == text
    (warning,) = reader.facts.warnings
    assert (warning.code, warning.line) == ("encoding_ignored", rows_before + 2)
    assert text in render_problem(warning, "en")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("gbk", "通"), ("gbk", "外"), ("gbk", "通 外"), ("iso-8859-2", "PÓŁ")],
)
def test_a_word_that_is_utf_8_by_chance_is_read_as_the_recipe_says(encoding: str, text: str) -> None:
    rows, reader = read_csv(
        table(text.encode(codec_of(encoding))), with_recipe=recipe(f"{ASKED}encoding: {encoding}\n")
    )

    assert ([prompt_of(row) for row in rows], warnings_of(reader)) == ([text], [])


@pytest.mark.parametrize(
    "text",
    [
        "Price £5 only",
        "• one • two",
        "½ cup of sugar",
        "Great product – would buy again",
        "3×4 ÷ 2",
        "bake at 180°C for 5 m²",
        "2010–2020 good — very",
        "Acme™ is “great”…",
    ],
)
def test_english_with_signs_of_windows_names_its_encoding_first(text: str) -> None:
    content = table(text.encode("windows-1252"))

    _, reader = read_csv(content, with_recipe=TEXT)
    rows, _ = read_csv(content, with_recipe=recipe(f"{ASKED}encoding: windows-1252\n"))

    (problem,) = reader.problems.first
    assert problem.values["example"] == "windows-1252"
    assert [prompt_of(row) for row in rows] == [text]


@pytest.mark.parametrize(
    ("encoding", "code", "content"),
    [
        ("hz", "unknown_encoding", "很好".encode("hz")),
        ("iso-2022-jp", "unknown_encoding", "とても".encode("iso2022_jp")),
        ("iso-2022-kr", "unread_encoding", "좋아요".encode("iso2022_kr")),
        ("iso-2022-cn", "unread_encoding", b"\x1b$)A\x0e:C\x0f"),
        ("iso-2022-cn", "unread_encoding", b"\x1b$A:\\:C\x1b(B"),
        ("utf-7", "unread_encoding", "很好".encode("utf-7")),
        ("utf-7", "unread_encoding", "ok, 质量不错！".encode("utf-7").replace(b",", b";")),
    ],
)
def test_an_encoding_of_seven_bits_is_refused_by_its_name(encoding: str, code: str, content: bytes) -> None:
    rows, reader = read_csv(table(b"plain", content, b"plain"), with_recipe=TEXT)

    (problem,) = reader.problems.first
    assert (rows, reader.facts.encoding) == ([], encoding)
    assert (problem.code, problem.line) == (code, 3)
    assert encoding in render_problem(problem, "en")


@pytest.mark.parametrize(
    "text",
    ["A+B", "c++ and +more", "call +8613800138000", "~{x}~ y", "~{ a }~", "1+1=2", "+bonus +fun", "+X-"],
)
def test_plain_ascii_is_no_encoding_of_seven_bits(text: str) -> None:
    rows, reader = read_csv(table(text.encode()), with_recipe=TEXT)

    assert ([prompt_of(row) for row in rows], reader.facts.encoding) == ([text], "utf-8")
