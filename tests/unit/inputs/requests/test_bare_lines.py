"""Request lines that are an id and a body alone, whose recipe names the model."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from shared.inputs.formats import file_form_for, row_source_for
from shared.inputs.reading import RowReader
from shared.inputs.requests.quick_requests import QuickRequests, RequestMode
from shared.inputs.requests.request_encoding import RequestForm
from shared.inputs.rows import InputRow
from shared.ports.profile import CHAT, EMBEDDINGS
from shared.problems.render import render_problem
from shared.providers.ark.profile import ARK
from shared.recipes.parse import parse_recipe
from shared.recipes.recipe import Recipe
from tests.support.reading import MadeUpFile, codes, in_chunks, jsonl, read_jsonl, request_line

MESSAGES = [{"role": "user", "content": "你好"}]
MODEL = "doubao-seed-2-1-pro-260628"
RECIPE = parse_recipe(
    f"provider: ark\nmodel: {MODEL}\n".encode(), ARK, needs_question=False, is_beside_lines=True
)
MODE = RequestMode(CHAT, MODEL, thinking=None)


def bare(custom_id: object = "1", body: object = None, **more: object) -> dict[str, Any]:
    return {"custom_id": custom_id, "body": {"messages": MESSAGES} if body is None else body, **more}


def read(content: bytes, recipe: Recipe | None = RECIPE) -> tuple[list[InputRow], RowReader]:
    form = file_form_for("a.jsonl", 1)
    source = row_source_for(form, MadeUpFile(lambda: in_chunks(content, 1000)), recipe, ARK, "m")
    reader = RowReader(source, form)
    return list(reader.rows()), reader


def told(reader: RowReader, language: Any) -> str:
    return "\n".join(render_problem(problem, language) for problem in reader.all_problems.first)


def test_lines_are_sent_byte_for_byte_and_the_recipe_names_their_model() -> None:
    lines = [bare("a"), bare("b", {"messages": MESSAGES, "thinking": {"type": "disabled"}, "max_tokens": 9})]

    rows, reader = read(jsonl(*lines))

    assert [row.request for row in rows] == [jsonl(line) for line in lines]
    assert (reader.facts.model, reader.facts.endpoint) == (MODEL, CHAT)
    assert (reader.facts.rows, reader.facts.bad_rows) == (2, 0)


def test_windows_line_ends_blank_lines_and_marks_are_left_out_since_one_bad_line_fails_the_batch() -> None:
    line = json.dumps(bare("a")).encode()
    content = b"\xef\xbb\xbf" + line + b"\r\n\r\n  \n" + line.replace(b'"a"', b'"b"')

    rows, _ = read(content)

    assert b"".join(row.request or b"" for row in rows) == line + b"\n" + line.replace(b'"a"', b'"b"') + b"\n"


def test_the_recipes_endpoint_says_what_a_body_must_hold() -> None:
    content = b"provider: ark\nmodel: m\nendpoint: embeddings\n"
    recipe = parse_recipe(content, ARK, needs_question=False, is_beside_lines=True)

    rows, reader = read(jsonl(bare("a", {"input": ["x", "y"]}), bare("b")), recipe)

    assert [row.request is not None for row in rows] == [True, False]
    assert (codes(reader), reader.facts.endpoint) == (["no_input"], EMBEDDINGS)


# What the service checks itself, and what would fail the whole batch.
BAD = {
    "not JSON": (b"{oops}", "bad_json"),
    "a list": (b"[1]", "not_an_object"),
    "no id": (json.dumps({"body": {"messages": MESSAGES}}).encode(), "custom_id_not_text"),
    "an id that is a number": (json.dumps(bare(7)).encode(), "custom_id_not_text"),
    "an empty id": (json.dumps(bare("")).encode(), "empty_custom_id"),
    "an id twice": (json.dumps(bare("first")).encode(), "duplicate_custom_id"),
    "no body": (b'{"custom_id": "1"}', "body_not_an_object"),
    "a body that is text": (json.dumps(bare(body='{"messages": []}')).encode(), "body_not_an_object"),
    "no messages": (json.dumps(bare(body={"max_tokens": 1})).encode(), "no_messages"),
    "a constant that no JSON has": (b'{"custom_id": "1", "body": {"messages": NaN}}', "json_constant"),
    "a key twice": (b'{"custom_id": "1", "custom_id": "2", "body": {}}', "duplicate_key"),
    "two requests": (json.dumps(bare("x")).encode() * 2, "bad_json"),
    "a stream": (json.dumps(bare(body={"messages": MESSAGES, "stream": True})).encode(), "stream_in_batch"),
    "extra_body": (json.dumps(bare(body={"messages": MESSAGES, "extra_body": {}})).encode(), "extra_body"),
    "another key": (json.dumps(bare(priority=1)).encode(), "unknown_line_key"),
    "another providers parameter": (
        json.dumps(bare(body={"messages": MESSAGES, "enable_thinking": False})).encode(),
        "foreign_parameter",
    ),
    "an unknown role": (
        json.dumps(bare(body={"messages": [{"role": "User", "content": "x"}]})).encode(),
        "unknown_role",
    ),
}


@pytest.mark.parametrize(("line", "code"), BAD.values(), ids=BAD)
def test_a_bad_line_is_found_before_it_is_sent(line: bytes, code: str) -> None:
    good = jsonl(bare("first"), bare("second"))

    rows, reader = read(good + line + b"\n" + jsonl(bare("last")))

    assert [row.request is not None for row in rows] == [True, True, False, True]
    assert code in codes(reader)
    assert {problem.line for problem in reader.all_problems.first} == {3}


ADDRESSED = {
    "all of it": (request_line(), "method, url, body.model"),
    "a method": (bare(method="POST"), "method"),
    "a url": (bare(url="/v1/chat/completions"), "url"),
    "a model": (bare(body={"model": MODEL, "messages": MESSAGES}), "body.model"),
}


@pytest.mark.parametrize("before", [(), (bare("0"), bare("00"))])
@pytest.mark.parametrize(("line", "keys"), ADDRESSED.values(), ids=ADDRESSED)
def test_a_line_of_the_other_form_is_refused_with_what_to_change(
    line: dict[str, Any], keys: str, before: Iterable[dict[str, Any]]
) -> None:
    _, reader = read(jsonl(*before, line))

    assert codes(reader) == ["line_of_other_form"]
    for language, words in (("zh", "请删除"), ("en", "Remove")):
        assert f"{words} {keys}" in told(reader, language)
        assert "provider: bailian" in told(reader, language)


def test_without_a_recipe_the_one_to_write_is_told() -> None:
    rows, reader = read(jsonl(bare()), None)

    assert (rows, codes(reader)) == ([], ["lines_without_recipe"])
    for language in ("zh", "en"):
        assert "batch.yaml" in told(reader, language)
        assert f"model: {MODEL}" in told(reader, language)


@pytest.mark.parametrize("count", [1, 3, 2000])
@pytest.mark.parametrize("model", [{}, {"model": "m"}])
def test_lines_without_an_address_where_one_is_needed_are_one_problem(
    model: dict[str, str], count: int
) -> None:
    rows, reader = read_jsonl(jsonl(*[bare(body={"messages": MESSAGES, **model})] * count))

    assert (codes(reader), rows) == (["bare_lines"], [])
    for language in ("zh", "en"):
        assert "provider: ark" in told(reader, language)
        assert '{"custom_id": "q-001", "method": "POST", "url": "/v1/chat/completions"' in told(
            reader, language
        )


def test_a_file_in_a_third_form_is_told_how_its_lines_must_be() -> None:
    _, reader = read(jsonl({"messages": MESSAGES}))

    assert codes(reader) == ["foreign_lines"]
    assert '{"custom_id": "q-001", "body": {"messages"' in told(reader, "en")
    assert '"method"' not in told(reader, "en")


# The fast path, which must find nothing good that the full checks refuse.


def test_most_good_lines_are_read_by_the_fast_path() -> None:
    quick = QuickRequests(ARK.rules)
    lines = [jsonl(bare(str(number))).rstrip(b"\n") for number in range(200)]

    assert [quick.find_custom_id(line, MODE) for line in lines] == [str(number) for number in range(200)]


@pytest.mark.parametrize("shape_of", [(), [bare(str(number)) for number in range(3)]])
@pytest.mark.parametrize("line", [line for line, _ in BAD.values()], ids=BAD)
def test_the_fast_path_is_sure_of_no_bad_line(line: bytes, shape_of: list[dict[str, Any]]) -> None:
    quick = QuickRequests(ARK.rules)
    for good in shape_of:
        assert quick.find_custom_id(jsonl(good), MODE)

    found = quick.find_custom_id(line, MODE)

    assert found in {None, "", "first"}  # ids are still to be checked


@pytest.mark.parametrize("line", [line for line, _ in ADDRESSED.values()], ids=ADDRESSED)
def test_the_fast_path_is_sure_of_no_line_of_the_other_form(line: dict[str, Any]) -> None:
    assert QuickRequests(ARK.rules).find_custom_id(jsonl(line), MODE) is None


# What is written.


@pytest.mark.parametrize(
    ("endpoint", "has_system", "body"),
    [
        (
            CHAT,
            True,
            b'{"messages":[{"role":"system","content":"s"},{"role":"user","content":"p"}],"seed":1}',
        ),
        (CHAT, False, b'{"messages":[{"role":"user","content":"p"}],"seed":1}'),
        (EMBEDDINGS, False, b'{"input":["p"],"seed":1}'),
    ],
)
def test_a_table_row_becomes_an_id_and_a_body(endpoint: str, has_system: bool, body: bytes) -> None:
    form = RequestForm(MODEL, endpoint, {"seed": 1}, has_system=has_system, form=ARK.rules.form)

    line = form.line(b"q-1", form.body(b"s" if has_system else None, b"p"))

    assert line == b'{"custom_id":"q-1","body":' + body + b"}\n"
    assert json.loads(line)
