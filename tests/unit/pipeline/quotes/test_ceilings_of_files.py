from __future__ import annotations

import json
from hashlib import sha256

import pytest

from shared.bucket.keys import MONEY
from shared.bucket.money import Money
from shared.money.amounts import parse_money
from shared.pipeline.quotes.check_ceilings import ceilings_for
from shared.recipes.recipe import PriceTerms
from tests.support.fakes import MemoryStore
from tests.unit.pipeline.validate.test_validate_file import Bench

RECIPE = "model: qwen-flash\nprompt: '{{ name }}'\n"
BOUNDED = f"{RECIPE}parameters: {{max_tokens: 100}}\n"
TABLE = b"name\nAda\nBo\nCy\n"


def drop(
    recipe: str, budget: str | None = None, name: str = "a/t.csv", content: bytes = TABLE
) -> tuple[Bench, str]:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", recipe.encode())
    if budget is not None:
        bench.store.put("budget.yaml", budget.encode())
    return bench, bench.drop(f"inbox/{name}", content)


@pytest.mark.parametrize(
    ("encoding", "code"),
    [("utf-8-sig", "ceiling_too_low"), ("gb18030", "ceiling_too_low"), ("utf-16", "budget_unreadable")],
)
def test_a_budget_is_read_as_windows_saves_it(encoding: str, code: str) -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", BOUNDED.encode())
    bench.store.put("budget.yaml", "folders:\n  市场部: 0.00001 元  # 每个月\n".encode(encoding))

    assert bench.drop("inbox/市场部/t.csv", TABLE) == "rejected"
    assert f"[{code}]" in bench.report("市场部/t.csv")


def line(**body: object) -> bytes:
    whole = {"model": "qwen-flash", "messages": [{"role": "user", "content": "hi"}], **body}
    request = {
        "custom_id": sha256(str(body).encode()).hexdigest(),
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": whole,
    }
    return json.dumps(request).encode() + b"\n"


def test_a_plan_has_the_ceilings_of_its_recipe_its_folder_and_the_month() -> None:
    bench, said = drop(
        f"{BOUNDED}price: {{at_most: 200 CNY}}\n", "month: 500 CNY\nfolders: {a: 9 CNY, b: 1 CNY}\n"
    )

    assert said == "planned"
    found = [(each.scope, each.folder, each.at_most.micros) for each in bench.plan().ceilings]
    assert found == [("job", "", 200_000_000), ("folder", "a", 9_000_000), ("all", "", 500_000_000)]
    assert bench.keys(MONEY) == []


def test_without_a_ceiling_an_unbounded_job_runs() -> None:
    bench, said = drop(RECIPE)

    assert said == "planned"
    assert bench.plan().ceilings == ()


@pytest.mark.parametrize("budget", ["month: 5 CNY\n", "month: 5 USD\n", "folders: {a: 0.000001 CNY}\n"])
@pytest.mark.parametrize("terms", ["", "price: {at_most: 1 USD}\n", "price: {approve: above 1 CNY}\n"])
def test_what_costs_nothing_needs_no_bound_and_no_money(budget: str, terms: str) -> None:
    bench, said = drop(RECIPE.replace("qwen-flash", "batch-test-model") + terms, budget)

    plan = bench.plan()
    assert (said, plan.ceilings, plan.approval) == ("planned", (), None)
    assert plan.quote is not None
    assert plan.quote.at_most == plan.quote.expected == Money(micros=0, currency="CNY")


@pytest.mark.parametrize(
    ("recipe", "budget", "parts"),
    [
        (
            f"{RECIPE}price: {{at_most: 5 CNY}}\n",
            None,
            ("batch.yaml", "price.at_most", "max_tokens: 500", "500, or remove the ceiling"),
        ),
        (RECIPE, "month: 5 CNY\n", ("budget.yaml", "month", "max_tokens: 500", "ask the operator to remove")),
        (
            BOUNDED,
            "month: 0.0001 CNY\n",
            ("budget.yaml", "1 row in each), lower max_tokens, or ask the operator to raise"),
        ),
        (BOUNDED, "month: 0.00005 CNY\n", ("budget.yaml", "Lower max_tokens, or ask the operator to raise")),
        (
            BOUNDED,
            "month: 0.0002 CNY\n",
            ("最多约 2 行", "Split the file into several (about 2 rows at most in each)"),
        ),
        (
            RECIPE.replace("qwen-flash", "qwen3-32b") + "parameters: {max_tokens: 9}\n",
            "folders: {a: 5 CNY}\n",
            ("budget.yaml", "folders.a", "prices.yaml", "请管理员去掉上限"),
        ),
        (f"{BOUNDED}price: {{at_most: 5 USD}}\n", None, ("batch.yaml", "$5.00", "CNY")),
        (f"{BOUNDED}price: {{at_most: 0.0001 CNY}}\n", None, ("batch.yaml", "¥0.0001", "¥0.0003", "3")),
        (BOUNDED, "month: much\n", ("budget.yaml", "month", "much")),
    ],
)
def test_a_file_for_which_a_ceiling_cannot_be_kept_is_refused(
    recipe: str, budget: str | None, parts: tuple[str, ...]
) -> None:
    bench, said = drop(recipe, budget)

    report = bench.report("a/t.csv")
    assert said == "rejected"
    assert [part for part in parts if part not in report] == []
    assert bench.keys("ready/") == bench.keys("work/") == []


