"""Reads a recipe for the provider that it names: the provider first and alone, then all else."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from shared.bucket.keys import INBOX
from shared.inputs.formats import has_request_lines
from shared.inputs.inbox_keys import FileForm
from shared.pipeline.validate.recipe.find_recipe import FoundRecipe
from shared.pipeline.validate.refuse_file import Refused
from shared.ports.choice import ProviderChoice
from shared.ports.profile import ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.recipes.parse import parse_recipe
from shared.recipes.recipe import Recipe
from shared.recipes.recipe_text import RECIPE_FILE, decode

if TYPE_CHECKING:
    from shared.formats.yaml_values import YamlValues


def chosen_profile(found: FoundRecipe | None, providers: ProviderChoice) -> ProviderProfile:
    """The profile by which a file and its recipe are read.

    A recipe that cannot be read chooses the default one; what is wrong with it is told later.

    Raises:
        UserInputError: There is no such provider, or it is not set up.
    """
    recipe = _values_of(found)
    if recipe is None:
        return providers.profile_of()
    name = recipe.values.get("provider")
    try:
        return providers.profile_of(None if name is None else str(name))
    except UserInputError as error:
        if name is None:
            raise
        line = recipe.line_of(("provider",))
        named = [
            dataclasses.replace(problem, line=line, field="provider", file=RECIPE_FILE)
            for problem in error.problems
        ]
        raise UserInputError(named) from error


def read_recipe(found: FoundRecipe, providers: ProviderChoice) -> Recipe:
    """A recipe by itself, whatever files come to lie beside it.

    Raises:
        UserInputError: With every problem found, each with its line.
    """
    return parse_recipe(found.content, chosen_profile(found, providers), needs_question=False)


def recipe_for(form: FileForm, found: FoundRecipe, profile: ProviderProfile) -> Recipe:
    """The recipe of a file of this form; raises as ``read_recipe`` does."""
    are_lines = has_request_lines(form)
    return parse_recipe(found.content, profile, needs_question=not are_lines, is_beside_lines=are_lines)


def refused_under(found: FoundRecipe | None, refused: Refused) -> Refused:
    """The same, but lines in another provider's form are told what to change in their recipe.

    That the recipe lacks something for its own provider then matters to nobody. One that cannot be
    read may be meant for them.
    """
    bare = next((each for each in refused.problems.first if each.code == "bare_lines"), None)
    if found is None or bare is None:
        return refused
    recipe = _values_of(found)
    if recipe is None:
        return Refused.because(*(each for each in refused.problems.first if each is not bare))
    line = recipe.line_of(("provider",)) if recipe.values.get("provider") else None
    values = {**bare.values, "recipe": found.key.removeprefix(INBOX)}
    return Refused.because(
        Problem("bare_lines_under_recipe", line, "provider", values=values, file=RECIPE_FILE)
    )


def _values_of(found: FoundRecipe | None) -> YamlValues | None:
    """None: there is no recipe, or none that can be read."""
    if found is None:
        return None
    from shared.formats.yaml_values import parse_yaml_mapping  # noqa: PLC0415 - most files have no recipe

    try:
        return parse_yaml_mapping(decode(found.content))
    except UserInputError:
        return None
