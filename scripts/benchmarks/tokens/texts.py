"""Texts of 33 kinds: what people wrote and translated for Debian and Django, and some made up."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

_MOST_CHARS = 150_000
_FORTUNES = {
    "english": ("computers", "wisdom"),
    "english_books": ("literature", "science", "men-women"),
    "chinese": ("chinese", "tang300", "song100"),
    "german": ("de/*",),
    "spanish": ("es/*",),
    "polish": ("pl/*",),
    "russian": ("ru/*",),
    "czech": ("cs/*",),
    "italian": ("it/*",),
}
_CATALOGUES = {
    "chinese_short": "zh_Hans", "taiwanese": "zh_Hant", "french": "fr", "japanese": "ja", "korean": "ko",
    "arabic": "ar", "thai": "th", "hindi": "hi", "vietnamese": "vi", "turkish": "tr", "greek": "el",
    "hebrew": "he", "portuguese": "pt", "ukrainian": "uk", "indonesian": "id", "dutch": "nl", "swedish": "sv",
}  # fmt: skip
_REVIEWS = (
    "物流很快，", "质量不错，", "价格便宜，", "包装破损，", "继续观察。", "客服态度很好！", "尺码偏大，穿着不合适",
    "手机电池不耐用", "已经是第三次购买了，", "给家里老人买的，用着还行。",
)  # fmt: skip
_CHAT = ("👍", "😂😂", "🎉", "❤️", "Good!", "555", "nice", "很nice", "iPhone 15 Pro", "¥199")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_TRANSLATION = re.compile(r'^msgstr(?:\[\d\])? ((?:"(?:[^"\\]|\\.)*"\s*)+)', re.MULTILINE)


def all_texts(folder: Path) -> dict[str, str]:
    """By kind; ``folder`` holds ``fortunes/`` and ``django/``, see the package's ``--help``."""
    written = {kind: _fortunes(folder / "fortunes", names) for kind, names in _FORTUNES.items()}
    translated = {kind: _catalogue(folder / "django", name) for kind, name in _CATALOGUES.items()}
    django = folder / "django"
    found = {
        **written,
        **translated,
        "code": _joined(django, "db/models/*.py"),
        "html": _joined(django, "**/*.html"),
        **{kind: make(random.Random(1)) for kind, make in _MADE_UP.items()},
    }
    pairs = zip(found["chinese_short"].split("\n"), found["english"].split("\n"), strict=False)
    return {**found, "chinese_and_english": "\n".join(map(" ".join, pairs))}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _joined(folder: Path, pattern: str) -> str:
    return "".join(map(_read, sorted(folder.glob(pattern))))[:_MOST_CHARS]


def _fortunes(folder: Path, names: tuple[str, ...]) -> str:
    paths = [path for name in names for path in sorted(folder.glob(name)) if path.is_file()]
    texts = [_read(path) for path in paths if path.suffix not in {".dat", ".u8"}]
    return re.sub(r"\x1b\[[0-9;]*m", "", "".join(texts)).replace("\n%\n", "\n")[:_MOST_CHARS]


def _catalogue(django: Path, language: str) -> str:
    lines = []
    for path in sorted(django.glob(f"c*/**/locale/{language}/LC_MESSAGES/*.po")):
        for found in _TRANSLATION.finditer(_read(path)):
            text = "".join(_QUOTED.findall(found[1])).replace("\\n", "\n").replace('\\"', '"')
            if text and "Content-Type" not in text:
                lines.append(text)
    return "\n".join(lines)[:_MOST_CHARS]


def _numbers(chance: random.Random) -> str:
    return "\n".join(
        f"{chance.randint(1, 10**9)},{chance.random() * 1000:.2f},2026-{chance.randint(1, 12):02}-"
        f"{chance.randint(1, 28):02} {chance.randint(0, 23):02}:{chance.randint(0, 59):02},"
        f"SKU-{chance.randint(10**5, 10**6)}"
        for _ in range(2000)
    )


def _records(chance: random.Random) -> str:
    kinds = ("shirt", "phone", "desk lamp", "衬衫", "台灯")
    return "\n".join(
        json.dumps(
            {
                "order_id": chance.randint(10**7, 10**8),
                "item": chance.choice(kinds),
                "price": round(chance.random() * 500, 2),
                "paid": chance.random() < 0.5,
                "address": {"city": chance.choice(("Beijing", "上海", "Berlin")), "zip": chance.randint(1, 9) * 11111},
            },
            ensure_ascii=False,
        )
        for _ in range(1500)
    )  # fmt: skip


def _urls(chance: random.Random) -> str:
    return "\n".join(
        f"https://www.example{chance.randint(1, 99)}.com/{''.join(chance.choices('abcdefghijklmnop', k=8))}"
        f"/item?id={chance.randint(1, 10**8)}&utm_source=mail"
        for _ in range(1500)
    )


def _chosen(parts: tuple[str, ...], least: int) -> Callable[[random.Random], str]:
    def make(chance: random.Random) -> str:
        return "\n".join("".join(chance.choices(parts, k=chance.randint(least, 8))) for _ in range(3000))

    return make


_MADE_UP: dict[str, Callable[[random.Random], str]] = {
    "numbers": _numbers,
    "json": _records,
    "urls": _urls,
    "reviews": _chosen(_REVIEWS, 2),
    "emoji": _chosen((*_REVIEWS, *_CHAT), 3),
}
