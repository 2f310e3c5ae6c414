"""How many tokens a text has, by its characters.

The weights were fitted to the vocabulary that Alibaba Cloud's package ships, ``qwen.tiktoken`` of
dashscope 2.0.2, on texts of 33 kinds; ``python -m scripts.benchmarks.tokens`` makes them again, and
the table of how far they are off in ``shared/money/README.md``. Newer models have another, larger
vocabulary, which nobody ships.
"""

from __future__ import annotations

import re

# What tells English from other languages of the same letters, which take twice as many tokens.
_ENGLISH = frozenset(
    [
        "the",
        "of",
        "and",
        "to",
        "a",
        "in",
        "is",
        "it",
        "you",
        "that",
        "he",
        "was",
        "for",
        "on",
        "are",
        "with",
        "as",
        "i",
        "his",
        "they",
        "be",
        "at",
        "one",
        "have",
        "this",
        "from",
        "or",
        "had",
        "by",
        "not",
        "but",
        "what",
        "all",
        "were",
        "we",
        "when",
        "your",
        "can",
        "said",
        "there",
        "an",
        "each",
        "which",
        "she",
        "do",
        "how",
        "their",
        "if",
        "will",
        "up",
        "other",
        "about",
        "out",
        "many",
        "then",
        "them",
        "these",
        "so",
        "some",
        "her",
        "would",
        "make",
        "like",
        "him",
        "into",
        "time",
        "has",
        "look",
        "two",
        "more",
        "no",
        "way",
        "could",
        "my",
        "than",
        "been",
        "who",
        "its",
        "now",
        "did",
        "get",
        "may",
        "part",
    ]
)
# Of English words so many are among these.
_ENGLISH_SHARE = 0.3
_FREQUENT_HAN = frozenset(
    "的一是不了人我在有他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然"
    "没日于起还发成事只作当想看文无开手很用物品质量价格便宜快递包装"
)
_WORD = re.compile(r"[A-Za-z]+")
# Tokens for each that is counted.
WEIGHTS = {
    "english_words": 1.43,
    "words": 0.48,
    "long_words": 0.05,
    "capitals": 1.08,
    "foreign_words": -0.04,
    "foreign_letters": 0.15,
    "slavic_letters": 1.36,
    "rare_letters": 3.49,
    "frequent_han": -0.2,
    "latin_marks": 0.02,
    "cyrillic": 0.45,
    "cyrillic_words": 0.29,
    "greek": 1.02,
    "hebrew_arabic": 0.47,
    "thai": 0.58,
    "indic": 1.09,
    "kana": 0.58,
    "hangul": 0.83,
    "han": 0.76,
    "wide_marks": 0.4,
    "digits": 1.24,
    "marks": 0.34,
    "runs_of_marks": -0.37,
    "line_ends": 0.99,
    "gaps": 2.33,
    "other": 0.21,
}

# A character of each, or a run of them.
_COUNTED = {
    "latin_marks": re.compile(r"[\u00c0-\u024f\u1e00-\u1eff]"),
    "cyrillic": re.compile(r"[\u0400-\u04ff]"),
    "cyrillic_words": re.compile(r"[\u0400-\u04ff]+"),
    "greek": re.compile(r"[\u0370-\u03ff]"),
    "hebrew_arabic": re.compile(r"[\u0590-\u06ff]"),
    "thai": re.compile(r"[\u0e00-\u0e7f]"),
    "indic": re.compile(r"[\u0900-\u0dff]"),
    "kana": re.compile(r"[\u3040-\u30ff]"),
    "hangul": re.compile(r"[\uac00-\ud7af]"),
    "han": re.compile(r"[\u3400-\u9fff]"),
    "wide_marks": re.compile(r"[\u2010-\u2030\u3000-\u303f\uff00-\uffef]"),
    "digits": re.compile(r"[0-9]"),
    "marks": re.compile(r"[!-/:-@\[-`{-~]"),
    "runs_of_marks": re.compile(r"[!-/:-@\[-`{-~]+"),
    "line_ends": re.compile(r"\s*\n+"),
    "gaps": re.compile(r"  +|\t+"),
    "other": re.compile(r"[\u00a1-\u00bf\u2031-\u2fff\ufe0f\U00010000-\U0010ffff]"),
}


def features(text: str) -> dict[str, float]:
    """What is counted of a text; the estimate is linear in it."""
    words = _WORD.findall(text)
    english = sum(word.lower() in _ENGLISH for word in words)
    foreign = 1 - min(1.0, english / (len(words) or 1) / _ENGLISH_SHARE)
    found = {name: float(len(pattern.findall(text))) for name, pattern in _COUNTED.items()}
    return {
        "english_words": english,
        "words": len(words),
        "long_words": sum(max(0, len(word) - 5) for word in words),
        "capitals": sum(len(word) > 1 and word.isupper() for word in words),
        "foreign_words": foreign * len(words),
        "foreign_letters": foreign * sum(map(len, words)),
        "slavic_letters": foreign * sum(map(text.count, "zkwj")),
        "rare_letters": foreign * sum(map(text.count, "yv")),
        "frequent_han": sum(map(_FREQUENT_HAN.__contains__, text)),
        **found,
    }


def estimated_tokens(text: str) -> float:
    """Not rounded, since texts are added up."""
    return sum(WEIGHTS[name] * count for name, count in features(text).items())
