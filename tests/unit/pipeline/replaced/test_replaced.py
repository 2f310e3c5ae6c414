"""What still waits of a file's version ends by itself once a later version is a job."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from scripts.operate.jobs.show import job_lines
from shared.bucket.attempt import JobId
from shared.bucket.keys import APPROVE, Stage
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.pipeline.jobs.retry_job import Retried, RetryJob, RetryResult
from shared.pipeline.quotes.approve_job import ApproveJob
from shared.problems.exceptions import TransientError
from tests.support.fakes import Killed
from tests.support.pipeline import Cut
from tests.support.scripted_lane import ScriptedLane, answers
from tests.unit.pipeline.quotes.test_approvals import ALWAYS, BOUNDED, KEY, TABLE, Bench

LATER = b"name\nDi\nEd\nFlo\n"
OTHER_RECIPE = ALWAYS.replace("100", "90").encode()


def ledger_of(bench: Bench, plan: Plan) -> Ledger:
    ledger = bench.records.find_ledger(JobId(plan.job_id))
    assert ledger is not None
    return ledger


def settle(bench: Bench, hours: int = 1) -> None:
    """Let events and the timer work; who waits, waits on."""
    for _ in range(hours * 6):
        bench.tick(timedelta(minutes=10))
        bench.deliver()
        for key in bench.store.keys("again/"):
            bench.validate(key)
        for attempt in bench.attempts(Stage.RUNNING):
            bench.records.put_finished(attempt, "test")
        bench.deliver()


def reasons(bench: Bench, plan: Plan) -> list[str]:
    result = bench.store.get(ledger_of(bench, plan).result_key).decode("utf-8-sig")
    return [row["error_code"] for row in csv.DictReader(io.StringIO(result))]


def test_the_job_of_a_version_that_was_replaced_ends_unsent() -> None:
    bench = Bench()
    old = bench.plan

    bench.drop(KEY, LATER)
    settle(bench)

    assert reasons(bench, old) == ["replaced", "replaced"]
    assert bench.plan.job_id in bench.store.get(ledger_of(bench, old).result_key).decode("utf-8-sig")
    assert not bench.provider.batches
    assert bench.store.keys(APPROVE) == [f"{APPROVE}{bench.plan.job_id}"]
    refused = ApproveJob(bench.store, bench.clock, "page")(old, None).refused
    assert refused is not None
    assert refused.code == "approval_of_replaced"
    assert bench.digest in bench.store.get("quotes/a/t.csv.quote.txt").decode()


def test_status_says_of_its_rows_that_they_were_not_sent_and_why() -> None:
    bench = Bench()
    old = bench.plan

    bench.drop(KEY, LATER)
    settle(bench)

    (line,) = (each for each in job_lines(bench.records, old) if " attempt " in each)
    assert "没有批次 no batch [replaced], 2 未发送 not sent" in line


def test_the_same_bytes_under_another_recipe_are_a_later_version() -> None:
    bench = Bench()
    old = bench.plan
    bench.store.put("inbox/batch.yaml", OTHER_RECIPE)

    bench.drop(KEY, TABLE)
    settle(bench)

    assert reasons(bench, old) == ["replaced", "replaced"]
    assert len(bench.store.keys(APPROVE)) == 1


def test_what_was_not_sent_does_not_take_the_place_of_the_last_result() -> None:
    bench = Bench(BOUNDED)
    bench.finish()
    good = bench.store.get(bench.plan.result_key)
    bench.store.put("inbox/batch.yaml", ALWAYS.encode())
    bench.drop(KEY, b"name\nCy\n")
    old = bench.plan

    bench.drop(KEY, LATER)
    settle(bench)

    assert ledger_of(bench, old).result_key != old.result_key
    assert bench.store.get(old.result_key) == good


def test_it_may_be_killed_anywhere() -> None:
    for calls in range(300):
        bench = Bench()
        old = bench.plan
        try:
            bench.drop(KEY, LATER, Cut(calls))
        except Killed:
            bench.validate(KEY)
            settle(bench, 3)
        else:
            assert calls > 40
            return
        assert reasons(bench, old) == ["replaced", "replaced"]
        assert bench.waits
        assert not bench.provider.batches
        assert bench.digest in bench.store.get("quotes/a/t.csv.quote.txt").decode()
    raise AssertionError


def test_it_needs_no_quote_to_be_found() -> None:
    bench = Bench()
    old = bench.plan
    for suffix in ("txt", "json"):
        bench.store.delete(f"quotes/a/t.csv.quote.{suffix}")

    bench.drop(KEY, LATER)
    bench.run_until_done()

    assert reasons(bench, old) == ["replaced", "replaced"]
    assert bench.waits


@pytest.mark.parametrize("written", [b"", b"[]", b"{", b'{"job_id": 7}', b'{"job_id": "0123456789abcdef"}'])
def test_a_quote_that_somebody_wrote_over_stops_nothing(written: bytes) -> None:
    bench = Bench()
    bench.store.put("quotes/a/t.csv.quote.json", written)

    bench.drop(KEY, LATER)
    settle(bench, 2)

    assert bench.waits


def test_the_quote_of_another_file_names_no_earlier_version() -> None:
    bench = Bench()
    first = bench.plan
    bench.store.put("quotes/a/u.csv.quote.json", bench.store.get("quotes/a/t.csv.quote.json"))

    bench.drop("inbox/a/u.csv", LATER)
    settle(bench)

    assert bench.records.find_approval(JobId(first.job_id)) is None
    assert len(bench.store.keys(APPROVE)) == 2


def test_a_later_version_that_is_refused_replaces_nothing_but_is_not_approved_unseen() -> None:
    bench = Bench()
    old = bench.plan

    bench.drop(KEY, b"another\nDi\n")
    settle(bench, 2)

    assert bench.store.keys(APPROVE) == [f"{APPROVE}{old.job_id}"]
    refused = ApproveJob(bench.store, bench.clock, "command")(old, None).refused
    assert refused is not None
    assert refused.code == "approval_of_replaced"


def test_a_file_that_was_removed_is_approved_all_the_same() -> None:
    bench = Bench()
    old = bench.plan
    bench.store.delete(KEY)
    settle(bench, 2)

    assert ApproveJob(bench.store, bench.clock, "command")(old, None).refused is None
    bench.finish()
    assert ledger_of(bench, old).by_status == {"answered": 2}


def test_what_was_approved_first_runs_on() -> None:
    bench = Bench()
    old = bench.plan
    bench.approve()

    bench.drop(KEY, LATER)
    bench.approve()
    bench.finish()

    assert ledger_of(bench, old).by_status == {"answered": 2}
    assert ledger_of(bench, bench.plan).by_status == {"answered": 3}


def test_a_version_that_comes_back_waits_again() -> None:
    bench = Bench()
    old = bench.plan
    bench.drop(KEY, LATER)
    later = bench.plan
    settle(bench)

    bench.drop(KEY, TABLE)
    bench.validate(KEY)
    settle(bench)

    assert bench.plan.retry_of == old.job_id
    assert reasons(bench, later) == ["replaced"] * 3
    assert bench.waits
    bench.approve()
    bench.finish()
    assert bench.errors() == ["", ""]
    assert bench.sent_rows() == ["Ada", "Bo"]


def test_a_version_that_comes_back_while_its_job_ends_waits_again() -> None:
    bench = Bench()
    old = bench.plan
    bench.drop(KEY, LATER)

    with pytest.raises(TransientError):  # Function Compute and the timer come again
        bench.drop(KEY, TABLE)
    settle(bench, 2)

    assert bench.plan.retry_of == old.job_id
    assert bench.waits


SAMPLED = f"{BOUNDED}price: {{approve: always, sample: 2}}\n"


def sampled(*names: str) -> Bench:
    bench = Bench(BOUNDED, b"name\nZoe\n")
    bench.finish()
    bench.functions.real_time = ScriptedLane(answers("yes", 10_000, 100))
    bench.store.put("inbox/batch.yaml", SAMPLED.encode())
    bench.drop(KEY, "\n".join(["name", *names, ""]).encode())
    return bench


QUOTE = "quotes/a/t.csv.quote.txt"
# Two rows, at 0.15 CNY for a million tokens in and 1.5 out.
A_SAMPLE = 3300


def told_before(bench: Bench) -> int:
    """How many samples of earlier versions the quote names, in both languages."""
    said = bench.store.get(QUOTE).decode()
    in_english = re.findall(r"samples of earlier versions .* cost ¥([0-9.]+)", said)
    assert re.findall(r"样本已经花了 ¥([0-9.]+)", said) == in_english
    return round(1_000_000 * float(in_english[0])) // A_SAMPLE if in_english else 0


def replaced_twice(bench: Bench) -> None:
    for names in ("Di\nEd\nFlo", "Di\nEd\nGus"):
        bench.drop(KEY, f"name\n{names}\n".encode())
        settle(bench)


def test_what_earlier_samples_cost_stands_in_the_quote() -> None:
    bench = sampled("Ada", "Bo", "Cy")

    replaced_twice(bench)

    assert told_before(bench) == 2


def test_it_does_so_without_the_quote_of_the_one_before() -> None:
    bench = sampled("Ada", "Bo", "Cy")
    for suffix in ("txt", "json"):
        bench.store.delete(f"quotes/a/t.csv.quote.{suffix}")

    replaced_twice(bench)

    assert told_before(bench) == 2


def test_two_that_are_replaced_before_anything_ends_are_both_named() -> None:
    bench = sampled("Ada", "Bo", "Cy")

    for names in ("Di\nEd\nFlo", "Di\nEd\nGus"):
        bench.drop(KEY, f"name\n{names}\n".encode())

    assert told_before(bench) == 2


def test_one_that_nobody_approved_in_time_and_one_that_was_cancelled_are_named() -> None:
    bench = sampled("Ada", "Bo", "Cy")
    bench.clock.advance(timedelta(days=8))
    settle(bench, 2)
    bench.drop(KEY, LATER)
    bench.functions.cancel(JobId(bench.plan.job_id))
    settle(bench, 2)

    bench.drop(KEY, b"name\nDi\nEd\nGus\n")

    assert told_before(bench) == 2


def test_what_was_sent_ends_the_count() -> None:
    bench = sampled("Ada", "Bo", "Cy")
    bench.drop(KEY, LATER)
    bench.approve()
    bench.finish()

    bench.drop(KEY, b"name\nDi\nEd\nGus\n")

    assert told_before(bench) == 0


def test_a_version_that_comes_back_names_the_other_one() -> None:
    bench = sampled("Ada", "Bo", "Cy")
    bench.drop(KEY, LATER)
    settle(bench)

    bench.drop(KEY, b"name\nAda\nBo\nCy\n")
    settle(bench, 2)

    assert bench.plan.retry_of
    assert told_before(bench) == 1


@pytest.mark.parametrize(
    "names",
    [
        ("Ada", "Bo", "Cy", "Di", "Di", "Ed", "Ed"),
        ("Ada", "Ada", "Ada", "Ada", "Bo", "Cy"),
        ("Ada", "Bo", "Cy"),
        tuple(f"{number % 11}" for number in range(30)),
    ],
)
def test_the_quote_of_a_version_that_comes_back_counts_each_row_once(names: tuple[str, ...]) -> None:
    bench = sampled(*names)
    asked = bench.plan.rows_sent - 2
    bench.drop(KEY, LATER)
    settle(bench)
    bench.drop(KEY, "\n".join(["name", *names, ""]).encode())
    settle(bench, 2)
    before = len(bench.sent_rows())

    quote, said = bench.plan.quote, bench.store.get(QUOTE).decode()

    assert quote is not None
    assert quote.requests + quote.same + quote.answered == len(names)
    assert f"{quote.answered} 行之前已有答案，不再发送" in said
    assert f"{quote.answered} were answered before and are not sent again" in said
    bench.approve()
    bench.finish()
    assert len(bench.sent_rows()) - before == quote.requests == asked
    assert bench.errors() == [""] * len(names)


def test_a_sample_that_ends_after_the_next_version_was_quoted_is_named_then() -> None:
    bench = Bench(BOUNDED, b"name\nZoe\n")
    bench.finish()
    lane = ScriptedLane(answers("yes", 10_000, 100))
    bench.functions.real_time = lane
    bench.store.put("inbox/batch.yaml", SAMPLED.encode())
    seen: list[int] = []

    def replace() -> None:
        if not seen:
            seen.append(0)
            bench.drop(KEY, LATER)
            seen.append(told_before(bench))

    lane.before = replace
    bench.drop(KEY, b"name\nAda\nBo\nCy\n")
    settle(bench)

    assert seen == [0, 0]
    assert told_before(bench) == 1


@pytest.mark.parametrize("calls", range(0, 200, 3))
def test_so_it_is_if_a_run_dies(calls: int) -> None:
    bench = sampled("Ada", "Bo", "Cy")
    try:
        bench.drop(KEY, LATER, Cut(calls))
    except Killed:
        bench.clock.advance(timedelta(minutes=20))
        bench.validate(KEY)
        settle(bench, 3)

    assert told_before(bench) == 1


def test_a_first_version_names_no_earlier_sample() -> None:
    bench = sampled("Ada", "Bo", "Cy")

    assert told_before(bench) == 0


def test_the_sample_of_a_version_that_was_replaced_is_asked_no_further() -> None:
    bench = Bench(BOUNDED, b"name\nZoe\n")
    bench.finish()
    lane = ScriptedLane(answers("yes"))
    bench.functions.real_time = lane
    bench.store.put("inbox/batch.yaml", SAMPLED.replace("sample: 2", "sample: 20").encode())
    rows = "\n".join(f"row {number}" for number in range(40))
    dropped: list[str] = []

    def replace() -> None:
        if not dropped:
            dropped.append(KEY)
            bench.drop(KEY, LATER)

    lane.before = replace
    bench.drop(KEY, f"name\n{rows}\n".encode())
    old = next(plan for plan in bench.plans() if plan.rows == 40)
    settle(bench)

    asked = [line["body"]["messages"][-1]["content"] for line in lane.asked]
    assert len([each for each in asked if each.startswith("row ")]) == 5
    assert ledger_of(bench, old).by_status == {"answered": 5, "refused": 35}
    assert bench.digest in bench.store.get("quotes/a/t.csv.quote.txt").decode()


BUDGET, MUCH, NEXT_TO_NOTHING = "budget.yaml", b"month: 5 CNY\n", b"month: 0.00001 CNY\n"


def test_what_waits_for_money_needs_no_quote_to_be_found() -> None:
    bench = over_budget()
    old = bench.plan
    bench.store.delete("quotes/a/t.csv.quote.json")

    bench.drop(KEY, LATER)
    bench.finish()

    assert reasons(bench, old) == ["replaced", "replaced"]
    assert bench.sent_rows() == ["Di", "Ed", "Flo", "Zoe"]


def over_budget() -> Bench:
    """A file that waits, since the month's budget was lowered."""
    bench = Bench(BOUNDED, b"name\nZoe\n")
    bench.finish()
    bench.store.put(BUDGET, MUCH)
    bench.drop(KEY, TABLE)
    bench.store.put(BUDGET, NEXT_TO_NOTHING)
    bench.deliver()
    bench.store.put(BUDGET, MUCH)
    assert len(bench.tickets()) == 1
    return bench


