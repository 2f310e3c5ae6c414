"""A file goes to the provider that its recipe names, and so do all attempts and retries."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.board.model import Board
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.keys import BOARD
from shared.bucket.records.plan import Plan
from shared.events.oss import UploadedObject
from shared.pipeline.validate.validate_file import ValidateFile
from shared.ports.choice import ProviderChoice
from shared.ports.providers import Provider
from shared.providers.ark.profile import ARK
from shared.providers.bailian.profile import BAILIAN
from tests.support.builders import request_line
from tests.support.fake_provider import ScriptedProvider, error_line
from tests.support.pipeline import Harness

MODEL = "doubao-seed-2-1-pro-260628"
FOR_ARK = f"provider: ark\nmodel: {MODEL}\n"
FOR_BAILIAN = "provider: bailian\nmodel: qwen-flash\n"
ASKED = "prompt: 'Say {{ name }}'\n"
TABLE = b"name,age\nAda,1\nBo,2\n"
BARE = b'{"custom_id": "a", "body": {"messages": [{"role": "user", "content": "x"}]}}\n'


class Bench(Harness):
    """Both providers; a file's recipe lies in its folder, unless it has none."""

    def __init__(self, default: str = "bailian", set_up: Sequence[str] = ("bailian", "ark")) -> None:
        super().__init__()
        self.ark = ScriptedProvider(self.clock)
        self.functions.others = (Provider(ARK, self.ark),)
        self.choice = ProviderChoice((BAILIAN, ARK), default, set_up)

    def drop(self, key: str, content: bytes, recipe: str | None = None) -> str:
        if recipe is not None:
            self.store.put(f"{key.rpartition('/')[0]}/batch.yaml", recipe.encode())
        self.store.put(key, content)
        return self.validate(key)

    def validate(self, key: str) -> str:
        run = ValidateFile(self.store, self.clock, self.choice, "qwen-flash", self.run_id())
        return run(UploadedObject("drop", key, "ignored"))

    def plans(self) -> list[Plan]:
        keys = [key for key in self.store.keys("jobs/") if key.endswith("/plan.json")]
        return [Plan.model_validate_json(self.store.get(key)) for key in keys]

    def plan(self) -> Plan:
        (plan,) = self.plans()
        return plan

    def lines(self) -> list[dict[str, Any]]:
        content = self.store.get(self.plan().shards[0].requests_key)
        return [json.loads(line) for line in content.split(b"\n") if line]

    def report(self, name: str) -> str:
        return self.store.get(f"rejected/{name}.report.txt").decode("utf-8-sig")


def test_a_table_whose_recipe_names_ark_becomes_requests_in_arks_form() -> None:
    bench = Bench()

    said = bench.drop("inbox/a/t.csv", TABLE, FOR_ARK + ASKED)

    plan = bench.plan()
    assert (said, plan.provider, plan.model) == ("planned", "ark", MODEL)
    for line, name in zip(bench.lines(), ("Ada", "Bo"), strict=True):
        assert line.keys() == {"custom_id", "body"}
        assert line["body"] == {"messages": [{"role": "user", "content": f"Say {name}"}]}


@pytest.mark.parametrize("recipe", ["model: qwen-flash\n" + ASKED, FOR_BAILIAN + ASKED])
def test_a_recipe_of_bailian_makes_the_same_requests_whether_it_says_so_or_not(recipe: str) -> None:
    bench = Bench()

    bench.drop("inbox/a/t.csv", TABLE, recipe)

    content = bench.store.get(bench.plan().shards[0].requests_key)
    assert bench.plan().provider == "bailian"
    assert content.split(b"\n")[0].endswith(
        b'","method":"POST","url":"/v1/chat/completions","body":{"model":"qwen-flash",'
        b'"messages":[{"role":"user","content":"Say Ada"}]}}'
    )


def test_files_whose_recipe_names_no_provider_go_to_the_default_one() -> None:
    bench = Bench(default="ark")

    bench.drop("inbox/a/t.csv", TABLE, f"model: {MODEL}\n{ASKED}")
    bench.drop("inbox/b/two.csv", b"1,hello\n")
    bench.drop("inbox/c/q.jsonl", BARE, f"model: {MODEL}\n")
    bench.drop("inbox/d/q.jsonl", request_line("a"), "provider: bailian\n")

    assert sorted(plan.provider for plan in bench.plans()) == ["ark", "ark", "ark", "bailian"]


