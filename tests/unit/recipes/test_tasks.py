from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ports.profile import CHAT, EMBEDDINGS
from shared.problems.exceptions import UserInputError
from shared.problems.render import render_problem
from shared.providers.bailian.profile import BAILIAN, TEST_ENDPOINT
from shared.recipes.columns.answers import AnswerColumns
from shared.recipes.parse import parse_recipe
from shared.recipes.prompts import compile_prompt
from tests.support.reading import assert_told, recipe

JSON_MODE = {"enable_thinking": False, "response_format": {"type": "json_object"}}


def asking(task: str, model: str = "qwen-flash", more: str = "") -> str:
    return f"model: {model}\n{task}\n{more}"


def findings(content: str) -> list[tuple[str, int | None, str | None]]:
    with pytest.raises(UserInputError) as refusal:
        parse_recipe(content.encode(), BAILIAN)
    assert_told(refusal.value.problems)
    return [(problem.code, problem.line, problem.field) for problem in refusal.value.problems]


def sent(content: str, **cells: str) -> str:
    """The prompt of one row."""
    parsed = recipe(content)
    return compile_prompt(parsed, list(cells)).render(list(cells.values()))[1]


def told(content: str, answer: object) -> tuple[list[object], str]:
    values, problem = AnswerColumns(recipe(content).columns).read(json.dumps(answer, ensure_ascii=False))
    return list(values), render_problem(problem, "en") if problem else ""


# What is sent.


def test_classify_asks_for_one_of_the_labels_in_their_language() -> None:
    prompt = sent(asking("classify: {column: 评论, labels: [好评, 中评, 差评]}"), 评论="很好")

    assert prompt == (
        "判断下面的内容属于哪一类，只能从这些类别中选一个：\n- 好评\n- 中评\n- 差评\n"
        '只输出 JSON，不要解释，格式为 {"label": "类别"}，值必须与上面的某个类别完全一致。\n\n内容：\n很好'
    )


def test_labels_may_say_what_they_mean_and_several_columns_are_named() -> None:
    task = "classify:\n  column: [title, body]\n  labels:\n    urgent: money is lost\n    normal:"

    prompt = sent(asking(task), title="Help", body="It is gone")

    assert "- urgent: money is lost\n- normal\n" in prompt
    assert prompt.endswith("Text:\ntitle: Help\nbody: It is gone")


@pytest.mark.parametrize(
    ("labels", "is_chinese"),
    [
        ("[好评, 差评]", True),
        ("{A: 好的, B: 坏的}", True),
        ("[good, bad]", False),
        ("[良い, 悪い]", False),
        ("[良い, 悪い, 普通]", False),
        ("[긍정, 부정]", False),
        ("[positif, négatif]", False),
        ("[хорошо, плохо]", False),
    ],
)
def test_the_prompt_is_in_chinese_if_the_labels_are(labels: str, is_chinese: bool) -> None:
    prompt = sent(asking(f"classify: {{column: a, labels: {labels}}}"), a="x")

    assert ("类别" in prompt) == is_chinese
    assert "JSON" in prompt


def test_extract_asks_for_each_field_by_its_description_type_or_choices() -> None:
    fields = "{姓名: , 金额: 数字, 件数: int, 投诉: 是否, 型号: 列表, 情绪: [好, 坏], 诉求: 客户想要什么}"

    prompt = sent(asking(f"extract: {{column: 评论, fields: {fields}}}"), 评论="x")

    assert (
        "- 姓名\n- 金额：数字\n- 件数：整数\n- 投诉：true 或 false\n- 型号：列表\n"
        "- 情绪：只能是其中之一：好、坏\n- 诉求：客户想要什么\n"
    ) in prompt
    assert (
        '{"姓名": "…", "金额": 1.5, "件数": 1, "投诉": true, "型号": ["…"], "情绪": "…", "诉求": "…"}'
    ) in prompt


def test_the_fields_may_be_nothing_but_names() -> None:
    parsed = recipe(asking("extract: {column: a, fields: [name, city]}"))

    assert parsed.columns["required"] == ["name", "city"]
    assert "- name\n- city\n" in parsed.prompt


