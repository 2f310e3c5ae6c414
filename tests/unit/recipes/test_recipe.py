from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.ports.profile import CHAT, EMBEDDINGS
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.problems.render import quote, render_problem
from shared.providers.bailian.profile import BAILIAN, TEST_ENDPOINT
from shared.recipes.parse import parse_recipe
from shared.recipes.recipe import Recipe
from tests.support.reading import assert_told, recipe

BASE = "model: qwen-plus\nprompt: '{{ a }}'\n"


def problems_of(content: str | bytes) -> list[Problem]:
    encoded = content.encode() if isinstance(content, str) else content
    with pytest.raises(UserInputError) as refusal:
        parse_recipe(encoded, BAILIAN)
    assert_told(refusal.value.problems)
    return list(refusal.value.problems)


def findings(content: str | bytes) -> list[tuple[str, int | None, str | None]]:
    return [(problem.code, problem.line, problem.field) for problem in problems_of(content)]


@pytest.mark.parametrize(
    ("price", "code", "write"),
    [
        ("above 5 CNY", "recipe_not_a_section", "price: {approve: above 5 CNY}"),
        ("always", "recipe_not_a_section", "price: {approve: always}"),
        ("{approve: 50 CNY}", "recipe_choice", "always, above 50 CNY"),
        ("{approve: above 50}", "recipe_choice", "always, above 50 CNY"),
        ("{approve: always, approve_within: 91d}", "recipe_choice", "1h … 90d"),
        ("{approve_within: 2d}", "within_without_approve", "approve: always"),
    ],
)
def test_odd_terms_of_an_approval_are_told(price: str, code: str, write: str) -> None:
    with pytest.raises(UserInputError) as error:
        parse_recipe(f"model: qwen-flash\nprompt: '{{{{ a }}}}'\nprice: {price}\n".encode(), BAILIAN)

    (problem,) = error.value.problems
    assert problem.code == code
    assert write in render_problem(problem, "en")


def test_model_and_prompt_are_enough() -> None:
    parsed = recipe(BASE)

    assert parsed == Recipe(
        model="qwen-plus",
        prompt="{{ a }}",
        system=None,
        parameters={},
        endpoint=CHAT,
        completion_window=timedelta(hours=24),
        on_bad_rows="refuse",
        attempts=2,
        encoding=None,
        delimiter=None,
    )
    assert parsed.output.encoding == "utf-8-sig"


def test_every_key_is_understood() -> None:
    parsed = recipe("""
model: qwen-plus
system: 你是分类员。
prompt: |
  评论：{{ 评论 }}
  只回答：好 或 差
parameters:
  temperature: 1e-1
  enable_thinking: false
  stop: ["no", 1:30, 2024-01-01]
endpoint: chat
completion_window: 14d
on_bad_rows: skip
attempts: 5
encoding: GBK
delimiter: tab
output:
  encoding: gb18030
""")

    assert parsed.prompt == "评论：{{ 评论 }}\n只回答：好 或 差\n"
    assert parsed.parameters == {
        "temperature": 0.1,
        "enable_thinking": False,
        "stop": ["no", "1:30", "2024-01-01"],
    }
    assert parsed.thinking is False
    assert parsed.completion_window == timedelta(days=14)
    assert (parsed.encoding, parsed.delimiter, parsed.output.encoding) == ("gb18030", "\t", "gb18030")


@pytest.mark.parametrize(
    ("model", "endpoint"),
    [
        ("qwen-plus", CHAT),
        ("text-embedding-v4", EMBEDDINGS),
        ("batch-test-model", TEST_ENDPOINT),
    ],
)
def test_the_endpoint_follows_from_the_model(model: str, endpoint: str) -> None:
    assert recipe(f"model: {model}\nprompt: x\n").endpoint == endpoint


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_recipe_may_be_saved_by_notepad_in_any_of_its_encodings(encoding: str) -> None:
    parsed = parse_recipe("model: qwen-plus\nprompt: 标注 {{ 评论 }}\n".encode(encoding), BAILIAN)

    assert parsed.prompt == "标注 {{ 评论 }}"


@pytest.mark.parametrize(
    ("prompt", "encoding"),
    [
        ("Résume en français : {{ a }}", "cp1252"),
        ("Classify the customer’s words, don’t explain: {{ a }}", "cp1252"),
        ("感情を判定してください：{{ a }}", "cp932"),
        ("感情を判定してください：{{ a }}", "euc_jp"),
        ("감정을 분류하세요: {{ a }}", "cp949"),
        ("請判斷客戶的情感：{{ a }}", "big5"),
        ("Определи тональность: {{ a }}", "cp1251"),
    ],
)
def test_a_recipe_that_would_be_garbled_as_gb18030_is_refused(prompt: str, encoding: str) -> None:
    (problem,) = problems_of(f"model: qwen-plus\nprompt: '{prompt}'\n".replace("'", '"').encode(encoding))

    assert (problem.code, problem.line) == ("recipe_encoding", 2)


