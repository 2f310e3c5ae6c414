"""What our pages say of the code is what the code does."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from scripts.operate.jobs.shards import STATUS_ZH
from scripts.pages import COMMAND, PAGES, ROOT, with_tables
from scripts.template.read import load_stack
from shared.bucket import keys
from shared.formats.csv.cells import FORMULA_START
from shared.formats.yaml_values import parse_yaml_mapping
from shared.pipeline.deadlines import POLL_AFTER, POLL_DOUBLINGS
from shared.problems.render import MESSAGES
from shared.providers.bailian.profile import BAILIAN, BAILIAN_LIMITS, UNFINISHED_BATCHES
from shared.recipes.parse import parse_recipe
from shared.recipes.recipe import Output, Recipe
from shared.recipes.tasks.task import TASKS
from shared.results.columns import REQUEST_COLUMNS, TABLE_COLUMNS, RowStatus
from shared.runtime.settings import Settings
from tests.support.template import ATTRIBUTES


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        f"shared/providers/{each}"
        for each in (
            *("bailian/README.md", "ark/README.md", "ark/README.zh.md"),
            *("tione/README.md", "tione/README.zh.md"),
        )
    ],
)
def test_a_page_says_when_a_batch_is_polled(name: str) -> None:
    waits = [POLL_AFTER * (1 << doublings) // timedelta(minutes=1) for doublings in range(POLL_DOUBLINGS + 1)]

    (said,) = re.findall(r"[^\n]*`PollAfterS`(?:.*\n){1,2}", page(name))

    assert [int(number) for number in re.findall(r"\d+", said)] == waits


# Tables that the code decides.


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

    assert codes == set(MESSAGES)


def test_the_template_sets_only_known_settings_and_each_is_set_somewhere() -> None:
    parameters = {"BucketName": "drop", "CodeBucket": "c", "DashScopeApiKey": "k", "CallbackSecret": "s" * 32}
    stack = load_stack(ROOT / "template.yaml", parameters, ATTRIBUTES)

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


# What one page says.


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

    parse_recipe(example.encode(), BAILIAN)
    everything = parse_yaml_mapping(options).values
    for key in TASKS:
        model = "text-embedding-v4" if key == "embed" else "qwen-flash"
        parse_recipe(json.dumps({"model": model, key: everything.pop(key)}).encode(), BAILIAN)
    parse_recipe(json.dumps(everything).encode(), BAILIAN)

    assert options.count("\n# ") < example.count("\n# ")


def test_the_result_columns_are_listed_in_order() -> None:
    text = " ".join(page("shared/results/README.md").split())

    assert ", ".join(TABLE_COLUMNS) in text
    assert ", ".join(REQUEST_COLUMNS) in text


def test_the_pattern_that_undoes_the_formula_guard_is_that_of_the_code() -> None:
    assert f"\n^'{FORMULA_START}\n" in page("shared/results/README.md")


def test_the_limits_are_those_of_the_code() -> None:
    text = page("shared/providers/bailian/README.md")

    assert f"{BAILIAN_LIMITS.max_requests:,} requests, {BAILIAN_LIMITS.max_bytes // 1_000_000} MB" in text
    assert f"{UNFINISHED_BATCHES:,} for the account" in text
    assert f"keeps {' and '.join(str(pool.slots) for pool in BAILIAN.pools)} slots" in text
    assert f"| {BAILIAN.terms['file_limit'].en}; nothing expires" in text
    assert [
        word for word, url in BAILIAN.rules.endpoints.items() if f"| `{word}` | `{url}`" not in text
    ] == []


def test_every_folder_of_the_bucket_is_on_the_board_and_in_the_guide() -> None:
    stages = {stage.value for stage in keys.Stage}
    ours = {
        keys.JOBS,
        keys.WORK,
        keys.BATCHES,
        keys.AGAIN,
        keys.OUTBOX,
        keys.TIMER,
        keys.BOARD,
        keys.OPEN,
        keys.SLOTS,
        keys.WAITING,
        keys.LINKS,
        keys.MONEY,
        keys.REUSE,
        keys.APPROVE,
    }
    peoples = {keys.INBOX, keys.QUOTES, keys.PRICES, keys.BUDGET, keys.REJECTED, keys.RESULTS}

    board = set(
        re.findall(
            r"^\| `([a-z]+/|board\.json|prices\.yaml|budget\.yaml)` \|",
            page("shared/README.md"),
            re.MULTILINE,
        )
    )
    not_to_touch = page("examples/README.zh.md").split("## 请不要改动")[1]

    assert board == stages | ours | peoples
    assert [each for each in sorted(stages | ours) if f"`{each}`" not in not_to_touch] == []


@pytest.mark.parametrize(("status", "words"), STATUS_ZH.items())
def test_the_guide_calls_each_status_what_the_command_calls_it(status: RowStatus, words: str) -> None:
    assert f"| `{status.value}` | {words}" in page("examples/README.zh.md")
