"""What the tasks ask, in Chinese and English: one entry per sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import JsonValue

from shared.problems.problem import Bilingual
from shared.recipes.tasks.values import ExtractedField, Kind

Language = Literal["zh", "en"]

_HAN = ("\u4e00", "\u9fff")
_KANA = ("\u3040", "\u30ff")
_HANGUL = ("\uac00", "\ud7af")
_MARK = re.compile(r"\{(?=[{%#])")

_TEXT = Bilingual("内容：", "Text:")
_CLASSIFY = Bilingual(
    "判断下面的内容属于哪一类，只能从这些类别中选一个：\n{listed}\n"
    "只输出 JSON，不要解释，格式为 {shape}，值必须与上面的某个类别完全一致。",
    "Decide to which class the text below belongs. Choose exactly one of these:\n{listed}\n"
    "Answer with JSON only, without any explanation, in the form {shape}. "
    "The value must be exactly one of the classes above.",
)
_THE_LABEL = Bilingual("类别", "the class")
_EXTRACT = Bilingual(
    "从下面的内容中提取这些信息：\n{listed}\n"
    "内容中没有的写 null，不要猜测。只输出 JSON，不要解释，格式为 {shape}。",
    "Extract the following from the text below:\n{listed}\n"
    "Write null for what the text does not say; do not guess. "
    "Answer with JSON only, without any explanation, in the form {shape}.",
)
_TRANSLATE = Bilingual(
    "把下面的内容翻译成{to}。只输出译文，不要解释；保留原文的换行和格式。",
    "Translate the text below into {to}. Answer with the translation only, without any explanation. "
    "Keep its line breaks and its format.",
)
_NAMED = Bilingual("- {name}：{about}", "- {name}: {about}")
_COLUMN = Bilingual("{name}：{cell}", "{name}: {cell}")
_KINDS: Mapping[Kind, Bilingual] = {
    "string": Bilingual("", ""),
    "number": Bilingual("数字", "a number"),
    "integer": Bilingual("整数", "a whole number"),
    "boolean": Bilingual("true 或 false", "true or false"),
    "array": Bilingual("列表", "a list"),
}
_CHOICES = Bilingual("只能是其中之一：{choices}", "one of: {choices}")
_BETWEEN = Bilingual("、", ", ")
_SHOWN: Mapping[Kind, JsonValue] = {
    "string": "…",
    "number": 1.5,
    "integer": 1,
    "boolean": True,
    "array": ["…"],
}


def language_of(words: Iterable[str]) -> Language:
    """Chinese if there are Chinese characters and none of Japanese or Korean."""
    text = "".join(words)
    return "zh" if _has(text, _HAN) and not (_has(text, _KANA) or _has(text, _HANGUL)) else "en"


def _has(text: str, script: tuple[str, str]) -> bool:
    first, last = script
    return any(first <= character <= last for character in text)


def ask_for_label(labels: Mapping[str, str], key: str, language: Language) -> str:
    listed = "\n".join(_line(label, meaning, language) for label, meaning in labels.items())
    return _in(_CLASSIFY, language).format(listed=listed, shape=_json({key: _in(_THE_LABEL, language)}))


def ask_for_fields(fields: Mapping[str, ExtractedField], language: Language) -> str:
    listed = "\n".join(_line(name, _about(field, language), language) for name, field in fields.items())
    shape = _json({name: _SHOWN[field.kind] for name, field in fields.items()})
    return _in(_EXTRACT, language).format(listed=listed, shape=shape)


def ask_for_translation(to: str, language: Language) -> str:
    return _in(_TRANSLATE, language).format(to=to)


def template(asked: str, columns: Iterable[str], language: Language) -> str:
    """The prompt as a template: what is asked, which may hold any characters, and the cells."""
    return f"{_plain(asked)}\n\n{_in(_TEXT, language)}\n{cells(columns, language)}"


def cells(columns: Iterable[str], language: Language = "en") -> str:
    """The cell of one column, or those of several below each other with their names."""
    names = list(columns)
    if len(names) == 1:
        return _cell(names[0])
    lines = (_in(_COLUMN, language).format(name=_plain(name), cell=_cell(name)) for name in names)
    return "\n".join(lines)


def _plain(text: str) -> str:
    """The text as a template that makes it, whatever is in it."""
    return _MARK.sub('{{ "{" }}', text)


def _cell(column: str) -> str:
    # Jinja2 reads a JSON string as the same text.
    return f"{{{{ row[{json.dumps(column, ensure_ascii=False)}] }}}}"


def _line(name: str, about: str, language: Language) -> str:
    return _in(_NAMED, language).format(name=name, about=about) if about else f"- {name}"


def _about(field: ExtractedField, language: Language) -> str:
    if field.choices:
        return _in(_CHOICES, language).format(choices=_in(_BETWEEN, language).join(field.choices))
    return field.meaning or _in(_KINDS[field.kind], language)


def _in(text: Bilingual, language: Language) -> str:
    return text.zh if language == "zh" else text.en


def _json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)
