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

    assert "embedding" not in str(warning.values)


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


@pytest.mark.parametrize(
    ("parameters", "code", "place", "write"),
    [
        ("temperature: 0,7", "recipe_not_a_number", "temperature", None),
        ("max_tokens: 1,000, seed: 7", "recipe_not_a_number", "max_tokens", None),
        ("seed: 1, 2", "recipe_not_a_number", "seed", None),
        ("temperature:0.5", "recipe_colon", "temperature", "temperature: 0.5"),
        ("temperature 0.5", "recipe_colon", "temperature", "temperature: 0.5"),
        ("seed=7", "recipe_colon", "seed", "seed: 7"),
        ("seed：7", "recipe_colon", "seed", "seed: 7"),
        ("response_format: {type:json_object}", "recipe_colon", "type", "type: json_object"),
        ("tools: [{type:function}]", "recipe_colon", "type", "type: function"),
        (
            "response_format: json",
            "recipe_parameter_mapping",
            "response_format",
            "response_format: {type: json}",
        ),
        ("thinking: disabled", "recipe_parameter_mapping", "thinking", "thinking: {type: disabled}"),
    ],
)
def test_a_parameter_that_yaml_reads_otherwise_than_it_was_meant(
    parameters: str, code: str, place: str, write: str | None
) -> None:
    problem = problem_of(f"{ASKED}parameters: {{{parameters}}}\n")

    assert (problem.code, problem.field) == (code, f"parameters.{place}")
    assert problem.values.get("write") == write


@pytest.mark.parametrize(
    "parameters",
    [
        "temperature: null",
        "metadata: {a: ~}",
        "logit_bias: {'50256': -100}",
        "stop: [“]",
        "stop: [“完”, 'a:b']",
    ],
)
def test_a_parameter_that_may_be_meant_is_passed_on(parameters: str) -> None:
    assert parse_recipe(f"{ASKED}parameters: {{{parameters}}}\n".encode(), BAILIAN).parameters


@pytest.mark.parametrize(
    ("content", "field", "write"),
    [
        ("model: qwen-plus\nprompt: “{{ text }}”\n", "prompt", '"{{ text }}"'),
        ('model: qwen-plus\nprompt: “{{ text }}"\n', "prompt", '"{{ text }}"'),
        ('model: qwen-plus\nprompt: "{{ text }}”\n', None, 'prompt: "{{ text }}"'),
        ("model: qwen-plus\nprompt: '{{ text }}’\n", None, "prompt: '{{ text }}'"),
        (f"{ASKED}system: ‘你是客服’\n", "system", "你是客服"),
        ("model: qwen-plus\nclassify: {column: a, labels: [“好”, “差”]}\n", "classify.labels", "好"),
        ("model: qwen-plus\nclassify: {column: a, labels: {“好”: b, 差: c}}\n", "classify.labels", "好"),
        ("model: qwen-plus\nextract: {column: a, fields: {价格: “数字”}}\n", "extract.fields.价格", "数字"),
        ("model: qwen-plus\nextract: {column: a, fields: {＂价格＂: 数字}}\n", "extract.fields", "价格"),
        ("model: qwen-plus\ntranslate: {column: a, to: “英文”}\n", "translate.to", "英文"),
        ("model: text-embedding-v4\nembed: {column: “评论”}\n", "embed.column", "评论"),
        (f"{ASKED}columns: {{a: “b.c”}}\n", "columns.a", "b.c"),
        (f"{ASKED}parameters: {{“seed”: 7}}\n", "parameters", "seed"),
        (f"{ASKED}parameters: {{enable_thinking: “false”}}\n", "parameters.enable_thinking", "false"),
        (
            f"{ASKED}parameters: {{response_format: {{type: “json_object”}}}}\n",
            "parameters.response_format.type",
            "json_object",
        ),
    ],
)
def test_a_text_in_quotes_that_are_none_to_yaml_is_told(content: str, field: str | None, write: str) -> None:
    problem = problem_of(content)

    assert (problem.code, problem.field, problem.values["write"]) == ("recipe_quotes", field, write)


@pytest.mark.parametrize("prompt", ["“好”还是“坏”？{{ text }}“好”", "'“{{ text }}”'", "|\n  “{{ text }}”"])
def test_quotes_within_a_text_or_within_yamls_own_are_sent(prompt: str) -> None:
    assert "“" in parse_recipe(f"model: qwen-plus\nprompt: {prompt}\n".encode(), BAILIAN).prompt


@pytest.mark.parametrize(
    ("fields", "write"),
    [
        ("{价格:数字, 时间:文本}", "价格: 数字"),
        ("{价格：数字，时间：文本}", "价格: 数字, 时间: 文本"),
    ],
)
def test_a_field_and_its_meaning_without_the_space_between(fields: str, write: str) -> None:
    problem = problem_of(f"model: qwen-plus\nextract: {{column: text, fields: {fields}}}\n")

    assert (problem.code, problem.values["write"]) == ("recipe_colon", write)


