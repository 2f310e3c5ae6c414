"""Our pages' links lead somewhere, their commands run, and the first takes three minutes."""

from __future__ import annotations

import importlib.util
import re
import unicodedata

import pytest

from scripts.pages import ROOT
from shared.providers.bailian.profile import BAILIAN
from shared.recipes.parse import parse_recipe

FOLDERS = (".github", "examples", "functions", "scripts", "shared", "tests")
NAMES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))]
)
COLUMNS = 100

FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"^\$ (.+)$|`([^`\n]+)`", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MODULE = re.compile(r"python -m ([\w.]+)")
SCRIPT = re.compile(r"(?<![\w./-])scripts/[a-z]+(?![\w/.])")
FLAG = re.compile(r"(?<!\S)--[a-z][a-z-]*")
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> list[str]:
    """The lines that can be broken: no code, no tables, no long address."""
    return [
        line for line in FENCE.sub("", text).split("\n") if not line.startswith("|") and "://" not in line
    ]


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in line)


def commands(text: str) -> str:
    return "\n".join(match[1] or match[2] for match in CODE.finditer(text))


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


# The door.


def test_the_readme_takes_three_minutes() -> None:
    lines = page("README.md").splitlines()

    assert len(lines) <= 150
    assert len(page("README.md").split()) <= 1100
    assert [line for line in lines if width(line) > COLUMNS] == []


def test_every_page_of_a_folder_is_reached_from_the_readme() -> None:
    seen, todo = set(), ["README.md"]
    while todo:
        name = todo.pop()
        seen.add(name)
        linked = (targets(name, link)[0] for link in LINK.findall(page(name)) if "://" not in link)
        todo += [each for each in linked if each in NAMES and each not in seen]

    assert sorted(set(NAMES) - seen) == []


def test_the_newest_version_of_the_changelog_is_that_of_the_project() -> None:
    version = re.search(r'^version = "(\d\d\.\d{1,2}\.\d+)"', page("pyproject.toml"), re.MULTILINE)
    newest = re.search(r"^## \[(.+?)\]", page("CHANGELOG.md"), re.MULTILINE)

    assert version
    assert newest
    assert version[1] == newest[1]


# Every page.


def targets(name: str, link: str) -> tuple[str, str]:
    """The file that a link of this page leads to, from the root, and the heading in it."""
    path, _, anchor = link.partition("#")
    target = (ROOT / name).parent / path if path else ROOT / name
    return target.resolve().relative_to(ROOT).as_posix(), anchor


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    for link in LINK.findall(page(name)):
        if "://" not in link:
            path, anchor = targets(name, link)
            assert (ROOT / path).exists(), link
            assert not anchor or anchor in anchors(page(path)), link


@pytest.mark.parametrize("name", NAMES)
def test_every_command_exists(name: str) -> None:
    text = commands(page(name))

    for script in SCRIPT.findall(text):
        assert (ROOT / script).exists(), script
    for module in MODULE.findall(text):
        spec = importlib.util.find_spec(module)
        assert spec, module
        if spec.submodule_search_locations:
            assert importlib.util.find_spec(f"{module}.__main__"), module


@pytest.mark.parametrize("name", NAMES)
def test_every_option_of_a_command_exists(name: str) -> None:
    programs = [*(ROOT / "scripts").rglob("*.py"), *ROOT.glob("tests/*/__main__.py")]
    known = {"--help"}.union(
        *(re.findall(r'"(--[a-z-]+)"', each.read_text(encoding="utf-8")) for each in programs)
    )

    assert sorted(set(FLAG.findall(commands(page(name)))) - known) == []


@pytest.mark.parametrize("name", [each for each in NAMES if not each.endswith(".zh.md")])
def test_prose_is_at_most_a_hundred_columns_wide(name: str) -> None:
    assert [line for line in prose(page(name)) if width(line) > COLUMNS] == []


RECIPES = [(name, text) for name in NAMES for text in YAML.findall(page(name)) if text.startswith("model:")]


@pytest.mark.parametrize(("name", "text"), RECIPES, ids=[name for name, _ in RECIPES])
def test_every_recipe_that_is_shown_can_be_read(name: str, text: str) -> None:
    assert parse_recipe(text.encode(), BAILIAN).model
