"""Warns of columns that a recipe names where no cell takes their place."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from shared.problems.problem import Problem
from shared.recipes.templates.column_names import ColumnNames
from shared.recipes.templates.slips import columns_as_text

if TYPE_CHECKING:
    from shared.recipes.recipe import Recipe


def name_warnings(recipe: Recipe, names: ColumnNames, used: Container[int]) -> Iterator[Problem]:
    """Each column that only stands as text in a prompt, and each that is given as a label."""
    for field, source in (("system", recipe.system), ("prompt", recipe.prompt)):
        for slip in columns_as_text(source or "", names, used):
            yield Problem("column_as_text", field=field, found=slip.found, values={"write": slip.write})
    for label in recipe.classify.labels if recipe.classify else ():
        if names.find(label.strip("{} ")):
            yield Problem("label_is_column", field="classify.labels", found=label)