def test_translate_asks_for_nothing_but_the_translation_and_makes_no_columns() -> None:
    parsed = recipe(asking("translate: {column: a, to: 英文}"))

    assert parsed.prompt.startswith("把下面的内容翻译成英文。只输出译文")
    assert sent(asking("translate: {column: a, to: French}"), a="Hi").startswith(
        "Translate the text below into French."
    )
    assert (parsed.columns, parsed.parameters, parsed.endpoint) == ({}, {}, CHAT)


def test_embed_sends_the_cell_and_nothing_else() -> None:
    content = asking("embed: {column: a}", "text-embedding-v4", "parameters: {dimensions: 256}")

    assert sent(content, a="  to be embedded ") == "  to be embedded "
    assert recipe(content).endpoint == EMBEDDINGS
    assert recipe(content).parameters == {"dimensions": 256}
    assert recipe(asking("embed: {column: a}", "bge-m3")).endpoint == EMBEDDINGS


# How JSON is asked for.


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("qwen-flash", JSON_MODE),
        ("qwen-plus-latest", JSON_MODE),
        ("qwen3-max", JSON_MODE),
        ("qwen3.8-max", JSON_MODE),
        ("qwen3.5-plus-2026-02-15", JSON_MODE),
        ("qwen-max", {"response_format": {"type": "json_object"}}),
        ("qwen-long-latest", {"response_format": {"type": "json_object"}}),
        ("qwq-plus", {}),
        ("deepseek-r1", {}),
        ("qwen3-vl-plus", {}),
        ("qwen-plus-character", {}),
        ("my-own-model", {}),
        ("batch-test-model", {}),
    ],
)
def test_json_is_asked_for_as_the_model_takes_it(model: str, parameters: dict[str, Any]) -> None:
    parsed = recipe(asking("classify: {column: a, labels: [x, y]}", model))

    assert parsed.parameters == parameters
    assert parsed.endpoint == (TEST_ENDPOINT if model == "batch-test-model" else CHAT)


@pytest.mark.parametrize(
    ("own", "sent_along"),
    [
        ("temperature: 0", {**JSON_MODE, "temperature": 0}),
        ("enable_thinking: true", {"enable_thinking": True}),
        ("enable_thinking: false", JSON_MODE),
        ("response_format: {type: text}", {"enable_thinking": False, "response_format": {"type": "text"}}),
        (
            "enable_thinking: true, response_format: {type: json_object}",
            {"enable_thinking": True, "response_format": {"type": "json_object"}},
        ),
    ],
)
def test_parameters_of_ones_own_come_first(own: str, sent_along: dict[str, Any]) -> None:
    content = asking("classify: {column: a, labels: [x, y]}", more=f"parameters: {{{own}}}")

    assert recipe(content).parameters == sent_along


def test_a_task_goes_with_all_other_keys() -> None:
    more = "system: Be brief\nattempts: 3\non_bad_rows: skip\noutput: {format: jsonl}"

    parsed = recipe(asking("classify: {column: a, labels: [x, y]}", more=more))

    assert (parsed.system, parsed.attempts, parsed.output.format) == ("Be brief", 3, "jsonl")
    assert BAILIAN.parameter_warnings_for(parsed.parameters, parsed.prompt) == ()


# What comes back.


@pytest.mark.parametrize("answer", ["很好", "好评。", "", None, 1, True, ["好评"]])
def test_an_answer_outside_the_labels_is_told_with_all_of_them(answer: object) -> None:
    content = asking("classify: {column: a, labels: [好评, 中评, 差评, 追评, 无效]}")

    values, said = told(content, {"label": answer})

    assert values == [answer]
    assert "[answer_does_not_fit]" in said
    assert (
        f'label: {json.dumps(answer, ensure_ascii=False)} is not one of "好评", "中评", "差评", "追评", "无效"'
        in said
    )


def test_an_answer_within_the_labels_is_the_column() -> None:
    assert told(asking("classify: {column: a, labels: [好评, 差评]}"), {"label": "差评"}) == (["差评"], "")


