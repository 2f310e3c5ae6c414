from __future__ import annotations

import json
from typing import Any

import pytest

from scripts.localcloud.answers.built_in_answers import NO_FIT, Request, built_in_answer
from scripts.localcloud.answers.built_in_texts import answer_for
from shared.ports.profile import CHAT
from shared.problems.problem import Bilingual
from shared.recipes.columns.answers import AnswerColumns
from shared.recipes.prompts import compile_prompt
from shared.results.again.request_lines import ASKING_AGAIN
from tests.support.reading import recipe


def content_of(prompt: str, **body: Any) -> str:
    return str(told_to(prompt, **body)["choices"][0]["message"]["content"])


def told_to(*said: str, **body: Any) -> dict[str, Any]:
    """The user and the assistant speak by turns."""
    messages = [
        {"role": ("user", "assistant")[index % 2], "content": each} for index, each in enumerate(said)
    ]
    answer = built_in_answer(Request("1", CHAT, {"model": "m", "messages": messages, **body}), 0)
    assert answer.response is not None
    return dict(answer.response["body"])


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
@pytest.mark.parametrize("model", ["qwen-flash", "a-model-without-a-mode-for-json"])
def test_a_task_gets_an_answer_that_fits(task: str, cell: str, model: str) -> None:
    made = recipe(f"model: {model}\n{task}\n")
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


@pytest.mark.parametrize(
    "bound", [{"max_tokens": 3}, {"max_tokens": 3.0}, {"max_completion_tokens": 3}, {"max_tokens": 1}]
)
def test_an_answer_longer_than_it_may_be_is_cut_off_and_says_so(bound: dict[str, Any]) -> None:
    whole = content_of("a question")

    told = told_to("a question", **bound)

    content, (most,) = told["choices"][0]["message"]["content"], bound.values()
    assert (whole.startswith(content), len(content)) == (True, 4 * most - 1)
    assert (told["choices"][0]["finish_reason"], told["usage"]["completion_tokens"]) == ("length", most)


@pytest.mark.parametrize(
    "bound", [{}, {"max_tokens": 100}, {"max_tokens": None}, {"max_completion_tokens": 100}]
)
def test_an_answer_that_is_short_enough_is_whole(bound: dict[str, Any]) -> None:
    told = told_to("a question", **bound)

    assert told["choices"][0]["finish_reason"] == "stop"
    assert told["choices"][0]["message"]["content"] == content_of("a question")


def test_what_is_thought_counts_where_both_are_bounded_together() -> None:
    told = told_to("a question", enable_thinking=True, max_completion_tokens=4)

    assert (told["choices"][0]["message"]["content"], told["choices"][0]["finish_reason"]) == ("", "length")
    assert told_to("a question", enable_thinking=True, max_tokens=99)["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("reason", [*ASKING_AGAIN], ids=str)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_row_that_asks_again_is_answered_what_it_asked_before(reason: Bilingual, language: str) -> None:
    again = getattr(reason, language).format(reason='"x" is not one of "a", "b"')

    assert told_to("a question", "cut", again)["choices"] == told_to("a question")["choices"]
    assert told_to("one", "1", "another")["choices"] == told_to("another")["choices"]


def test_an_answer_may_fit_only_when_it_is_asked_for_again() -> None:
    made = recipe("model: qwen-flash\nclassify: {column: a, labels: [good, bad]}\n")
    asked = compile_prompt(made, ["a"]).render(["x [[misfit]]"])[1]
    again = "That answer is not valid JSON: x."

    said = [told_to(*each, **made.parameters) for each in ([asked], [asked, NO_FIT, again])]

    read = AnswerColumns(made.columns).read
    problems = [read(each["choices"][0]["message"]["content"]).problem for each in said]
    assert [each and each.code for each in problems] == ["answer_not_json", None]
