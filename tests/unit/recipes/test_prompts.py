from __future__ import annotations

import re

import pytest

from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.problems.render import quote, render_problem
from shared.recipes.prompts import compile_prompt
from shared.recipes.recipe import Recipe
from shared.recipes.templates.column_names import expression_for
from shared.recipes.templates.prompt_check import template_problems
from shared.recipes.templates.sandbox import Sandbox
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
        {
            "meant": (
                "您是不是想写“评论”？那要写成 {{ 评论 }}。",
                ' Did you mean "评论"? Then write {{ 评论 }}.',
            ),
            "columns": "编号, 评论",
            "at": "",
        },
    )


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("评论内容", "评论"),
        ("ＣＯＭＭＥＮＴＳ", "comment"),
        ("commet", "comment"),
        ("t", ""),
        ("门店", ""),
        ("价格", ""),
        ("店名", ""),
        ("xyz", ""),
    ],
)
def test_only_a_column_that_is_really_near_is_said_to_be_meant(name: str, near: str) -> None:
    (problem,) = problems_of(f"{{{{ {name} }}}}", ["编号", "评论", "comment", "unit"])

    assert ("Did you mean" in render_problem(problem, "en")) == bool(near)
    assert f'"{near}"' in render_problem(problem, "en") or not near
    assert "The header has: 编号, 评论, comment, unit." in render_problem(problem, "en")


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
    (problem,) = template_problems("one\ntwo {% if a %}\n", "prompt")

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
        "{{ a | truncate(2) }}",
        "{{ a | truncate(0) }}",
        "{{ a | truncate(5, true, '......') }}",
        "{% filter truncate(1) %}{{ a }}{% endfilter %}",
    ],
)
def test_a_template_that_fails_on_a_row_is_the_problem_of_that_row(prompt: str) -> None:
    assert [problem.code for problem in problems_of("{{ a }}" + prompt, ["a"])] == ["template_failed"]


@pytest.mark.parametrize("filter_name", sorted(Sandbox().filters))
@pytest.mark.parametrize("arguments", ["", "(0)", "('x')", "(none)", "(1, true, '....')", "(1, 2, 3, 4)"])
def test_a_filter_with_odd_arguments_makes_a_prompt_or_the_problem_of_that_row(
    filter_name: str, arguments: str
) -> None:
    try:
        made_of(f"{{{{ a }}}}{{{{ a | {filter_name}{arguments} }}}}", ["a"], ["text"])
    except UserInputError as refusal:
        assert_told(refusal.problems)


def test_arithmetic_on_ordinary_numbers_works() -> None:
    assert made_of("{{ a | float * 2 }} {{ 7 % 4 }} {{ 2 ** 3 }}", ["a"], ["1.5"])[1] == "3.0 3 8"


def test_a_prompt_that_grows_without_end_is_stopped() -> None:
    loops = "{% for i in a %}{% for j in a %}{% for k in a %}{{ a }}{% endfor %}{% endfor %}{% endfor %}"

    problems = problems_of(loops, ["a"], ["x" * 1000])

    assert [problem.code for problem in problems] == ["prompt_too_long"]


@pytest.mark.parametrize("prompt", ["{{ a }}", " \n{{ a }}\t", "{% if b %}x{% endif %}"])
def test_an_empty_prompt_is_a_problem(prompt: str) -> None:
    assert [problem.code for problem in problems_of(prompt, ["a", "b"], [" ", ""])] == ["empty_prompt"]


@pytest.mark.parametrize(
    ("found", "write"),
    [
        ("{{ Customer Comment }}", '{{ row["Customer Comment"] }}'),
        ("{{ 评论（必填） }}", '{{ row["评论（必填）"] }}'),
        ("{{ 1st }}", '{{ row["1st"] }}'),
        ("{{ $price }}", '{{ row["$price"] }}'),
        ("{{ 商品 名称 | trim }}", '{{ row["商品 名称"] | trim }}'),
        ("{{- 満足度 理由 -}}", '{{ row["満足度 理由"] }}'),
        ("{{ row.Customer Comment }}", '{{ row["Customer Comment"] }}'),
        ("{{ row[评论 内容] }}", '{{ row["评论 内容"] }}'),
        ("{{ “评论” }}", "{{ 评论 }}"),
        ("{{{name}}}", "{{ name }}"),
        ("{{ name }", "{{ name }}"),
        ("{% name %}", "{{ name }}"),
    ],
)
def test_a_name_that_jinja_cannot_read_is_shown_as_it_must_be_written(found: str, write: str) -> None:
    (problem,) = template_problems(f"{{{{ a }}}}\n问：{found}。", "prompt")

    assert (problem.code, problem.found) == ("template_name", found)
    assert (problem.values["template_line"], problem.values["write"]) == (2, write)


