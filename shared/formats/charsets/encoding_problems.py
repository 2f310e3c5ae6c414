"""Says how a table was read, or why it was not, with the text that somebody can tell it by."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from shared.formats.charsets.gb18030 import decode_sample
from shared.formats.charsets.likelihood import Reading, score_as_chinese
from shared.formats.charsets.names import codec_of
from shared.problems.problem import Bilingual, Problem, Values

SHOWN_CHARS = 30
_MOST_SHOWN = 3
_SEPARATORS = ' ,;|"\t'
# Further from the best, a reading is as good as refuted.
_STILL_LIKELY = 15.0
# Most files are Chinese, so it is still named where it is less likely than that.
_MAYBE_CHINESE = 25.0
_UNKNOWN = Bilingual("看不出来", "cannot be told")


def first_wrong(piece: bytes) -> str | None:
    """The bytes with which it ceases to be UTF-8, if it does."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(piece)
    except UnicodeDecodeError as error:
        return piece[error.start : error.start + 4].hex(" ")
    return None


def unknown_encoding(shown: bytes, line: int, found: list[Reading]) -> Problem:
    """Only its owner can tell; names what is likely."""
    likely = list(_likely(shown, found))
    listed = "; ".join(f"{name} “{text}”" for name, text in likely)
    values: Values = {
        "utf8_bytes": first_wrong(shown) or shown[:4].hex(" "),
        "likely": listed or _UNKNOWN,
        "example": likely[0][0] if likely else "windows-1252",
    }
    return Problem("unknown_encoding", line, found=text_in("gb18030", shown), values=values)


def _likely(shown: bytes, found: list[Reading]) -> Iterator[tuple[str, str]]:
    """The likely encodings, each with its sample; of those in which it is the same, the first."""
    texts: set[str] = set()
    for each in found:
        text = _shown_in(each.encoding, shown)
        if each.score < found[0].score - _STILL_LIKELY or each.is_no_text or len(texts) == _MOST_SHOWN:
            break
        if text not in texts:
            texts.add(text)
            yield each.encoding, text
    chinese = _shown_in("gb18030", shown)
    if found and "\ufffd" not in chinese and score_as_chinese(shown) >= found[0].score - _MAYBE_CHINESE:
        yield "gb18030", chinese


def _shown_in(encoding: str, shown: bytes) -> str:
    return text_in(encoding, shown).lstrip(_SEPARATORS)[:SHOWN_CHARS]


def text_in(encoding: str, shown: bytes) -> str:
    if encoding == "gb18030":
        return decode_sample(shown).strip()
    return codecs.getincrementaldecoder(codec_of(encoding))("replace").decode(shown).strip()


def read_as(encoding: str, shown: bytes, line: int) -> Problem:
    return Problem("detected_encoding", line, found=text_in(encoding, shown), values={"encoding": encoding})


def read_by_mark(head: bytes, encoding: str) -> Problem:
    """Its byte-order mark said how to read it."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head).removeprefix("\ufeff")
    lines = text.split("\n")
    number, shown = next(
        ((number, line) for number, line in enumerate(lines, start=1) if not line.isascii()), (1, lines[0])
    )
    return Problem("detected_encoding", number, found=shown.strip(), values={"encoding": encoding})
