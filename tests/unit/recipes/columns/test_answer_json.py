from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.problems.render import render_problem
from shared.recipes.columns.answer_json import find_json
from shared.recipes.columns.answers import AnswerColumns

PROSE, THINKING, RAW = "answer_had_prose", "answer_had_thinking", "answer_had_raw_characters"
A1 = '{"a": 1}'


@pytest.mark.parametrize(
    "content",
    [
        f"Here is the result:\n\n```json\n{A1}\n```\n\nLet me know!",
        f"```json\n{A1}\n```\nHope this helps!",
        f"结果如下：\n~~~json\n{A1}\n~~~",
        f"~~~\n{A1}\n~~~",
        f"````json\n{A1}\n````\n以上。",
        f"1. The answer:\n   ```JSON\n   {A1}\n   ```",
        f"Here: ```{A1}``` done",
        f"```json\n{A1}",
        f"```\nResult: {A1}\n```",
        f"```python\nprint({{'a': 0}})\n```\ngives\n```json\n{A1}\n```",
        f"```js\nlet x = {{a: 0}};\n```\n```\n{A1}\n```\nand ```sh\nls\n```",
        f"```json\n{A1}\n```\nagain:\n```json\n{{ \"a\" : 1 }}\n```",
        f"{A1}\nThat is: {A1}",
    ],
)  # fmt: skip
def test_one_fence_is_read_whatever_stands_around_it(content: str) -> None:
    assert find_json(content) == ({"a": 1}, PROSE)


@pytest.mark.parametrize(
    "content",
    [
        f"Sure! {A1}",
        f"分析：这条评论是正面的。{A1}谢谢。",
        f"json\n{A1}",
        f"JSON: {A1}",
        f"json{A1}",
        f"Answer: {A1}.",
        f"As source [1] says [here](https://x), {A1} [2, 3]",
        f"- [x] done\n- [ ] open []\n{A1}",
        f"With {{name}} filled in and \\frac{{1}}{{2}}: {A1}",
        f"The set {{1, 2}} has {A1}",
        f"<answer>{A1}</answer>",
        f"結果は {A1} です",
        f"النتيجة: {A1}",
        f"**{A1}**",
        f"`{A1}`",
    ],
)
def test_one_object_is_read_whatever_stands_around_it(content: str) -> None:
    assert find_json(content) == ({"a": 1}, PROSE)


@pytest.mark.parametrize(
    ("content", "document"),
    [
        ('Here: [{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        ('Here: {"a": {"a": 2}, "b": "}{"} ok', {"a": {"a": 2}, "b": "}{"}),
        ('Here: {"a": "</think> stays"} ok', {"a": "</think> stays"}),
        ('Here: {"a": "one\ntwo\t"} ok', {"a": "one\ntwo\t"}),
        ('Here: {"a": "```python\\nx = {1: 2}\\n```"} ok', {"a": "```python\nx = {1: 2}\n```"}),
        ('So: {"a": "\\ud83d\\ude00 \\ud83d"}', {"a": "😀 \ufffd"}),
    ],
)
def test_a_document_in_prose_is_read_whole(content: str, document: Any) -> None:
    assert find_json(content) == (document, PROSE)


@pytest.mark.parametrize("content", ["The ranks are [3, 1, 2].", "```json\n[3, 1, 2]\n``` as asked"])
def test_a_list_of_plain_values_is_read_only_where_a_path_begins_with_an_index(content: str) -> None:
    assert find_json(content, wants_list=True) == ([3, 1, 2], PROSE)
    assert AnswerColumns({"first": "[0]"}).read(content).values == [3]
    with pytest.raises(ValueError, match="Expecting value"):
        find_json(content)


@pytest.mark.parametrize(
    "content",
    [
        f"<think>\nhm\n</think>\n\n{A1}",
        f"<think></think>{A1}",
        f'<think>maybe {{"a": 0}}, or {{"a": </think>```json\n{A1}\n```',
        f"<thinking>x</thinking>\n{A1}",
        f"first, the tone …\n</think>\n\n{A1}",
        f'{{"a": 0}} is a draft, {{"a": \n</think>\n{A1}',
        f"<THINK>用户想要 JSON</THINK>{A1}",
        f"<seed:think>x</seed:think>{A1}",
        f"[THINK]x[/THINK]{A1}",
        f"◁think▷x◁/think▷{A1}",
        f"<think>one</think><think>two</think>{A1}",
        f"\ufeff<think>x</think>{A1}",
    ],
)
def test_thinking_in_front_is_skipped(content: str) -> None:
    assert find_json(content) == ({"a": 1}, THINKING)


@pytest.mark.parametrize(
    "content",
    [
        f"<think>draft: {{\"a\": 0}}</think>The answer is {A1}",
        f"Well. <think>draft: {{\"a\": 0}}</think> So {A1}",
        f"draft: {{\"a\": \n</think>The answer is {A1}",
        '<think>x</think>{"a": 1} </b>',
    ],
)  # fmt: skip
def test_thinking_is_skipped_in_prose_too(content: str) -> None:
    assert find_json(content) == ({"a": 1}, PROSE)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ('{"a": "good\nreally"}', "good\nreally"),
        ('{"a": "one\r\ntwo"}', "one\r\ntwo"),
        ('{"a": "\tx"}', "\tx"),
        ('```json\n{"a": "好\n的"}\n```', "好\n的"),
        ('{"a": "\x01"}', "\x01"),
        ('{"a": "a\n```\nb"}', "a\n```\nb"),
    ],
)
def test_raw_control_characters_in_texts_are_read(content: str, value: str) -> None:
    assert find_json(content) == ({"a": value}, RAW)


