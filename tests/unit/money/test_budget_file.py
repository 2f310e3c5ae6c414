from __future__ import annotations

import pytest

from shared.money.budget_file import parse_budget
from shared.problems.exceptions import UserInputError
from shared.problems.render import render_both

BUDGET = "month: 500 CNY\nfolders:\n  marketing: ¥100\n  marketing/mails: 20 元\n  inbox/sales/: $3\n"


@pytest.mark.parametrize(
    ("key", "scopes"),
    [
        ("inbox/a.csv", [("all", "", 500)]),
        ("inbox/marketing/a.csv", [("folder", "marketing", 100), ("all", "", 500)]),
        (
            "inbox/marketing/mails/x/a.csv",
            [("folder", "marketing", 100), ("folder", "marketing/mails", 20), ("all", "", 500)],
        ),
        ("inbox/marketing-2/a.csv", [("all", "", 500)]),
        ("inbox/sales/a.csv", [("folder", "sales", 3), ("all", "", 500)]),
    ],
)
def test_a_file_is_under_its_folders_and_the_whole_month(
    key: str, scopes: list[tuple[str, str, int]]
) -> None:
    found = parse_budget(BUDGET).ceilings_of(key)

    assert [(each.scope, each.folder, each.at_most.micros // 1_000_000) for each in found] == scopes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("month: 500", 'month: "500" is no amount'),
        ("month: lots", 'month: "lots" is no amount'),
        ("folders: {a: 5}", 'folders.a: "5" is no amount'),
        ("folders: 5 CNY", "folders: here must be keys and values"),
        ("moth: 5 CNY", 'Did you mean "month"'),
        ("folders: {inbox/: 5 CNY}", "names no folder of its own"),
        ("folders: {inbox: 5 CNY}", "names no folder of its own"),
        ("folders: {/: 5 CNY}", "names no folder of its own"),
        ("folders: {./a: 5 CNY}", "names no folder of its own"),
        ("folders: {a/../b: 5 CNY}", "names no folder of its own"),
        ("folders: {a//b: 5 CNY}", "names no folder of its own"),
        ("folders: {'a/*': 5 CNY}", "names no folder of its own"),
        ("folders: {'a\\b': 5 CNY}", "names no folder of its own"),
        ("folders: {a: 5 CNY, a/: 6 CNY}", "names no folder of its own"),
        ("folders: {'a ': 5 CNY}", "names no folder of its own"),
        ("folders: {'a/ b': 5 CNY}", "names no folder of its own"),
        ("folders: {a: }", 'folders.a: "" is no amount'),
        ("folders: {a: {month: 5 CNY}}", 'folders.a: "{"month": "5 CNY"}" is no amount'),
        ("- 5 CNY", "budget.yaml must say"),
    ],
)
def test_each_mistake_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(UserInputError) as error:
        parse_budget(text)

    rendered = [render_both(problem) for problem in error.value.problems]
    assert said in rendered[0]
    assert rendered[0].startswith("budget.yaml")


@pytest.mark.parametrize("text", ["", "# month: 5 CNY\n"])
def test_an_empty_budget_says_nothing(text: str) -> None:
    assert [*parse_budget(text).ceilings_of("inbox/a.csv")] == []


def test_accents_may_be_decomposed() -> None:
    budget = parse_budget("folders: {caf\u00e9: 5 CNY}")

    assert [each.folder for each in budget.ceilings_of("inbox/cafe\u0301/a.csv")] == ["caf\u00e9"]
