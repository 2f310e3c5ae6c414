"""A recipe is checked over the rows in hand as it would be over the file."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.pipeline.page.check_recipe import CheckRecipe
from shared.pipeline.page.gate import PageRefusal
from shared.pipeline.page.try_recipe import Allowance
from shared.ports.choice import ProviderChoice
from shared.runtime.wiring.providers.profiles import PROFILES
from tests.support.fakes import FixedClock

CHECK = CheckRecipe(ProviderChoice(PROFILES, "bailian", ["bailian", "ark"]))
COLUMNS = ["商品", "评论"]
ROWS = [["壶", "好"], ["", "坏"]]


def codes(recipe: str, rows: list[list[str]] | None = None) -> list[str]:
    return [problem.code for problem in CHECK(recipe, COLUMNS, ROWS if rows is None else rows).problems]


@pytest.mark.parametrize(
    ("recipe", "system", "prompt"),
    [
        ("model: qwen-flash\nprompt: '{{ 评论 }}！'\n", None, "好！"),
        ("model: qwen-flash\nsystem: 你是客服\nprompt: '{{ 评论 }}'\n", "你是客服", "好"),
        ("model: text-embedding-v4\nembed: {column: 评论}\n", None, "好"),
        ("provider: ark\nmodel: doubao-seed-2-1-pro-260628\nprompt: '{{ 评论 }}'\n", None, "好"),
        # These say where the rows are, and they are in hand.
        ("model: qwen-flash\nprompt: '{{ 评论 }}'\nheader_row: 7\nsheet: 第二页\n", None, "好"),
    ],
)
def test_the_prompt_of_the_first_row_is_what_the_model_would_read(
    recipe: str, system: str | None, prompt: str
) -> None:
    shown = CHECK(recipe, COLUMNS, ROWS).first_prompt

    assert shown
    assert (shown.system, shown.prompt) == (system, prompt)


def test_a_task_writes_its_own_prompt() -> None:
    checked = CHECK("model: qwen-flash\nclassify: {column: 评论, labels: [好评, 差评]}\n", COLUMNS, ROWS)

    assert checked.problems == ()
    assert checked.first_prompt
    assert "好评" in checked.first_prompt.prompt


@pytest.mark.parametrize(
    ("recipe", "code"),
    [
        ("model: qwen-flash\n", "recipe_without_question"),
        ("model: qwen-flash\nprompt: '{{ 评轮 }}'\n", "missing_column"),
        ("model: qwen-flash\nprompt: '{{ 评论 '\n", "template_syntax"),
        ("provider: nobody\nmodel: m\nprompt: '{{ 评论 }}'\n", "recipe_choice"),
        ("provider: tione\nmodel: m\nprompt: '{{ 评论 }}'\n", "provider_not_set_up"),
        ("model: [", "recipe_not_yaml"),
        ("\ud800", "recipe_without_question"),
    ],
)
def test_what_is_wrong_is_said(recipe: str, code: str) -> None:
    assert code in codes(recipe)


def test_a_row_of_another_width_is_a_problem_without_a_line() -> None:
    (problem,) = CHECK("model: qwen-flash\nprompt: '{{ 评论 }}'\n", COLUMNS, [["壶", "好", "多"]]).problems

    assert (problem.code, problem.line) == ("ragged_row", None)


def test_a_link_may_try_again_after_a_while_and_others_meanwhile() -> None:
    clock = FixedClock()
    allowance = Allowance(clock)
    for _ in range(10):
        allowance.take("a")

    with pytest.raises(PageRefusal, match="too_many_previews"):
        allowance.take("a")
    allowance.take("b")
    clock.advance(timedelta(minutes=1))
    allowance.take("a")
