"""Which encoding bytes are in, judged by how well they read in each."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from math import log
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
_ODD = -4.0
_HANZI_IN_A_WORD = -6.0
_RARE = -10.0
_NO_TEXT = -8.0

_PROOF_OF_CHINESE = 16

# Of 100 characters of Chinese the mean was -6.4 to -7.9, whatever they were about; of any other
# language in its own encoding, -8.7 or less.
_MUCH = 100
_USUAL = -8.3

# Capitals and small letters of the Latin, Greek and Cyrillic alphabets.
_CAPITAL_AFTER_SMALL = re.compile("[a-zß-öø-ÿα-ωа-я][À-ÖØ-ÞΑ-ΩА-Я]|[ß-öø-ÿ][A-Z]")
_SIGN_IN_A_WORD = re.compile(r"[^\W\d_][¡-©«¬®-±´¶¸»-¿×÷†‡‰•™\u2200-\u25ff](?=[^\W\d_])")
# Where no letter of its alphabet stands: in Thai a vowel without its consonant, in Hebrew a final
# letter within a word, in Cyrillic a sign or a yery before one; nor have three letters in a row
# accents, but in Vietnamese.
_OUT_OF_PLACE = re.compile(
    "[เ-ไ](?![ก-ฮ])|(?<![ก-ฮ\u0e31-\u0e3a\u0e47-\u0e4e])[\u0e31\u0e33-\u0e3a\u0e47-\u0e4e]"
    "|[ךםןףץ](?=[א-ת])|(?<![а-яёА-ЯЁ])[ьъыЬЪЫ]"
    "|[À-ÿĀ-ďĒ-ž](?=[À-ÿĀ-ďĒ-ž]{2})"
)
# A Latin letter beside one of the Greek, Cyrillic, Hebrew, Arabic or Thai alphabet.
_TWO_ALPHABETS = re.compile(
    "[a-zA-Z](?=[\u0370-\u06ff\u0e00-\u0e7f])|[\u0370-\u06ff\u0e00-\u0e7f](?=[a-zA-Z])"
)
_ODDITIES = (_SIGN_IN_A_WORD, _OUT_OF_PLACE, _TWO_ALPHABETS)
_ALONE_IN_A_WORD = re.compile("[a-z][\u3400-\u9fff](?=[a-z])")


class Reading(NamedTuple):
    """How some bytes read in an encoding; the greater ``score``, the more likely it is theirs.

    ``is_usual`` if all characters are frequent in its language, and none stands where it is odd.
    """

    encoding: str
    score: float
    size_bytes: int
    text: str
    is_usual: bool

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
        oddity = _oddity(text, language)
        score = _score(text, language) + oddity
        if text not in found:
            found[text] = Reading(name, score, len(sample), text, not oddity and is_frequent(text, language))
        elif found[text].score < score:
            found[text] = found[text]._replace(score=score)
    return sorted(found.values(), key=lambda each: -each.score)


def best_score(text: str) -> float:
    """The score in the language that explains a text best."""
    known = {languages.CHINESE, *(language for _, language in CANDIDATES)}
    return max(_score(text, language) + _oddity(text, language) for language in known)


def mean_score(text: str, known: Iterable[Language]) -> float:
    """The score of each character, in the language that explains a text best."""
    return max(_score(text, language) for language in known) / len(text)


def score_as_chinese(sample: bytes) -> float:
    """The score of the reading in GB18030, wrong bytes included."""
    text = decode_sample(sample)
    alone = len(_ALONE_IN_A_WORD.findall(text))
    return _score(text, languages.CHINESE) + _oddity(text, languages.CHINESE) + alone * _HANZI_IN_A_WORD


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
    return sum(times * rarity(character) for character, times in Counter(text).items())


def _oddity(text: str, language: Language) -> float:
    """What speaks against a text that would be odd in any language of its alphabet."""
    capitals = len(_CAPITAL_AFTER_SMALL.findall(text)) if language.has_case else 0
    return _ODD * (capitals + sum(len(odd.findall(text)) for odd in _ODDITIES))


def is_frequent(text: str, language: Language) -> bool:
    """Whether no character is rare in a language."""
    rarity = _rarity(language)
    return all(each.isascii() or rarity(each) > _RARE for each in set(text))


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