@pytest.mark.parametrize(
    ("answer", "values", "is_fit"),
    [
        (
            {"n": 1.5, "i": 2, "b": True, "l": ["x"], "c": "p", "t": "y"},
            [1.5, 2, True, ["x"], "p", "y"],
            True,
        ),
        (dict.fromkeys("niblct"), [None] * 6, True),
        ({**dict.fromkeys("nibct"), "l": [], "more": 1}, [None, None, None, [], None, None], True),
        ({**dict.fromkeys("ibclt"), "n": "12 元"}, ["12 元", None, None, None, None, None], False),
        ({**dict.fromkeys("nibtl"), "c": "r"}, [None, None, None, None, "r", None], False),
        ({"n": 1}, [1, None, None, None, None, None], False),
    ],
)
def test_extracted_values_have_their_types_and_may_be_missing_in_the_text(
    answer: dict[str, object], values: list[object], is_fit: bool
) -> None:
    fields = "{n: number, i: integer, b: bool, l: list, c: [p, q], t: text}"

    found, said = told(asking(f"extract: {{column: a, fields: {fields}}}"), answer)

    assert (found, said == "") == (values, is_fit)


# What is wrong with it.


@pytest.mark.parametrize(
    ("task", "code", "field"),
    [
        ("classify: {column: a}", "recipe_missing_key", "classify.labels"),
        ("classify: {labels: [x, y]}", "recipe_missing_key", "classify.column"),
        ("classify: {column: a, labels: [x, y], model: z}", "recipe_unknown_key", "classify.model"),
        ("classify: a", "recipe_not_a_section", "classify"),
        ("classify: [a, b]", "recipe_not_a_section", "classify"),
        ("classify: {column: a, labels: x}", "recipe_labels", "classify.labels"),
        ("classify: {column: a, labels: }", "recipe_labels", "classify.labels"),
        ("classify: {column: a, labels: []}", "recipe_too_few_labels", "classify.labels"),
        ("classify: {column: a, labels: {}}", "recipe_too_few_labels", "classify.labels"),
        ("classify: {column: a, labels: [x]}", "recipe_too_few_labels", "classify.labels"),
        ("classify: {column: a, labels: [true, false]}", "recipe_label_not_text", "classify.labels"),
        ("classify: {column: a, labels: [1, 2]}", "recipe_label_not_text", "classify.labels"),
        ("classify: {column: a, labels: [x, null]}", "recipe_label_not_text", "classify.labels"),
        ("classify: {column: a, labels: [x, {y: z}]}", "recipe_label_not_text", "classify.labels"),
        ("classify: {column: a, labels: [x, ' ']}", "recipe_empty_text", "classify.labels"),
        ("classify: {column: a, labels: {x: p, '': q}}", "recipe_empty_text", "classify.labels"),
        ("classify: {column: a, labels: {x: 1, y: z}}", "recipe_not_text", "classify.labels"),
        ("classify: {column: a, labels: [x, y, x]}", "recipe_label_twice", "classify.labels"),
        ("classify: {column: a, labels: [Good, good]}", "recipe_label_twice", "classify.labels"),
        ("classify: {column: a, labels: [Ａ, a]}", "recipe_label_twice", "classify.labels"),
        ("classify: {column: a, labels: ['x ', x]}", "recipe_label_twice", "classify.labels"),
        ("classify: {column: a, labels: {x: p, x: q}}", "recipe_duplicate_key", "x"),
        ("classify: {column: , labels: [x, y]}", "recipe_not_text", "classify.column"),
        ("classify: {column: '', labels: [x, y]}", "recipe_empty_text", "classify.column"),
        ("classify: {column: [], labels: [x, y]}", "recipe_empty_text", "classify.column"),
        ("classify: {column: 3, labels: [x, y]}", "recipe_not_text", "classify.column"),
        ("classify: {column: [a, 3], labels: [x, y]}", "recipe_not_text", "classify.column"),
        ("extract: {column: a}", "recipe_missing_key", "extract.fields"),
        ("extract: {column: a, fields: name}", "recipe_fields", "extract.fields"),
        ("extract: {column: a, fields: {}}", "recipe_fields", "extract.fields"),
        ("extract: {column: a, fields: []}", "recipe_fields", "extract.fields"),
        ("extract: {column: a, fields: {' ': x}}", "recipe_fields", "extract.fields"),
        ("extract: {column: a, fields: [1]}", "recipe_label_not_text", "extract.fields"),
        ("extract: {column: a, fields: [n, N]}", "recipe_label_twice", "extract.fields"),
        ("extract: {column: a, fields: {n: x, N: y}}", "recipe_label_twice", "extract.fields"),
        ("extract: {column: a, fields: {n: 1}}", "recipe_field", "extract.fields.n"),
        ("extract: {column: a, fields: {n: true}}", "recipe_field", "extract.fields.n"),
        ("extract: {column: a, fields: {n: []}}", "recipe_field", "extract.fields.n"),
        ("extract: {column: a, fields: {n: {type: number}}}", "recipe_field", "extract.fields.n"),
        ("extract: {column: a, fields: {n: [1, 2]}}", "recipe_label_not_text", "extract.fields"),
        ("translate: {column: a}", "recipe_missing_key", "translate.to"),
        ("translate: {column: a, to: ' '}", "recipe_empty_text", "translate.to"),
        ("translate: {column: a, to: [en, fr]}", "recipe_not_text", "translate.to"),
        (
            "translate: {column: a, to: en}\nclassify: {column: a, labels: [x, y]}",
            "recipe_two_questions",
            "classify",
        ),
        ("classify: {column: a, labels: [x, y]}\nprompt: '{{ a }}'", "recipe_two_questions", "prompt"),
        ("embed: {column: a}", "recipe_needs_embedding_model", "model"),
        ("embed: {column: a}\nendpoint: chat", "recipe_needs_embedding_model", "model"),
        (
            "classify: {column: a, labels: [x, y]}\nendpoint: embeddings",
            "recipe_needs_chat_model",
            "endpoint",
        ),
        ("classify: {column: a, labels: [x, y]}\ncolumns: {b: b}", "recipe_columns_of_task", "columns"),
        ("translate: {column: a, to: en}\ncolumns: {b: b}", "recipe_columns_of_task", "columns"),
        ("classify:", "recipe_without_question", "prompt"),
        ("classfy: {column: a, labels: [x, y]}", "recipe_unknown_key", "classfy"),
    ],
)
def test_a_wrong_task_is_named_with_its_place(task: str, code: str, field: str) -> None:
    found = {(each_code, each_field) for each_code, _, each_field in findings(asking(task))}

    assert (code, field) in found