def test_a_damaged_recipe_in_utf8_is_not_read_as_gb18030() -> None:
    content = "model: qwen-plus\n# 判断情感\n# 分类说明\nprompt: 标注 {{ 评论 }}".encode() + b"\xb1\xea\n"

    assert [problem.code for problem in problems_of(content)] == ["recipe_encoding"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ("recipe_empty", None, None)),
        ("# only a comment\n", ("recipe_empty", None, None)),
        ("---\n", ("recipe_empty", None, None)),
        ("\n- a\n", ("recipe_not_a_mapping", 2, None)),
        ("just text", ("recipe_not_a_mapping", 1, None)),
        ("model: x\n  prompt: y\n", ("recipe_not_yaml", 2, None)),
        ("model: [\n", ("recipe_not_yaml", 2, None)),
        ("a: 1\n---\nb: 1\n", ("recipe_not_yaml", 2, None)),
        ("a: 1\nb: \x01\n", ("recipe_not_yaml", 2, None)),
        ("a: 1\nb: &x 1\n", ("recipe_anchor", 2, None)),
        ("a: *x\n", ("recipe_anchor", 1, None)),
        ("a: !!python/object:os.system x\n", ("recipe_tag", 1, None)),
        ("a: " + "[" * 60_000, ("recipe_too_deep", 1, None)),
        ("a: " + "x" * 70_000, ("recipe_too_large", None, None)),
        (b"a: 1\nb: \xff\xff\n", ("recipe_encoding", 2, None)),
    ],
)
def test_what_is_no_plain_yaml_mapping_is_refused_at_once(
    content: str | bytes, expected: tuple[str, int | None, str | None]
) -> None:
    assert findings(content) == [expected]


@pytest.mark.parametrize(
    ("entry", "code", "field"),
    [
        ("paramters: {}", "recipe_unknown_key", "paramters"),
        ("model: other", "recipe_duplicate_key", "model"),
        ("'<<': {a: 1}", "recipe_unknown_key", "<<"),
        ("system: 5", "recipe_not_text", "system"),
        ("system: '  '", "recipe_empty_text", "system"),
        ("parameters: 5", "recipe_not_a_section", "parameters"),
        ("parameters: {stream: true}", "recipe_reserved_parameter", "parameters.stream"),
        ("parameters: {messages: []}", "recipe_reserved_parameter", "parameters.messages"),
        (
            "parameters: {extra_body: {enable_thinking: true}}",
            "extra_body",
            "parameters.extra_body",
        ),
        (
            "parameters: {enable_thinking: 'no'}",
            "thinking_not_bool",
            "parameters.enable_thinking",
        ),
        ("parameters: {seed: 1e999}", "recipe_number", "parameters.seed"),
        ("parameters: {1: 2, a: {b: 1, b: 2}}", "recipe_duplicate_key", "b"),
        ("endpoint: chatt", "recipe_choice", "endpoint"),
        ("endpoint: test", "mismatched_test_model", "endpoint"),
        ("completion_window: 23h", "recipe_window", "completion_window"),
        ("completion_window: 15d", "recipe_window", "completion_window"),
        ("completion_window: 24", "recipe_window", "completion_window"),
        ("completion_window: 1d12h", "recipe_window", "completion_window"),
        ("on_bad_rows: ignore", "recipe_choice", "on_bad_rows"),
        ("attempts: 0", "recipe_attempts", "attempts"),
        ("attempts: 6", "recipe_attempts", "attempts"),
        ("attempts: true", "recipe_attempts", "attempts"),
        ("attempts: '9'", "recipe_attempts", "attempts"),
        ("reuse: 91d", "recipe_reuse", "reuse"),
        ("reuse: 2161h", "recipe_reuse", "reuse"),
        ("reuse: 30", "recipe_reuse", "reuse"),
        ("reuse: true", "recipe_reuse", "reuse"),
        ("reuse: 30d\ndedupe: false", "recipe_reuse_of_each", "reuse"),
        ("reuse: 30d\nparameters: {n: 2}", "recipe_reuse_of_each", "reuse"),
        ("encoding: latin17", "recipe_choice", "encoding"),
        ("encoding: rot13", "recipe_choice", "encoding"),
        ("encoding: true", "recipe_not_text", "encoding"),
        ("encoding: ansi", "recipe_choice", "encoding"),
        ("delimiter: ab", "recipe_choice", "delimiter"),
        ("output: utf-8", "recipe_not_a_section", "output"),
        ("output: {encoding: big5}", "recipe_choice", "output.encoding"),
        ("output: {encodng: utf-8}", "recipe_unknown_key", "output.encodng"),
        (r'system: "\ud83d"', "recipe_lone_surrogate", None),
        ("[a]: 1", "recipe_key_not_text", None),
        ("system: '{{ a'", "template_syntax", "system"),
        ("system: '{% include \"x\" %}'", "template_refers", "system"),
    ],
)
def test_a_wrong_entry_is_named_with_its_line(entry: str, code: str, field: str | None) -> None:
    assert findings(BASE + entry + "\n") == [(code, 3, field)]