@pytest.mark.parametrize(
    "content",
    ["\ufeff" + A1, "\u200b" + A1 + "\u200b", "\ufeff\n```json\n" + A1 + "\n```\ufeff", "\u2060" + A1],
)
def test_what_nobody_sees_around_the_json_is_not_worth_a_word(content: str) -> None:
    assert find_json(content) == ({"a": 1}, "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"a": 1} {"a": 2}', "2 different"),
        ('{"a": 1}\n{"a": 2}\n{"a": 3}', "3 different"),
        ('{"a": 1} {"a": true}', "2 different"),
        ('{"a": 1} {}', "2 different"),
        ('```json\n{"a": 1}\n```\nor\n```json\n{"a": 2}\n```', "2 different"),
        ('For {"id": 7}:\n```json\n{"a": 1}\n```', "2 different"),
        ('[{"a": 1}] or {"a": 1}', "2 different"),
        ('<think>x</think>{"a": 1} or {"a": 2}', "2 different"),
        # What is damaged or cut off: neither itself nor what is in it or beside it.
        ('Here: {"a": 1', "delimiter"),
        ('Here: {"a": 1, "b": {"a": 2}, "c": oops}', "Expecting value"),
        ('Here: {"b": [{"a": 1}, {"a": 2}', "delimiter"),
        ('Here: [{"a": 1}, {"a": 2', "delimiter"),
        ("{'a': 0} or rather " + A1, "double quotes"),
        ("{a: 0} or rather " + A1, "double quotes"),
        ("{“a”: 0} or rather " + A1, "double quotes"),
        ("{“a”: 1}", "double quotes"),
        ("{「a」: 1}", "double quotes"),
        ("结果：{“a”：1}", "double quotes"),
        ('{"a"： 1}', "delimiter"),
        ('```json\n{"a": 1,}\n```\nfixed:\n```json\n{"a": 2}\n```', ""),
        ("{ // note\n\"a\": 1}", "double quotes"),
        ('{"a": 1}, "b": 2}', "Extra data"),
        ('x {{"a": 1}}', "Expecting value"),
        ("Here: {\"a\": NaN}", "NaN"),
        ("Here: " + '{"a":' * 101 + "1" + "}" * 101, "100 levels"),
        # Thinking without an answer.
        ('<think>I would say {"a": 1}', "thinking does not end"),
        ('<think>I would say {"a": 1}</think>', "Expecting value"),
        ('draft {"a": 1}\n</think>\nI cannot decide.', "Expecting value"),
        ("no JSON at all", "Expecting value"),
        ("[1] and [2]", "Extra data"),
    ],
)  # fmt: skip
def test_nothing_is_guessed(content: str, reason: str) -> None:
    values, problem = AnswerColumns({"a": "a"}).read(content)

    assert (values, problem and problem.code) == ([None], "answer_not_json")
    assert problem
    assert reason in render_problem(problem, "en")
    assert "原因见英文说明" not in render_problem(problem, "zh")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (A1, None),
        (f"Sure: {A1}", PROSE),
        (f"<think>x</think>{A1}", THINKING),
        ('{"a": "x\ny"}', RAW),
        ('Sure: {"b": 1}', "answer_does_not_fit"),
        ('<think>x</think>{"b": 1}', "answer_does_not_fit"),
    ],
)
def test_the_code_of_the_row_says_how_it_was_read(content: str, code: str | None) -> None:
    problem = AnswerColumns({"a": "a"}).read(content).problem

    assert (problem and problem.code) == code


@pytest.mark.parametrize(
    "piece",
    ["[", "{", "[a", "{a}", "[1,[a] ", "[1] ", "<think>", "</think>", "</think>{", "```\n", "~~~a\n```b\n",
     "```py\n```\n", "[1,", '{"a": ', "{x:" + "[" * 90],
)  # fmt: skip
def test_a_long_answer_is_refused_in_time_that_grows_with_its_length_alone(piece: str) -> None:
    """A search that begins again at each bracket would take minutes for this."""
    with pytest.raises(ValueError, match=r"."):
        find_json("x" + piece * (400_000 // len(piece)))


FRAGMENTS = st.lists(
    st.sampled_from(
        [A1, '{"a": 2}', "{", "}", "[", "]", '"', "'", "```", "```json\n", "\n", "~~~", "<think>", "</think>",
         "prose", ":", ",", "a", "1", "\ufeff", "[1]", "{x}", "\\", "\\ud83d"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(FRAGMENTS)
def test_whatever_is_found_stands_in_the_answer_as_a_whole(content: str) -> None:
    try:
        document, oddity = find_json(content)
    except ValueError:
        return
    has_both = '{"a": 1}' in content and '{"a": 2}' in content
    if oddity == PROSE and has_both and not any(mark in content for mark in ("think>", "```", "~~~")):
        # So they must be parts of one document.
        assert document not in ({"a": 1}, {"a": 2})
    json.dumps(document, ensure_ascii=False).encode()
