from __future__ import annotations

import codecs

import pytest

from shared.formats.charsets.names import NAMES, codec_of, name_of


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("UTF8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("GBK", "gb18030"),
        ("gb2312", "gb18030"),
        ("cp936", "gb18030"),
        ("windows-936", "gb18030"),
        ("UTF16", "utf-16"),
        ("Unicode", "utf-16"),
        ("Windows 1252", "windows-1252"),
        ("cp1252", "windows-1252"),
        ("latin-1", "windows-1252"),
        ("ISO-8859-1", "windows-1252"),
        ("iso-8859-15", "iso-8859-15"),
        ("latin2", "iso-8859-2"),
        ("x-sjis", "shift_jis"),
        ("Shift-JIS", "shift_jis"),
        ("windows-31j", "shift_jis"),
        ("cp932", "shift_jis"),
        ("EUC_JP", "euc-jp"),
        ("euckr", "euc-kr"),
        ("CP949", "euc-kr"),
        ("ks_c_5601-1987", "euc-kr"),
        ("Big5-HKSCS", "big5"),
        ("cp950", "big5"),
        ("1251", "windows-1251"),
        ("KOI8_R", "koi8-r"),
        ("ibm866", "cp866"),
        ("tis-620", "windows-874"),
        ("mac-roman", "macintosh"),
        ("ansi", None),
        ("", None),
        ("\0", None),
        ("rot13", None),
        ("base64", None),
        ("utf-7", None),
        ("cp037", None),
        ("é" * 3000, None),
    ],
)
def test_an_encoding_may_be_written_in_any_way(written: str, name: str | None) -> None:
    assert name_of(written) == name


@pytest.mark.parametrize("name", NAMES)
def test_every_name_stands_for_itself_and_keeps_line_feeds_apart(name: str) -> None:
    codec = codecs.lookup(codec_of(name)).name

    assert name_of(name) == name
    assert name.startswith(("utf-16", "utf-32")) or "a\nb".encode(codec) == b"a\nb"