@pytest.mark.parametrize(
    ("entry", "found", "write"),
    [
        ("output: xlsx", "xlsx", "output: {format: xlsx}"),
        ("output: JSONL", "JSONL", "output: {format: jsonl}"),
        ("output: gb18030", "gb18030", "output: {encoding: gb18030}"),
        ("output: true", "true", "output: {format: xlsx}"),
        ("columns: [情感, 城市]", "[情感, 城市]", "columns: {情感: 情感, 城市: 城市}"),
        ("columns: [a b, 'c:d']", "[a b, c:d]", 'columns: {a b: a b, "c:d": "c:d"}'),
        ("columns: 情感", "情感", "columns: {情感: 情感}"),
        ("columns: 3", "3", "columns: {mood: sentiment}"),
        ("parameters: [1, {a: null}]", "[1, {a: null}]", "parameters: {temperature: 0.7}"),
        ("classify: 评论", "评论", "classify: {column: 评论, labels: [good, bad]}"),
        *[
            (f"classify: {labels}", labels, "classify: {column: review, labels: [好评, 差评]}")
            for labels in ("[好评, 差评]", "好评,差评", "好评、差评", "好评/差评", "好评; 差评")
        ],
        (
            "classify: [{好评: 满意}, 差评]",
            "[{好评: 满意}, 差评]",
            "classify: {column: review, labels: [好评, 差评]}",
        ),
        ("classify: [[a, b], 好评, 5]", "[[a, b], 好评, 5]", "classify: {column: 好评, labels: [good, bad]}"),
        (
            "columns: [情感: mood, 城市: {a: 1}]",
            "[{情感: mood}, {城市: {a: 1}}]",
            "columns: {情感: mood, 城市: 城市}",
        ),
        ("classify: [评论]", "[评论]", "classify: {column: 评论, labels: [good, bad]}"),
        ("extract: [金额, 日期]", "[金额, 日期]", "extract: {column: review, fields: [金额, 日期]}"),
        ("extract: 金额，日期", "金额，日期", "extract: {column: review, fields: [金额, 日期]}"),
        ("extract: 备注", "备注", "extract: {column: 备注, fields: {amount: number}}"),
        ("translate: 评论", "评论", "translate: {column: 评论, to: English}"),
        *[
            (f"translate: {to}", to, f"translate: {{column: review, to: {to}}}")
            for to in ("English", "英文", "日语", "繁体中文", "French", "Traditional Chinese")
        ],
        ("translate: en", "en", "translate: {column: review, to: en}"),
        ("translate: 原文", "原文", "translate: {column: 原文, to: English}"),
        ("translate: [评论, 日文]", "[评论, 日文]", "translate: {column: 评论, to: 日文}"),
        ("translate: [标题, 评论]", "[标题, 评论]", "translate: {column: [标题, 评论], to: English}"),
        ("embed: 评论", "评论", "embed: {column: 评论}"),
        ("embed: [标题, 评论]", "[标题, 评论]", "embed: {column: [标题, 评论]}"),
        ("columns: 'mood: sentiment'", "mood: sentiment", "columns: {mood: sentiment}"),
        ("columns: 情感：mood", "情感：mood", "columns: {情感: mood}"),
        ("columns: 'mood: m, town: city'", "mood: m, town: city", "columns: {mood: m, town: city}"),
        ("columns: 情感,城市", "情感,城市", "columns: {情感: 情感, 城市: 城市}"),
        ("embed: 5", "5", "embed: {column: review}"),
    ],
)
def test_for_what_is_no_section_the_report_says_what_to_write(entry: str, found: str, write: str) -> None:
    (problem,) = (each for each in problems_of(BASE + entry + "\n") if each.code == "recipe_not_a_section")

    said = render_problem(problem, "en")
    assert f'"{found}"' in said
    assert f"like this: {write}." in said


MANY = [f"a rather long label {letter}" for letter in "abcdefghijkl"]


@pytest.mark.parametrize("listed", [f"[{', '.join(MANY)}]", ", ".join(MANY), "、".join(MANY)])
@pytest.mark.parametrize(("key", "count"), [("classify", 1), ("extract", 1), ("embed", 1), ("columns", 2)])
def test_what_is_to_be_copied_is_whole(key: str, count: int, listed: str) -> None:
    problems = problems_of(f"model: qwen-flash\n{key}: {listed}\n")
    (problem,) = (each for each in problems if each.code == "recipe_not_a_section")

    _, _, write = render_problem(problem, "en").partition("like this:")
    assert [write.count(name) for name in MANY] == [count] * len(MANY)


