from __future__ import annotations

import pytest

from shared.formats.charsets.double_encoding import find_double_encoded, find_lost_characters
from tests.support.reading import read_csv, recipe

TEXTS = ["你好，世界", "これはペンです", "Größe, Übung, café", "Привет", "안녕하세요", "“naïve” — déjà vu"]


def garbled(text: str, encoding: str) -> str:
    raw = text.encode()
    if encoding == "cp1252":  # browsers and Excel leave the five bytes that have no character
        return "".join(bytes([each]).decode("cp1252", "ignore") or chr(each) for each in raw)
    return raw.decode(encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize("text", TEXTS)
def test_utf8_that_was_read_as_western_is_told(text: str, encoding: str) -> None:
    found = find_double_encoded(f"id,text\n1,ok\n2,{garbled(text, encoding)}\n")

    assert found is not None
    assert found.line == 2
    assert found.meant in text
    assert found.found == garbled(found.meant, encoding)


@pytest.mark.parametrize("text", ["你好世界", "服务态度很好", "这个东西真不错啊"])
def test_utf8_that_was_read_as_gbk_is_told(text: str) -> None:
    found = find_double_encoded(f"id,text\n1,{garbled(text, 'gb18030')}\n")

    assert found is not None
    assert found.meant == text


@pytest.mark.parametrize(
    "text",
    [
        *TEXTS,
        "„Viel Spaß“, sagte sie. “Spaß” – «Übermaß»",
        "CAFÉ «Ã», À 5 £, “Ç”",
        "模模糊糊，联通，模型",
        "浣溪沙，锟铻，斤两，拷贝",
        "質量很好，物流也快，客服態度不錯",
        "plain",
        "é",
        "ATENÇÃO: INFORMAÇÕES, AÇÃO",
        "ÀÁÂÃÄÅ ÇÈÉÊ",
        "créée naïëve Größe",
        "20 °C ± 5, §§ 3, «¿Qué?»",
        "안녕하세요 좋아요".encode("euc-kr").decode("latin-1"),  # whatever it is, it is not Chinese
        "Привет, как дела".encode("cp1251").decode("latin-1"),
        "日本語の東京".encode("euc-jp").decode("latin-1"),
    ],
)
def test_other_texts_are_what_they_are(text: str) -> None:
    assert find_double_encoded(f"id,text\n1,{text}\n" * 3) is None


def test_a_few_such_words_in_much_text_are_a_quotation() -> None:
    assert find_double_encoded("1,乱码是什么意思？为什么有的文件打开以后显示ä½\xa0å¥½ï¼\x81\n") is None


def test_a_table_has_a_warning_with_a_sample() -> None:
    content = "id,text\n1,ok\n2," + garbled("你好吗", "cp1252") + "\n"

    rows, reader = read_csv(content.encode(), with_recipe=recipe("model: qwen-plus\nprompt: '{{ text }}'\n"))

    (warning,) = reader.facts.warnings
    assert (len(rows), warning.code, warning.line, warning.values) == (
        2,
        "double_encoded",
        3,
        {"meant": "你好吗", "encoding": "UTF-8"},
    )


@pytest.mark.parametrize(
    "text", ["你好", "很好", "服务态度很好", "物流快，质量不错！", "北京市朝阳区", "发货慢。"]
)
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_gbk_that_was_read_as_western_is_told(text: str, encoding: str) -> None:
    garbled_text = text.encode("gbk").decode(encoding)

    rows, reader = read_csv(f"a\n1\n{garbled_text}\n".encode())

    (warning,) = reader.facts.warnings
    assert (len(rows), warning.code, warning.line, warning.found) == (2, "double_encoded", 3, garbled_text)
    assert warning.values == {"meant": text, "encoding": "GBK"}


@pytest.mark.parametrize(
    ("text", "times", "line", "found"),
    [
        ("id,text\n1,a\n2,Caf\ufffd au lait\n", 1, 2, "2,Caf\ufffd au lait"),
        ("\ufffd\ufffd\ufffd,b\nx\ufffd\n", 2, 0, "\ufffd\ufffd\ufffd,b"),
        ("1,锟斤拷锟斤拷锟斤拷\n", 1, 0, "1,锟斤拷锟斤拷锟斤拷"),
        ("1,烫烫烫烫烫\n2,屯屯屯\n", 2, 0, "1,烫烫烫烫烫"),
        ("1,前面有很长的一段文字前面有很长的一段文字\ufffd后面也有很长的一段文字后面也有\n", 1, 0,
         "长的一段文字前面有很长的一段文字"[-12:] + "\ufffd后面也有很长的一段文字后"),
    ],
)  # fmt: skip
def test_lost_characters_are_told_with_their_number(text: str, times: int, line: int, found: str) -> None:
    assert find_lost_characters(text) == (times, line, found)


@pytest.mark.parametrize("text", ["id,text\n", "锟铻，斤两", "太烫了，烫烫", "屯屯", "?? ？？", "联通"])
def test_these_were_not_lost(text: str) -> None:
    assert find_lost_characters(text) is None


def test_a_table_with_lost_characters_is_sent_with_a_warning() -> None:
    rows, reader = read_csv("a\n好\n锟斤拷\n\ufffd\n".encode())

    (warning,) = reader.facts.warnings
    assert (len(rows), reader.all_problems.total) == (3, 0)
    assert (warning.code, warning.line, warning.values) == ("lost_characters", 3, {"times": 2})