def test_arks_own_lines_run_beside_a_recipe_of_provider_and_model() -> None:
    bench = Bench()

    said = bench.drop("inbox/a/q.jsonl", BARE, FOR_ARK + "output: {format: jsonl}\n")

    plan = bench.plan()
    assert (said, plan.provider, plan.model, plan.result_key) == (
        "planned",
        "ark",
        MODEL,
        "results/a/q.jsonl",
    )
    assert bench.store.get(plan.shards[0].requests_key) == BARE


def test_bad_lines_for_ark_may_be_skipped_before_they_are_sent() -> None:
    bench = Bench()

    bench.drop("inbox/a/q.jsonl", b"oops\n" + BARE, FOR_ARK + "on_bad_rows: skip\n")

    assert (bench.plan().rows, bench.plan().bad_rows) == (2, 1)
    assert bench.store.get(bench.plan().shards[0].requests_key) == BARE


REFUSED = {
    "no recipe": ("bailian", BARE, None, "bare_lines", "provider: ark"),
    "no recipe, and Ark by default": ("ark", BARE, None, "lines_without_recipe", f"model: {MODEL}"),
    "lines of Bailian, and Ark by default": (
        "ark",
        request_line("a"),
        None,
        "lines_without_recipe",
        "provider: bailian",
    ),
    "lines of Bailian": ("bailian", request_line("a"), FOR_ARK, "line_of_other_form", "provider: bailian"),
    "a prompt": ("bailian", BARE, FOR_ARK + ASKED, "recipe_beside_lines", "prompt"),
    "no model": ("bailian", BARE, "provider: ark\n", "recipe_missing_key", "model: doubao"),
}


@pytest.mark.parametrize(("default", "content", "recipe", "code", "write"), REFUSED.values(), ids=REFUSED)
def test_lines_and_a_recipe_that_do_not_fit_are_refused_with_what_to_change(
    default: str, content: bytes, recipe: str | None, code: str, write: str
) -> None:
    bench = Bench(default)

    said = bench.drop("inbox/a/q.jsonl", content, recipe)

    report = bench.report("a/q.jsonl")
    assert (said, bench.plans()) == ("rejected", [])
    assert re.findall(r"\[([a-z_]+)\]", report) == [code] * 2
    assert write in report


OF_BAILIAN = {
    "provider alone": ("provider: bailian\n", "batch.yaml 第 1 行 provider："),
    "with a model": (FOR_BAILIAN, "batch.yaml 第 1 行 provider："),
    "with a prompt": (ASKED + FOR_BAILIAN, "batch.yaml 第 2 行 provider："),
    "with parameters": (
        "parameters: {temperature: 0.5}\nprovider: bailian\n",
        "batch.yaml 第 2 行 provider：",
    ),
    "without provider": ("output: {format: csv}\n", "batch.yaml provider："),
    "without provider, for tables": ("model: qwen-flash\n" + ASKED, "batch.yaml provider："),
}


@pytest.mark.parametrize(("recipe", "where"), OF_BAILIAN.values(), ids=OF_BAILIAN)
@pytest.mark.parametrize("folder", ["a/", ""])
def test_lines_of_ark_under_a_recipe_of_bailian_are_told_which_line_of_it_to_change(
    recipe: str, where: str, folder: str
) -> None:
    bench = Bench()
    bench.store.put(f"inbox/{folder}batch.yaml", recipe.encode())

    said = bench.drop("inbox/a/q.jsonl", BARE)

    report = bench.report("a/q.jsonl")
    assert (said, bench.plans()) == ("rejected", [])
    # Whatever else is missing from the recipe would only mislead.
    assert re.findall(r"\[([a-z_]+)\]", report) == ["bare_lines_under_recipe"] * 2
    assert f"1. {where}" in report
    assert f"而 {folder}batch.yaml 选择的是百炼" in report
    assert f"but {folder}batch.yaml chooses Bailian" in report
    assert report.count("provider: ark") == 2