def test_what_waits_for_money_ends_when_its_file_is_replaced() -> None:
    bench = over_budget()
    old = bench.plan

    bench.drop(KEY, LATER)
    bench.finish()

    assert reasons(bench, old) == ["replaced", "replaced"]
    assert ledger_of(bench, bench.plan).by_status == {"answered": 3}
    assert bench.sent_rows() == ["Di", "Ed", "Flo", "Zoe"]
    bench.drop(KEY, TABLE)  # it comes back
    bench.validate(KEY)
    bench.finish()
    assert bench.plan.retry_of == old.job_id
    assert ledger_of(bench, bench.plan).by_status == {"answered": 2}


def test_what_waits_for_money_may_be_replaced_by_a_run_that_dies() -> None:
    for calls in range(300):
        bench = over_budget()
        old = bench.plan
        try:
            bench.drop(KEY, LATER, Cut(calls))
        except Killed:
            bench.validate(KEY)
            bench.finish()
        else:
            assert calls > 40
            return
        assert reasons(bench, old) == ["replaced", "replaced"]
        assert ledger_of(bench, bench.plan).by_status == {"answered": 3}
    raise AssertionError


def test_what_waits_for_money_and_nobody_replaced_goes_on() -> None:
    bench = over_budget()

    bench.drop("inbox/a/u.csv", LATER)
    bench.finish()

    assert ledger_of(bench, bench.plan).by_status == {"answered": 2}


