"""What the README says is what the code does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from scripts.localcloud.template import load_stack
from shared.domain.csv_writing import FORMULA_START
from shared.domain.limits import BAILIAN_LIMITS
from shared.domain.messages import MESSAGES
from shared.domain.recipe import Output, Recipe
from shared.domain.result_columns import REQUEST_COLUMNS, TABLE_COLUMNS
from shared.runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROW_CODES = {"missing", "expired", "cancelled", "batch_failed"}


def section(title: str) -> str:
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_every_error_code_is_in_the_table_and_no_other() -> None:
    cells = [line.split("|")[1] for line in section("Error codes").split("\n") if line.startswith("| `")]

    codes = set(re.findall(r"`([a-z0-9_]+)`", " ".join(cells)))

    assert codes == set(MESSAGES) | ROW_CODES


def test_the_codes_of_unanswered_rows_are_those_that_the_code_gives() -> None:
    source = ast.parse((ROOT / "shared/domain/settling.py").read_text(encoding="utf-8"))
    texts = {
        node.value
        for node in ast.walk(source)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert texts >= ROW_CODES


def test_the_table_of_settings_is_that_of_the_code() -> None:
    rows = [
        f"| `{each.name}` | {_default(each.is_required, each.default)} | {each.meaning} |"
        for each in Settings.variables()
    ]

    assert "\n".join(rows) in section("Deploy")


def test_the_template_sets_only_known_settings_and_each_is_set_somewhere() -> None:
    parameters = {"BucketName": "drop", "CodeBucket": "c", "DashScopeApiKey": "k", "CallbackSecret": "s" * 32}
    stack = load_stack(ROOT / "template.yaml", parameters, {("CallbackTrigger", "UrlInternet"): "http://x"})

    given = {name: value for function in stack.functions for name, value in function.environment.items()}

    assert set(given) == {variable.name for variable in Settings.variables()}
    defaults = {each.name: each.default for each in Settings.variables() if each.default is not None}
    assert {name: given[name] for name in defaults} == defaults


@pytest.mark.parametrize("name", sorted(Recipe.model_fields))
def test_every_recipe_key_is_explained(name: str) -> None:
    assert re.search(rf"\| [^|]*`{name}[`.]", section("Recipes"))


def test_the_result_columns_are_listed_in_order() -> None:
    text = " ".join(section("What you can drop").split())

    assert ", ".join(TABLE_COLUMNS) in text
    assert ", ".join(REQUEST_COLUMNS[:-1]) in text


def test_the_pattern_that_undoes_the_formula_guard_is_that_of_the_code() -> None:
    assert f"\n^'{FORMULA_START}\n" in section("Recipes")


@pytest.mark.parametrize("name", sorted(Output.model_fields))
def test_every_key_of_output_is_explained(name: str) -> None:
    assert f"| `output.{name}` |" in section("Recipes")


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{BAILIAN_LIMITS.max_requests:,} and {BAILIAN_LIMITS.max_bytes // 1_000_000} MB" in section(
        "Limits"
    )


def _default(is_required: bool, default: str | None) -> str:
    if is_required:
        return "required"
    return f"`{default}`" if default else "–"
