"""The tasks: what each is given, what is asked for it, and what its answers must be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, JsonValue

from shared.recipes.tasks.prompts import (
    ask_for_fields,
    ask_for_label,
    ask_for_translation,
    cells,
    language_of,
    template,
)
from shared.recipes.tasks.texts import Text
from shared.recipes.tasks.values import Columns, ExtractedField, Fields, Labels

LABEL = "label"


class Task(BaseModel, ABC):
    """What is asked about each row; ``column`` names the cells that the model reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    embeds: ClassVar[bool] = False

    column: Columns

    @abstractmethod
    def prompt(self) -> str:
        """The template, in the language of the labels, the fields or the language asked for."""

    def schema_of_answers(self) -> dict[str, JsonValue]:
        """A JSON Schema whose properties become columns; none if the answer is plain text."""
        return {}


class Classify(Task):
    """Choose one label."""

    labels: Labels

    def prompt(self) -> str:
        language = language_of([*self.labels, *self.labels.values()])
        return template(ask_for_label(self.labels, LABEL, language), self.column, language)

    def schema_of_answers(self) -> dict[str, JsonValue]:
        return _object({LABEL: {"type": "string", "enum": list(self.labels)}})


class Extract(Task):
    """Find the values of some fields; ``null`` stands for what the text does not say."""

    fields: Fields

    def prompt(self) -> str:
        language = language_of([*self.fields, *(field.meaning for field in self.fields.values())])
        return template(ask_for_fields(self.fields, language), self.column, language)

    def schema_of_answers(self) -> dict[str, JsonValue]:
        return _object({name: _property(field) for name, field in self.fields.items()})


class Translate(Task):
    """Translate. The answer is nothing but the translation: JSON would only be in its way."""

    to: Text

    def prompt(self) -> str:
        to = self.to.strip()
        language = language_of([to])
        return template(ask_for_translation(to, language), self.column, language)


class Embed(Task):
    """Turn the cells into a vector."""

    embeds: ClassVar[bool] = True

    def prompt(self) -> str:
        return cells(self.column)


TASKS: dict[str, type[Task]] = {
    "classify": Classify,
    "extract": Extract,
    "translate": Translate,
    "embed": Embed,
}


def _object(properties: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _property(field: ExtractedField) -> JsonValue:
    if field.choices:
        return {"type": ["string", "null"], "enum": [*field.choices, None]}
    items: dict[str, JsonValue] = {"items": {"type": "string"}} if field.kind == "array" else {}
    return {"type": [field.kind, "null"], **items}
