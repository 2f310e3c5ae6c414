"""Checks a recipe as it is being written, against the first rows of the table in hand."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.formats.record import Record
from shared.inputs.rows import Observations, each_row
from shared.inputs.tables.table_rows import RecipeTable
from shared.pipeline.validate.recipe.find_recipe import FoundRecipe
from shared.pipeline.validate.recipe.read_recipe import chosen_profile, read_recipe
from shared.ports.choice import ProviderChoice
from shared.ports.profile import ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.recipes.parse import parse_recipe
from shared.recipes.recipe import Recipe


@dataclass(frozen=True)
class Prompt:
    """What the model would read of a row."""

    system: str | None
    prompt: str


@dataclass(frozen=True)
class CheckedRecipe:
    """A recipe and the first rows under it.

    Attributes:
        problems: Of the recipe, or else of the rows.
        requests: The request lines of the rows; ``None`` for a bad one.
    """

    problems: tuple[Problem, ...]
    profile: ProviderProfile | None = None
    recipe: Recipe | None = None
    requests: tuple[bytes | None, ...] = ()

    @property
    def first_prompt(self) -> Prompt | None:
        return prompt_of(self.requests[0]) if self.requests and self.requests[0] else None


@dataclass(frozen=True)
class CheckRecipe:
    """Checks a recipe without a file, or with the header and the first rows of one."""

    providers: ProviderChoice

    def alone(self, text: str) -> tuple[Problem, ...]:
        """What is wrong with it, whatever files come to lie beside it."""
        try:
            read_recipe(_found(text), self.providers)
        except UserInputError as error:
            return error.problems
        return ()

    def __call__(self, text: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> CheckedRecipe:
        """Make requests of the rows just as they would be sent."""
        try:
            profile = chosen_profile(_found(text), self.providers)
            recipe = parse_recipe(_content(text), profile)
        except UserInputError as error:
            return CheckedRecipe(error.problems)
        # The header was found, and the sheet chosen, when the rows were read.
        recipe = recipe.model_copy(update={"header_row": None, "sheet": None})

        def records(_: Observations) -> Iterator[Record]:
            return (Record(line, cells) for line, cells in enumerate([columns, *rows], start=1))

        problems: list[Problem] = []
        requests = []
        try:
            for row in each_row(RecipeTable(records, recipe, profile).rows(Observations())):
                requests.append(row.request)
                problems += () if row.is_left_out else row.problems
        except UserInputError as error:
            problems += error.problems
        # Of rows without a place in a file, a line says nothing.
        placeless = (each if each.file else dataclasses.replace(each, line=None) for each in problems)
        return CheckedRecipe(tuple(placeless), profile, recipe, tuple(requests))


def prompt_of(request: bytes) -> Prompt:
    """The texts of a request line that we made."""
    body = json.loads(request)["body"]
    if "messages" not in body:
        texts = body["input"]
        return Prompt(None, texts if isinstance(texts, str) else "\n".join(texts))
    said = {message["role"]: message["content"] for message in body["messages"]}
    return Prompt(said.get("system"), said["user"])


def _found(text: str) -> FoundRecipe:
    return FoundRecipe("", "", _content(text))


def _content(text: str) -> bytes:
    return text.encode(errors="replace")  # half of a surrogate pair is no character
