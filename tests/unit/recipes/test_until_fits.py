"""What a recipe may say about answers that do not fit."""

from __future__ import annotations

import pytest

from shared.ports.profile import ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.providers.ark.profile import ARK
from shared.providers.bailian.profile import BAILIAN
from shared.recipes.parse import parse_recipe
from tests.support.reading import assert_told, recipe

BASE = "model: qwen-plus\nprompt: '{{ a }}'\n"
EMBED = "model: text-embedding-v4\nembed: {column: a}\n"


def found(
    content: str, profile: ProviderProfile = BAILIAN, *, lines: bool = False
) -> list[tuple[str, int | None]]:
    with pytest.raises(UserInputError) as refusal:
        parse_recipe(content.encode(), profile, needs_question=not lines, is_beside_lines=lines)
    assert_told(refusal.value.problems)
    return [(problem.code, problem.line) for problem in refusal.value.problems]


@pytest.mark.parametrize(("said", "times"), [("{times: 5}", 5), ('{times: "1"}', 1), ("{}", 2)])
def test_it_says_how_often(said: str, times: int) -> None:
    parsed = recipe(f"{BASE}until_fits: {said}\n")

    assert parsed.until_fits
    assert parsed.until_fits.times == times


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (f"{BASE}until_fits: {{times: 0}}\n", "recipe_attempts"),
        (f"{BASE}until_fits: {{times: 6}}\n", "recipe_attempts"),
        (f"{BASE}until_fits: {{times: 1.5}}\n", "recipe_attempts"),
        (f"{BASE}until_fits: 3\n", "recipe_not_a_section"),
        (f"{BASE}until_fits: {{time: 3}}\n", "recipe_unknown_key"),
        (f"{BASE}times: 3\n", "recipe_unknown_key"),
        (f"{BASE}parameters: {{n: 2}}\nuntil_fits: {{times: 1}}\n", "until_fits_of_several"),
        (f"{EMBED}until_fits: {{times: 1}}\n", "until_fits_of_vectors"),
    ],
)
def test_what_cannot_be_meant_is_told(content: str, code: str) -> None:
    assert [each for each, _ in found(content)] == [code]


def test_beside_request_lines_it_is_refused_whatever_else_the_recipe_says() -> None:
    own = f"{BASE}until_fits: {{times: 1}}\n"
    alone = "output: {format: csv}\nuntil_fits: {times: 1}\n"
    ark = "provider: ark\nmodel: doubao-seed-1-6\nuntil_fits: {times: 1}\n"

    assert found(own, lines=True) == [("until_fits_of_lines", 3)]
    assert found(alone, lines=True) == [("until_fits_of_lines", 2)]
    assert found(ark, ARK, lines=True) == [("recipe_beside_lines", 3)]
