from __future__ import annotations

import pytest

from shared.inputs.rows import InputRow
from shared.problems.problem import Problem
from shared.problems.render import render_problem
from shared.recipes.templates.empty_cells import is_empty
from tests.support.reading import codes, prompt_of, read_csv, read_rows, read_two_columns, recipe

PROMPT = "判断情感：{{ text }}"


def read(
    text: str, prompt: str = PROMPT, more: str = ""
) -> tuple[list[InputRow], list[Problem], list[Problem]]:
    asked = recipe(f"model: qwen-plus\nprompt: |\n  {prompt}\n{more}\n")
    rows, reader = read_csv(text.encode(), with_recipe=asked)
    return rows, list(reader.all_problems.first), list(reader.facts.warnings)


def table(*cells: str, header: str = "id,text") -> str:
    return "".join(
        f"{line}\n" for line in [header, *(f"{n},{cell}" for n, cell in enumerate(cells, start=1))]
    )


EMPTY = [
    "",
    " ",
    "\t",
    "\u3000\u3000",
    "\u00a0",
    "\u200b",
    '"\r\n"',
    "nan",
    "NaN",
    " nan ",
    "NULL",
    "null",
    "None",
    "N/A",
    "n/a",
    "NA",
    "<NA>",
    "NaT",
    "#N/A",
    "#REF!",
    "#VALUE!",
    "#DIV/0!",
    "#NAME?",
    "\\N",
    "(null)",
    "undefined",
    "1.#QNAN",
    "-1.#IND",
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#N/A N/A",
    "\ufeff",
    "\ufeffnan",
]
WRITTEN = [
    "-",
    "无",
    "none",
    "Null",
    "nil",
    "0",
    "Null",
    "na",
    "nano",
    "N/A 2",
    "banana",
    "None of it",
    "否",
    "😀",
    "nan nan",
    "/",
]


@pytest.mark.parametrize("cell", EMPTY)
def test_a_cell_without_a_value_is_counted_wherever_it_comes_from(cell: str) -> None:
    _, problems, _ = read(table("good", cell, cell))
    _, quoted, _ = read(table('"go""od"' if '"' not in cell else "x", cell, cell))

    for found in (problems, quoted):
        assert [(each.code, each.found) for each in found] == [("too_many_empty_cells", "text")]
        assert (found[0].values["rows"], found[0].values["total"]) == (2, 3)
        assert str(found[0].values["lines"]).startswith("3, ")
    assert is_empty(cell.strip('"'))


@pytest.mark.parametrize("cell", WRITTEN)
def test_what_a_person_may_have_answered_is_no_empty_cell(cell: str) -> None:
    rows, problems, warnings = read(table("good", cell))

    assert (problems, warnings) == ([], [])
    assert prompt_of(rows[1]) == f"判断情感：{cell}"
    assert not is_empty(cell)


@pytest.mark.parametrize(
    ("empty", "rows", "code"),
    [
        (1, 10, "empty_cells"),
        (2, 20, "empty_cells"),
        (2, 19, "too_many_empty_cells"),
        (1, 9, "empty_cells"),
        (1, 2, "empty_cells"),
        (1, 1, "empty_cells"),
        (2, 2, "too_many_empty_cells"),
    ],
)
def test_by_default_more_than_a_tenth_is_too_many_but_not_one_row(empty: int, rows: int, code: str) -> None:
    read_in, problems, warnings = read(table(*["nan"] * empty, *["good"] * (rows - empty)))

    assert [each.code for each in (*problems, *warnings)] == [code]
    assert [row.request is None for row in read_in] == [False] * rows


def test_rows_that_are_to_be_sent_are_sent_and_counted() -> None:
    rows, problems, (warning,) = read(table("nan", "", "good"), more="on_empty: send")

    assert problems == []
    assert [prompt_of(row) for row in rows] == ["判断情感：nan", "判断情感：", "判断情感：good"]
    assert (warning.code, warning.values["rows"], warning.values["lines"]) == ("empty_cells", 2, "2, 3")


def test_rows_that_are_to_be_skipped_stay_with_their_reason_and_refuse_nothing() -> None:
    rows, problems, (warning,) = read(table("nan", "good", *["#N/A"] * 8), more="on_empty: skip")

    assert problems == []
    assert [row.request is None for row in rows] == [True, False, *[True] * 8]
    assert [(each.code, each.line, each.field, each.found) for each in rows[0].problems] == [
        ("empty_cell", 2, "text", "nan")
    ]
    assert (warning.code, warning.values["rows"]) == ("empty_cells_left_out", 9)
    assert warning.values["lines"] == "2, 4, 5, 6, 7, …"


def test_one_empty_cell_is_too_many_if_the_recipe_says_so() -> None:
    _, problems, _ = read(table("nan", *["good"] * 99), more="on_empty: refuse")

    assert [each.code for each in problems] == ["too_many_empty_cells"]


def test_a_table_of_which_no_row_is_left_is_refused() -> None:
    _, problems, _ = read(table("nan", ""), more="on_empty: skip")

    assert [(each.code, each.values["rows"]) for each in problems] == [("too_many_empty_cells", 2)]


def test_skipping_empty_cells_goes_before_an_empty_prompt() -> None:
    rows, problems, _ = read(table("", "good"), "{{ text }}", "on_empty: skip")

    assert (problems, rows[0].problems[0].code) == ([], "empty_cell")