@pytest.mark.parametrize(
    ("content", "write"),
    [
        ("prompt: '{{ a }}'", "model: qwen-flash"),
        ("model: qwen-flash\ntranslate: {column: a}", "to: 英文"),
        ("model: qwen-flash\ntranslate: {to: 英文}", "column: 评论"),
        ("model: qwen-flash\nclassify: {column: a}", "labels: [好评, 差评]"),
        ("model: qwen-flash\nextract: {column: a}", "fields: {金额: 数字}"),
    ],
)
def test_for_a_missing_key_the_report_has_an_example(content: str, write: str) -> None:
    (problem,) = problems_of(content)

    assert f"例如 {write}。" in render_problem(problem, "zh")


@pytest.mark.parametrize("value", ["[a, b]", "{a: 1}", "[true, null]"])
def test_values_are_quoted_as_the_recipe_has_them(value: str) -> None:
    (problem,) = problems_of(BASE + f"system: {value}\n")

    assert f'"{value}"' in render_problem(problem, "en")


def test_every_wrong_entry_is_reported_in_the_order_of_the_file() -> None:
    found = findings("prompt: {{ a }}\nattempts: 9\nencodign: x\n")

    assert found == [
        ("recipe_missing_key", None, "model"),
        ("recipe_key_not_text", 1, None),
        ("recipe_not_text", 1, "prompt"),
        ("recipe_attempts", 2, "attempts"),
        ("recipe_unknown_key", 3, "encodign"),
    ]


def test_an_unknown_key_comes_with_the_nearest_known_one() -> None:
    (problem,) = problems_of(BASE + "completion_windw: 24h\n")

    assert problem.values["nearest"] == "completion_window"
    assert problem.file == "batch.yaml"


def test_embeddings_have_no_system_prompt() -> None:
    content = "model: text-embedding-v4\nprompt: x\nsystem: y\n"

    assert findings(content) == [("recipe_system_unused", 3, "system")]


def test_a_key_without_a_value_is_as_if_it_were_not_there() -> None:
    assert recipe(BASE + "parameters:\nsystem:\nattempts: null\n") == recipe(BASE)


def test_a_required_key_without_a_value_is_missing() -> None:
    assert findings("model: qwen-plus\nprompt:\n") == [("recipe_without_question", None, "prompt")]


def test_a_recipe_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        recipe(BASE).attempts = 5  # type: ignore[misc]


def test_a_parameter_at_the_wrong_level_is_told_where_it_belongs() -> None:
    with pytest.raises(UserInputError) as refused:
        parse_recipe(b"model: m\nprompt: p\ntemprature: 0\n", BAILIAN)

    assert refused.value.problems[0].values["nearest"] == "parameters: {temperature: …}"


SCHEMA = """
columns:
  type: object
  properties:
    mood: {type: string, enum: [good, bad]}
    score: {type: number}
  required: [mood, score]
  additionalProperties: false
"""


def test_columns_may_be_paths_and_ask_nothing_of_the_model() -> None:
    parsed = recipe(BASE + "columns: {mood: mood, city: address.city, first: 'tags[0]'}\n")

    assert parsed.columns == {"mood": "mood", "city": "address.city", "first": "tags[0]"}
    assert parsed.parameters == {}


def test_a_schema_is_sent_as_the_response_format() -> None:
    parsed = recipe(BASE + "parameters: {temperature: 0}\n" + SCHEMA)

    assert parsed.parameters == {
        "temperature": 0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": parsed.columns},
        },
    }


def test_a_response_format_of_ones_own_goes_before_that_of_the_schema() -> None:
    parsed = recipe(BASE + "parameters: {response_format: {type: json_object}}\n" + SCHEMA)

    assert parsed.parameters == {"response_format": {"type": "json_object"}}
    assert "properties" in parsed.columns


@pytest.mark.parametrize(
    "change",
    [("additionalProperties: false", ""), ("[mood, score]", "[mood]"), ("{type: number}", "{properties: {a: {}}}")],
)  # fmt: skip
def test_a_schema_that_leaves_something_open_is_not_sent_as_strict(change: tuple[str, str]) -> None:
    wanted = recipe(BASE + SCHEMA.replace(*change)).parameters["response_format"]

    assert isinstance(wanted, dict)
    assert isinstance(wanted["json_schema"], dict)
    assert wanted["json_schema"]["strict"] is False


