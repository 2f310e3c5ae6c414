"""Programs for people print through one door, which shows what a terminal would obey."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOR_PEOPLE = ("scripts/operate", "scripts/demonstration", "scripts/localcloud")


def breaches(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id == "print":
            yield f"line {node.lineno}: say() prints, print() does not escape"
        if node.func.id == "SystemExit" and "shown(" not in ast.unparse(node):
            yield f"line {node.lineno}: Python prints what SystemExit is given; hand it shown()"


@pytest.mark.parametrize("folder", FOR_PEOPLE)
def test_everything_is_printed_through_the_one_door(folder: str) -> None:
    found = {
        f"{path.relative_to(ROOT)}, {breach}"
        for path in (ROOT / folder).rglob("*.py")
        for breach in breaches(path.read_text(encoding="utf-8"))
    }

    assert found == set()


@pytest.mark.parametrize(
    ("source", "is_breach"),
    [
        ("print(name)", True),
        ("raise SystemExit(f'{name} is wrong')", True),
        ("say(name)", False),
        ("raise SystemExit(shown(name))", False),
    ],
)
def test_the_rule_can_fail(source: str, is_breach: bool) -> None:
    assert bool(list(breaches(source))) is is_breach
