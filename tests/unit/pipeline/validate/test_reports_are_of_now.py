"""A report is about what lies in inbox/ now, whoever looked at it and however long that took."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.support.builders import request_line
from tests.unit.pipeline.validate.test_validate_file import RECIPE, Bench

GOOD, BAD, WORSE = b"name\nAda\n", b"nome\nAda\n", b"name\n"
MISSPELT, BROKEN = RECIPE.replace(b"name", b"nmae"), b"model: [\n"
KEY = "inbox/a.csv"


def bench_with(recipe: bytes) -> Bench:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", recipe)
    return bench


def codes(bench: Bench, name: str = "a.csv") -> list[str]:
    """Those of the report as text, each of which the one as CSV has, too."""
    if not bench.keys(f"rejected/{name}."):
        return []
    told, listed = bench.report(name), bench.store.get(f"rejected/{name}.report.csv").decode("utf-8-sig")
    all_codes = ("missing_column", "recipe_not_yaml", "no_rows", "recipe_unknown_key", "bad_json")
    found = [code for code in all_codes if f"[{code}]" in told]
    assert found == [code for code in all_codes if code in listed]
    return found


def later(bench: Bench, key: str, content: bytes, *, event: str = "") -> str:
    """Half a minute later that is dropped; the event is that of it, or another's."""
    bench.clock.advance(timedelta(seconds=30))
    bench.store.put(key, content)
    return bench.deliver(event or key)


def once(bench: Bench, matches: Callable[[str, str], bool], acts: Callable[[], object]) -> None:
    """Just before the first call that matches, somebody else acts."""

    def before(what: str, key: str) -> None:
        if matches(what, key):
            bench.store.before = None
            acts()

    bench.store.before = before


@pytest.mark.parametrize(
    "steps",
    [
        [(KEY, BAD, "missing_column"), ("inbox/batch.yaml", BROKEN, "recipe_not_yaml"), ("inbox/batch.yaml", RECIPE, "missing_column")],
        [(KEY, BAD, "missing_column"), (KEY, WORSE, "no_rows"), (KEY, BAD, "missing_column")],
        [(KEY, WORSE, "no_rows"), (KEY, BAD, "missing_column"), (KEY, BAD, "missing_column"), (KEY, WORSE, "no_rows")],
        [("inbox/batch.yaml", BROKEN, "recipe_not_yaml"), ("inbox/batch.yaml", RECIPE, "missing_column"), ("inbox/batch.yaml", BROKEN, "recipe_not_yaml")],
        [(KEY, GOOD, ""), (KEY, BAD, "missing_column"), (KEY, GOOD, ""), (KEY, BAD, "missing_column")],
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_dropped_again", [True, False])
def test_what_was_refused_before_is_refused_for_its_own_reason(
    steps: list[tuple[str, bytes, str]], is_dropped_again: bool
) -> None:
    bench = bench_with(RECIPE)
    bench.store.put(KEY, BAD)

    told = []
    for key, content, _ in steps:
        later(bench, key, content)
        if is_dropped_again:
            bench.clock.advance(timedelta(seconds=30))
            bench.store.put(KEY, bench.store.get(KEY))
        bench.deliver(KEY)
        told.append("".join(codes(bench)))

    assert told == [code for _, _, code in steps]


@pytest.mark.parametrize(
    ("recipe", "at"),
    [
        (MISSPELT, ("read", KEY)),
        (MISSPELT, ("put", "rejected/a.csv.report.csv")),
        (MISSPELT, ("put", "rejected/a.csv.report.txt")),
        (BROKEN, ("put", "rejected/a.csv.report.csv")),
        (BROKEN, ("put", "rejected/a.csv.report.txt")),
        (RECIPE + b"modle: x\n", ("put", "rejected/a.csv.report.txt")),
    ],
)
@pytest.mark.parametrize("is_dropped_again", [True, False])
def test_no_report_stands_beside_a_job_whose_recipe_was_mended_meanwhile(
    recipe: bytes, at: tuple[str, str], is_dropped_again: bool
) -> None:
    bench = bench_with(recipe)

    def mends() -> None:
        bench.store.put("inbox/batch.yaml", RECIPE)
        assert later(bench, KEY if is_dropped_again else "inbox/other", GOOD, event=KEY) == "planned"

    once(bench, lambda *call: call == at, mends)

    bench.drop(KEY, GOOD)

    assert bench.keys("ready/")
    assert bench.keys("rejected/") == []


@pytest.mark.parametrize(
    ("key", "bad", "good"),
    [
        (KEY, BAD, GOOD),
        (KEY, WORSE, GOOD),
        ("inbox/a.tsv", BAD, GOOD),
        ("inbox/q.jsonl", b"{\n", request_line("a")),
        ("inbox/batch.yaml", BROKEN, RECIPE),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "txt"])
def test_no_report_of_a_version_stands_beside_the_newer_one_that_is_fine(
    key: str, bad: bytes, good: bytes, suffix: str
) -> None:
    bench = bench_with(RECIPE)
    once(
        bench,
        lambda what, at: what == "put" and at == f"rejected/{key.removeprefix('inbox/')}.report.{suffix}",
        lambda: later(bench, key, good),
    )

    bench.drop(key, bad)

    assert bench.keys("rejected/") == []


@pytest.mark.parametrize(
    ("older", "at"),
    [
        (GOOD, ("read", KEY)),
        (GOOD, ("put", "draft.json")),
        (GOOD, ("create", "plan.json")),
        (GOOD, ("delete", "rejected/a.csv.report.csv")),
        (GOOD, ("delete", "rejected/a.csv.report.txt")),
        (BAD, ("read", KEY)),
        (BAD, ("put", "rejected/a.csv.report.csv")),
        (BAD, ("put", "rejected/a.csv.report.txt")),
    ],
)
def test_the_report_of_a_newer_version_stays_whatever_becomes_of_the_older_one(
    older: bytes, at: tuple[str, str]
) -> None:
    bench = bench_with(RECIPE)
    said: list[str] = []
    once(
        bench,
        lambda what, key: what == at[0] and key.endswith(at[1]),
        lambda: said.append(later(bench, KEY, WORSE)),
    )

    bench.drop(KEY, older)

    assert said == ["rejected"]
    assert codes(bench) == ["no_rows"]


def test_the_report_of_a_newer_recipe_stays() -> None:
    bench = Bench()
    once(
        bench,
        lambda what, key: what == "delete" and key.startswith("rejected/"),
        lambda: later(bench, "inbox/batch.yaml", BROKEN),
    )

    bench.drop("inbox/batch.yaml", RECIPE)

    assert codes(bench, "batch.yaml") == ["recipe_not_yaml"]


def test_the_report_of_a_file_that_was_taken_away_meanwhile_is_written() -> None:
    bench = bench_with(RECIPE)
    once(
        bench,
        lambda what, key: what == "put" and key.startswith("rejected/"),
        lambda: bench.store.delete(KEY),
    )

    assert bench.drop(KEY, BAD) == "rejected"

    assert codes(bench) == ["missing_column"]