def test_a_recipe_that_cannot_be_read_is_told_as_such_beside_lines_of_ark() -> None:
    bench = Bench()

    bench.drop("inbox/a/q.jsonl", BARE, "provider: [bailian\n")

    # Whether it is for these lines nobody knows, so that they are bare is nothing to tell.
    assert re.findall(r"\[([a-z_]+)\]", bench.report("a/q.jsonl")) == ["recipe_not_yaml"] * 2
    assert "batch.yaml 第" in bench.report("a/q.jsonl")


def test_a_window_that_is_rounded_up_is_told_in_the_plan() -> None:
    bench = Bench()

    bench.drop("inbox/a/t.csv", TABLE, FOR_ARK + ASKED + "completion_window: 36h\n")

    assert bench.plan().completion_window == timedelta(days=2)
    (warning,) = bench.plan().warnings
    assert "36h" in warning
    assert "2d" in warning


def test_a_window_of_whole_days_is_no_matter_for_a_warning() -> None:
    bench = Bench()

    bench.drop("inbox/a/t.csv", TABLE, FOR_ARK + ASKED + "completion_window: 48h\n")

    assert (bench.plan().completion_window, bench.plan().warnings) == (timedelta(days=2), ())


# What is not set up.


@pytest.mark.parametrize(
    ("set_up", "key", "content", "recipe", "variables"),
    [
        (
            ["bailian"],
            "inbox/a/t.csv",
            TABLE,
            FOR_ARK + ASKED,
            "ARK_ACCESS_KEY_ID, ARK_SECRET_ACCESS_KEY, TOS_BUCKET",
        ),
        (["bailian"], "inbox/a/q.jsonl", BARE, FOR_ARK, "TOS_BUCKET"),
        (["ark"], "inbox/a/t.csv", TABLE, FOR_BAILIAN + ASKED, "DASHSCOPE_API_KEY"),
        (["ark"], "inbox/a/t.csv", TABLE, "model: qwen-flash\n" + ASKED, "DASHSCOPE_API_KEY"),
        (["ark"], "inbox/a/two.csv", b"1,hello\n", None, "DASHSCOPE_API_KEY"),
    ],
)
def test_a_file_for_a_provider_that_is_not_set_up_is_refused_with_what_is_missing_and_runs_once_it_is(
    set_up: list[str], key: str, content: bytes, recipe: str | None, variables: str
) -> None:
    bench = Bench(set_up=set_up)

    said = bench.drop(key, content, recipe)

    report = bench.report(key.removeprefix("inbox/"))
    assert (said, bench.plans()) == ("rejected", [])
    assert report.count("[provider_not_set_up]") == 2
    assert report.count(variables) == 2
    bench.choice = Bench().choice
    assert bench.validate(key) == "planned"
    assert not bench.store.keys("rejected/")


def test_the_provider_is_read_alone_so_nothing_else_is_judged_by_anothers_rules() -> None:
    bench = Bench(set_up=["bailian"])
    wrong_for_bailian = FOR_ARK + ASKED + "completion_window: 28d\nparameters: {thinking: {type: disabled}}\n"

    bench.drop("inbox/a/t.csv", TABLE, wrong_for_bailian)

    assert "[recipe_window]" not in bench.report("a/t.csv")
    assert "batch.yaml 第 1 行 provider" in bench.report("a/t.csv")


@pytest.mark.parametrize("name", ["Ark", "volcengine", "[ark]", "1", "true", "''"])
def test_a_provider_that_does_not_exist_is_refused_with_those_that_do(name: str) -> None:
    bench = Bench()

    said = bench.drop("inbox/a/t.csv", TABLE, f"model: m\nprovider: {name}\n{ASKED}")

    assert said == "rejected"
    assert "batch.yaml 第 2 行 provider" in bench.report("a/t.csv")
    assert bench.report("a/t.csv").count("bailian, ark") == 2


def test_an_empty_provider_is_the_same_as_none() -> None:
    bench = Bench()

    assert bench.drop("inbox/a/t.csv", TABLE, f"model: m\nprovider:\n{ASKED}") == "planned"
    assert bench.plan().provider == "bailian"


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (FOR_ARK, "recipe"),
        (FOR_ARK + ASKED, "recipe"),
        (FOR_ARK + ASKED + "parameters: {enable_thinking: true}\n", "rejected"),
        ("provider: other\n" + ASKED, "rejected"),
    ],
)
def test_a_recipe_by_itself_is_checked_by_its_providers_rules(recipe: str, said: str) -> None:
    bench = Bench()
    bench.store.put("inbox/a/batch.yaml", recipe.encode())

    assert bench.validate("inbox/a/batch.yaml") == said