@pytest.mark.parametrize("prompt", ["{{ a }} {% if b %}", "{% for %}", "{{ a | }}", "{{ a + }}", "{{ }}"])
def test_a_template_with_another_fault_is_not_taken_for_a_name(prompt: str) -> None:
    assert [problem.code for problem in template_problems(prompt, "prompt")] == ["template_syntax"]


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ("评论(必填)", "{{ 评论(必填) }}"),
        ("user-text", "{{user-text}}"),
        ("user-text", "{{ user-text | upper }}"),
        ("备注/说明", "{{ 备注/说明 }}"),
        ("a.b", "{{ a.b }}"),
        ("Price[EUR]", "{{ Price[EUR] }}"),
        ("得分*2", "{{ 得分*2 }}"),
        ("Q1: why-not", "{{ Q1: why-not }}"),
        ("user-text", "{{ row.user-text }}"),
    ],
)
def test_a_name_that_jinja_takes_for_a_sum_is_shown_as_it_must_be_written(column: str, found: str) -> None:
    (problem,) = problems_of(f"问：{found}", ["id", column])

    name = f'row["{column}"]' + (" | upper" if "upper" in found else "")
    code = "template_name" if ":" in column else "column_not_a_name"
    assert (problem.code, problem.found, problem.values["write"]) == (code, found, f"{{{{ {name} }}}}")


@pytest.mark.parametrize(
    "column",
    ["评论(必填)", 'Say "hi" \\ x', 'a"b', "it's", "none", "self", "row", "1st", "a\nb", "class", "c"],
)
def test_what_a_report_says_to_write_works(column: str) -> None:
    assert made_of(expression_for(column), [column], ["cell"]) == (None, "cell")


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("\u200btext", "text"),
        ("te\u200cxt\ufeff", "text"),
        ("\u2060评论\u00ad", "评论"),
        ("text\r\n(required)", "text (required)"),
        ("Customer\u00a0\u00a0Comment", "Customer Comment"),
        ("商品\u3000名称", "商品 名称"),
        ("商品\n名称", "商品名称"),
        ("Text", "text"),
        ("TEXT", "Text"),
        ("评论（必填）", "评论(必填)"),
        ("ＩＤ", "id"),
        ("cafe\u0301", "caf\u00e9"),
        ("text", "text\u200e"),
        ("\u202atext\u202c", "text"),
    ],
)
def test_a_difference_between_names_that_nobody_sees_does_not_matter(column: str, name: str) -> None:
    for written in (
        f'{{{{ row["{name}"] }}}}',
        f'{{{{ row["{name}"] | trim }}}}',
        f'{{{{ row.get("{name}") }}}}',
    ):
        assert made_of(written, ["编号", column], ["1", "好"]) == (None, "好")


def test_a_name_as_written_goes_before_one_that_only_looks_alike() -> None:
    columns = ["text", "\u200btext", "Text"]

    assert made_of("{{ text }}/{{ Text }}", columns, ["1", "2", "3"])[1] == "1/3"


@pytest.mark.parametrize(
    ("columns", "name"),
    [(["\u200btext", "text\u2060"], "text"), (["TEXT", "Text"], "text"), (["a b", "a\nb"], "ab")],
)
def test_columns_between_which_nobody_can_choose_are_told_as_they_are_written(
    columns: list[str], name: str
) -> None:
    (problem,) = problems_of(f"{{{{ {name} }}}}", columns)

    assert (problem.code, problem.values["times"]) == ("duplicate_column", 2)
    assert ", ".join(map(quote, columns)) in render_problem(problem, "en")


def test_a_loop_over_the_row_sees_each_column_once() -> None:
    loop = "{% for name in row %}{{ name }}={{ row[name] }};{% endfor %}"

    assert made_of(loop, ["a ", "b"], ["1", "2"])[1] == "a=1;b=2;"


