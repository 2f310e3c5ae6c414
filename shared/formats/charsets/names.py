"""The encodings that a recipe may name, and Python's codecs for them."""

from __future__ import annotations

import codecs
from functools import cache

NAMES = (
    "utf-8", "utf-16", "utf-16-be", "utf-32", "utf-32-be",
    "gb18030", "hz", "big5", "shift_jis", "euc-jp", "iso-2022-jp", "euc-kr",
    *(f"windows-{page}" for page in (874, *range(1250, 1259))),
    *(f"iso-8859-{part}" for part in (*range(2, 9), 10, *range(13, 17))),
    "koi8-r", "koi8-u", "cp437", "cp850", "cp852", "cp858", "cp866", "macintosh",
)  # fmt: skip

# Programs write more than the standards of these names have, so a superset reads them:
# https://encoding.spec.whatwg.org/#names-and-labels. Without a byte order mark, UTF-16 and UTF-32
# are as Windows writes them.
_CODECS = {
    "utf-16": "utf-16-le",
    "utf-32": "utf-32-le",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "windows-874": "cp874",
    "macintosh": "mac_roman",
}
_PARTS = {
    "ascii": "utf-8",
    "utf-8-sig": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5",
    "cp950": "big5",
    "euc_kr": "euc-kr",
    "shift_jis": "shift_jis",
    "iso8859-1": "windows-1252",
    "iso8859-9": "windows-1254",
    "iso8859-11": "windows-874",
    "tis-620": "windows-874",
    "utf-16": "utf-16",
    "utf-32": "utf-32",
}

# Names that Python does not know; old Excel and Notepad say Unicode.
_ALIASES = {"unicode": "utf-16", "windows-31j": "shift_jis"}


def codec_of(name: str) -> str:
    """Python's codec for one of ``NAMES``, or for a name that an older version wrote."""
    return _CODECS.get(name, name)


def name_of(written: str) -> str | None:
    """One of ``NAMES`` for a name or an alias as people write it; ``None`` if it is not known."""
    alias = written.strip().lower().replace(" ", "-").removeprefix("x-")
    alias = _ALIASES.get(alias, alias)
    codec = _find_codec(alias) or _find_codec(alias.replace("windows-", "cp"))
    return _by_codec().get(codec) if codec else None


def _find_codec(alias: str) -> str | None:
    try:
        return codecs.lookup(alias).name
    except (LookupError, ValueError):
        return None


@cache
def _by_codec() -> dict[str, str]:
    return _PARTS | {codecs.lookup(codec_of(name)).name: name for name in NAMES}