def test_the_result_may_be_jsonl_or_unguarded() -> None:
    assert recipe(BASE).output.formula_guard is True
    assert recipe(BASE + "output: {formula_guard: false}\n").output.formula_guard is False
    jsonl = recipe(BASE + "output: {format: jsonl, encoding: utf-8, formula_guard: false}\n")
    assert jsonl.output.format == "jsonl"
    for name in ("parquet", "xlsx"):
        assert recipe(BASE + f"output: {{format: {name}}}\n").output.format == name


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("output:\n  format: xml\n", ("recipe_choice", 4, "output.format")),
        ("output:\n  formula_guard: no\n", ("recipe_choice", 4, "output.formula_guard")),
        ("output:\n  format: jsonl\n  encoding: gb18030\n", ("recipe_jsonl_is_raw", 5, "output.encoding")),
        ("output:\n  format: parquet\n  encoding: gb18030\n", ("recipe_jsonl_is_raw", 5, "output.encoding")),
        ("output:\n  format: xlsx\n  encoding: gb18030\n", ("recipe_jsonl_is_raw", 5, "output.encoding")),
        ("output:\n  format: xlsx\n  formula_guard: true\n", ("recipe_jsonl_is_raw", 5, "output.formula_guard")),
        ("output:\n  format: jsonl\n  formula_guard: true\n", ("recipe_jsonl_is_raw", 5, "output.formula_guard")),
        ("columns: [a, b]\n", ("recipe_not_a_section", 3, "columns")),
        ("columns:\n  a: b\n  c: x[\n", ("recipe_column_path", 5, "columns.c")),
        ("columns:\n  a:\n", ("recipe_column_path", 4, "columns.a")),
        ("columns:\n  a: 1\n", ("recipe_column_path", 4, "columns.a")),
        ("columns:\n  ' ': a\n", ("recipe_column_path", 4, "columns. ")),
        ("columns:\n  type: object\n  required: [a]\n", ("recipe_column_path", 5, "columns.required")),
        ("endpoint: embeddings\ncolumns: {a: a}\n", ("recipe_columns_unused", 4, "columns")),
        ("columns:\n  properties:\n    a:\n      type: text\n", ("recipe_schema", 6, "columns.properties.a.type")),
        ("columns:\n  properties:\n    a: {$ref: 'http://x/y'}\n",
         ("recipe_schema_reference", 5, "columns.properties.a")),
    ],
)  # fmt: skip
def test_outputs_that_cannot_be_made_are_told_with_their_line(
    content: str, expected: tuple[str, int, str]
) -> None:
    assert expected in findings(BASE + content)


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"prompt": "answer in JSON"}, []),
        ({"system": "你只输出 json。"}, []),
        ({}, ["prompt_without_json"]),
        ({"parameters": {"response_format": {"type": "json_schema"}}}, ["prompt_without_json"]),
        ({"parameters": {"response_format": {"type": "text"}}}, []),
        ({"prompt": "JSON", "parameters": {"response_format": {"type": "json_object"}, "enable_thinking": True}},
         ["thinking_with_json"]),
    ],
)  # fmt: skip
def test_a_wish_for_json_that_bailian_would_refuse_is_warned_of(
    changes: dict[str, Any], codes: list[str]
) -> None:
    values = {
        "model": "m",
        "prompt": "x",
        "parameters": {"response_format": {"type": "json_object"}},
        **changes,
    }

    made = Recipe(**values)
    prompts = f"{made.system or ''} {made.prompt}"
    warnings = BAILIAN.parameter_warnings_for(made.parameters, prompts)

    assert_told(warnings)
    assert [warning.code for warning in warnings] == codes


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "model：qwen-flash\nprompt：'{{ text }}'\n",
            [(1, "model: qwen-flash"), (2, "prompt: '{{ text }}'")],
        ),
        ("model: a\nprompt：x\n", [(2, "prompt: x")]),
        ("model﹕a\nprompt∶x\n", [(1, "model: a"), (2, "prompt: x")]),
        ("model:qwen-flash\nprompt: x\n", [(1, "model: qwen-flash")]),
        ("model: a\nprompt:x\n", [(2, "prompt: x")]),
        ("model = a\nprompt = x\n", [(1, "model: a"), (2, "prompt: x")]),
        ("model; a\nprompt；x\n", [(1, "model: a"), (2, "prompt: x")]),
        ("model:\u3000a\nprompt: x\n", [(1, "model: a")]),
        ("model:\u00a0a\nprompt: x\n", [(1, "model: a")]),
        ("model:\ta\nprompt: x\n", [(1, "model: a")]),
        ("“model”：a\nprompt: x\n", [(1, "model: a")]),
        ("model: a\r\nprompt：｜\r\n  x\r\n", [(2, "prompt: |")]),
        ("model: a\nprompt:｜\n  x\n", [(2, "prompt: |")]),
        ("model: a\nprompt: ｜\n  x\n", [(2, "prompt: |")]),
        ("model: a\nprompt: ＞\n  x\n", [(2, "prompt: >")]),
        (BASE + "output:\n  format：jsonl\n", [(4, "format: jsonl")]),
        (BASE + "parameters:\n  temperature:0\n  top_p：1\n", [(4, "temperature: 0"), (5, "top_p: 1")]),
        (BASE + "on_bad_rows：skip\n", [(3, "on_bad_rows: skip")]),
    ],
)
def test_what_stands_for_a_colon_is_shown_as_it_must_be_typed(
    content: str, expected: list[tuple[int, str]]
) -> None:
    found = problems_of(content)

    assert [(problem.code, problem.line, problem.values["write"]) for problem in found] == [
        ("recipe_colon", *each) for each in expected
    ]