@pytest.mark.parametrize(
    ("labels", "write"),
    [
        ("{退款:要退钱, 其他:}", "退款: 要退钱"),
        ("{退款：要退钱, 其他: 别的}", "退款: 要退钱"),
        ("\n    退款：要退钱:\n    其他:\n", "退款: 要退钱"),
        ("{refund:money}", "refund: money"),
    ],
)
def test_a_label_and_its_meaning_without_the_space_between(labels: str, write: str) -> None:
    problem = problem_of(f"model: qwen-plus\nclassify:\n  column: text\n  labels: {labels}\n")

    assert (problem.code, problem.field) == ("recipe_colon", "classify.labels")
    assert problem.values["write"] == write


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("label", ["Re: x", "Re:x", "a:b, c:d", "回复：退款", "类型: 退款"])
def test_a_colon_within_quotes_is_of_the_label(label: str, quote: str) -> None:
    described = f"{{{quote}{label}{quote}: , other: }}"
    content = f"model: qwen-plus\nclassify: {{column: text, labels: {described}}}\n"

    assert label in parse_recipe(content.encode(), BAILIAN).prompt

    content = f"model: qwen-plus\nextract: {{column: text, fields: {described}}}\n"

    assert label in parse_recipe(content.encode(), BAILIAN).prompt


@pytest.mark.parametrize("fields", ["[评分(1:5), 价格：元]", "{'网址 http://a': 文本}", "{价格: 数字:元}"])
def test_a_field_whose_name_has_a_colon_is_one(fields: str) -> None:
    recipe = parse_recipe(f"model: qwen-plus\nextract: {{column: a, fields: {fields}}}\n".encode(), BAILIAN)

    assert recipe.extract


@pytest.mark.parametrize(
    ("block", "line"),
    [
        ("|\n判断下面的评论\n{{ text }}", 3),
        ("|\n{{ text }}", 3),
        (">-\n判断 {{ text }}\nattempts: 3", 3),
        ("|\n判断: {{ text }}", 3),
        ("|\n  判断\n\n{{ text }}", 5),
        ("|\n  判断\n输出：好/坏 {{ text }}", 4),
        ("|\n# 判断\n{{ text }}", 4),
        ("|\n- {{ text }}", 3),
    ],
)
def test_a_line_that_is_meant_to_be_in_a_block_and_is_not_indented(block: str, line: int) -> None:
    problem = problem_of(f"model: qwen-plus\nprompt: {block}\n")

    assert (problem.code, problem.line, problem.field) == ("recipe_not_in_block", line, "prompt")


@pytest.mark.parametrize(
    ("written", "code"), [("|\nattempts: 3", "recipe_empty_text"), ("|\n  a\nmodle: b", "recipe_unknown_key")]
)
def test_a_key_below_a_block_is_none_of_its_lines(written: str, code: str) -> None:
    assert problem_of(f"model: qwen-plus\nprompt: {written}\n").code == code


@pytest.mark.parametrize(("written", "meant"), [('"3"', 3), ("3.0", 3), ("'1'", 1)])
def test_a_number_of_attempts_may_stand_in_quotes(written: str, meant: int) -> None:
    assert parse_recipe(f"{ASKED}attempts: {written}\n".encode(), BAILIAN).attempts == meant


@pytest.mark.parametrize("written", ["three", "3.5", '"9"', "true", "0"])
def test_what_is_no_possible_number_of_attempts_is_told(written: str) -> None:
    assert problem_of(f"{ASKED}attempts: {written}\n").code == "recipe_attempts"


def test_a_truth_may_stand_in_quotes() -> None:
    assert not parse_recipe(
        f'{ASKED}output: {{formula_guard: "false"}}\n'.encode(), BAILIAN
    ).output.formula_guard


@pytest.mark.parametrize(
    ("template", "write"),
    [
        ("{{ .text }}", "{{ text }}"),
        ("{{#text}}", "{{ text }}"),
        ("{{^text}}", "{{ text }}"),
        ("{{= text }}", "{{ text }}"),
        ("{{ text｜upper }}", "{{ text |upper }}"),
        ("{{ #text }}", '{{ row["#text"] }}'),
        ("{{ 评论（1） }}", '{{ row["评论（1）"] }}'),
    ],
)
def test_a_variable_as_other_programs_write_it_is_told_as_it_is_written_here(
    template: str, write: str
) -> None:
    problem = problem_of(f"model: qwen-plus\nprompt: '{template}'\n")

    assert write in render_problem(problem, "en")