def test_a_recipe_that_cannot_be_read_is_told_as_ever() -> None:
    bench = Bench()

    bench.drop("inbox/a/t.csv", TABLE, "provider: ark\nmodel: [\n")

    assert "[recipe_not_yaml]" in bench.report("a/t.csv")


# Where it goes then.


def test_each_file_is_sent_to_its_provider_and_sent_again_there() -> None:
    bench = Bench()
    bench.drop("inbox/a/t.csv", TABLE, FOR_ARK + ASKED + "attempts: 1\n")
    bench.drop("inbox/b/t.csv", TABLE, FOR_BAILIAN + ASKED)
    bench.deliver()
    (ours,), (theirs,) = bench.provider.submissions, bench.ark.submissions
    assert (ours.request.model, theirs.request.model) == ("qwen-flash", MODEL)
    plan = next(plan for plan in bench.plans() if plan.provider == "ark")

    bench.ark.answer_all(
        theirs.batch_id, answer=lambda line: error_line(line["custom_id"], "InvalidParameter")
    )
    bench.records.put_finished(Attempt(JobId(plan.job_id), 1, 1), heard_from="timer")
    bench.deliver()
    assert bench.records.find_ledger(JobId(plan.job_id))
    bench.choice = ProviderChoice((BAILIAN, ARK), "bailian", ["bailian"])
    bench.functions.retry(plan, bench.run_id())
    bench.deliver()

    assert len(bench.provider.submissions) == 1
    assert len(bench.ark.submissions) == 2


def test_the_board_and_the_report_beside_the_result_name_the_provider_of_each_file() -> None:
    bench = Bench()
    bench.drop("inbox/a/t.csv", TABLE, FOR_ARK + ASKED)
    bench.drop("inbox/b/t.csv", TABLE, "model: qwen-flash\n" + ASKED)
    bench.deliver()
    bench.functions.write_board({}, timedelta(seconds=15))
    board = Board.model_validate_json(bench.store.get(BOARD))

    for provider in (bench.ark, bench.provider):
        provider.answer_all(provider.submissions[0].batch_id)
    for plan in bench.plans():
        bench.records.put_finished(Attempt(JobId(plan.job_id), 1, 1), heard_from="timer")
    bench.deliver()

    named = {job.source_key: job.provider for job in board.jobs}
    reports = [json.loads(bench.store.get(f"results/{each}/t.report.json")) for each in "ab"]
    assert named == {"inbox/a/t.csv": "ark", "inbox/b/t.csv": "bailian"}
    assert [report["provider"] for report in reports] == ["ark", "bailian"]


@pytest.mark.parametrize("is_running", [False, True])
def test_a_job_whose_provider_is_not_set_up_any_more_waits_for_it_and_is_sent_once(
    *, is_running: bool
) -> None:
    bench = Bench()
    bench.drop("inbox/a/t.csv", TABLE, FOR_ARK + ASKED)
    attempt = Attempt(JobId(bench.plan().job_id), 1, 1)
    if is_running:
        bench.deliver()
        bench.ark.answer_all(bench.ark.submissions[0].batch_id)
        bench.records.put_finished(attempt, heard_from="timer")
    others, bench.functions.others = bench.functions.others, ()

    bench.deliver()

    ticket = bench.records.find_running(attempt) if is_running else bench.records.find_ready(attempt)
    assert ticket is not None
    assert ticket.waiting_for is not None
    assert ticket.waiting_for.code == "provider_missing"
    assert "处理该任务的服务（ark）在这里没有设置" in ticket.waiting_for.message
    assert "planned for (ark) is not set up here" in ticket.waiting_for.message
    bench.functions.others = others
    bench.records.put_ready(attempt) if not is_running else bench.records.put_finished(attempt, "timer")
    bench.deliver()
    assert len(bench.ark.submissions) == 1
    assert (bench.records.find_ledger(attempt.job_id) is not None) is is_running