@pytest.mark.parametrize(
    ("entry", "write"),
    [
        ("on_bad_rows: “skip”", "skip"),
        ("attempts: ‘3’", "3"),
        ("completion_window: ＂24h＂", "24h"),
        ("endpoint: 「chat」", "chat"),
        ("delimiter: „;“", ";"),
        ("output: {format: “jsonl”}", "jsonl"),
        ("“attempts”: 3", "attempts"),
        ("‘on_bad_rows’: skip", "on_bad_rows"),
    ],
)
def test_smart_quotes_are_named_with_their_line(entry: str, write: str) -> None:
    (problem,) = problems_of(BASE + entry + "\n")

    assert (problem.code, problem.line, problem.values["write"]) == ("recipe_quotes", 3, write)


@pytest.mark.parametrize("quotes", ["“”", "‘’", "「」", "«»", "＂＂"])
def test_smart_quotes_around_a_model_are_named(quotes: str) -> None:
    (problem,) = problems_of(f"model: {quotes[0]}qwen-plus{quotes[1]}\nprompt: '{{{{ a }}}}'\n")

    assert (problem.code, problem.line, problem.values["write"]) == ("recipe_quotes", 1, "qwen-plus")


@pytest.mark.parametrize(
    ("entry", "lost"),
    [
        ("prompt: Judge {{ a }} #answer in one word", "#answer in one word"),
        ("prompt: Judge #1 {{ a }}", "#1 {{ a }}"),
        ("prompt: 判断 {{ a }} # 只回答一个词", "# 只回答一个词"),
        ("system: You are judge #1 of the court\nprompt: '{{ a }}'", "#1 of the court"),
    ],
)
def test_a_text_that_yaml_cuts_at_a_hash_is_not_sent_without_its_end(entry: str, lost: str) -> None:
    (problem,) = problems_of(f"model: qwen-plus\n{entry}\n")

    assert (problem.code, problem.line, problem.found) == ("recipe_text_cut", 2, lost)


@pytest.mark.parametrize(
    "prompt",
    [
        "prompt: 'Judge {{ a }} #1'",
        'prompt: "Judge {{ a }} #1"  # a comment',
        "prompt: |\n  Judge {{ a }} #1\n  system: you #2",
        "prompt: C#{{ a }} issue#1",
        "# a comment\nprompt: Judge {{ a }}\n  # another",
    ],
)
def test_a_hash_that_cuts_nothing_is_text(prompt: str) -> None:
    assert recipe(f"model: qwen-plus\n{prompt}\n")


@pytest.mark.parametrize("indent", ["\u3000", "\u3000\u3000", "\u00a0\u00a0", "\u2003"])
@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("prompt: |\n{}请总结 {{ a }}\n{}谢谢\n", 3),
        ("prompt: |\n\n{}{{ a }}\n", 4),
        ("prompt: >-\n{}{{ a }}\noutput:\n  format: csv\n", 3),
        ("prompt: |\n  请看：\n{}{{ a }}\n", 4),
        ("system: |\n{}你是\nprompt: '{{ a }}'\n", 3),
        ("prompt: |\n  请看\n{}\n  {{ a }}\n", 4),
    ],
)
def test_a_block_that_is_indented_with_other_spaces_is_named_with_its_first_line(
    content: str, line: int, indent: str
) -> None:
    (problem,) = problems_of("model: qwen-plus\n" + content.replace("{}", indent))

    assert (problem.code, problem.line, problem.found) == ("recipe_indent", line, indent)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("```yaml\n", "```\n"),
        ("```yml\n", "```"),
        ("``` yaml \n", "```  \n"),
        ("```\n", "```\n"),
        ("````yaml\n", "````\n"),
        ("~~~yaml\n", "~~~\n"),
        ("'''\n", "'''\n"),
        ('"""yaml\n', '"""\n'),
        ("以下是配方：\n\n```yaml\n", "```\n\n希望有帮助！\n"),
        ("", "```\n"),
        ("```yaml\n", ""),
    ],
)
@pytest.mark.parametrize("recipe_lines", [BASE, "model: qwen-plus\nprompt: |\n  {{ a }}\n"])
def test_the_fence_of_a_recipe_from_a_chat_is_named_with_its_lines(
    before: str, after: str, recipe_lines: str
) -> None:
    lines = [*before.splitlines(), *recipe_lines.splitlines(), *after.splitlines()]
    fences = [
        number for number, line in enumerate(lines, start=1) if line[:3] in {"```", "~~~", "'''", '"""'}
    ]

    found = problems_of(before + recipe_lines + after)

    assert [(each.code, each.line) for each in found] == [("recipe_fence", line) for line in fences]


def test_a_fence_within_a_prompt_is_text() -> None:
    assert "```json\n" in recipe("model: m\nprompt: |\n  ```json\n  {{ a }}\n  ```\n").prompt


