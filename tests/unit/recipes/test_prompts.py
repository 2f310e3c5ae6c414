from __future__ import annotations

import pytest

from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.recipes.prompts import compile_prompt, template_problems
from shared.recipes.recipe import Recipe
from tests.support.reading import assert_told


def made_of(
    prompt: str, columns: list[str], cells: list[str], system: str | None = None
) -> tuple[str | None, str]:
    made = Recipe(model="qwen-plus", prompt=prompt, system=system)
    return compile_prompt(made, columns).render(cells)


def problems_of(prompt: str, columns: list[str], cells: list[str] | None = None) -> list[Problem]:
    with pytest.raises(UserInputError) as refusal:
        made_of(prompt, columns, cells or ["x"] * len(columns))
    assert_told(refusal.value.problems)
    return list(refusal.value.problems)


@pytest.mark.parametrize(
    "prompt",
    [
        "{{ 评论 }}",
        "{{ row['评论'] }}",
        '{{ row["评论"] }}',
        "{{ row.评论 }}",
        "{{ row.get('评论') }}",
        "{% for name in row %}{{ row[name] if name == '评论' else '' }}{% endfor %}",
        "{% set c = 评论 %}{{ c | trim }}",
    ],
)
def test_a_column_is_reached_by_its_name(prompt: str) -> None:
    assert made_of(prompt, ["id", "评论"], ["1", "好"]) == (None, "好")


def test_a_column_whose_name_is_no_identifier_is_reached_through_the_row() -> None:
    _, prompt = made_of("{{ row['商品 名称'] }}-{{ row['1st'] }}", ["商品 名称", "1st"], ["杯", "x"])

    assert prompt == "杯-x"


def test_spaces_around_a_header_name_do_not_matter() -> None:
    _, prompt = made_of("{{ 评论 }}{{ row['评论 '] }}{{ row['评论'] }}", ["评论 "], ["好"])

    assert prompt == "好好好"


def test_the_system_prompt_is_a_template_too() -> None:
    assert made_of("{{ a }}", ["a", "b"], ["1", "2"], system="用{{ b }}回答") == ("用2回答", "1")


@pytest.mark.parametrize("cell", ["{{ a }}", "{% raw %}", "{# x", "<b>&amp;</b>", "a\r\nb\u2028c"])
def test_cells_are_text_and_never_template(cell: str) -> None:
    _, prompt = made_of("[{{ a }}]", ["a"], [cell])

    assert prompt == f"[{cell}]"


@pytest.mark.parametrize(
    "prompt", ["{{ 评伦 }}", "{{ row['评伦'] }}", "{{ row.评伦 }}", "{% if 评伦 %}x{% endif %}"]
)
def test_a_column_that_is_missing_is_named_with_the_nearest(prompt: str) -> None:
    (problem,) = problems_of(prompt, ["编号", "评论", ""])

    assert (problem.code, problem.field, problem.found, problem.values) == (
        "missing_column",
        "prompt",
        "评伦",
        {"nearest": "评论", "columns": "编号, 评论"},
    )


def test_missing_columns_of_both_templates_are_all_named() -> None:
    made = Recipe(model="qwen-plus", prompt="{{ x }}{{ y }}", system="{{ z }}")

    with pytest.raises(UserInputError) as refusal:
        compile_prompt(made, ["a"])

    assert [(problem.field, problem.found) for problem in refusal.value.problems] == [
        ("system", "z"),
        ("prompt", "x"),
        ("prompt", "y"),
    ]


def test_a_name_that_occurs_twice_matters_only_if_it_is_used() -> None:
    columns = ["a", "b", "b "]

    assert made_of("{{ a }}", columns, ["1", "2", "3"])[1] == "1"
    assert [problem.code for problem in problems_of("{{ b }}", columns)] == ["duplicate_column"]


def test_python_builtins_and_jinja_globals_are_just_missing_columns() -> None:
    problems = problems_of("{{ range(3) }}{{ open }}{{ lipsum() }}", ["a"])

    assert [problem.found for problem in problems] == ["lipsum", "open", "range"]


def test_a_syntax_error_is_told_with_the_line_of_the_template() -> None:
    (problem,) = template_problems("one\ntwo {{ a b }}\n", "prompt")

    assert (problem.code, problem.values["template_line"]) == ("template_syntax", 2)


@pytest.mark.parametrize(
    "prompt",
    [
        "{{" + "(" * 5000 + "a" + ")" * 5000 + "}}",
        "{% for i in a %}" * 50 + "{% endfor %}" * 50,
        "{{ " + "-" * 20000 + "1 }}",
        "{{ a | center(9999999999) }}",
        "{{ a | nonsense }}",
        "{% if %}",
        "{{ 1.__class__ | }}",
    ],
)
def test_templates_that_python_cannot_compile_are_a_syntax_problem(prompt: str) -> None:
    assert [problem.code for problem in template_problems(prompt, "prompt")] == ["template_syntax"]


@pytest.mark.parametrize(
    "prompt",
    [
        "{{ a + 1 }}",
        "{{ 1 / 0 }}",
        "{{ a.nothing }}",
        "{{ row['a'].nothing }}",
        "{{ a.__class__.__mro__ }}",
        "{{ row.clear() }}",
        "{{ a | int('x') | round('y') }}",
        "{{ 'x' * 10000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ 2 ** 999999 }}",
        "{{ '%9999999999d' % 1 }}",
        "{{ '{:>9999999999}'.format(1) }}",
        "{{ a.ljust(9999999999) }}",
        "{{ a() }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ],
)
def test_a_template_that_fails_on_a_row_is_the_problem_of_that_row(prompt: str) -> None:
    assert [problem.code for problem in problems_of(prompt, ["a"])] == ["template_failed"]


def test_arithmetic_on_ordinary_numbers_works() -> None:
    assert made_of("{{ a | float * 2 }} {{ 7 % 4 }} {{ 2 ** 3 }}", ["a"], ["1.5"])[1] == "3.0 3 8"


def test_a_prompt_that_grows_without_end_is_stopped() -> None:
    loops = "{% for i in a %}{% for j in a %}{% for k in a %}{{ a }}{% endfor %}{% endfor %}{% endfor %}"

    problems = problems_of(loops, ["a"], ["x" * 1000])

    assert [problem.code for problem in problems] == ["prompt_too_long"]


@pytest.mark.parametrize("prompt", ["{{ a }}", " \n{{ a }}\t", "{% if b %}x{% endif %}"])
def test_an_empty_prompt_is_a_problem(prompt: str) -> None:
    assert [problem.code for problem in problems_of(prompt, ["a", "b"], [" ", ""])] == ["empty_prompt"]
