"""Twenty files as people drop them: texts of several kinds, with a prompt around each row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_ROWS = 400


@dataclass(frozen=True)
class Mixed:
    """One file.

    Attributes:
        kinds: Of its rows, in turn.
        row_chars: How long each row's text is.
        prompt: ``{}`` stands for the text.
    """

    name: str
    kinds: tuple[str, ...]
    row_chars: int
    prompt: str
    system: str = ""

    def lines(self, pieces: Mapping[str, Sequence[str]]) -> Iterator[bytes]:
        """Its request lines."""
        for number in range(_ROWS):
            kind = self.kinds[number % len(self.kinds)]
            cuts = pieces[kind]
            piece = cuts[number // len(self.kinds) % len(cuts)]
            start = number * self.row_chars % max(len(piece) - self.row_chars, 1)
            text = self.prompt.replace("{}", piece[start : start + self.row_chars])
            messages = [{"role": "user", "content": text}]
            if self.system:
                messages.insert(0, {"role": "system", "content": self.system})
            line = {"custom_id": f"row-{number}", "body": {"model": "qwen-flash", "messages": messages}}
            yield json.dumps(line, ensure_ascii=False).encode() + b"\n"


_JUDGE = "判断下面这条评论是好评还是差评，只回答“好评”或“差评”：\n{}"
_RULES = "你是电商客服质检员。请根据规则判断：一、是否提到退款；二、是否有不文明用语；三、问题是否已经解决。只返回 JSON。"
_CLASSIFY = "Classify the following message as complaint, question or praise. Answer with one word.\n\n{}"
_SUMMARY = "Summarize this text in two sentences:\n\n{}"
_TO_ENGLISH = "把下面的内容翻译成英文，保留换行：\n{}"
_TO_CHINESE = "Translate into Chinese:\n{}"
_EXTRACT = "Extract the city, the price and the item as JSON with the keys city, price, item.\n\n{}"

FILES = (
    Mixed("short Chinese reviews", ("reviews",), 40, _JUDGE),
    Mixed("Chinese chat with emoji, long rules", ("emoji",), 80, "{}", _RULES),
    Mixed("English messages", ("english",), 200, _CLASSIFY),
    Mixed("long English texts", ("english_books",), 2000, _SUMMARY),
    Mixed("Chinese prose and poems", ("chinese",), 300, _TO_ENGLISH),
    Mixed("Chinese of programs", ("chinese_short", "taiwanese"), 150, _TO_ENGLISH),
    Mixed("Chinese and English in one row", ("chinese_and_english",), 200, _TO_CHINESE),
    Mixed("Chinese rows, then English ones", ("reviews", "english"), 200, _JUDGE),
    Mixed("German and Dutch", ("german", "dutch"), 300, _CLASSIFY),
    Mixed("French, Spanish, Italian, Portuguese", ("french", "spanish", "italian", "portuguese"), 300, _TO_CHINESE),
    Mixed("Polish and Czech", ("polish", "czech"), 300, _TO_CHINESE),
    Mixed("Russian and Ukrainian", ("russian", "ukrainian"), 300, _TO_CHINESE),
    Mixed("Japanese and Korean", ("japanese", "korean"), 200, _TO_CHINESE),
    Mixed("Arabic and Hebrew", ("arabic", "hebrew"), 200, _TO_CHINESE),
    Mixed("Thai, Vietnamese, Hindi, Indonesian", ("thai", "vietnamese", "hindi", "indonesian"), 200, _TO_CHINESE),
    Mixed("Python code", ("code",), 1500, "Find the bug:\n\n{}"),
    Mixed("JSON records", ("json",), 400, _EXTRACT),
    Mixed("HTML pages", ("html",), 1500, "Extract the visible text:\n\n{}"),
    Mixed("numbers and links", ("numbers", "urls"), 300, _EXTRACT),
    Mixed("a bit of everything", ("english", "reviews", "json", "german", "japanese", "code", "russian", "urls"), 300, _SUMMARY),
)  # fmt: skip
