"""What is said to people by its code, and refusals."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.operate.texts import bills, bucket, deploys, jobs, links, recipes, runs
from scripts.operate.texts.text import Text
from shared.problems.escapes import escaped_line

ERASED_NAME = Text("文件名已抹除", "name erased")

TEXTS: Mapping[str, Text] = {
    **bills.TEXTS,
    **bucket.TEXTS,
    **deploys.TEXTS,
    **jobs.TEXTS,
    **links.TEXTS,
    **recipes.TEXTS,
    **runs.TEXTS,
}


class Said(str):
    """Both languages as a terminal shows them; for programs also each by itself."""

    __slots__ = ("code", "en", "zh")
    code: str
    zh: str
    en: str


def said(code: str, **values: object) -> Said:
    """Both languages, the code behind the English. A value may be a ``Text`` of its own."""
    text = TEXTS[code]
    zh = text.zh.format(**{name: _part(each, 0) for name, each in values.items()})
    en = text.en.format(**{name: _part(each, 1) for name, each in values.items()})
    both = Said(f"{zh}\n{en} [{code}]")
    both.code, both.zh, both.en = code, zh, en
    return both


def _part(value: object, language: int) -> str:
    return escaped_line(str(value[language] if isinstance(value, Text) else value))


class Refusal(Exception):
    """The command cannot be carried out; its text says why, in both languages."""

    def __init__(self, code: str, *lines: str, **values: object) -> None:
        self.said = said(code, **values)
        self.lines = lines
        super().__init__("\n".join([self.said, *lines]))

    @property
    def code(self) -> str:
        return self.said.code