BLANK = ["", " ", "\u3000", "\u200b", "\ufeff", '"\r\n"']


@pytest.mark.parametrize("prompt", ["{{ text }}", "{{ text }}{{ text }}", "{{ text | trim }}"])
@pytest.mark.parametrize("more", ["", "on_empty: send"])
@pytest.mark.parametrize("cell", BLANK)
def test_a_row_of_which_nothing_is_left_to_ask_is_left_out(cell: str, more: str, prompt: str) -> None:
    rows, problems, (warning,) = read(table(cell, *["good"] * 20), prompt, more)

    assert problems == []
    assert [problem.code for problem in rows[0].problems] == ["empty_prompt"]
    assert rows[0].is_left_out
    assert all(row.request for row in rows[1:])
    assert (warning.code, warning.found, warning.values) == (
        "empty_prompts",
        "text",
        {"rows": 1, "total": 21, "lines": "2"},
    )


@pytest.mark.parametrize(
    ("cells", "more"),
    [
        (["", "", *["good"] * 17], ""),
        (["", "nan", *["good"] * 17], ""),
        (["", *["good"] * 200], "on_empty: refuse"),
        (["", ""], "on_empty: send"),
        ([""], ""),
    ],
)
def test_rows_of_which_nothing_is_left_count_as_empty_cells_do(cells: list[str], more: str) -> None:
    _, problems, _ = read(table(*cells), "{{ text }}", more)

    assert [each.code for each in problems] == ["too_many_empty_cells"]
    assert problems[0].values["rows"] == sum(cell != "good" for cell in cells)


def test_rows_that_are_sent_and_rows_that_cannot_be_are_told_apart() -> None:
    rows, problems, warnings = read(table("", "nan", "good"), "{{ text }}", "on_empty: send")

    assert (problems, [row.request is None for row in rows]) == ([], [True, False, False])
    assert [(each.code, each.values["lines"]) for each in warnings] == [
        ("empty_cells", "3"),
        ("empty_prompts", "2"),
    ]


def test_a_blank_cell_is_not_turned_into_a_vector() -> None:
    asked = recipe("model: text-embedding-v4\nembed: {column: text}\n")
    rows, reader = read_csv(table("", *["good"] * 20).encode(), with_recipe=asked)

    assert (rows[0].is_left_out, codes(reader)) == (True, [])


@pytest.mark.parametrize(
    ("prompt", "system", "found"),
    [
        ("{{ a }}{{ b }}", "", ["a", "b"]),
        ("{{ row['a'] }}", "用{{ b }}", ["a", "b"]),
        ("{{ b | upper }}", "", ["b"]),
        ("{{ row.a }}{{ c }}", "", ["a"]),
        ("{{ c }}", "", []),
        ("{{ c }}{% for name in row %}{{ row[name] }}{% endfor %}", "", []),
    ],
)
def test_only_columns_that_the_prompts_use_count(prompt: str, system: str, found: list[str]) -> None:
    more = f"system: '{system}'" if system else ""
    _, problems, _ = read("a,b,c\nnan,,x\n" + "nan,,x\n", f"问：{prompt}", more)

    assert [each.found for each in problems] == found


@pytest.mark.parametrize(
    "prompt",
    [
        "{% if text %}{{ text }}{% else %}（空）{% endif %}",
        "{% if not row['text'] %}空{% else %}{{ row['text'] }}{% endif %}",
        "{% if text.strip() != 'nan' %}{{ text }}{% endif %}",
        "{{ text if text else '空' }}",
        "{{ text or '空' }}",
        "{{ text | default('空', true) }}",
        "{{ text | trim | d('空', true) }}",
        "{% if row.text %}{{ text }}{% endif %}",
    ],
)
def test_a_template_that_asks_about_a_column_knows_that_it_may_be_empty(prompt: str) -> None:
    rows, problems, warnings = read(table("nan", "", "good"), f"问：{prompt}")

    assert (problems, warnings) == ([], [])
    assert all(row.request for row in rows)


def test_an_empty_column_of_another_name_in_the_header_is_named_as_the_header_has_it() -> None:
    _, (problem,), _ = read("id, Text \n1,nan\n2,nan\n")

    assert problem.found == " Text "


@pytest.mark.parametrize("words", [["None"], ["NA"], ["null"], ["nan", "NULL"], ["NA", "#N/A", "n/a"]])
def test_a_table_without_a_recipe_is_sent_with_its_words_for_no_value(words: list[str]) -> None:
    rows, reader = read_two_columns(table("好", *words, header="0,good").encode())

    (warning,) = reader.facts.warnings
    assert codes(reader) == []
    assert [prompt_of(row) for row in rows] == ["good", "好", *words]
    assert (warning.code, warning.values["rows"]) == ("empty_contents", len(words))
    for language in ("zh", "en"):
        assert "on_empty" not in render_problem(warning, language)


def test_cells_of_a_parquet_file_count_too() -> None:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2, 3, 4], "text": ["good", None, "nan", " "]}), file)

    _, reader = read_rows("a.parquet", file.getvalue(), recipe(f"model: qwen-plus\nprompt: '{PROMPT}'\n"))

    assert reader.all_problems.first[0].values["rows"] == 3