def test_what_waits_for_money_goes_on_if_its_version_comes_back_before_it_has_ended() -> None:
    bench = over_budget()
    old = bench.plan

    bench.clock.advance(timedelta(minutes=1))
    bench.drop(KEY, LATER)
    bench.clock.advance(timedelta(minutes=1))
    bench.drop(KEY, TABLE)
    assert bench.records.find_ledger(JobId(old.job_id)) is None
    settle(bench, hours=3)
    bench.finish()

    assert bench.plan.retry_of == old.job_id
    assert ledger_of(bench, bench.plan).by_status == {"answered": 2}


def retried(bench: Bench, plan: Plan) -> Retried:
    return RetryJob(bench.store, bench.clock, bench.run_id())(plan)


def test_a_retry_of_what_was_replaced_is_refused_while_the_later_version_stands() -> None:
    bench = Bench()
    old = bench.plan
    bench.drop(KEY, LATER)
    settle(bench)
    before = dict(bench.store.objects)

    said = retried(bench, old)

    assert (said.said, said.newer) == (RetryResult.REPLACED, bench.plan)
    assert bench.store.objects == before


def test_so_is_that_of_a_version_that_lapsed_before_a_later_one_came() -> None:
    bench = Bench()
    old = bench.plan
    bench.clock.advance(timedelta(days=8))
    settle(bench, 2)
    assert reasons(bench, old) == ["not_approved", "not_approved"]
    bench.drop(KEY, LATER)

    assert retried(bench, old).said is RetryResult.REPLACED


def test_so_is_that_of_what_waited_for_money() -> None:
    bench = over_budget()
    old = bench.plan
    bench.drop(KEY, LATER)
    bench.finish()

    assert retried(bench, old).said is RetryResult.REPLACED


@pytest.mark.parametrize("content", [None, b"another\nDi\n"], ids=["removed", "refused"])
def test_it_waits_again_where_no_later_version_is_a_job(content: bytes | None) -> None:
    bench = Bench()
    old = bench.plan
    bench.clock.advance(timedelta(days=8))
    settle(bench, 2)
    if content is None:
        bench.store.delete(KEY)
    else:
        bench.drop(KEY, content)

    said = retried(bench, old)

    assert said.said is RetryResult.STARTED
    assert bench.store.keys(APPROVE) == [f"{APPROVE}{said.plan.job_id}"]


def test_what_was_approved_is_retried_beside_a_later_version() -> None:
    bench = Bench()
    old = bench.plan
    bench.functions.approve(old, "command")
    bench.functions.cancel(JobId(old.job_id))
    settle(bench, 2)
    bench.drop(KEY, LATER)

    said = retried(bench, old)

    assert said.said is RetryResult.STARTED
    assert said.plan.approval is None
