"""Tests hold on a crowded machine: whoever waits is patient, and no process outlives its test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
# Up to a second one may see that something does not come.
MOMENT_S = 1.0
WAITS = {"drain", "join", "result", "wait"}
BOUNDS = {"timeout", "within_s"}
WAITS_FOR_NOTHING = {"SimpleNamespace"}
# To parse all tests would take as long as many of them.
MAY_BE_ONE = re.compile(r"Popen|(timeout|within_s)=[\d.]|wait_for\(|(drain|join|result|wait)\([\d.]")


def breaches(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)) if MAY_BE_ONE.search(source) else ():
        if not isinstance(node, ast.Call) or (name := _name_of(node.func)) in WAITS_FOR_NOTHING:
            continue
        bounds = [each.value for each in node.keywords if each.arg in BOUNDS]
        bounds += node.args[:1] if name in WAITS else node.args[1:] if name == "wait_for" else []
        for bound in bounds:
            if isinstance(bound, ast.Constant) and _is_hasty(bound.value):
                yield f"line {node.lineno}: {name} waits {bound.value} s; PATIENCE_S is meant for that"
        if name == "Popen":
            yield f"line {node.lineno}: started() of tests/support ends the process if the test fails, too"


def _name_of(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def _is_hasty(value: object) -> bool:
    return isinstance(value, int | float) and MOMENT_S < value < PATIENCE_S


def test_tests_wait_patiently_and_end_what_they_start() -> None:
    allowed = {ROOT / "tests/support/processes.py", ROOT / "tests/chaos/people.py"}

    found = {
        f"{path.relative_to(ROOT)}, {breach}"
        for path in (ROOT / "tests").rglob("*.py")
        if path not in allowed
        for breach in breaches(path.read_text(encoding="utf-8"))
    }

    assert found == set()


@pytest.mark.parametrize(
    ("source", "is_breach"),
    [
        ("subprocess.run(command, timeout=60)", True),
        ("wait_for(look, within_s=30)", True),
        ("process.wait(10)", True),
        ("changed.wait_for(lambda: events, 10)", True),
        ("thread.join(timeout=5)", True),
        ("subprocess.Popen(command)", True),
        ("process.wait(PATIENCE_S)", False),
        ("gone.wait(0.05)", False),
        ("subprocess.run(command, timeout=600)", False),
        ("on.wait(task, 'RUNNING')", False),
    ],
)
def test_the_rule_can_fail(source: str, is_breach: bool) -> None:
    assert bool(list(breaches(source))) is is_breach
