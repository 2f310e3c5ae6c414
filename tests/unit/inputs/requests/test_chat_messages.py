from __future__ import annotations

from typing import Any

import pytest

from shared.problems.problem import Problem
from shared.problems.render import render_problem
from tests.support.reading import jsonl, read_jsonl, request_line

CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function"}]}


def problem_of(**changes: Any) -> Problem | None:
    """What is wrong with a request, found also behind a good line, where most are read quickly."""
    good = request_line(custom_id="good")
    if changes.get("url"):
        good = request_line(custom_id="good", url=changes["url"], body={"messages": ..., "input": "x"})
    rows, reader = read_jsonl(jsonl(good, request_line(custom_id="1", **changes)))
    assert rows[0].problems == ()
    assert (rows[1].request is None) == bool(rows[1].problems)
    assert len(reader.all_problems.first) <= 1
    return next(iter(reader.all_problems.first), None)


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        (["hello"], 0),
        ([{"content": "hello"}], 0),
        ([{"role": "user", "content": "a"}, {"role": "", "content": "b"}], 1),
        ([{"role": None, "content": "a"}], 0),
        ([{"role": 1}], 0),
        ([["user", "hello"]], 0),
        ([{"role": " "}, "x"], 0),
        ([{"role": "user", "content": "a"}, None], 1),
        ([{"Role": "user", "content": "a"}], 0),
    ],
)
def test_a_message_without_a_role_is_told_with_its_place(messages: list[object], place: int) -> None:
    good = request_line(custom_id="good")
    bad = [request_line(custom_id=each, body={"messages": messages}) for each in ("1", "2")]

    rows, reader = read_jsonl(jsonl(good, *bad))

    assert [row.request is None for row in rows] == [False, True, True]
    assert [(each.code, each.field) for each in reader.all_problems.first] == [
        ("message_without_role", f"body.messages[{place}]")
    ] * 2


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool", "function"])
def test_the_services_roles_are_good(role: str) -> None:
    assert problem_of(body={"messages": [{"role": role, "content": "x"}]}) is None


@pytest.mark.parametrize(
    ("role", "write"),
    [
        ("User", '"user"'),
        ("USER ", '"user"'),
        ("System", '"system"'),
        ("developer", '"system"'),
        ("human", '"user"'),
        ("Bot", '"assistant"'),
        ("model", '"assistant"'),
        ("用户", '"user"'),
        ("观察者", '"system", "user", "assistant", "tool", "function"'),
    ],
)
def test_any_other_role_is_refused_with_what_to_write(role: str, write: str) -> None:
    problem = problem_of(
        body={"messages": [{"role": "user", "content": "x"}, {"role": role, "content": "x"}]}
    )

    assert problem is not None
    assert (problem.code, problem.line, problem.field) == ("unknown_role", 2, "body.messages[1].role")
    assert f"Write {write}." in render_problem(problem, "en")
    assert f"可用的值：{write}。" in render_problem(problem, "zh")


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": ""},
        {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {}}]},
        CALL,
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "x"}]},
        {**CALL, "content": []},
        {**CALL, "content": ""},
        {"role": "assistant", "content": [], "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "assistant", "content": None, "reasoning_content": "so"},
        {"role": "assistant", "content": [], "reasoning_content": "so"},
        {"role": "assistant", "reasoning_content": "so"},
    ],
)
def test_a_text_parts_or_a_call_is_what_a_message_says(message: dict[str, object]) -> None:
    assert problem_of(body={"messages": [message]}) is None


@pytest.mark.parametrize(
    ("message", "code", "field", "found"),
    [
        ({"role": "user", "content": None}, "wrong_content", "", "null"),
        ({"role": "user"}, "wrong_content", "", "-"),
        ({"role": "user", "content": 5}, "wrong_content", "", "5"),
        ({"role": "system", "content": True}, "wrong_content", "", "true"),
        ({"role": "user", "content": {"text": "好"}}, "wrong_content", "", '{"text":"好"}'),
        ({"role": "user", "content": []}, "wrong_content", "", "[]"),
        ({"role": "assistant", "content": None}, "wrong_content", "", "null"),
        ({"role": "assistant", "content": []}, "wrong_content", "", "[]"),
        ({"role": "user", "content": None, "reasoning_content": "so"}, "wrong_content", "", "null"),
        ({**CALL, "role": "user", "content": []}, "wrong_content", "", "[]"),
        ({**CALL, "content": 5}, "wrong_content", "", "5"),
        ({"role": "user", "tool_calls": [{"id": "1"}]}, "wrong_content", "", "-"),
        ({**CALL, "role": "user"}, "wrong_content", "", "null"),
        ({"role": "user", "content": ["a"]}, "wrong_part", "[0]", '"a"'),
        ({"role": "user", "content": [{"text": "a"}]}, "wrong_part", "[0]", '{"text":"a"}'),
        (
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": 5}]},
            "wrong_part",
            "[1]",
            '{"type":"text","text":5}',
        ),
        ({"role": "user", "content": [{"type": "text"}]}, "wrong_part", "[0]", '{"type":"text"}'),
        ({"role": "user", "content": [None]}, "wrong_part", "[0]", "null"),
    ],
)
def test_what_no_service_reads_is_refused(
    message: dict[str, object], code: str, field: str, found: str
) -> None:
    problem = problem_of(body={"messages": [message]})

    assert problem is not None
    expected = (code, 2, f"body.messages[0].content{field}", found)
    assert (problem.code, problem.line, problem.field, problem.found) == expected


@pytest.mark.parametrize("given", ["x", " ", ["x", "y"], ["\n"], [0], [1, 2], [[1], [2]], [[1, 2]]])
def test_texts_and_tokens_can_be_embedded(given: object) -> None:
    assert problem_of(url="/v1/embeddings", body={"messages": ..., "input": given}) is None


@pytest.mark.parametrize(
    "given",
    [
        5, 0, None, True, "", [], {"text": "x"}, [None], ["x", ""], [1.5],
        [[]], [[""]], [["x"]], [True], [[True]], [[1.5]], [[[1]]], [[1], []], [{"text": "x"}],
    ],
)  # fmt: skip
def test_anything_else_cannot_be_embedded(given: object) -> None:
    problem = problem_of(url="/v1/embeddings", body={"messages": ..., "input": given})

    assert problem is not None
    assert (problem.code, problem.line, problem.field) == ("no_input", 2, "body.input")
