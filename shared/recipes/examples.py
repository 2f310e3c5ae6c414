"""What to write for a key that is missing, or whose value is no "key: value" entries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import get_args

from shared.formats.visible_text import shortened
from shared.money.amounts import parse_money
from shared.problems.problem import Bilingual
from shared.recipes.recipe import Output
from shared.recipes.written import as_name, names_in

_ENTRIES: Mapping[str, Bilingual] = {
    "column": Bilingual("column: 评论", "column: review"),
    "labels": Bilingual("labels: [好评, 差评]", "labels: [good, bad]"),
    "fields": Bilingual("fields: {金额: 数字}", "fields: {amount: number}"),
    "to": Bilingual("to: 英文", "to: English"),
}
# Beside its column, what each task needs.
_OF_TASKS = {"classify": "labels", "extract": "fields", "translate": "to", "embed": None}
_OF_OUTPUT = {
    name: f"{{{key}: {name}}}"
    for key in ("encoding", "format")
    for name in get_args(Output.model_fields[key].annotation)
}
# Nobody would copy more from a report.
_MOST_COPIED = 1000
_COLON = re.compile(r":\s|：")
# A text under ``translate`` that is no column. Few recipes need it, so it is compiled then.
_LANGUAGE = (
    r"(美式|英式|简体|繁体|现代|标准)?(中|汉|英|日|韩|朝鲜|法|德|俄|泰|越|越南|荷兰|西|西班牙|葡|葡萄牙|意|意大利|阿拉伯"
    r"|印尼|印度尼西亚|马来|土耳其|波兰|希腊|印地|乌克兰|瑞典)[语語文]|粤语|白话文|普通话"
    r"|((american|british|simplified|traditional|brazilian) )?(chinese|english|japanese|korean|french|german"
    r"|russian|thai|vietnamese|dutch|spanish|portuguese|italian|arabic|indonesian|malay|turkish|polish|greek"
    r"|hindi|ukrainian|swedish|mandarin|cantonese)|(zh|en|pt)[-_][a-z]{2,4}|zh|en|ja|ko|fr|de|es|ru|pt|it|ar|vi|th"
)
_COLUMNS = Bilingual("columns: {情感: sentiment}", "columns: {mood: sentiment}")


def entry_for(key: str) -> Bilingual:
    """A missing key of a task with a value."""
    return _ENTRIES[key]


def section_for(key: str, value: object) -> Bilingual:
    """The section that was probably meant by a text or a list of names in its place."""
    names = _names_in(value)
    if key in _OF_TASKS:
        return _task(key, [*names])
    if key == "columns" and names:
        section = _copied(", ".join(_column(*each) for each in names.items()))
        return Bilingual(*[f"columns: {{{section}}}"] * 2)
    if key == "columns":
        return _COLUMNS
    if key == "output":
        section = _OF_OUTPUT.get(str(value).strip().lower().removeprefix("."), "{format: xlsx}")
        return Bilingual(*[f"output: {section}"] * 2)
    return Bilingual(*[f"{key}: {{{_number_of(key, value)}}}"] * 2)


def _number_of(key: str, value: object) -> str:
    """What stands in a section that holds one number, or any."""
    if key == "until_fits":
        return f"times: {value if type(value) is int and 1 <= value <= 5 else 2}"
    if key == "price":
        return _price_terms(value.strip() if isinstance(value, str) else "")
    return "temperature: 0.7"


def _price_terms(said: str) -> str:
    if said.lower().startswith("above"):
        return f"approve: {said if parse_money(said[len('above') :]) else 'above 50 CNY'}"
    return f"approve: {said}" if said == "always" else f"at_most: {said if parse_money(said) else '200 CNY'}"


def _names_in(value: object) -> dict[str, str]:
    """With what stands beside each. A text may list them, or a list have them as entries."""
    if not isinstance(value, list):
        value = names_in(value) if isinstance(value, str) else []
    found: dict[str, str] = {}
    for each in value:
        found |= each if isinstance(each, dict) else {str(each): ""} if isinstance(each, str) else {}
    texts = {name.strip(): said if isinstance(said, str) else "" for name, said in found.items()}
    return {name: said for name, said in texts.items() if name}


def _column(name: str, path: str) -> str:
    """A name with its path, which is the name if none is written beside it."""
    parts = [part.strip() for part in _COLON.split(name, maxsplit=1)] if not path else [name, path]
    first, last = (parts[0], parts[-1]) if all(parts) else (name, name)
    return f"{as_name(first)}: {as_name(last)}"


def _task(key: str, names: list[str]) -> Bilingual:
    """One name is the column; several are what is asked for. Columns are embedded together."""
    more = _OF_TASKS[key]
    asked = [] if more is None or len(names) == 1 else names
    if more == "to":
        asked = [name for name in names if re.fullmatch(_LANGUAGE, name, re.I)][:1]
    columns = [name for name in names if name not in asked]
    entries = [_entry("column", columns), *([_entry(more, asked)] if more else [])]
    zh, en = (", ".join(pair) for pair in zip(*entries, strict=True))
    return Bilingual(f"{key}: {{{zh}}}", f"{key}: {{{en}}}")


def _entry(key: str, names: list[str]) -> Bilingual:
    if not names:
        return _ENTRIES[key]
    written = _copied(", ".join(map(as_name, names)))
    return Bilingual(*[f"{key}: {written if len(names) == 1 else f'[{written}]'}"] * 2)


def _copied(text: str) -> str:
    return shortened(text, _MOST_COPIED)
