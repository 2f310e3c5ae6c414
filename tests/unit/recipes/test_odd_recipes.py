"""What people write into recipes by other programs' rules: told as it was found."""

from __future__ import annotations

import pytest

from shared.formats.binary_files import refuse_binary
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.problems.render import render_problem
from shared.providers.bailian.profile import BAILIAN
from shared.recipes.parse import parse_recipe
from shared.recipes.prompts import compile_prompt
from shared.recipes.recipe import Recipe

ASKED = "model: qwen-plus\nprompt: '{{ text }}'\n"


def problem_of(content: str) -> Problem:
    with pytest.raises(UserInputError) as refusal:
        parse_recipe(content.encode(), BAILIAN)
    (problem,) = refusal.value.problems
    return problem


@pytest.mark.parametrize(
    ("written", "found"),
    [('"false"', '"false"'), ("off", "off"), ("No", "No"), ("0", "0"), ("1", "1"), ("null", "null")],
)
def test_a_thinking_mode_that_is_none_is_told_as_it_was_found(written: str, found: str) -> None:
    problem = problem_of(f"{ASKED}parameters: {{enable_thinking: {written}}}\n")

    assert problem.code == "thinking_not_bool"
    assert (problem.found or "").strip('"') == found.strip('"')


@pytest.mark.parametrize(
    "template", ["{{ price * 2 }}", "{{ 2 * price }}", "{{ price % 2 }}", "{{ price + 1 }}"]
)
def test_computing_with_a_cell_says_that_cells_are_texts(template: str) -> None:
    with pytest.raises(UserInputError) as refusal:
        compile_prompt(Recipe(model="qwen-plus", prompt=template), ["price"]).render(["3"])

    (problem,) = refusal.value.problems
    assert "price|float" in render_problem(problem, "en")
    assert "单元格都是文本" in render_problem(problem, "zh")


@pytest.mark.parametrize(
    "written", ["【好评，差评】", "［好评、差评］", "（好评,差评）", "「好评；差评」", "好评，差评"]
)
def test_labels_in_one_text_are_written_without_its_brackets(written: str) -> None:
    problem = problem_of(f"model: qwen-plus\nclassify:\n  column: text\n  labels: {written}\n")

    assert (problem.code, problem.values["write"]) == ("recipe_names_in_one", "[好评, 差评]")


@pytest.mark.parametrize(
    ("key", "write"),
    [
        ("format: xlsx", "output: {format: …}"),
        ("Format: csv", "output: {format: …}"),
        ("formula_guard: false", "output: {formula_guard: …}"),
        ("temperature: 0", "parameters: {temperature: …}"),
        ("格式: xlsx", "output: {format: …}"),
    ],
)
def test_a_key_one_level_too_high_is_told_where_it_belongs(key: str, write: str) -> None:
    assert problem_of(f"{ASKED}{key}\n").values["nearest"] == write


@pytest.mark.parametrize("name", ["通义千问", "千问", "qwen-plux", "Qwen_Plus", "gpt-4o"])
def test_no_embedding_model_is_suggested_for_a_chat_model(name: str) -> None:
    (warning,) = BAILIAN.model_warnings_for(name)

    assert "embedding" not in str(warning.values["nearest"])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("temprature", "temperature"),
        ("max_token", "max_tokens"),
        ("top-p", "top_p"),
        ("enable_thinkng", "enable_thinking"),
        ("Temperature", "temperature"),
    ],
)
def test_a_parameter_that_is_nearly_a_known_one_is_warned_of(name: str, meant: str) -> None:
    (warning,) = BAILIAN.parameter_warnings_for({name: 1}, "")

    assert (warning.code, warning.found, warning.values["nearest"]) == ("unknown_parameter", name, meant)


@pytest.mark.parametrize("name", ["temperature", "top_k", "n", "logprobs", "max_completion_tokens", "x_new"])
def test_a_parameter_that_is_known_or_like_none_is_passed_on(name: str) -> None:
    assert not list(BAILIAN.parameter_warnings_for({name: 1}, ""))


@pytest.mark.parametrize("path", ["{{ sentiment }}", "{{a.b}}", "{{ row['a'] }}"])
def test_a_column_of_the_answer_is_no_template(path: str) -> None:
    problem = problem_of(f'{ASKED}columns: {{情感: "{path}"}}\n')

    assert (problem.code, problem.field, problem.found) == ("recipe_column_path", "columns.情感", path)


def test_a_recipe_in_rtf_is_named_as_such() -> None:
    assert problem_of(r"{\rtf1\ansi model: qwen-flash\par}").code == "recipe_rich_text"


@pytest.mark.parametrize("written", ['"2"', "'2'", "2"])
def test_the_line_of_a_header_may_stand_in_quotes(written: str) -> None:
    assert parse_recipe(f"{ASKED}header_row: {written}\n".encode(), BAILIAN).header_row == 2


@pytest.mark.parametrize(
    ("columns", "warned"),
    [(["text (备注)", "TEXT (备注)"], False), (["a b", "A B"], False), (["other", "TEXT (备注)"], True)],
)
def test_a_column_that_is_put_in_is_no_text_of_one_that_looks_alike(columns: list[str], warned: bool) -> None:
    prompt = f'{{{{ row["{columns[0]}"] }}}}{" {TEXT (备注)}" if warned else ""}'

    made = compile_prompt(Recipe(model="qwen-plus", prompt=prompt), columns)

    assert [each.code for each in made.warnings] == ["column_as_text"] * warned


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"{\\rtf1\\ansi", "RTF"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\n\n<html lang=zh>", "HTML"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook>', "XML"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_a_document_is_named_for_what_it_is(head: bytes, name: str) -> None:
    with pytest.raises(UserInputError) as refusal:
        refuse_binary(head)

    assert refusal.value.problems[0].values["reason"] == name
