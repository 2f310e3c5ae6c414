"""What our pages say is what the code does, and where they lead there is something."""

from __future__ import annotations

import importlib.util
import inspect
import re
import unicodedata

import pytest

from scripts.localcloud.template import load_stack
from scripts.pages import COMMAND, PAGES, ROOT, with_tables
from shared.domain import keys, settling
from shared.domain.formulas import FORMULA_START
from shared.domain.limits import BAILIAN_LIMITS, BAILIAN_QUOTAS, POOLS, bailian_limits_for
from shared.domain.messages import MESSAGES
from shared.domain.recipe import Output, Recipe, parse_recipe
from shared.domain.result_columns import REQUEST_COLUMNS, TABLE_COLUMNS
from shared.runtime.settings import Settings

FOLDERS = (".github", "examples", "functions", "scripts", "shared", "tests")
NAMES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))]
)
COLUMNS = 100
ROW_CODES = {"missing", "expired", "cancelled", "batch_failed"}

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


# ---- The door ---------------------------------------------------------------------------------------------------------


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


# ---- Every page -------------------------------------------------------------------------------------------------------


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
    programs = [*(ROOT / "scripts").rglob("*.py"), ROOT / "tests/simulation/__main__.py"]
    known = {"--help"}.union(
        *(re.findall(r'"(--[a-z-]+)"', each.read_text(encoding="utf-8")) for each in programs)
    )

    assert sorted(set(FLAG.findall(commands(page(name)))) - known) == []


@pytest.mark.parametrize("name", [each for each in NAMES if not each.endswith(".zh.md")])
def test_prose_is_at_most_a_hundred_columns_wide(name: str) -> None:
    assert [line for line in prose(page(name)) if width(line) > COLUMNS] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_that_is_shown_can_be_read(name: str) -> None:
    for text in YAML.findall(page(name)):
        if text.startswith("model:"):
            parse_recipe(text.encode(), bailian_limits_for)


# ---- Tables that the code decides -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_generated_tables_are_those_of_the_code(name: str) -> None:
    assert page(name) == with_tables(page(name), PAGES[name]), f"out of date; run: {COMMAND}"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_generated_table_has_its_place(name: str) -> None:
    assert re.findall(r"<!-- generated: (\w+) -->", page(name)) == sorted(
        PAGES[name], key=lambda table: page(name).index(f"generated: {table} ")
    )


def test_every_code_is_on_the_page_of_codes_and_no_other() -> None:
    cells = [
        line.split("|")[1] for line in page("shared/problems/README.md").split("\n") if line[:3] == "| `"
    ]

    codes = set(re.findall(r"`([a-z0-9_]+)`", " ".join(cells)))

    assert codes == set(MESSAGES) | ROW_CODES


def test_the_codes_of_unanswered_rows_are_those_that_the_code_gives() -> None:
    source = inspect.getsource(settling)

    assert {code for code in ROW_CODES if f'"{code}"' in source} == ROW_CODES


def test_the_template_sets_only_known_settings_and_each_is_set_somewhere() -> None:
    parameters = {"BucketName": "drop", "CodeBucket": "c", "DashScopeApiKey": "k", "CallbackSecret": "s" * 32}
    stack = load_stack(ROOT / "template.yaml", parameters, {("CallbackTrigger", "UrlInternet"): "http://x"})

    given = {name: value for function in stack.functions for name, value in function.environment.items()}

    assert set(given) == {variable.name for variable in Settings.variables()}
    defaults = {each.name: each.default for each in Settings.variables() if each.default is not None}
    assert {name: given[name] for name in defaults} == defaults


def test_the_operator_is_told_what_to_do_for_everything_that_a_ticket_waits_for() -> None:
    # These texts quote what the provider said; no other does.
    waited_for = {code for code, message in MESSAGES.items() if "{said}" in message.en}

    assert set(re.findall(r"^\| `(\w+)` \|", page("scripts/operate/README.md"), re.MULTILINE)) == waited_for


@pytest.mark.parametrize("name", ["scripts/operate/README.md", "functions/README.md"])
def test_every_event_of_the_log_that_a_page_names_is_logged(name: str) -> None:
    modules = [each for folder in ("shared", "functions") for each in (ROOT / folder).rglob("*.py")]
    sources = [each.read_text(encoding="utf-8") for each in modules]
    named = {
        word
        for word in re.findall(r"`([a-z]+\.[a-z_]+)`", page(name))
        if not word.endswith((".json", ".yaml"))
    }

    assert named
    assert [event for event in sorted(named) if not any(f'"{event}"' in each for each in sources)] == []


# ---- What one page says -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", sorted({*Recipe.model_fields, *(f"output.{each}" for each in Output.model_fields)})
)
def test_every_recipe_key_is_explained(key: str) -> None:
    assert re.search(rf"^\| [^|]*`{key}[`.]", page("shared/recipes/README.md"), re.MULTILINE)


@pytest.mark.parametrize("key", sorted({*Recipe.model_fields, *Output.model_fields}))
def test_the_example_recipe_shows_every_key(key: str) -> None:
    assert re.search(rf"^(# +)?{key}:", page("examples/batch.yaml.example"), re.MULTILINE)


def test_the_example_recipe_can_be_used_as_it_is_and_with_everything_in_it() -> None:
    example = page("examples/batch.yaml.example")
    options = re.sub(r"^# ( *\S+:( .*)?)$", r"\1", example, flags=re.MULTILINE)

    parse_recipe(example.encode(), bailian_limits_for)
    parse_recipe(options.encode(), bailian_limits_for)

    assert options.count("\n# ") < example.count("\n# ")


def test_the_result_columns_are_listed_in_order() -> None:
    text = " ".join(page("shared/results/README.md").split())

    assert ", ".join(TABLE_COLUMNS) in text
    assert ", ".join(REQUEST_COLUMNS[:-1]) in text


def test_the_pattern_that_undoes_the_formula_guard_is_that_of_the_code() -> None:
    assert f"\n^'{FORMULA_START}\n" in page("shared/results/README.md")


def test_the_limits_are_those_of_the_code() -> None:
    text = page("shared/providers/bailian/README.md")

    assert f"{BAILIAN_LIMITS.max_requests:,} requests, {BAILIAN_LIMITS.max_bytes // 1_000_000} MB" in text
    assert f"{BAILIAN_QUOTAS.unfinished_batches:,} for the account" in text
    assert f"keeps {' and '.join(str(pool.slots) for pool in POOLS)} slots" in text
    assert f"{BAILIAN_QUOTAS.max_files:,}, or 100 GB" in text


def test_every_folder_of_the_bucket_is_on_the_board_and_in_the_guide() -> None:
    stages = {stage.value for stage in keys.Stage}
    ours = {
        keys.JOBS,
        keys.WORK,
        keys.BATCHES,
        keys.AGAIN,
        keys.TIMER,
        keys.BOARD,
        keys.OPEN,
        keys.SLOTS,
        keys.WAITING,
    }
    peoples = {keys.INBOX, keys.REJECTED, keys.RESULTS}

    board = set(re.findall(r"^\| `([a-z]+/|board\.json)` \|", page("shared/README.md"), re.MULTILINE))
    not_to_touch = page("examples/README.zh.md").split("## 请不要改动")[1]

    assert board == stages | ours | peoples
    assert [each for each in sorted(stages | ours) if f"`{each}`" not in not_to_touch] == []