@pytest.mark.parametrize(
    ("slip", "column"),
    [
        ("{text}", "text"),
        ("{ text }", "text"),
        ("${text}", "text"),
        ("$text", "text"),
        ("#{text}", "text"),
        ("{text!r}", "text"),
        ("{text:>10}", "text"),
        ("text", "text"),
        ('{row["text"]}', "text"),
        ("{item.text}", "text"),
        ("｛｛text｝｝", "text"),
        ("｛ 评论 ｝", "评论"),
        ("{ { text } }", "text"),
        ("%(text)s", "text"),
        ("【评论】", "评论"),
        ("[text]", "text"),
        ("[[text]]", "text"),
        ("<text>", "text"),
        ("《评论》", "评论"),
        ("（评论）", "评论"),
        ("%text%", "text"),
        ("__text__", "text"),
        ("@评论", "评论"),
        ("{Customer Comment}", "Customer Comment"),
        ("{评论(必填)}", "评论(必填)"),
        ("{TEXT}", "text"),
        ("评论", "评论"),
    ],
)
def test_a_prompt_without_a_column_is_refused_with_its_likely_slip(slip: str, column: str) -> None:
    (problem,) = problems_of(f"请判断 {slip} 的情感", ["id", column])

    assert (problem.code, problem.found) == ("prompt_without_column", slip)
    assert problem.values["write"] == expression_for(column)
    for language in ("zh", "en"):
        assert f"{slip}" in render_problem(problem, language)
        assert expression_for(column) in render_problem(problem, language)


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("{% raw %}{{ text }}{% endraw %}", "{% raw %}{{ text }}{% endraw %}"),
        ("请看 {%- raw -%}评论 {{ text }}{%- endraw %}", "{%- raw -%}评论 {{ text }}{%- endraw %}"),
        ("请看 {# {{ text }} #}", "{# {{ text }} #}"),
        ("请看 {#- text -#}", "{#- text -#}"),
        ("{# 说明 #}\n{#\ntext\n#}", "{#\ntext\n#}"),
    ],
)
def test_a_column_that_is_only_in_a_raw_part_or_a_comment_is_told_so(prompt: str, found: str) -> None:
    (problem,) = problems_of(prompt, ["id", "text"])

    assert (problem.code, problem.found) == ("prompt_without_column", found)
    assert "在 {% raw %} 或注释 {# #} 里" in render_problem(problem, "zh")
    assert "write {{ text }} outside of it." in render_problem(problem, "en")


def test_a_slip_outside_of_a_comment_is_told_first() -> None:
    (problem,) = problems_of("{# {{ text }} #} 请看 {text}", ["id", "text"])

    assert problem.found == "{text}"


@pytest.mark.parametrize("part", ["{# {{ id }} #}", "{% raw %}{{ id }}{% endraw %}", "{#{id}#}"])
def test_a_column_in_a_comment_or_a_raw_part_beside_another_is_on_purpose(part: str) -> None:
    assert compile_prompt(Recipe(model="m", prompt=f"{part} {{{{ text }}}}"), ["id", "text"]).warnings == ()


def test_a_prompt_that_has_nothing_to_do_with_the_table_is_refused_with_an_example() -> None:
    (problem,) = problems_of("Tell a joke", ["id", "text"])

    assert (problem.code, problem.found) == ("prompt_without_column", None)
    assert (problem.values["columns"], problem.values["write"]) == ("id, text", "{{ text }}")


@pytest.mark.parametrize("system", ["用 {{ a }} 回答", "{% for name in row %}{{ name }}{% endfor %}"])
def test_one_column_in_either_template_is_enough(system: str) -> None:
    assert made_of("Tell a joke", ["a"], ["1"], system=system)[1] == "Tell a joke"


def test_the_same_prompt_for_every_row_can_be_asked_for() -> None:
    assert made_of("Tell a joke{% if row %}{% endif %}", ["a"], ["1"])[1] == "Tell a joke"


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("{{ id }}: {text}", ["{text}"]),
        ("{{ id }}: ${text} %(note)s", ["${text}", "%(note)s"]),
        ("{{ id }}: ｛｛text｝｝", ["｛｛text｝｝"]),
        ("<text>{{ text }}</text> {id}", ["{id}"]),
        ("{{ text }}: answer as {text}", []),
        ("{{ id }}: <text> [note] 【text】 (note)", []),
        ("{{ id }}: {other} {'a': 1}", []),
        ("""{{ id }}: answer as {"text": "…", 'note': 1} or {text: string}""", []),
    ],
)
def test_another_column_that_is_only_text_is_warned_of(prompt: str, found: list[str]) -> None:
    template = compile_prompt(Recipe(model="m", prompt=prompt), ["id", "text", "note"])

    assert_told(template.warnings)
    assert [(warning.code, warning.found) for warning in template.warnings] == [
        ("column_as_text", each) for each in found
    ]


def test_a_wide_table_compiles_patterns_only_for_columns_that_the_template_mentions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searched: list[str] = []
    search = re.search

    def counted(pattern: str, text: str, flags: int = 0) -> re.Match[str] | None:
        searched.append(pattern)
        return search(pattern, text, flags)

    monkeypatch.setattr("shared.recipes.templates.slips.re.search", counted)
    columns = [*(f"column {number}" for number in range(500)), "text", "note"]

    compiled = compile_prompt(Recipe(model="qwen-plus", prompt="Judge {{ text }} {note}"), columns)

    assert [problem.found for problem in compiled.warnings] == ["{note}"]
    assert 0 < len(searched) < 10
