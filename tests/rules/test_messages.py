from __future__ import annotations

import ast
import string
from functools import cache
from pathlib import Path

import pytest

from shared.problems.problem import Problem
from shared.problems.render import MESSAGES, quote, render_problem

SHARED = Path(__file__).parents[2] / "shared"
# Functions that make a problem of a code and, as a rule, something found.
MAKERS = {"Problem", "_refusal", "_found", "PydanticCustomError"}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def calls() -> list[tuple[str, ast.Call]]:
    found = []
    for path in SHARED.rglob("*.py"):
        for node in nodes_of(path):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in MAKERS
                and node.args
            ):
                codes = [leaf for leaf in ast.walk(node.args[0]) if isinstance(leaf, ast.Constant)]
                found += [(str(code.value), node) for code in codes if isinstance(code.value, str)]
    return found


def texts() -> set[str]:
    """Every text of what ships but the table of messages itself."""
    return {
        node.value
        for path in (*SHARED.rglob("*.py"), *SHARED.with_name("functions").rglob("*.py"))
        if path.parent.name != "messages"
        for node in nodes_of(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_code_has_a_message() -> None:
    missing = {code for code, _ in calls()} - MESSAGES.keys()

    assert missing == {"type"}  # the key under which pydantic gives the code


def test_every_message_is_used() -> None:
    assert MESSAGES.keys() - texts() == set()


@pytest.mark.parametrize("code", MESSAGES)
def test_both_languages_have_the_same_placeholders(code: str) -> None:
    message = MESSAGES[code]

    assert placeholders(message.zh) == placeholders(message.en)
    assert message.zh.endswith(("。", "。）"))
    assert message.en.endswith(".")


def test_every_problem_fills_the_placeholders_of_its_message() -> None:
    unfilled = []
    for code, call in calls():
        values = next((keyword.value for keyword in call.keywords if keyword.arg == "values"), None)
        if isinstance(values, ast.Dict):
            given = {key.value for key in values.keys if isinstance(key, ast.Constant)}
            wanted = placeholders(MESSAGES[code].zh) - {"found"}
            if wanted != given:
                unfilled.append((code, wanted, given))

    assert unfilled == []


def test_a_message_says_where_what_and_what_to_do_in_both_languages() -> None:
    problem = Problem("duplicate_custom_id", 17, "custom_id", "q-001", {"first_line": 3})

    assert render_problem(problem, "zh") == (
        "第 17 行 custom_id：与第 3 行重复（“q-001”）。请改为文件内唯一的值。[duplicate_custom_id]"
    )
    assert render_problem(problem, "en") == (
        'Line 17, custom_id: same as line 3 ("q-001"). Make it unique within the file. [duplicate_custom_id]'
    )


def test_another_file_than_the_dropped_one_is_named() -> None:
    problem = Problem("recipe_attempts", 3, "attempts", "9", file="batch.yaml")

    assert render_problem(problem, "zh").startswith("batch.yaml 第 3 行 attempts：必须是")
    assert render_problem(problem, "en").startswith("batch.yaml, line 3, attempts: it must be")


def test_a_problem_of_the_whole_file_has_no_place() -> None:
    assert render_problem(Problem("empty_file"), "en").startswith("The file is empty.")
    assert render_problem(Problem("empty_file"), "zh").startswith("文件是空的")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 文字 😀", "plain 文字 😀"),
        ("a\nb\tc\0\x1b[31m", "a\\nb\\tc\\x00\\x1b[31m"),
        ("\u2028\u202e\u200b\u3000", "\\u2028\\u202e\\u200b\\u3000"),
        ("\ud83d", "\\ud83d"),
        ("{found} {0.__class__}", "{found} {0.__class__}"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("\0" * 100, ("\\x00" * 20)[:79] + "…"),
    ],
)
def test_input_is_quoted_visibly_and_briefly(text: str, shown: str) -> None:
    assert quote(text) == shown


def test_input_cannot_reach_into_the_message() -> None:
    problem = Problem("ragged_row", 1, "{line}", "{found}", {"expected": 1, "found_columns": 2})

    assert render_problem(problem, "en").startswith("Line 1, {line}: the row should have 1 columns")


def test_a_problem_keeps_only_the_beginning_of_what_it_quotes() -> None:
    problem = Problem("mixed_model", 1, "f" * 5000, "x" * 5000, {"first": "y" * 5000, "first_line": 1})

    assert max(len(problem.field or ""), len(problem.found or ""), len(str(problem.values["first"]))) == 1000


@pytest.mark.parametrize(
    ("said", "chinese"),
    [
        ("Expecting ',' delimiter, character 9", "这里应该有“,”，第 9 个字符"),
        ('answer.tags.0: 1 is not of type "string"', 'answer.tags.0：1 的类型不对，应为 "string"'),
        ("mapping values are not allowed here", "这里不能再出现“键: 值”，可能是缩进不对或冒号未加引号"),
        ("expected token 'end of print statement', got 'b'", "此处应为“}}”，实际是“b”"),
        ("UTF-16 without BOM", "没有 BOM 的 UTF-16"),
        ("PNG", "PNG"),
        ("The wheels of this parser came off", "原因见英文说明"),
    ],
)
def test_what_a_parser_said_is_chinese_in_the_chinese_text(said: str, chinese: str) -> None:
    problem = Problem("answer_not_json", values={"reason": said})

    assert f"（{chinese}）" in render_problem(problem, "zh")
    assert f"({said})" in render_problem(problem, "en")