@pytest.mark.parametrize("answers", ["3", "2", "0", "2.5"])
@pytest.mark.parametrize(
    "asked",
    [
        "prompt: 'JSON {{ a }}'\ncolumns: {b: b}",
        "prompt: '{{ a }}'\ncolumns: {type: object, properties: {b: {type: string}}}",
        "classify: {column: a, labels: [x, y]}",
        "extract: {column: a, fields: [x]}",
    ],
)
def test_several_answers_do_not_fit_into_columns(asked: str, answers: str) -> None:
    content = f"model: qwen-plus\n{asked}\nparameters: {{n: {answers}}}\n"

    assert findings(content) == [("recipe_several_answers", content.count("\n"), "parameters.n")]


@pytest.mark.parametrize(
    "content",
    [
        BASE + "parameters: {n: 3}\n",
        BASE + "columns: {b: b}\nparameters: {n: 1}\n",
        BASE + "columns: {b: b}\nparameters: {n: null}\n",
        "model: qwen-plus\ntranslate: {column: a, to: French}\nparameters: {n: 2}\n",
    ],
)
def test_several_answers_fit_into_one_content(content: str) -> None:
    assert "n" in recipe(content).parameters


@pytest.mark.parametrize(
    "content",
    [
        "output: {format: xlsx}",
        "on_bad_rows: skip\nattempts: 1",
        "completion_window: 2d",
        "output:\nattempts: 3",
    ],
)
def test_request_lines_need_no_more_than_how_they_are_run(content: str) -> None:
    parsed = parse_recipe(content.encode(), BAILIAN, needs_question=False)

    assert (parsed.model, parsed.prompt) == ("-", "-")
    assert {code for code, _, _ in findings(content)} == {"recipe_missing_key", "recipe_without_question"}


@pytest.mark.parametrize(
    "content", ["{}", "model: m", "prompt: '{{ a }}'", "sheet: a\noutput: {format: csv}"]
)
def test_a_recipe_that_says_something_of_rows_needs_a_question_in_any_case(content: str) -> None:
    with pytest.raises(UserInputError):
        parse_recipe(content.encode(), BAILIAN, needs_question=False)


@pytest.mark.parametrize("indent", ["\t", "  \t", "\u3000\u3000", "\u00a0", "\u200b"])
@pytest.mark.parametrize(
    "content", ["output:\n{}format: csv\n", "parameters:\n{}seed: 1\n", "{}attempts: 2\n"]
)
def test_an_indent_that_is_no_space_is_named_with_its_line(content: str, indent: str) -> None:
    (problem,) = problems_of(BASE + content.format(indent))

    assert (problem.code, problem.line) == ("recipe_indent", 2 + content.count("\n"))
    assert quote(indent) in render_problem(problem, "zh")


@pytest.mark.parametrize(
    "value",
    [
        '"{{ row["a"] }}"',
        "'it's {{ a }}'",
        "{{ a }} 好吗",
        "判断: {{ a }}",
        "@{{ a }}",
        "%s {{ a }}",
        "`{{ a }}`",
    ],
)
def test_a_prompt_that_cannot_stand_on_one_line_is_told_to_go_below(value: str) -> None:
    (problem,) = problems_of(f"model: qwen-plus\nprompt: {value}\n")

    assert (problem.code, problem.line, problem.field) == ("recipe_needs_block", 2, "prompt")
    assert recipe(f"model: qwen-plus\nprompt: |\n  {value}\n").prompt == f"{value}\n"


@pytest.mark.parametrize(
    "content", ["model: [\nprompt: |\n  回答：x\n  标签=y\n", "model: x\n  prompt: y\n", "模型\n提示词\n"]
)
def test_text_that_only_looks_like_a_slip_is_not_one(content: str) -> None:
    assert {problem.code for problem in problems_of(content)} <= {"recipe_not_yaml", "recipe_not_a_mapping"}


@pytest.mark.parametrize(
    "name",
    ["'qwen plus'", "'\"qwen-plus\"'", "'qwen-plus '", "'qwen\u3000plus'", "qwen-plus\u200b",
     "qwen\u00a0plus", "\"qwen'plus\"", '"qwen\\tplus"', "'`qwen-plus`'"],
)  # fmt: skip
def test_a_model_has_no_spaces_and_no_quotes(name: str) -> None:
    ((code, line, field),) = findings(f"model: {name}\nprompt: '{{{{ a }}}}'\n")

    assert (code, line, field) == ("not_a_model_name", 1, "model")


