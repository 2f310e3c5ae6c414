"""What to write for a key that is missing, or whose value is no "key: value" entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from shared.formats.visible_text import shortened
from shared.problems.problem import Bilingual
from shared.recipes.recipe import Output
from shared.recipes.written import as_name

_ENTRIES: Mapping[str, Bilingual] = {
    "model": Bilingual("model: qwen-flash", "model: qwen-flash"),
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
_COLUMNS = Bilingual("columns: {情感: sentiment}", "columns: {mood: sentiment}")


def entry_for(key: str) -> Bilingual:
    """A missing key with a value."""
    return _ENTRIES[key]


def section_for(key: str, value: object) -> Bilingual:
    """The section that was probably meant by a text or a list of names in its place."""
    written = value if isinstance(value, list) else [value]
    names = [as_name(each) for each in written if isinstance(each, str) and each.strip()]
    if key in _OF_TASKS:
        return _task(key, names)
    if key == "columns" and names:
        section = shortened(", ".join(f"{name}: {name}" for name in names))
        return Bilingual(*[f"columns: {{{section}}}"] * 2)
    if key == "columns":
        return _COLUMNS
    if key == "output":
        section = _OF_OUTPUT.get(str(value).strip().lower().removeprefix("."), "{format: xlsx}")
        return Bilingual(*[f"output: {section}"] * 2)
    return Bilingual(*[f"{key}: {{temperature: 0.7}}"] * 2)


def _task(key: str, names: list[str]) -> Bilingual:
    column = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
    columns = Bilingual(*[f"column: {shortened(column)}"] * 2) if names else _ENTRIES["column"]
    more = _OF_TASKS[key]
    others = _ENTRIES[more] if more else Bilingual("", "")
    zh, en = (", ".join(filter(None, pair)) for pair in zip(columns, others, strict=True))
    return Bilingual(f"{key}: {{{zh}}}", f"{key}: {{{en}}}")