def test_that_not_all_may_be_sent_is_a_warning() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", f"{BOUNDED}price: {{at_most: 0.0002 CNY}}\n".encode())

    bench.drop("inbox/t.csv", TABLE, max_requests=1)

    (warning,) = (each for each in bench.plan().warnings if "[ceiling_below_quote]" in each)
    assert "再问" not in warning
    assert "asked again" not in warning


def test_it_says_what_becomes_of_rows_that_would_be_asked_again() -> None:
    bench = Bench()
    again = f"{BOUNDED}columns: {{a: a}}\nuntil_fits: {{times: 2}}\nprice: {{at_most: 0.001 CNY}}\n"
    bench.store.put("inbox/batch.yaml", again.encode())

    bench.drop("inbox/t.csv", TABLE, max_requests=1)

    (warning,) = (each for each in bench.plan().warnings if "[ceiling_below_quote]" in each)
    assert "；要再问的行如果放不下，就保留上一次的答案。" in warning
    assert "; rows that would be asked again may keep their last answer." in warning


@pytest.mark.parametrize(
    ("lines", "is_bounded"),
    [
        ([line(max_tokens=5), line(max_tokens=700)], True),
        ([line(max_tokens=5), line()], False),
        ([line(max_tokens=5), line(max_tokens=5, n=9.0)], False),
        ([line(max_tokens=5), line(max_tokens=5, enable_thinking=True)], False),
    ],
)
def test_each_request_line_may_bound_its_answer(lines: list[bytes], *, is_bounded: bool) -> None:
    bench, said = drop(f"{RECIPE}price: {{at_most: 5 CNY}}\n", None, "t.jsonl", b"".join(lines))

    assert said == ("planned" if is_bounded else "rejected")
    if is_bounded:
        assert bench.plan().quote.output_at_most == 2 * 700  # type: ignore[union-attr]


def test_an_amount_needs_its_currency() -> None:
    bench, said = drop(f"{RECIPE}price: {{at_most: 200}}\n")

    assert said == "rejected"
    assert "200 CNY" in bench.report("a/t.csv")
    assert "price.at_most" in bench.report("a/t.csv")


def test_the_ceiling_in_the_place_of_its_section_is_told_how_to_write_it() -> None:
    bench, _ = drop(f"{RECIPE}price: 30 CNY\n")

    assert "price: {at_most: 30 CNY}" in bench.report("a/t.csv")


IMAGE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.test/b.png"}}]}]


@pytest.mark.parametrize(
    "more",
    [
        {"messages": IMAGE},
        {"enable_search": True},
        {"messages": [{"role": "system", "content": "fileid://file-fe-x"}]},
        {"tools": [{"type": "web_search"}]},
        {"web_search_options": {"search_context_size": "low"}},
    ],
)
def test_what_has_more_tokens_than_its_text_is_refused_under_a_ceiling(more: dict[str, object]) -> None:
    bench, said = drop(
        BOUNDED, "month: 500 CNY\n", "t.jsonl", line(max_tokens=5) + line(max_tokens=5, **more)
    )

    assert said == "rejected"
    assert "[ceiling_beyond_text]" in bench.report("t.jsonl")


def test_a_recipe_that_lets_the_model_search_is_refused_under_a_ceiling() -> None:
    searching = f"{RECIPE}parameters: {{max_tokens: 100, enable_search: true}}\n"

    assert drop(searching, "month: 500 CNY\n")[1] == "rejected"
    assert drop(searching)[1] == "planned"


def test_lines_may_differ_in_what_bounds_no_answer_and_in_every_number() -> None:
    whole = b"".join(line(max_tokens=number, seed=number, user=f"{number}" * 9) for number in range(1, 2001))

    bench, said = drop(f"{RECIPE}price: {{at_most: 50 CNY}}\n", None, "t.jsonl", whole)

    assert said == "planned"
    assert bench.plan().quote.output_at_most == 2000 * 2000  # type: ignore[union-attr]


def test_a_cell_that_names_a_file_is_refused_under_a_ceiling() -> None:
    table = b"name\nAda\nfileid://file-fe-x\n"

    assert drop(BOUNDED, "month: 500 CNY\n", content=table)[1] == "rejected"
    assert drop(BOUNDED, content=table)[1] == "planned"


@pytest.mark.parametrize(
    ("file", "stack", "most"),
    [
        ("month: 5 CNY\n", "9 CNY", ["5 CNY"]),
        ("month: 5 CNY\n", "4 CNY", ["4 CNY of the stack"]),
        (None, "4 CNY", ["4 CNY of the stack"]),
        ("month: 5 CNY\n", "4 USD", ["5 CNY", "4 USD of the stack"]),
        ("month: 5 CNY\n", None, ["5 CNY"]),
    ],
)
def test_of_the_file_and_the_stack_the_lower_ceiling_holds(
    file: str | None, stack: str | None, most: list[str]
) -> None:
    store = MemoryStore()
    if file:
        store.put("budget.yaml", file.encode())

    found = ceilings_for(store, "inbox/a.csv", PriceTerms(), stack and parse_money(stack))

    assert [
        f"{each.at_most.micros // 1_000_000} {each.at_most.currency}{' of the stack' * each.is_of_stack}"
        for each in found
    ] == most
