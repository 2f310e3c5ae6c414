from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.problems.render import render_problem
from shared.recipes.columns.answers import AnswerColumns, cell_text
from shared.recipes.columns.paths import MISSING, parse_path, value_at

SCHEMA = {
    "type": "object",
    "properties": {
        "sentiment": {"enum": ["good", "bad"]},
        "score": {"type": "number"},
        "tags": {"type": "array"},
    },
    "required": ["sentiment"],
}
PATHS = {"a": "a", "city": "address.city"}


def read(content: str, columns: Any = PATHS) -> tuple[list[object], str | None, str]:
    values, problem = AnswerColumns(columns).read(content)
    if problem is None:
        return list(values), None, ""
    assert render_problem(problem, "zh")
    return list(values), problem.code, render_problem(problem, "en")


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a", ("a",)),
        ("address.city", ("address", "city")),
        ("tags[0]", ("tags", 0)),
        ("tags[-1].x", ("tags", -1, "x")),
        ("[0][1]", (0, 1)),
        ('"a.b"["c d"][\'e"\'].f', ("a.b", "c d", 'e"', "f")),
        ("评价.是否 满意", ("评价", "是否 满意")),
        (" a . b [ 0 ]", ("a", "b", 0)),
        ("$price", ("$price",)),
        ("a.$", None), ("$", None), ("$.a", None), ("$[0]", None), ("", None), ("  ", None), (".a", None), ("a.", None),
        ("a..b", None), ("a[", None), ("a[x]", None), ("a[1.5]", None), ("a]", None), ('"a"b', None), ('""', None),
        ("a.[0]", None), ("a[99999999999]", None), ("a[]", None), ("a['b]", None),
    ],
)  # fmt: skip
def test_a_path_is_keys_and_indexes(path: str, steps: tuple[str | int, ...] | None) -> None:
    assert parse_path(path) == steps


@given(st.text(st.sampled_from("ab.[]0-1\"'$ 好"), max_size=12))
def test_whatever_is_written_as_a_path_is_read_or_refused(path: str) -> None:
    steps = parse_path(path)

    assert steps is None or value_at({}, steps) is MISSING


@pytest.mark.parametrize(
    ("content", "values"),
    [
        ('{"a": 1, "address": {"city": "北京"}}', [1, "北京"]),
        ('{"a": null, "address": {"city": ""}}', [None, ""]),
        ('\n ```json\n{"a": [1, {"b": 2}], "address": {"city": true}}\n``` \n', [[1, {"b": 2}], True]),
        ('```\n{"a": 1.50, "address": {"city": 1e-7}}```', [1.5, 1e-7]),
        ('```JSON {"a": "``", "address": {"city": "x"}} ```', ["``", "x"]),
        ('{"a": 1, "a": 2, "address": {"city": "the last of a repeated key"}}', [2, "the last of a repeated key"]),
        ('{"a": ' + "9" * 4300 + ', "address": {"city": 0}}', [int("9" * 4300), 0]),
        ('{"a": "\\ud83d\\ude00 \\ud83d", "address": {"city": "\u2028"}}', ["😀 \ufffd", "\u2028"]),
        ('{"a": ' + "[" * 99 + "]" * 99 + ', "address": {"city": 0}}', [json.loads("[" * 99 + "]" * 99), 0]),
    ],
)  # fmt: skip
def test_each_path_gives_its_value_with_its_type(content: str, values: list[object]) -> None:
    assert read(content) == (values, None, "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Expecting value"), ("good", "Expecting value"), ('{"a": 1', "delimiter"),
        ("``````", "Expecting value"), ("```", "Expecting value"), ("{'a': 1}", "double quotes"),
        ('{"a": NaN}', "NaN"), ('{"a": -Infinity}', "Infinity"), ('{"a": 1e999}', "too large"),
        ('{"a": ' + "9" * 4301 + "}", "4301 digits"),
        ("[" * 101 + "]" * 101, "100 levels"), ("[" * 200_000, "100 levels"), ('{"a": 1} {}', "2 different"),
    ],
)  # fmt: skip
def test_what_is_no_json_says_so_and_leaves_its_columns_empty(content: str, reason: str) -> None:
    values, code, said = read(content)

    assert (values, code) == ([None, None], "answer_not_json")
    assert reason in said


@pytest.mark.parametrize(
    ("content", "values", "missing"),
    [
        ('{"a": 1}', [1, None], "city"),
        ('{"a": 1, "address": "Beijing"}', [1, None], "city"),
        ("[1, 2]", [None, None], "a, city"),
        ("7", [None, None], "a, city"),
    ],
)
def test_a_path_to_nothing_is_an_empty_cell_and_says_so(
    content: str, values: list[object], missing: str
) -> None:
    found, code, said = read(content)

    assert (found, code) == (values, "answer_does_not_fit")
    assert f"nothing at {missing})" in said


