"""The page's modules that need no server, run in the browser that they are for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, Route

from shared.formats.yaml_values import parse_yaml_mapping
from shared.pipeline.page.files.file_job import JobState
from shared.results.columns import RowStatus
from tests.browser.conftest import STATIC

SHARED = STATIC.parents[2] / "shared"
RECIPE_TEXT = "drop/recipe_text.js"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map(
    lambda text: text.strip(" \t\n\ufeff")
)
PLAIN_TEXT = jinja2.Environment()  # noqa: S701 - no markup
FEW = settings(
    max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def serve(route: Route) -> None:
    name = route.request.url.removeprefix("http://page.test/")
    if name:
        route.fulfill(path=STATIC / name)
    else:
        route.fulfill(body="<!doctype html>", content_type="text/html")


@pytest.fixture(scope="module")
def empty(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.route("http://page.test/**", serve)
    page.goto("http://page.test/")
    yield page
    page.close()


def call(page: Page, module: str, function: str, *arguments: Any) -> Any:
    script = "async ([module, name, values]) => (await import(module))[name](...values)"
    return page.evaluate(script, [f"/js/{module}", function, list(arguments)])


def recipe(page: Page, task: str, **filled_in: str) -> dict[str, Any]:
    text = call(page, RECIPE_TEXT, "renderRecipe", task, {"model": "qwen-flash", **filled_in})
    return dict(parse_yaml_mapping(text.encode()).values)


@FEW
@given(prompt=TEXTS.filter(lambda text: text == text.strip()))
def test_any_prompt_stands_in_the_recipe_as_it_was_typed(empty: Page, prompt: str) -> None:
    assert recipe(empty, "prompt", prompt=prompt)["prompt"].removesuffix("\n") == prompt


# What JavaScript trims, which is not what Python does (https://tc39.es/ecma262/#sec-white-space).
_SINGLE = (0x20, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF)
TRIMMED = "".join(
    chr(code) for codes in (range(0x09, 0x0E), range(0x2000, 0x200B), _SINGLE) for code in codes
)


@FEW
@given(column=TEXTS, label=TEXTS.filter(lambda text: text == text.strip() != ""))
def test_any_column_and_label_stand_in_the_recipe_as_they_are(empty: Page, column: str, label: str) -> None:
    labels = re.split("[,，、;；\n]", f"no, {label}")

    made = recipe(empty, "classify", column=column, labels=f"no, {label}")

    assert made["classify"] == {
        "column": column,
        "labels": [each.strip(TRIMMED) for each in labels if each.strip(TRIMMED)],
    }


@FEW
@given(column=TEXTS.filter(bool))
def test_a_prompt_names_any_column_so_that_it_is_found(empty: Page, column: str) -> None:
    template = call(empty, RECIPE_TEXT, "reference", column)

    rendered = PLAIN_TEXT.from_string(template).render({column: "cell", "row": {column: "cell"}})

    assert rendered == "cell"


def test_fields_to_extract_may_have_descriptions_types_or_choices(empty: Page) -> None:
    fields = "商品：提到的商品名称\n\n金额: 数字\n情绪: [高兴、生气, no]\n备注"

    made = recipe(empty, "extract", column="评论", fields=fields)

    assert made["extract"]["fields"] == {
        "商品": "提到的商品名称",
        "金额": "数字",
        "情绪": ["高兴", "生气", "no"],
        "备注": None,
    }


def test_all_words_are_there_in_both_languages_with_the_same_values(empty: Page) -> None:
    words = empty.evaluate("async () => (await import('/js/words.js')).WORDS")

    said = set()
    for path in STATIC.rglob("*.js"):
        said |= set(re.findall(r"""say\("([a-z_.]+)["]""", path.read_text(encoding="utf-8")))
        said |= set(re.findall(r"(?:test|server|provider): \"([a-z_.]+)\"", path.read_text(encoding="utf-8")))
    said |= {f"state.{state.value}" for state in JobState} | {f"row.{status.value}" for status in RowStatus}
    steps = "".join(path.read_text(encoding="utf-8") for path in (SHARED / "pipeline/reconcile").glob("*.py"))
    kinds = set(re.findall(r"""(?:name: str = |return f)"([a-z]+)""", steps)) - {"waiting", "untold"}
    said |= {f"repair.{kind}" for kind in kinds}
    assert said <= set(words)
    for key, (chinese, english) in words.items():
        values = [set(re.findall(r"\{(\w+)", text)) for text in (chinese, english)]
        assert values[0] == values[1], json.dumps({key: [chinese, english]})


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (["622202123456780001", "好用", "2026-01-02"], "b"),
        (["13800000000", "12.5", "very good"], "c"),
        (["short", "还可以，但是太小", "a longer text"], "b"),
        (["1", "2", "3"], "a"),
    ],
)
def test_a_column_of_words_is_proposed_and_no_number(empty: Page, row: list[str], column: str) -> None:
    assert call(empty, RECIPE_TEXT, "columnOfWords", ["a", "b", "c"], [row]) == column