def test_the_line_is_that_of_the_entry() -> None:
    content = asking("classify:\n  column: a\n  labels:\n    - x\n    - 1\nextract:\n  fields:\n    n: 5")

    assert findings(content) == [
        ("recipe_label_not_text", 4, "classify.labels"),
        ("recipe_two_questions", 7, "extract"),
        ("recipe_missing_key", 7, "extract.column"),
        ("recipe_field", 9, "extract.fields.n"),
    ]


@pytest.mark.parametrize(
    ("task", "model", "code"),
    [
        ("classify: {column: a, labels: [x, y]}", "text-embedding-v4", "recipe_needs_chat_model"),
        ("translate: {column: a, to: en}", "text-embedding-v3", "recipe_needs_chat_model"),
        ("embed: {column: a}", "qwen3-max", "recipe_needs_embedding_model"),
    ],
)
def test_a_task_that_the_model_cannot_do_is_refused(task: str, model: str, code: str) -> None:
    assert findings(asking(task, model)) == [(code, 1, "model")]


def test_embeddings_have_neither_system_prompt_nor_columns() -> None:
    content = asking("embed: {column: a}", "text-embedding-v4", "system: x\ncolumns: {b: b}")

    assert findings(content) == [
        ("recipe_system_unused", 3, "system"),
        ("recipe_columns_unused", 4, "columns"),
    ]


@pytest.mark.parametrize("column", ["评价", "abc", "评论\n", "x"])
def test_a_missing_column_is_told_where_the_recipe_names_it_with_the_nearest(column: str) -> None:
    content = asking(f"classify: {{column: {json.dumps(column)}, labels: [x, y]}}")
    if column.strip() == "评论":
        assert compile_prompt(recipe(content), ["评论"])
        return

    with pytest.raises(UserInputError) as refusal:
        compile_prompt(recipe(content), ["评论", "ab"])

    (problem,) = refusal.value.problems
    assert (problem.code, problem.field, problem.found) == ("missing_column", "classify.column", column)
    near = {"评价": "评论", "abc": "ab", "x": ""}[column]
    assert (f"Then write column: {near}." in render_problem(problem, "en")) == bool(near)


# Whatever stands in a label or a column name is only text.