@pytest.mark.parametrize(
    "name",
    ["../qwen-plus", "a/../b", "a/..", "..", ".", "a/./b", "a//b", "qwen/", "qwen-plus?x=1",
     "'qwen#2'", "qwen%2fplus", "a&b", '"a\\\\b"', "'<qwen>'", "'{{ 模型 }}'", "'{model}'", "https://x.com/qwen",
     "'qwen-plus,qwen-max'", "qwen-plus、qwen-max", "qwen-plus;", "ｑｗｅｎ-plus", "qwen－plus", "qwen-plus（快）",
     '"qwen\\u0007"', '"qwen\\x1b[31m"', "$MODEL", "qwen-*", "q" * 201],
)  # fmt: skip
def test_a_model_is_a_name_and_nothing_else(name: str) -> None:
    ((code, line, field),) = findings(f"model: {name}\nprompt: '{{{{ a }}}}'\n")

    assert (code, line, field) == ("not_a_model_name", 1, "model")


@pytest.mark.parametrize(
    "name",
    [
        "qwen-plus",
        "Qwen/Qwen2.5-7B",
        "ep-2024:free",
        "qwen3:4b",
        "/models/qwen",
        "a/b/c.d",
        "q" * 200,
        "a_b.c@1",
        "通义千问",
    ],
)
def test_any_other_name_of_a_model_is_taken(name: str) -> None:
    assert recipe(f"model: {name}\nprompt: '{{{{ a }}}}'\n").model == name


@pytest.mark.parametrize(
    ("parameters", "field", "found"),
    [
        ("temperature: .nan", "temperature", ".nan"),
        ("temperature: .NaN", "temperature", ".NaN"),
        ("top_p: .inf", "top_p", ".inf"),
        ("top_p: -.INF", "top_p", "-.INF"),
        ("repetition_penalty: +.inf", "repetition_penalty", "+.inf"),
        ("temperature: NaN", "temperature", "NaN"),
        ("temperature: Infinity", "temperature", "Infinity"),
        ("temperature: '0.7'", "temperature", "0.7"),
        ("temperature: .5", "temperature", ".5"),
        ("temperature: +0.5", "temperature", "+0.5"),
        ("temperature: '0,5'", "temperature", "0,5"),
        ("temperature: 70%", "temperature", "70%"),
        ("temperature: ０.7", "temperature", "０.7"),
        ("temperature: 低", "temperature", "低"),
        ("max_tokens: 1_000", "max_tokens", "1_000"),
        ("max_tokens: 4k", "max_tokens", "4k"),
        ("max_tokens: 0x10", "max_tokens", "0x10"),
        ("seed: true", "seed", "true"),
        ("n: [1]", "n", "[1]"),
        ("logit_bias: {50256: .inf}", "logit_bias", None),
        ("stop: [end, .nan]", "stop", None),
    ],
)
def test_a_parameter_that_is_no_number_is_told(parameters: str, field: str, found: str | None) -> None:
    (problem,) = problems_of(f"{BASE}parameters:\n  {parameters}\n")

    assert (problem.code, problem.line, problem.field) == (
        "recipe_not_a_number",
        4,
        f"parameters.{field}",
    )
    assert found is None or problem.found == found


@pytest.mark.parametrize(
    "parameters",
    ["temperature: 0", "temperature: 0.7", "max_tokens: 1e3", "seed: -1", "stop: nan", "temperature: null",
     "user: '42'", "stop: ['1', inf]", "some_new_one: fast", "logit_bias: {50256: -100}"],
)  # fmt: skip
def test_other_parameters_are_passed_on(parameters: str) -> None:
    assert recipe(f"{BASE}parameters:\n  {parameters}\n").parameters


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("modle", "model"),
        ("Model", "model"),
        ("MODEL", "model"),
        ("ｍｏｄｅｌ", "model"),
        ("mod\u200bel", "model"),
        ("模型", "model"),
        ("models", "model"),
    ],
)
def test_a_misspelt_required_key_is_one_finding(key: str, meant: str) -> None:
    (problem,) = problems_of(f"{key}: qwen-plus\nprompt: '{{{{ a }}}}'\n")

    assert (problem.code, problem.line, problem.values["nearest"]) == ("recipe_unknown_key", 1, meant)


def test_a_required_key_that_is_missing_beside_another_mistake_is_told() -> None:
    assert findings("prompt: '{{ a }}'\nattempt: 2\n") == [
        ("recipe_missing_key", None, "model"),
        ("recipe_unknown_key", 2, "attempt"),
    ]


@pytest.mark.parametrize(("written", "header_row"), [("3", 3), ("auto", "auto"), ("1", 1), ("", None)])
def test_the_line_of_the_header_is_a_number_or_auto(written: str, header_row: object) -> None:
    assert recipe(BASE + f"header_row: {written}\n").header_row == header_row


@pytest.mark.parametrize("written", ["0", "-1", "1.5", "true", "first", "[3]"])
def test_another_line_of_the_header_is_refused_with_what_is_allowed(written: str) -> None:
    with pytest.raises(UserInputError) as refusal:
        recipe(BASE + f"header_row: {written}\n")

    (problem,) = refusal.value.problems
    assert (problem.code, problem.field) == ("recipe_choice", "header_row")
    assert problem.values == {"choices": "1, 2, 3 …, auto"}
