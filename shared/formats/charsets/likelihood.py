"""Which encoding bytes are in, judged by how well they read in each."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from math import inf, log
from typing import NamedTuple

from shared.formats.charsets import languages
from shared.formats.charsets.gb18030 import decode_sample
from shared.formats.charsets.languages import Language
from shared.formats.charsets.names import codec_of

CANDIDATES = (
    ("windows-1252", languages.WESTERN),
    ("big5", languages.TRADITIONAL_CHINESE),
    ("shift_jis", languages.JAPANESE),
    ("euc-jp", languages.JAPANESE),
    ("euc-kr", languages.KOREAN),
    ("windows-1250", languages.CENTRAL_EUROPEAN),
    ("iso-8859-2", languages.CENTRAL_EUROPEAN),
    ("windows-1251", languages.CYRILLIC),
    ("koi8-r", languages.CYRILLIC),
    ("cp866", languages.CYRILLIC),
    ("iso-8859-5", languages.CYRILLIC),
    ("windows-1253", languages.GREEK),
    ("windows-1254", languages.TURKISH),
    ("windows-1255", languages.HEBREW),
    ("windows-1256", languages.ARABIC),
    ("iso-8859-6", languages.ARABIC),
    ("windows-1257", languages.BALTIC),
    ("windows-1258", languages.VIETNAMESE),
    ("windows-874", languages.THAI),
    ("macintosh", languages.WESTERN),
    ("cp850", languages.WESTERN),
)

# All these are natural logarithms of probabilities, as in the tables of the languages.
_WRONG_BYTE = -25.0
_CONTROL = -16.0
_ODD_CAPITAL = -4.0
_HANZI_IN_A_WORD = -6.0
_TWO_ALPHABETS_IN_A_WORD = -4.0
_RARE = -10.0
_NO_TEXT = -8.0

# Most files that are not UTF-8 are Chinese, so a few characters do not prove another language; and
# a text may use rarer words than those that were counted. Two bytes of GB2312's first half are
# never a letter of a Latin alphabet and a space or another letter.
_CHINESE_FIRST = 6.0
_CHINESE_FIRST_IN_GB2312 = 10.0
_RARER_WORDS = 0.15
# Where all that is not ASCII are pairs of bytes that are hanzi in GB2312, a language of one byte a
# letter would have words of an even length alone; of several different words, that cannot be.
_CHINESE_FIRST_IN_HANZI = 24.0
_WORDS_OF_HANZI = 6
_BYTES_OF_HANZI = re.compile(rb"(?:[\0-\x7f]|[\xb0-\xf7][\xa1-\xfe])*")
_WORD_BYTES = re.compile(rb"[\x80-\xff]+")
_TWO_BYTES = frozenset({"big5", "shift_jis", "euc-jp", "euc-kr"})
_PROOF_OF_CHINESE = 16

# Of 100 characters of Chinese the mean was -6.4 to -7.9, whatever they were about; of any other
# language in its own encoding, -8.7 or less.
_MUCH = 100
_USUAL = -8.3
_FIRST_HALF_OF_GB2312 = re.compile(rb"(?:[\0-\x7f]|[\xa1-\xd7][\xa1-\xfe])*")
_ASCII = bytes(range(0x80))

# Capitals and small letters of the Latin, Greek and Cyrillic alphabets.
_CAPITAL_AFTER_SMALL = re.compile("[a-zß-öø-ÿα-ωа-я][À-ÖØ-ÞΑ-ΩА-Я]")
# A Latin letter beside one of the Greek, Cyrillic, Hebrew, Arabic or Thai alphabet.
_TWO_ALPHABETS = re.compile(
    "[a-zA-Z](?=[\u0370-\u06ff\u0e00-\u0e7f])|[\u0370-\u06ff\u0e00-\u0e7f](?=[a-zA-Z])"
)
_ALONE_IN_A_WORD = re.compile("[a-z][\u3400-\u9fff](?=[a-z])")


class Reading(NamedTuple):
    """How some bytes read in an encoding; the greater ``score``, the more likely it is theirs."""

    encoding: str
    score: float
    size_bytes: int

    @property
    def is_no_text(self) -> bool:
        return self.score < _NO_TEXT * self.size_bytes


def readings(sample: bytes) -> list[Reading]:
    """The different readings in all ``CANDIDATES`` that fit, the best first.

    Of encodings in which it reads the same, the first candidate stands for all.
    """
    found: dict[str, Reading] = {}
    for name, language in CANDIDATES:
        try:
            text = codecs.getincrementaldecoder(codec_of(name))().decode(sample)
        except UnicodeDecodeError:
            continue
        score = _score(text, language)
        if text not in found:
            found[text] = Reading(name, score, len(sample))
        elif found[text].score < score:
            found[text] = found[text]._replace(score=score)
    return sorted(found.values(), key=lambda each: -each.score)


def score_as_chinese(sample: bytes) -> float:
    """The score of the reading in GB18030, wrong bytes included."""
    text = decode_sample(sample)
    alone = len(_ALONE_IN_A_WORD.findall(text))
    return _score(text, languages.CHINESE) + alone * _HANZI_IN_A_WORD


def is_chinese(sample: bytes, others: list[Reading]) -> bool:
    """Whether GB18030 explains a text as well as its other readings do."""
    score, lead = score_as_chinese(sample), _lead(sample)
    lead_in_hanzi = max(lead, _lead_in_hanzi(sample))
    return all(
        each.score - score <= (lead if each.encoding in _TWO_BYTES else lead_in_hanzi) for each in others
    )


def _lead(sample: bytes) -> float:
    is_in_gb2312 = _FIRST_HALF_OF_GB2312.fullmatch(sample) is not None
    lead = _CHINESE_FIRST_IN_GB2312 if is_in_gb2312 else _CHINESE_FIRST
    return lead + _RARER_WORDS * len(sample.translate(None, _ASCII))


def _lead_in_hanzi(sample: bytes) -> float:
    if _BYTES_OF_HANZI.fullmatch(sample) is None:
        return 0.0
    are_several = len(set(_WORD_BYTES.findall(sample))) >= _WORDS_OF_HANZI
    return inf if are_several else _CHINESE_FIRST_IN_HANZI


def rarities_as_chinese(sample: bytes) -> list[float]:
    """How rare each character is that is not ASCII, if it is read in GB18030."""
    text = decode_sample(sample)
    rarity = _rarity(languages.CHINESE)
    return [rarity(each) for each in text if not each.isascii()]


def is_plainly_chinese(rarities: list[float]) -> bool:
    """Whether there is so much Chinese that no other reading need be tried, which takes longer."""
    return len(rarities) >= _MUCH and sum(rarities) >= _USUAL * len(rarities)


def is_proven_chinese(rarities: list[float]) -> bool:
    """Whether so many characters are frequent that wrong bytes are damage, no other encoding."""
    return sum(each > _RARE for each in rarities) >= _PROOF_OF_CHINESE


def _score(text: str, language: Language) -> float:
    rarity = _rarity(language)
    score = sum(times * rarity(character) for character, times in Counter(text).items())
    if language.has_case:
        score += _ODD_CAPITAL * len(_CAPITAL_AFTER_SMALL.findall(text))
    return score + _TWO_ALPHABETS_IN_A_WORD * len(_TWO_ALPHABETS.findall(text))


@cache
def _rarity(language: Language) -> Callable[[str], float]:
    known = {"\ufffd": _WRONG_BYTE, "\ufeff": 0.0}
    known |= {chr(code): _ascii_rarity(chr(code)) for code in range(0x80)}
    known |= {chr(code): _CONTROL for code in range(0x80, 0xA0)}
    for characters, share in language.frequent:
        known |= {each: log(share / len(characters)) for each in characters if each not in known}

    def rarity(character: str) -> float:
        if (value := known.get(character)) is None:
            value = known[character] = _rest(character, language)
        return value

    return rarity


def _rest(character: str, language: Language) -> float:
    try:
        first = character.encode(language.codec)[0]
    except UnicodeEncodeError:
        return language.rest
    return next(rare for last, rare in language.rows if first <= last)


def _ascii_rarity(character: str) -> float:
    """Some encodings take letters for the second byte of a character: that must cost the others."""
    if character in " ,\t\n":
        return -2.5
    if character.isalnum():
        return -3.0 if character.islower() else -4.25
    return -5.0 if character.isprintable() else -12.0
