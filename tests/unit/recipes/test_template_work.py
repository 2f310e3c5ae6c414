from __future__ import annotations

import tracemalloc

import pytest

from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.recipes.prompts import compile_prompt
from shared.recipes.recipe import Recipe
from shared.recipes.templates import meter
from tests.support.reading import assert_told, read_rows, recipe

CELL = "x" * 1000


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a template which pays for everything is stopped at once."""
    monkeypatch.setattr(meter, "MAX_ROW_STEPS", 300_000)


def made_of(prompt: str, cell: str) -> str:
    return compile_prompt(Recipe(model="qwen-plus", prompt="{{ a }}" + prompt), ["a"]).render([cell])[1]


def problem_of(prompt: str) -> Problem:
    with pytest.raises(UserInputError) as refusal:
        made_of(prompt, CELL)
    assert_told(refusal.value.problems)
    (problem,) = refusal.value.problems
    return problem


def doubled(how: str, times: int, start: str, name: str = "v") -> str:
    """Sets ``v`` again and again to what is made of it."""
    return f"{{% set {name} = {start} %}}" + f"{{% set {name} = {how.replace('@', name)} %}}" * times


LONG = doubled("@ ~ @", 15, "'y'")
MANY = doubled("@ + @", 10, "[1]", "w")


def loops(depth: int, body: str) -> str:
    return "{% for i in row.a %}" * depth + body + "{% endfor %}" * depth


@pytest.mark.parametrize(
    "prompt",
    [
        # What is doubled takes memory
        doubled("@ + @", 40, "[1]"),
        doubled("@ + @", 40, "'x'"),
        doubled("@ ~ @", 40, "'x'"),
        doubled("@ + @", 40, "(1,)"),
        doubled("(@ ~ @)|upper", 40, "'x'"),
        "{% set v = 'x' %}" + "{% set v %}{{ v }}{{ v }}{% endset %}" * 40,
        "{% macro twice(v, n) %}{{ twice(v ~ v, n - 1) if n }}{% endmacro %}{{ twice('x', 40) }}",
        "{% filter replace('x', row.a) %}" * 6 + CELL + "{% endfilter %}" * 6,
        # So does what grows by a factor
        doubled("@|replace('x', @)", 6, "row.a"),
        doubled("@.replace('', @)", 6, "row.a"),
        doubled("row.a|join(@)", 6, "row.a"),
        doubled("row.a|join(d=@)", 6, "row.a"),
        doubled("@.join(row.a)", 6, "row.a"),
        doubled("@ ~ @", 18, "'好'") + "{{ v|list|length }}",
        doubled("@ ~ @", 18, "'好'") + "{{ v|select|list|length }}",
        doubled("@ ~ @", 18, "'好'") + "{% for i in [1] %}{{ loop.cycle(*v) }}{% endfor %}",
        doubled("@ ~ @", 17, "'好 '") + "{{ v.split()|length }}",
        doubled("@ ~ @", 17, "'好 '") + "{{ v|title|length }}",
        doubled("@ ~ @", 17, "'好 '") + "{{ v|wordcount }}",
        # A value that is in itself twice, forty times over, takes memory and time
        doubled("[@, @]", 40, "[1]") + "{{ v }}",
        doubled("[@, @]", 40, "[1]") + "{{ v|string|length }}",
        doubled("[@, @]", 40, "[1]") + "{{ v|tojson|length }}",
        doubled("{'k': @, 'l': @}", 40, "[1]") + "{{ 'x' ~ v }}",
        doubled("[@, @]", 40, "[1]") + doubled("[@, @]", 40, "[1]", "w") + "{{ v == w }}",
        doubled("[@, @]", 40, "[1]") + doubled("[@, @]", 40, "[1]", "w") + "{{ v in [w] }}",
        doubled("[@, @]", 40, "[1]") + doubled("[@, @]", 40, "[1]", "w") + "{{ v is eq(w) }}",
        doubled("(@, @)", 40, "(1,)") + "{{ row[v] }}",
        doubled("(@, @)", 40, "(1,)") + "{% set m = {v: 1} %}",
        # Loops and calls take time
        loops(7, "{% set x = 1 %}"),
        loops(3, "{% for j in row.a if false %}{% endfor %}"),
        loops(2, "{% set x = row.a[:] %}"),
        loops(2, "{% if 'y' in row.a %}{% endif %}"),
        loops(2, "{% set x = row.a|truncate(9) %}"),
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        "{% for x in [1] recursive %}{% if loop.depth < 60 %}{{ loop([1, 2]) }}{% endif %}{% endfor %}",
        "{% block b %}" + loops(4, "{% set x = 1 %}") + "{% endblock %}",
        doubled("@ + @", 10, "['y']") + "{{ v|select('in', v)|list|length }}",
        doubled("@ + @", 10, "['y']") + "{{ v|map('replace', 'y', row.a)|list|length }}",
        doubled("@ ~ @", 10, "'0.'") + doubled("@ + @", 10, "['y']", "w") + "{{ w|map(attribute=v ~ '0')|list }}",
        doubled("@ ~ @", 16, "'f'") + "{{ (v|int(0, 16)) // 3 }}",
        # Options by name, in any order
        doubled("@|replace(new=@, old='x')", 6, "row.a"),
        doubled("@|replace(count=-1, new=@, old='x')", 6, "row.a"),
        doubled("@|replace('x', new=@)", 6, "row.a"),
        doubled("row.a|join(attribute=none, d=@)", 6, "row.a"),
        doubled("@ ~ @", 13, "'0.'") + "{{ [1]|sort(false, false, v ~ '0') }}",
        doubled("@ ~ @", 13, "'0.'") + "{{ [1]|join(attribute=v ~ '0', d='') }}",
        doubled("@ ~ @", 13, "'0.'") + "{{ [1]|selectattr(v ~ '0')|list }}",
        # What is made one by one, when it is asked for
        doubled("row.a|list|reverse|join(@)", 6, "row.a"),
        doubled("row.a|select|join(@)", 6, "row.a"),
        doubled("row.a|reject('eq', 'y')|join(d=@)", 6, "row.a"),
        doubled("@.join(row.a|map('string'))", 6, "row.a"),
        doubled("@.join(row.a|list|reverse)", 6, "row.a"),
        doubled("@ + @", 10, "[1]") + "{{ v|map(attribute='zz', default=row.a)|join|length }}",
        doubled("@ + @", 10, "[1]") + "{{ ''.join(v|map(attribute='zz', default=row.a)) }}",
        doubled("@ + @", 10, "[1]") + "{{ v|map('d', row.a)|select|reverse|length }}",
        doubled("@ + @", 10, "[1]") + "{{ v|map(attribute='zz', default=row.a)|unique|join }}",
        doubled("@ + @", 10, "[1]") + "{% for i in v|map(attribute='zz', default=row.a) %}{{ loop|join }}{% endfor %}",
        doubled("@ ~ @", 14, "'好'") + "{% for i in v if true %}{{ loop.length }}{% endfor %}",
        # What is longer, or slower, than it seems
        doubled("[@, @]", 5, "[1]") + doubled("[@]", 60, "v") + "{{ v|tojson(indent=16)|length }}",
        doubled("[@, @]", 8, "[1]") + doubled("{'k': @}", 60, "v") + "{{ v|tojson(4)|length }}",
        doubled("@ ~ @", 15, "'<b>'") + "{{ v|striptags }}",
        doubled("@ ~ @", 15, "'&a'") + "{{ v|striptags }}",
        doubled("@ ~ @", 15, "'好'") + "{{ v|urlencode|length }}",
        doubled("@ ~ @", 14, "'好'") + "{{ row.get(v) }}",
        doubled("@ ~ @", 14, "'好'") + "{{ row[v]|default }}",
        doubled("@ ~ @", 13, "'a'") + "{{ v.rfind(v[:999] ~ 'b' ~ v[:999]) }}",
        doubled("@ ~ @", 13, "'a'") + "{{ v.rsplit('b' ~ v[:4000])|length }}",
        doubled("@ ~ @", 13, "'a'") + "{{ v.rpartition('b' ~ v[:4000])|length }}",
        doubled("@ ~ @", 13, "'a'") + "{{ v.strip('b' ~ v) }}",
        doubled("@ ~ @", 13, "'a'") + "{{ v|trim('b' ~ v) }}",
        doubled("@ + @", 12, "[2305843009213693951]") + "{{ v|unique|list }}",
        doubled("@ + @", 12, "[[1]]") + "{{ v|unique(attribute=0)|list }}",
        loops(2, "{% set x = row.copy() %}"),
        loops(1, "{% set x = " + "row.a.upper or " * 30 + "1 %}"),
        loops(1, "{% for j in [1] %}{% endfor %}" * 15),
        loops(1, "{% macro m() %}{% endmacro %}" * 15),
        loops(1, "{% set x %}{% endset %}" * 15),
        loops(3, ""),
        "{% macro m(x=[" + "1," * 2000 + "]) %}{% endmacro %}" + loops(1, "{{ m() }}"),
        doubled("@ + @", 40, "1000000 ** 100") + "{{ v }}",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("few_steps")
def test_a_template_that_takes_too_much_work_is_told(prompt: str) -> None:
    problem = problem_of(prompt)

    assert (problem.code, problem.field) == ("template_too_slow", "prompt")


@pytest.mark.parametrize(
    "prompt",
    [
        LONG + "{{ row.a|replace(new=v, old='x') }}",
        LONG + "{{ row.a|replace(count=-1, new=v, old='x') }}",
        LONG + "{{ [row.a]|map('replace', new=v, old='x')|list }}",
        LONG + "{% filter replace(new=v, old='x') %}{{ a }}{% endfilter %}",
        LONG + "{{ row.a.replace('', v) }}",
        LONG + "{{ row.a|join(attribute=none, d=v) }}",
        LONG + "{{ row.a|list|reverse|join(v) }}",
        LONG + "{{ row.a|select|join(v) }}",
        LONG + "{{ row.a|reject('eq', 'y')|join(d=v) }}",
        LONG + "{{ row.a|map('upper')|join(v) }}",
        LONG + "{% for i in row.a %}{{ loop|join(v) }}{% endfor %}",
        LONG + "{{ v.join(row.a|map('string')) }}",
        LONG + "{{ (v|e).join(row.a) }}",
        LONG + MANY + "{{ w|map(attribute='zz', default=v)|join|length }}",
        LONG + MANY + "{{ ''.join(w|map(attribute='zz', default=v)) }}",
        LONG + MANY + "{{ w|map('d', v)|select|join|length }}",
        LONG + MANY + "{{ w|map(attribute='zz', default=v)|list|tojson }}",
        doubled("[@, @]", 9, "[1]") + doubled("[@]", 160, "v") + "{{ v|tojson(indent=16)|length }}",
        doubled("@ ~ @", 17, "'好'") + "{% for i in v if true %}{{ loop.length }}{% endfor %}",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("few_steps")
def test_what_is_stopped_has_taken_little_memory(prompt: str) -> None:
    compiled = compile_prompt(Recipe(model="qwen-plus", prompt="{{ a }}" + prompt), ["a"])
    tracemalloc.start()
    try:
        with pytest.raises(UserInputError):
            compiled.render([CELL])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 10_000_000


def test_a_report_quotes_little_of_a_cell() -> None:
    for prompt in (
        "{{ row[row.a] }}",
        "{{ {'x': 1}[row.a] }}",
        "{{ a|attr(a) }}",
        "{{ row.a|int|attr(a) }}",
        "{{ 1[a] }}",
    ):
        reason = str(problem_of(prompt).values["reason"])

        assert "xxx" in reason
        assert len(reason) < 120


@pytest.mark.parametrize(
    "prompt",
    [
        "{% autoescape true %}{{ a }}{% endautoescape %}",
        "{% autoescape false %}{{ a }}{% endautoescape %}",
        "{% macro m() %}{% autoescape a %}{{ a }}{% endautoescape %}{% endmacro %}",
        "{% block b scoped %}{% endblock %}",
        "{% for i in a %}{% block b scoped %}{{ i }}{% endblock %}{% endfor %}",
    ],
)
def test_what_is_left_out_of_jinja2_is_told(prompt: str) -> None:
    assert problem_of(prompt).code == "template_syntax"


@pytest.mark.parametrize(
    "prompt",
    [
        "{{ 1.5|round(1000000000, 'ceil') }}",
        "{{ 5|round(precision=-1000000000) }}",
        "{{ [1.5]|map('round', 1000000000, 'floor')|list }}",
        "{{ (1).to_bytes(9999999999) }}",
        "{{ row.a.translate({120: row.a}) }}",
        "{{ [[1]]|tojson(999999999) }}",
        "{{ [[1]]|tojson(indent=row.a) }}",
        "{{ [[1]]|sum(start=[]) }}",
        "{{ [1] * 1000000 }}",
        "{{ row.a.encode('punycode') }}",
        "{{ (row.a|attr('encode'))()|string }}",
        "{{ row.a['encode']('utf-16').decode('utf-7') }}",
        "{{ [row.a]|map(attribute='encode')|first()() }}",
        "{{ row.a.maketrans(row.a, row.a) }}",
        "{{ {}.fromkeys(row.a) }}",
        "{{ (row.keys() - {}.keys()).union([1]) }}",
        "{{ (row.keys() - {}.keys()).issubset([1]) }}",
        "{% for i in row.a %}{{ row.a.join(loop) }}{% endfor %}",
        "{{ ['nan'|float]|map('batchdrop ran')|list }}",
        "{{ [-5]|map('batchdrop ran')|list }}",
        "{{ [row.a]|map('batchdrop metered', 'nan'|float)|list }}",
    ],
)
def test_what_makes_very_much_of_a_single_word_fails(prompt: str) -> None:
    assert problem_of(prompt).code == "template_failed"


@pytest.mark.parametrize(
    ("prompt", "made"),
    [
        ("{% for k, v in row.items() %}{% if v is string %}{{ k }}:{{ v }}{% endif %}{% endfor %}", "a:bb"),
        ("{{ row.values()|join('/')|upper }}", "BB"),
        ("{{ a|replace('b', 'c') }}{{ a.replace('b', 'd') }}{{ a[:1] ~ 1 }}", "ccddb1"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(a) }}{{ [1, 2, 3]|sum + 1 }}", "<bb>7"),
        ("{% set t %}{{ a }}!{% endset %}{{ t|trim }}{{ t|length }}", "bb!3"),
        ("{{ ['c', a]|sort|join(',') }}{{ {a: 1}[a] }}{{ 'b' in a }}", "bb,c1True"),
        ("{{ 2.345|round(1) }}{{ {'k': a}|tojson(indent=1) }}", '2.3{\n "k": "bb"\n}'),
        ("{{ a|title }}{{ a|default('-') }}", "Bbbb"),
        ("{% for x in a %}{{ loop.index }}{{ loop.cycle('p', 'q') }}{% endfor %}", "1p2q"),
        ("{% filter upper %}{{ a }}{% endfilter %}", "BB"),
        ("{{ a|replace(new='c', old='b') }}{{ a|list|reverse|join('-') }}", "ccb-b"),
        ("{{ '-'.join(a|map('upper')) }}{{ a|unique|list|length }}", "B-B1"),
        (
            "{{ [1, 1, 2]|unique|join }}{{ [{'k': 2}, {'k': 1}]|sort(attribute='k')|map(attribute='k')|join }}",
            "1212",
        ),
        ("{{ (a|tojson) + '<' }}{{ (a|e) ~ '<' }}", '"bb"<bb<'),
        ("{{ '<p>x&amp;y</p>'|striptags }}{{ ' -a- '.strip(' -') }}{{ 'a/b'.rsplit('/', 1)[-1] }}", "x&yab"),
        ("{% for x in a if x %}{{ loop.length }}{% endfor %}{{ (row.keys() - {}.keys())|join }}", "22a"),
        ("{% for x in a|select %}{{ loop.last }}{% endfor %}{{ row|items|list }}", "FalseTrue[('a', 'bb')]"),
    ],
)
def test_what_templates_usually_do_works(prompt: str, made: str) -> None:
    assert made_of(prompt, "bb") == "bb" + made


def test_a_long_cell_may_be_worked_on() -> None:
    made = made_of("{{ a|trim|upper }}{{ a.split('\n')|length }}", "text \n" * 100_000)

    assert made.endswith("TEXT100001")


STEEP = "model: qwen-plus\non_bad_rows: skip\nprompt: '{{ a }}{% for i in a %}{% for j in a %}{% set x = 1 %}{% endfor %}{% endfor %}'\n"
ROWS = 50


@pytest.mark.usefixtures("few_steps")
def test_only_the_rows_that_take_too_much_work_are_bad() -> None:
    content = f"a\n{'x' * 500}\nshort\n".encode()

    rows, _ = read_rows("a.csv", content, recipe(STEEP))

    assert [[problem.code for problem in row.problems] for row in rows] == [["template_too_slow"], []]


def test_a_file_is_refused_whose_rows_together_take_too_much_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "MAX_FILE_STEPS", meter.MAX_ROW_STEPS + 100_000)
    content = ("a\n" + f"{'x' * 500}\n" * ROWS).encode()

    rows, reader = read_rows("a.csv", content, recipe(STEEP))

    assert len(rows) < ROWS - 1
    assert [(problem.code, problem.line) for problem in reader.problems.first] == [
        ("templates_too_slow", len(rows) + 2)
    ]
