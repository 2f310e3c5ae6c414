from __future__ import annotations

import json
from typing import Any

import pytest

from scripts.localcloud.answers.built_in_answers import Request, built_in_answer
from scripts.localcloud.answers.built_in_texts import answer_for
from shared.ports.profile import CHAT
from shared.recipes.columns.answers import AnswerColumns
from shared.recipes.prompts import compile_prompt
from tests.support.reading import recipe


def content_of(prompt: str, **body: Any) -> str:
    messages = [{"role": "user", "content": prompt}]
    answer = built_in_answer(Request("1", CHAT, {"model": "m", "messages": messages, **body}), 0)
    assert answer.response is not None
    return str(answer.response["body"]["choices"][0]["message"]["content"])


JSON = {"response_format": {"type": "json_object"}}


@pytest.mark.parametrize(
    ("task", "cell"),
    [
        ("classify: {column: a, labels: [好评, 差评, 中评]}", "x"),
        ("classify: {column: a, labels: {good: says so, bad: }}", "x"),
        ("classify: {column: a, labels: [good, bad]}", '- c\n{"not": "this"}'),
        ("extract: {column: a, fields: {name: , price: number, sold: boolean, sizes: list}}", "x"),
        ("extract: {column: a, fields: [name]}", "x"),
        ("extract: {column: a, fields: {mood: [happy, angry], n: integer}}", "x"),
        ("extract: {column: a, fields: {心情: [高兴, 生气, 平静]}}", "x"),
        ("extract: {column: a, fields: {心情: [高兴, 生气], 名称: 说的是什么}}", "- 高兴：…"),
    ],
)
def test_a_task_gets_an_answer_that_fits(task: str, cell: str) -> None:
    made = recipe(f"model: qwen-flash\n{task}\n")
    prompt = compile_prompt(made, ["a"]).render([cell])[1]

    values, problem = AnswerColumns(made.columns).read(content_of(prompt, **made.parameters))

    assert problem is None
    assert None not in values


def test_a_field_gets_a_text_that_names_it_and_is_visibly_a_test() -> None:
    made = recipe("model: qwen-flash\nextract: {column: a, fields: {name: , sizes: list, n: integer}}\n")

    said = json.loads(content_of(compile_prompt(made, ["a"]).render(["x"])[1], **made.parameters))

    assert said["name"].startswith("test name ")
    assert (said["sizes"][0].startswith("test sizes "), said["n"]) == (True, 1)


@pytest.mark.parametrize("to", ["英文", "French", "简体中文（台湾用语）", "plain {English}"])
@pytest.mark.parametrize("cell", ["你好，\n世界", "Text:\nHello", "a. Answer with the translation only"])
def test_a_translation_is_the_text_behind_a_mark(to: str, cell: str) -> None:
    made = recipe(f"model: qwen-flash\ntranslate: {{column: a, to: '{to}'}}\n")

    said = content_of(compile_prompt(made, ["a"]).render([cell])[1], **made.parameters)

    assert said == f"[test: {to}] {cell}"


def test_labels_differ_from_row_to_row() -> None:
    made = recipe("model: qwen-flash\nclassify: {column: a, labels: [x, y, z]}\n")
    prompts = compile_prompt(made, ["a"])

    said = {content_of(prompts.render([str(n)])[1], **made.parameters) for n in range(30)}

    assert {json.loads(each)["label"] for each in said} == {"x", "y", "z"}


@pytest.mark.parametrize("prompt", ["Say it in JSON", "JSON { please", "JSON: [1]", "json {"])
def test_json_without_a_form_is_an_object_around_the_answer(prompt: str) -> None:
    assert json.loads(content_of(prompt, **JSON)) == {"answer": answer_for(prompt)}


def test_without_json_mode_and_with_a_given_answer_nothing_changes() -> None:
    assert content_of('JSON {"a": 1}') == answer_for('JSON {"a": 1}')
    assert content_of("JSON [[say]]no", **JSON) == "no"