def test_the_properties_of_a_schema_are_its_columns_and_may_be_absent_if_they_are_optional() -> None:
    columns = AnswerColumns(SCHEMA)

    assert columns.names == ("sentiment", "score", "tags")
    assert columns.read('{"sentiment": "good", "tags": ["x"]}') == (["good", None, ["x"]], None)


@pytest.mark.parametrize(
    ("content", "values", "reason"),
    [
        ('{"score": 1}', [None, 1, None], '"sentiment" is a required property'),
        ('{"sentiment": "fine", "score": 1}', ["fine", 1, None], 'sentiment: "fine" is not one of'),
        ('{"sentiment": "good", "score": "1"}', ["good", "1", None], 'score: "1" is not of type "number"'),
        ("[]", [None, None, None], 'is not of type "object"'),
    ],
)
def test_an_answer_that_does_not_fit_its_schema_says_where_and_shows_what_it_has(
    content: str, values: list[object], reason: str
) -> None:
    found, code, said = read(content, SCHEMA)

    assert (found, code) == (values, "answer_does_not_fit")
    assert reason in said


def test_a_schema_that_a_newer_version_refuses_holds_up_no_paid_answer() -> None:
    columns = AnswerColumns({"properties": {"a": {"type": "no such type"}}})

    assert columns.read('{"a": 1}').values == [1]


def test_the_reason_stays_short_however_long_the_answer_is() -> None:
    _, code, said = read(json.dumps({"sentiment": "x" * 100_000}), SCHEMA)

    assert code == "answer_does_not_fit"
    assert len(said) < 1000


@pytest.mark.parametrize(
    ("value", "cell"),
    [(None, ""), ("", ""), ("好\n", "好\n"), (True, "true"), (0, "0"), (1.5, "1.5"), ([1, "好"], '[1,"好"]'), ({}, "{}")],
)  # fmt: skip
def test_a_value_in_a_csv_is_text_or_json(value: Any, cell: str) -> None:
    assert cell_text(value) == cell


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "address", "city", "x"]), inner),
    max_leaves=8,
)  # fmt: skip


@given(JSON, st.sampled_from([PATHS, SCHEMA]), st.booleans())
def test_every_json_document_is_read_or_says_what_it_lacks(
    document: Any, columns: Any, is_fenced: bool
) -> None:
    text = json.dumps(document, ensure_ascii=False)
    reader = AnswerColumns(columns)

    values, problem = reader.read(f"```json\n{text}\n```" if is_fenced else text)

    own = document if isinstance(document, dict) else {}
    assert len(values) == len(reader.names)
    assert values[0] == own.get(reader.names[0])
    assert problem is None or problem.code == "answer_does_not_fit"


@given(
    st.text(
        st.one_of(st.sampled_from('{}[]",:0123456789.eE+-\\u dD8`jsontrufalN'), st.characters()), max_size=30
    )
)
def test_whatever_a_model_says_nothing_is_raised(content: str) -> None:
    for columns in (PATHS, SCHEMA):
        values, problem = AnswerColumns(columns).read(content)

        assert problem is None or render_problem(problem, "en")
        "".join(map(cell_text, values)).encode()


LABELS = {
    "type": "object",
    "properties": {"label": {"enum": ["好评", "差评", "中评。", "1", "true"]}},
    "required": ["label"],
}


@pytest.mark.parametrize(
    ("content", "label"),
    [
        ("好评", "好评"), (" 好评\n", "好评"), ("好评。", "好评"), ("“好评”", "好评"), ('"好评"', "好评"), ("**差评**", "差评"),
        ("「差评」。", "差评"), ("'差评'!", "差评"), ("`好评`", "好评"), ("中评。", "中评。"), ("1", "1"), ("true", "true"),
    ],
)  # fmt: skip
def test_a_bare_label_is_the_value_of_the_only_column(content: str, label: str) -> None:
    assert read(content, LABELS)[:2] == ([label], "answer_was_bare")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("好评吧", "answer_not_json"), ("好", "answer_not_json"), ("好评，差评", "answer_not_json"), ("中评", "answer_not_json"),
        ("类别：好评", "answer_not_json"), ("", "answer_not_json"), ("2", "answer_does_not_fit"), ('"好"', "answer_does_not_fit"),
        ('["好评"]', "answer_does_not_fit"), ('{"label": "好"}', "answer_does_not_fit"),
    ],
)  # fmt: skip
def test_what_is_not_exactly_a_label_is_told(content: str, code: str) -> None:
    assert read(content, LABELS)[1] == code


def test_a_bare_value_says_nothing_where_there_are_several_columns() -> None:
    assert read("good", SCHEMA)[1] == "answer_not_json"