ODD = st.lists(
    st.sampled_from(
        ["{{", "}}", "{%", "%}", "{#", "#}", "{", '"', "'", "\\", "a", "评", "\n", "\u2028", "😀"]
    )
    | st.characters(exclude_categories=["Cs"]),
    min_size=1,
    max_size=8,
).map("".join)


@given(ODD, ODD, ODD)
def test_no_label_or_column_name_is_read_as_a_template(label: str, column: str, cell: str) -> None:
    column = f"a{column}"
    task = {"column": column, "labels": [f"1{label}", f"2{label}"]}
    parsed = recipe(json.dumps({"model": "qwen-flash", "classify": task}))

    prompt = compile_prompt(parsed, [column]).render([cell])[1]

    assert parsed.classify is not None
    for each in parsed.classify.labels:
        assert f"- {each}\n" in prompt
    assert prompt.endswith(f"\n{cell}")


@pytest.mark.parametrize("task", ["classify: {column: a, labels: %s}", "extract: {column: a, fields: %s}"])
@pytest.mark.parametrize(
    ("written", "write"),
    [
        ("'好评,中评, 差评'", "[好评, 中评, 差评]"),
        ("好评、中评", "[好评, 中评]"),
        ("'好评，差评'", "[好评, 差评]"),
        ("a; b；c", "[a, b, c]"),
        ("a/b", "[a, b]"),
        ("a|b", "[a, b]"),
        ('"a\\nb\\n"', "[a, b]"),
        ('"- a\\n- b"', "[a, b]"),
        ("\n    -好评\n    -差评\n  ", "[好评, 差评]"),
        ('"-a -b"', "[a, b]"),
        ("'very good, 2, it is: bad'", '[very good, "2", "it is: bad"]'),
    ],
)
def test_names_in_one_text_are_told_as_the_list_to_write(task: str, written: str, write: str) -> None:
    with pytest.raises(UserInputError) as refusal:
        parse_recipe(asking(task % written).encode(), BAILIAN)

    (problem,) = refusal.value.problems
    assert (problem.code, problem.line, problem.values) == ("recipe_names_in_one", 2, {"write": write})
    assert f"请写成 {write}。" in render_problem(problem, "zh")
    recipe(asking(task % write))


@pytest.mark.parametrize(
    ("label", "write"),
    [
        ("好评,差评", "[好评, 差评]"),
        ("and/or", "[and, or]"),
        ("男、女", "[男, 女]"),
        ("好评 -差评", "[好评, 差评]"),
        ("a|b", "[a, b]"),
    ],
)
def test_one_label_that_may_be_several_is_told_as_the_list_to_write(label: str, write: str) -> None:
    with pytest.raises(UserInputError) as refusal:
        parse_recipe(asking(f"classify: {{column: a, labels: ['{label}']}}").encode(), BAILIAN)

    (problem,) = refusal.value.problems
    assert (problem.code, problem.found, problem.values) == ("recipe_labels_in_one", label, {"write": write})
    assert "不是列表" not in render_problem(problem, "zh")


@pytest.mark.parametrize("task", ["classify: {column: a, labels: %s}", "extract: {column: a, fields: %s}"])
def test_a_long_list_in_one_text_leaves_room_for_what_to_do(task: str) -> None:
    with pytest.raises(UserInputError) as refusal:
        parse_recipe(asking(task % ("、".join(["很长的类别"] * 200))).encode(), BAILIAN)

    (problem,) = refusal.value.problems
    assert len(str(problem.values["write"])) == 82
    assert "…]。" in render_problem(problem, "zh")


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ("[评论, 好评]", ["评论"]),
        ("[城市, 评论]", ["城市", "评论"]),
        ("['{{ 评论 }}', 好评]", ["{{ 评论 }}"]),
        ("{' 评论 ': 一段话, 好评: 满意}", ["评论"]),
        ("[好评, 差评]", []),
    ],
)
def test_a_label_that_is_a_column_is_warned_of(labels: str, found: list[str]) -> None:
    parsed = recipe(asking(f"classify: {{column: 评论, labels: {labels}}}"))

    warnings = compile_prompt(parsed, ["城市", "评论"]).warnings

    assert_told(warnings)
    assert [(each.code, each.field, each.found) for each in warnings] == [
        ("label_is_column", "classify.labels", each) for each in found
    ]
