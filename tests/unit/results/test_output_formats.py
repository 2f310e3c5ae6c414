"""What a recipe may ask for is what the registry has."""

from __future__ import annotations

from typing import get_args

from shared.recipes import key_problems
from shared.recipes.recipe import Output
from shared.results.formats import FORMATS


def test_a_recipe_may_name_every_format_and_no_other() -> None:
    assert get_args(Output.model_fields["format"].annotation) == tuple(FORMATS)


def test_a_refused_name_is_answered_with_all_formats() -> None:
    assert key_problems._CHOICES["output.format"] == ", ".join(FORMATS)
