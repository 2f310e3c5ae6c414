"""Compares how a text reads in several encodings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf

from shared.formats.charsets import languages
from shared.formats.charsets.gb18030 import decode_gb18030, decode_sample
from shared.formats.charsets.likelihood import (
    Reading,
    best_score,
    is_frequent,
    mean_score,
    score_as_chinese,
)

# Most files that are not UTF-8 are Chinese, so a few characters do not prove another language; and
# a text may use rarer words than those that were counted. Two bytes of GB2312's first half are
# never a letter of a Latin alphabet and a space or another letter.
_CHINESE_FIRST = 6.0
_CHINESE_FIRST_IN_GB2312 = 10.0
_RARER_WORDS = 0.15
# Few characters may make sense in several encodings. Where one has only frequent letters, and the
# hanzi are not all frequent, guessing would send garbled prompts: then Chinese is hardly preferred.
# Of three different words and more, too many are everyday Chinese that has a rarer hanzi.
_CHINESE_FIRST_OF_USUAL = 4.0
_FEW_WORDS = 2
# Where all that is not ASCII are pairs of bytes that are hanzi in GB2312, a language of one byte a
# letter would have words of an even length alone; of several different words, that cannot be. Nor
# can it be of signs and digits, of which the first bytes are few.
_CHINESE_FIRST_IN_HANZI = 24.0
_WORDS_OF_HANZI = 6
_BYTES_OF_HANZI = re.compile(rb"(?:[\0-\x7f]|[\xb0-\xf7][\xa1-\xfe])*")
_BYTES_OF_SIGNS = re.compile(rb"(?:[\0-\x7f]|[\xa1-\xa3][\xa1-\xfe])*")
_WORD_BYTES = re.compile(rb"[\x80-\xff]+")
# Hardly anything writes these today.
_OLD = frozenset({"iso-8859-2", "iso-8859-5", "iso-8859-6"})
_TWO_BYTES = frozenset({"big5", "shift_jis", "euc-jp", "euc-kr"})
_FIRST_HALF_OF_GB2312 = re.compile(rb"(?:[\0-\x7f]|[\xa1-\xd7][\xa1-\xfe])*")
_ASCII = bytes(range(0x80))
_WORD = re.compile(r"[^\0-\x7f]+")
# Where the hanzi are frequent names, other readings that are usual do not have to be feared.
_EVERYDAY = frozenset(languages.EVERYDAY_CHINESE.split())
_NAME = re.compile(languages.CHINESE_NAME)

# Where each character of several bytes begins and goes on in UTF-8, and where ASCII is; such a
# character behind ASCII is what a line of UTF-8 has, and hardly ever a line of hanzi in GB18030.
_KINDS = bytes(
    ord("a" if byte < 0x80 else "c" if byte < 0xC0 else "L" if 0xE2 <= byte <= 0xF0 else ".")
    for byte in range(0x100)
)
_BEGINNING = b"aLcc"
# A byte and a digit, twice, are a character of GB18030.
_UTF_8 = re.compile(
    rb"(?:[\xc2\xc3][\x80-\xbf]|[\xe2-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0\x9f[\x80-\xbf]{2})+(?![\x80-\xff]|[0-9][\x81-\xfe][0-9])"
)
_OF_TWO_BYTES = (languages.CHINESE, languages.TRADITIONAL_CHINESE, languages.JAPANESE, languages.KOREAN)
_RAREST = -12.9
_RAREST_IN_GB18030 = -10.5

# Where each word is a whole cell of hanzi, as a gender or a grade is. Units and grades in UTF-8 are
# such cells as well; but letters of two alphabets, or that nothing is written with today, are none,
# and no word of any language begins with the letter that is a woman in GB18030.
_ENDS = rb',;|\t\r\n"'
_CELLS_OF_HANZI = re.compile(
    rb"(?:(?:[\0-\x7f]*[%b])?(?:[\xb0-\xc1\xc3-\xd7][\xa1-\xfe])+(?=[%b]|\Z))+[\0-\x7f]*" % (_ENDS, _ENDS)
)
_LETTERS = re.compile("[à-ſƠơƯư]+|[Ά-ώ]+|[Ѐ-џҐґҡҢңҤҥҫҮүҰұҳҶҷӣӨөӯ]+|[Ա-և]+|[א-ת]+")
_A_WOMAN = "Ů"

# English with the signs of Windows: some stand before a word or between two, some behind one.
_SIGNS = re.compile(
    "(?:[\0-\x7f]|(?<![a-zA-Z])[£€¥¢§©•·°±µ×÷½¼¾«“‘–—](?:(?![^\0-\x7f])|(?=[½¼¾£€“”’]))"
    "|(?<=[a-zA-Z])[–—](?=[a-zA-Z])"
    "|[®™°²³»”’…](?![a-zA-Z])|(?<=[a-zA-Z])’(?=[a-z]))+"
)


def is_chinese(sample: bytes, others: list[Reading]) -> bool:
    """Whether GB18030 explains a text as well as its other readings do."""
    text = decode_sample(sample)
    written = _WORD.findall(text)
    if _EVERYDAY.issuperset(written):
        return True
    are_names = all(map(_NAME.fullmatch, written))
    score = max([score_as_chinese(sample), *(each.score for each in others if each.text == text)])
    words = len(set(_WORD_BYTES.findall(sample)))
    is_sure = words > _FEW_WORDS or is_frequent(text, languages.CHINESE)
    lead_over_pairs = _lead(sample)
    lead_over_letters = max(lead_over_pairs, _lead_over_letters(sample))

    def lead_over(other: Reading) -> float:
        if other.encoding in _TWO_BYTES:
            return lead_over_pairs if are_names or not other.is_usual else _CHINESE_FIRST_OF_USUAL
        if is_sure or not other.is_usual or other.encoding in _OLD or lead_over_letters == inf:
            return lead_over_letters
        return _CHINESE_FIRST_OF_USUAL

    return all(each.score - score <= lead_over(each) for each in others)


def _lead(sample: bytes) -> float:
    is_in_gb2312 = _FIRST_HALF_OF_GB2312.fullmatch(sample) is not None
    lead = _CHINESE_FIRST_IN_GB2312 if is_in_gb2312 else _CHINESE_FIRST
    return lead + _RARER_WORDS * len(sample.translate(None, _ASCII))


def _lead_over_letters(sample: bytes) -> float:
    if _BYTES_OF_SIGNS.fullmatch(sample):
        return inf
    if _BYTES_OF_HANZI.fullmatch(sample) is None:
        return 0.0
    are_several = len(set(_WORD_BYTES.findall(sample))) >= _WORDS_OF_HANZI
    return inf if are_several else _CHINESE_FIRST_IN_HANZI


def signs_first(found: list[Reading]) -> list[Reading]:
    """With Windows-1252 in front if what is not ASCII are signs in it, each where it belongs."""
    in_signs = [each for each in found if each.encoding == "windows-1252" and _SIGNS.fullmatch(each.text)]
    return [*in_signs, *(each for each in found if each not in in_signs)]


def reads_better(text: str, other: str) -> bool:
    """Whether a text is at least as likely in some language as another is in any."""
    return best_score(text) >= best_score(other)


def may_be_hanzi(sample: bytes) -> bool:
    """Whether what is not ASCII makes sense in GB18030, though it is valid UTF-8."""
    is_in_cells = _CELLS_OF_HANZI.fullmatch(sample) is not None
    return is_in_cells and is_frequent(decode_sample(sample), languages.CHINESE)


def is_hanzi_alone(sample: bytes) -> bool:
    """Whether what is not ASCII makes sense in GB18030, and what is valid UTF-8 none in that."""
    if _CELLS_OF_HANZI.fullmatch(sample) is None:
        return False
    words = {word.decode(errors="replace") for word in _WORD_BYTES.findall(sample)}
    letters = [word for word in words if word != _A_WOMAN and "\ufffd" not in word]
    return not letters or not all(map(_LETTERS.fullmatch, letters))


def holds_utf8(raw: bytes) -> bool:
    """Whether lines in an encoding of two bytes a character hold words in UTF-8.

    These would come out garbled.
    """
    return any(_is_written(run.decode()) for run in _runs_of_utf8(raw))


def _runs_of_utf8(raw: bytes) -> Iterator[bytes]:
    kinds = (b"\n" + raw).translate(_KINDS)
    at = kinds.find(_BEGINNING)
    while at >= 0:
        if run := _UTF_8.match(raw, at):
            yield run[0]
        at = kinds.find(_BEGINNING, at + 1)


def _is_written(text: str) -> bool:
    has_emoji = any("\U0001f000" <= character <= "\U0001ffff" for character in text)
    return has_emoji or text.startswith("\ufeff") or mean_score(text, _OF_TWO_BYTES) > _RAREST


def is_gb18030(line: bytes) -> bool:
    """Whether a line that is not UTF-8 is Chinese in GB18030."""
    try:
        text = decode_gb18030(line)
    except UnicodeDecodeError:
        return False
    written = "".join(each for each in text if not each.isascii())
    is_usual = bool(written) and mean_score(written, [languages.CHINESE]) > _RAREST_IN_GB18030
    return is_usual and not holds_utf8(line)
