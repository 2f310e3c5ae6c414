"""Reads a recipe for the provider that it names: the provider first and alone, then all else."""

from __future__ import annotations

import dataclasses

from shared.inputs.formats import has_request_lines
from shared.inputs.inbox_keys import FileForm
from shared.pipeline.validate.find_recipe import FoundRecipe
from shared.ports.choice import ProviderChoice
from shared.ports.profile import ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.recipes.parse import parse_recipe
from shared.recipes.recipe import Recipe
from shared.recipes.recipe_text import RECIPE_FILE, decode


def chosen_profile(found: FoundRecipe | None, providers: ProviderChoice) -> ProviderProfile:
    """The profile by which a file and its recipe are read.

    A recipe that cannot be read chooses the default one; what is wrong with it is told later.

    Raises:
        UserInputError: There is no such provider, or it is not set up.
    """
    if found is None:
        return providers.profile_of()
    from shared.formats.yaml_values import parse_yaml_mapping  # noqa: PLC0415 - most files have no recipe

    try:
        tree = parse_yaml_mapping(decode(found.content))
    except UserInputError:
        return providers.profile_of()
    name = tree.values.get("provider")
    try:
        return providers.profile_of(None if name is None else str(name))
    except UserInputError as error:
        if name is None:
            raise
        line = tree.line_of(("provider",))
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
