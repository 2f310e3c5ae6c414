"""Reads what a recipe says about a task: its columns, its labels, its fields."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from shared.formats.visible_text import shortened
from shared.recipes.written import as_name, as_yaml, names_in

Kind = Literal["string", "number", "integer", "boolean", "array"]

# What people write for the type of a field. Any other text describes the field.
_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("text", "string", "str", "文本", "文字", "字符串"), "string"),
    **dict.fromkeys(("number", "float", "double", "decimal", "数字", "数值", "小数", "浮点数"), "number"),
    **dict.fromkeys(("integer", "int", "整数", "整型"), "integer"),
    **dict.fromkeys(("boolean", "bool", "是否", "布尔", "布尔值"), "boolean"),
    **dict.fromkeys(("list", "array", "列表", "数组"), "array"),
}
_FEWEST_LABELS = 2


class ExtractedField(NamedTuple):
    """What is to be found: of a kind, described, or one of some texts."""

    kind: Kind = "string"
    meaning: str = ""
    choices: tuple[str, ...] = ()


def _names(value: object) -> tuple[str, ...]:
    """One column or several, in the order in which the model reads them."""
    names = value if isinstance(value, list) else [value]
    _refuse_any("recipe_not_text", (name for name in names if not isinstance(name, str)))
    stripped = tuple(str(name).strip() for name in names)
    if not all(stripped) or not stripped:
        raise PydanticCustomError("recipe_empty_text", "empty")
    return stripped


def _labels(value: object) -> dict[str, str]:
    """Each label with its meaning, which may be empty."""
    if isinstance(value, dict):
        _refuse_any("recipe_not_text", (each for each in value.values() if not isinstance(each, str | None)))
        found = [(label, meaning or "") for label, meaning in value.items()]
    elif isinstance(value, list):
        _refuse_any("recipe_label_not_text", (label for label in value if not isinstance(label, str)))
        found = [(label, "") for label in value]
    else:
        _refuse_one_text("recipe_names_in_one", value)
        raise PydanticCustomError("recipe_labels", "no list")
    labels = [(_one_line(label), _one_line(meaning)) for label, meaning in found]
    if not all(label for label, _ in labels):
        raise PydanticCustomError("recipe_empty_text", "empty", {"found": ""})
    _refuse_any("recipe_label_twice", _alike(label for label, _ in labels))
    return dict(labels)


def _enough_labels(value: object) -> dict[str, str]:
    labels = _labels(value)
    if len(labels) < _FEWEST_LABELS:
        _refuse_one_text("recipe_labels_in_one", *labels)
        raise PydanticCustomError("recipe_too_few_labels", "too few", {"found": ", ".join(labels) or "[]"})
    return labels


def _fields(value: object) -> dict[str, ExtractedField]:
    if isinstance(value, list):
        value = dict.fromkeys(_labels(value))
    if not isinstance(value, dict):
        _refuse_one_text("recipe_names_in_one", value)
        raise PydanticCustomError("recipe_fields", "no mapping")
    if not value or not all(name.strip() for name in value):
        raise PydanticCustomError("recipe_fields", "no field", {"found": as_yaml(value)})
    _refuse_any("recipe_label_twice", _alike(value))
    return {_one_line(name): _field(name, described) for name, described in value.items()}


def _field(name: str, described: object) -> ExtractedField:
    if isinstance(described, list) and described:
        return ExtractedField(choices=tuple(_labels(described)))
    if not isinstance(described, str | None):
        raise PydanticCustomError("recipe_field", "no text", {"parameter": name, "found": as_yaml(described)})
    text = _one_line(described or "")
    kind = _KINDS.get(text.lower())
    return ExtractedField(kind) if kind else ExtractedField(meaning=text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _alike(labels: Iterable[str]) -> list[str]:
    """The labels that differ in nothing that a reader sees, if there are any."""
    groups: dict[str, list[str]] = {}
    for label in labels:
        groups.setdefault(_one_line(unicodedata.normalize("NFKC", label)).casefold(), []).append(label)
    return next((group for group in groups.values() if len(group) > 1), [])


def _refuse_one_text(code: str, *values: object) -> None:
    """Refuse a text that lists names: a list of YAML has brackets or dashes."""
    text = values[0] if len(values) == 1 and isinstance(values[0], str) else ""
    names = names_in(text)
    if len(names) > 1:
        write = shortened(", ".join(map(as_name, names)))  # more is said behind it
        raise PydanticCustomError(code, "one text", {"found": text, "write": f"[{write}]"})


def _refuse_any(code: str, wrong: Iterable[object]) -> None:
    found = ", ".join(map(as_yaml, wrong))
    if found:
        raise PydanticCustomError(code, "wrong", {"found": found})


Columns = Annotated[tuple[str, ...], BeforeValidator(_names)]
Labels = Annotated[dict[str, str], BeforeValidator(_enough_labels)]
Fields = Annotated[dict[str, ExtractedField], BeforeValidator(_fields)]
