"""How many tokens a text has, by its characters.

The weights were fitted to the vocabulary that Alibaba Cloud's package ships, ``qwen.tiktoken`` of
dashscope 2.0.2, on texts of 33 kinds; ``python -m scripts.benchmarks.tokens`` makes them again, and
the table of how far they are off in ``shared/money/README.md``. Newer models have another, larger
vocabulary, which nobody ships.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from string import ascii_letters, ascii_uppercase, digits, punctuation

# What tells English from other languages of the same letters, which take twice as many tokens.
_ENGLISH = frozenset(
    b"""
    the of and to a in is it you that he was for on are with as i his they be at one have this
    from or had by not but what all were we when your can said there an each which she do how
    their if will up other about out many then them these so some her would make like him into
    time has look two more no way could my than been who its now did get may part
    """.split()
)
# Of English words so many are among these.
_ENGLISH_SHARE = 0.3
_FREQUENT_HAN = (
    "的一是不了人我在有他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然"
    "没日于起还发成事只作当想看文无开手很用物品质量价格便宜快递包装"
)
# Tokens for each that is counted. Of what is rare or other it is what the vocabulary has, not
# fitted: each character has some, lest a text of a script that is not named here cost nothing.
WEIGHTS = {
    "english_words": 1.07,
    "words": 0.52,
    "long_words": 0.09,
    "capitals": 0.8,
    "foreign_words": -0.01,
    "foreign_letters": 0.11,
    "slavic_letters": 1.37,
    "rare_letters": 3.27,
    "frequent_han": -0.17,
    "latin_marks": -0.03,
    "cyrillic": 0.45,
    "cyrillic_words": 0.1,
    "greek": 1.0,
    "hebrew_arabic": 0.44,
    "thai": 0.57,
    "indic": 1.07,
    "kana": 0.57,
    "hangul": 0.76,
    "han": 0.76,
    "wide_marks": 0.26,
    "digits": 1.03,
    "spaced_digits": 0.9,
    "marks": 0.26,
    "runs_of_marks": 0.74,
    "words_after_marks": -1.22,
    "line_ends": 1.12,
    "indents": 0.7,
    "gaps": 1.65,
    "box_lines": 0.3,
    "other": 1.1,
    "rare": 1.5,
    "rarest": 2.7,
}


def _table(characters: Mapping[str, str]) -> bytes:
    """For ``bytes.translate``: what each character of ASCII becomes; all else becomes spaces."""
    return bytes(ord(characters.get(chr(byte), " ")) for byte in range(256))


# Passes over the bytes of UTF-8 take a tenth of the time that characters take one by one.
_LETTERS = _table(dict(zip(ascii_letters, ascii_letters, strict=True)))
_MARKS = _table(dict.fromkeys(punctuation, "!"))
_ASCII_KINDS = _table(
    dict.fromkeys(ascii_letters, "a") | dict.fromkeys(digits, "0") | dict.fromkeys(punctuation, "!")
)
_ASCII = bytes(range(128))
_CAPITALS = frozenset(letter.encode() for letter in ascii_uppercase)
# A character of each. Those of ASCII and Han are most of a text, and are counted together.
_NO_HAN = re.compile(r"[^\u3400-\u9fff]+")
_FREQUENT = re.compile(f"[{_FREQUENT_HAN}]")
_KINDS = {
    "latin_marks": re.compile(r"[\u00c0-\u024f\u1e00-\u1eff]"),
    "cyrillic": re.compile(r"[\u0400-\u04ff]"),
    "greek": re.compile(r"[\u0370-\u03ff]"),
    "hebrew_arabic": re.compile(r"[\u0590-\u06ff]"),
    "thai": re.compile(r"[\u0e00-\u0e7f]"),
    "indic": re.compile(r"[\u0900-\u0dff]"),
    "kana": re.compile(r"[\u3040-\u30ff]"),
    "hangul": re.compile(r"[\uac00-\ud7af]"),
    "wide_marks": re.compile(
        r"[\u2010-\u2030\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]"
    ),
    "box_lines": re.compile(r"[\u2500-\u259f]"),
    "other": re.compile(r"[\u00a1-\u00bf\u2031-\u21ff\u2300-\u24ff\u25a0-\u2fff\ufe0f\U0001f000-\U0001faff]"),
    "rare": re.compile(
        r"[^\x00-\u024f\u0370-\u04ff\u0590-\u06ff\u0900-\u0e7f\u1e00-\u1eff\u2010-\u21ff\u2300-\u30ff"
        r"\u3400-\ua4ff\uac00-\ud7af\ue000-\uf8ff\ufe0f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\U00010000-\U0010ffff]"
    ),
    "rarest": re.compile(r"[\ua000-\ua4ff\ue000-\uf8ff\U00010000-\U0001efff\U0001fb00-\U0010ffff]"),
}
# Several characters together. A pattern that begins with a plain one is found ten times faster.
_RUNS = {
    "spaced_digits": re.compile(r" [0-9]"),
    "line_ends": re.compile(r"\n\s*"),
    "indents": re.compile(r"\n[ \t]+"),
}
_GAPS = (re.compile(r"  +"), re.compile(r"\t+"))
_NO_GAPS = ("\n  ", "\t  ", "\n\t", " \t")
_CYRILLIC_WORDS = re.compile(r"[\u0400-\u04ff]+")
# Texts have some thousand different characters.
_KNOWN = 20_000
# Within words of other letters they have nearly none of their own; alone they have.
_LEAST_OF_A_MARK = 0.8
_NO_WORDS: dict[str, float] = dict.fromkeys(
    (
        *("english_words", "words", "long_words", "capitals"),
        *("foreign_words", "foreign_letters", "slavic_letters", "rare_letters"),
    ),
    0,
)


def features(text: str) -> dict[str, float]:
    """What is counted of a text; the estimate is linear in it."""
    return {**_of_words(text), **_of_characters(text)}


def _of_words(text: str) -> dict[str, float]:
    spaced = text.encode(errors="surrogatepass").translate(_LETTERS)
    words = spaced.split()
    if not words:
        return _NO_WORDS
    english = sum(map(_ENGLISH.__contains__, spaced.lower().split()))
    foreign = 1 - min(1.0, english / len(words) / _ENGLISH_SHARE)
    capitals = sum(map(bytes.isupper, words))
    return {
        "english_words": english,
        "words": len(words),
        "long_words": sum([len(word) - 5 for word in words if len(word) > 5]),
        "capitals": capitals and capitals - sum(map(_CAPITALS.__contains__, words)),
        "foreign_words": foreign * len(words),
        "foreign_letters": foreign * sum(map(len, words)),
        "slavic_letters": foreign * sum(map(text.count, "zkwj")),
        "rare_letters": foreign * sum(map(text.count, "yv")),
    }


def _of_characters(text: str) -> dict[str, int]:
    """Of texts one after the other as much as of each alone."""
    counts = {name: len(pattern.findall(text)) for name, pattern in _RUNS.items()}
    counts |= dict.fromkeys(_KINDS, 0)
    encoded = text.encode(errors="surrogatepass")
    kinds = encoded.translate(_ASCII_KINDS)
    counts["digits"], counts["marks"] = kinds.count(b"0"), kinds.count(b"!")
    counts["words_after_marks"] = kinds.count(b"!a")
    counts["runs_of_marks"] = len(encoded.translate(_MARKS).split())
    others = encoded.translate(None, _ASCII).decode(errors="surrogatepass")
    no_han = "".join(_NO_HAN.findall(others))
    counts["han"] = len(others) - len(no_han)
    counts["frequent_han"] = len(_FREQUENT.findall(others))
    for character, times in Counter(no_han).items():
        for kind in _kinds_of(character):
            counts[kind] += times
    counts["gaps"] = _gaps(text)
    counts["cyrillic_words"] = len(_CYRILLIC_WORDS.findall(text)) if counts["cyrillic"] else 0
    return counts


def _gaps(text: str) -> int:
    """Within a line, and one of spaces and tabs together is one."""
    if "  " not in text and "\t" not in text:
        return 0
    return sum(len(each.findall(text)) for each in _GAPS) - sum(map(text.count, _NO_GAPS))


@lru_cache(_KNOWN)
def _kinds_of(character: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in _KINDS.items() if pattern.match(character))


def estimated_tokens(*texts: str) -> float:
    """Of all texts together. Not rounded, since many are added up."""
    characters = _of_characters("\0".join(texts))
    counts: list[Mapping[str, float]] = [*map(_of_words, texts), characters]
    estimate = sum(WEIGHTS[name] * count for each in counts for name, count in each.items())
    return max(estimate, _LEAST_OF_A_MARK * characters.get("latin_marks", 0))
