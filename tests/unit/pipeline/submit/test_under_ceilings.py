from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import BUDGET, MONEY, record_key
from shared.bucket.money import Balance, Ceiling, Money
from shared.bucket.tickets import OVER_BUDGET
from shared.money.prices.price_file import parse_prices
from shared.money.quotes.quote import Counted, make_quote
from shared.pipeline.deadlines import BUDGET_LOOK, FIRST_BACKOFF
from shared.pipeline.quota.admission import WaitingLists
from shared.pipeline.reconcile.repairs.repair_tickets import RepairReady
from shared.ports.output_bound import OutputBound
from shared.ports.provider import BatchStatus
from shared.problems.exceptions import (
    OutcomeUnknown,
    PipelineError,
    ProviderRejected,
    QuotaReached,
    TransientError,
)
from shared.providers.bailian.profile import BAILIAN
from tests.support.builders import attempt
from tests.support.fake_provider import error_line, result_line
from tests.support.functions import LEASE
from tests.support.pipeline import Cut, Pipeline

FLASH = parse_prices(BAILIAN.read_prices()).models["qwen-flash"]
# Of one row, in millionths: 1,000 tokens at 0.75 CNY a million, and nothing for its question, which
# these plans did not estimate.
ROW = 750
TWO_SHARDS = (("a", "b"), ("c", "d"))
USED = {"prompt_tokens": 0, "completion_tokens": 400, "total_tokens": 400}
ROW_USED = 300


def under(*ceilings: tuple[str, int], shards: Sequence[Sequence[str]] = TWO_SHARDS, **plan: Any) -> Pipeline:
    """A planned job, and by scope the most that may be spent."""
    job = Pipeline(shards=shards, **plan)
    rows = sum(map(len, shards))
    quote = make_quote(Counted(rows, 0, 0, 0), FLASH, OutputBound(1000, 0), None, "etag")
    limits = tuple(
        Ceiling(scope=scope, at_most=Money(micros=micros, currency="CNY")) for scope, micros in ceilings
    )
    job.plan = job.plan.model_copy(update={"quote": quote, "ceilings": limits})
    job.store.put(record_key(job.job_id, "plan.json"), job.plan.to_bytes())
    return job


def balance(job: Pipeline, scope: str = "") -> tuple[int, int]:
    """Spent and reserved."""
    highest = max(job.store.keys(f"{MONEY}{scope}"), default="")
    found = BucketRecords(job.store).find(highest, Balance) or Balance()
    return found.spent, found.reserved_by_others("")


def answered(line: dict[str, Any]) -> dict[str, Any]:
    return result_line(line["custom_id"], usage=USED)


def finish(
    job: Pipeline, each: Attempt, answer: Any = answered, status: BatchStatus = BatchStatus.COMPLETED
) -> None:
    submission = job.records.find_submission(each)
    assert submission
    assert submission.batch_id
    job.provider.answer_all(submission.batch_id, status, answer)  # type: ignore[arg-type]
    job.records.put_finished(each, heard_from="callback")
    job.collect(each)


def test_the_most_that_it_may_cost_is_reserved_before_anything_is_uploaded() -> None:
    job, seen = under(("job", 10_000)), []
    job.provider.before = lambda what, _about: seen.append((what, balance(job)))

    job.submit(attempt())

    assert ("submit", (0, 2 * ROW)) in seen


def test_at_its_end_what_it_cost_is_spent_and_the_rest_is_free() -> None:
    job = under(("job", 10_000), ("all", 10_000))

    job.submit(attempt())
    finish(job, attempt())

    assert balance(job, "job") == balance(job, "all") == (2 * ROW_USED, 0)


def test_without_a_ceiling_no_money_is_looked_at() -> None:
    job = under()
    looked: list[str] = []
    job.store.before = lambda _what, key: looked.append(key)

    job.submit(attempt())
    finish(job, attempt())

    assert not [key for key in looked if key.startswith((MONEY, "budget"))]


def test_over_the_months_budget_it_waits_says_why_and_goes_on_in_the_next_month() -> None:
    job = under(("all", 2 * ROW))
    job.submit(attempt(shard=1))

    assert job.submit(attempt(shard=2)) == "waiting"

    assert len(job.provider.submissions) == 1
    ticket = job.records.find_ready(attempt(shard=2))
    assert ticket
    assert ticket.waiting_for
    assert (ticket.waiting_for.code, ticket.waiting_for.budget) == ("over_budget", "all")
    assert "¥0.0015" in ticket.waiting_for.message
    said = (
        "It goes on by itself when those have ended, or from 2026-12-01 on, or once the operator raises the"
    )
    assert said in ticket.waiting_for.message
    job.clock.advance(timedelta(days=14))
    assert job.submit(attempt(shard=2)) == "submitted"


def test_a_spent_budget_is_looked_at_rarely_until_the_month_ends() -> None:
    job = under(("all", 2 * ROW))
    job.submit(attempt(shard=1))
    in_december = datetime(2026, 11, 30, 16, tzinfo=timezone.utc)

    def waits_until() -> datetime | None:
        job.submit(attempt(shard=2))
        ticket = job.records.find_ready(attempt(shard=2))
        return ticket and ticket.not_before

    assert waits_until() == job.clock.now() + FIRST_BACKOFF  # what is reserved may come free
    finish(job, attempt(shard=1))
    job.clock.advance(timedelta(days=1))
    assert waits_until() == job.clock.now() + BUDGET_LOOK
    job.clock.advance(in_december - timedelta(hours=1) - job.clock.now())
    assert waits_until() == in_december


@pytest.mark.parametrize(("budget", "is_sent"), [(b"month: 5 CNY", True), (b"month: 0.001 CNY", False)])
def test_a_higher_budget_is_seen_by_the_timer_and_a_lower_one_changes_nothing(
    budget: bytes, *, is_sent: bool
) -> None:
    job = under(("all", 2 * ROW))
    job.submit(attempt(shard=1))
    finish(job, attempt(shard=1), lambda line: result_line(line["custom_id"]))
    job.submit(attempt(shard=2))
    timer = RepairReady(job.store, job.clock, timedelta(minutes=5), WaitingLists(job.store, ()))

    job.clock.advance(timedelta(minutes=10))
    before = [each.repair() for each in timer.candidates()]
    job.store.put(BUDGET, budget)
    repairs = [each.repair() for each in replace(timer).candidates()]

    assert (before, repairs) == ([False], [True])
    assert (job.submit(attempt(shard=2)) == "submitted") == is_sent


@pytest.mark.parametrize(
    ("before", "now", "is_tried"),
    [(5, 5, False), (5, 9, True), (5, 3, True), (5, None, True), (None, 5, True)],
)
def test_another_budget_of_the_stack_is_seen_by_the_timer_once(
    before: int | None, now: int | None, *, is_tried: bool
) -> None:
    job = under(("all", 2 * ROW))
    job.functions.month_budget = before and Money(micros=before * 10**6, currency="CNY")
    job.submit(attempt(shard=1))
    finish(job, attempt(shard=1), lambda line: result_line(line["custom_id"]))
    job.submit(attempt(shard=2))

    job.functions.month_budget = now and Money(micros=now * 10**6, currency="CNY")
    tried = [job.tick(after=timedelta(minutes=10)).get("ready", 0) for _ in "12" if [job.deliver()]]

    assert tried == [int(is_tried), 0]


def test_under_the_stacks_own_ceiling_it_names_the_parameter() -> None:
    job = under(("all", 2 * ROW))
    (ceiling,) = job.plan.ceilings
    job.plan = job.plan.model_copy(
        update={"ceilings": (ceiling.model_copy(update={"of_stack": ceiling.at_most}),)}
    )
    job.store.put(record_key(job.job_id, "plan.json"), job.plan.to_bytes())
    job.store.put(BUDGET, b"month: 100 CNY")
    job.submit(attempt(shard=1))

    assert job.submit(attempt(shard=2)) == "waiting"

    ticket = job.records.find_ready(attempt(shard=2))
    assert ticket
    assert ticket.waiting_for
    assert "MonthBudget" in ticket.waiting_for.message


def of_stack(rows: int, currency: str = "CNY") -> Money:
    return Money(micros=rows * ROW, currency=currency)


def test_a_first_budget_of_the_stack_holds_for_what_is_sent_from_then_on() -> None:
    job = under()
    job.submit(attempt(shard=1))
    job.functions.month_budget = of_stack(2)

    assert job.submit(attempt(shard=2)) == "submitted"
    assert balance(job, "all") == (0, 2 * ROW)
    for shard in (1, 2):
        finish(job, attempt(shard=shard))

    assert balance(job, "all") == (2 * ROW_USED, 0)  # nothing was reserved for the first one
    assert job.statuses() == ["answered"] * 4


def test_so_it_does_for_rows_that_are_sent_again_and_for_a_retry() -> None:
    job = under(attempts=2)
    for shard in (1, 2):
        job.submit(attempt(shard=shard))
    job.functions.month_budget = of_stack(1)
    finish(job, attempt(shard=1), lambda line: error_line(line["custom_id"], "Throttling"))
    finish(job, attempt(shard=2))

    assert job.submit(attempt(2, shard=1)) == "waiting"
    ticket = job.records.find_ready(attempt(2, shard=1))
    assert ticket
    assert ticket.waiting_for
    assert "MonthBudget" in ticket.waiting_for.message


@pytest.mark.parametrize("scope", ["folder", "job"])
def test_it_holds_beside_the_ceilings_of_the_plan(scope: str) -> None:
    job = under((scope, 4 * ROW))
    job.functions.month_budget = of_stack(2)
    job.submit(attempt(shard=1))

    assert job.submit(attempt(shard=2)) == "waiting"
    finish(job, attempt(shard=1))

    assert balance(job, scope) == balance(job, "all") == (2 * ROW_USED, 0)


def test_a_budget_of_the_stack_in_another_currency_is_none_of_an_older_job() -> None:
    job = under()
    job.functions.month_budget = of_stack(1, "USD")

    assert [job.submit(attempt(shard=shard)) for shard in (1, 2)] == ["submitted"] * 2


@pytest.mark.parametrize("most_of_each", [None, 1000])
def test_a_model_that_costs_nothing_is_sent_though_the_months_money_is_spent(
    most_of_each: int | None,
) -> None:
    job = under()
    free = parse_prices(BAILIAN.read_prices()).models["batch-test-model"]
    quote = make_quote(Counted(4, 0, 0, 0), free, OutputBound(most_of_each, 0), None, "etag")
    job.plan = job.plan.model_copy(update={"quote": quote})
    job.store.put(record_key(job.job_id, "plan.json"), job.plan.to_bytes())
    job.functions.month_budget = of_stack(0)

    assert job.submit(attempt(shard=1)) == "submitted"
    finish(job, attempt(shard=1))

    assert job.store.keys(MONEY) == []


def test_nor_is_one_of_a_job_of_which_nobody_knows_what_it_costs_at_most() -> None:
    job = under()
    assert job.plan.quote
    quote = job.plan.quote.model_copy(update={"at_most": None})
    job.plan = job.plan.model_copy(update={"quote": quote})
    job.store.put(record_key(job.job_id, "plan.json"), job.plan.to_bytes())
    job.functions.month_budget = of_stack(1)

    assert job.submit(attempt(shard=1)) == "submitted"
    finish(job, attempt(shard=1))

    assert job.store.keys(MONEY) == []


def test_a_shard_waits_for_another_of_its_own_job_without_calling_for_anybody() -> None:
    job = under(("job", 3 * ROW))
    job.submit(attempt(shard=1))

    assert job.submit(attempt(shard=2)) == "waiting"

    ticket = job.records.find_ready(attempt(shard=2))
    assert ticket
    assert ticket.waiting_for is None
    finish(job, attempt(shard=1))
    job.clock.advance(timedelta(hours=1))
    assert job.submit(attempt(shard=2)) == "submitted"


def test_rows_that_never_fit_under_their_jobs_ceiling_come_back_unsent_with_the_reason() -> None:
    job = under(("job", 2 * ROW + ROW_USED))
    job.submit(attempt(shard=1))
    finish(job, attempt(shard=1))

    assert job.submit(attempt(shard=2)) == "submitted"
    job.drain()

    assert len(job.provider.submissions) == 1
    assert job.statuses() == ["answered", "answered", "refused", "refused"]
    assert {row["error_code"] for row in job.rows()[2:]} == {"over_ceiling"}
    assert balance(job) == (2 * ROW_USED, 0)


def test_rows_that_are_sent_again_reserve_as_much_as_they_may_cost() -> None:
    job = under(("job", 10_000), shards=(("a", "b", "c"),))
    job.submit(attempt())

    finish(
        job,
        attempt(),
        lambda line: (
            answered(line) if line["custom_id"] == "a" else error_line(line["custom_id"], "Throttling")
        ),
    )
    assert balance(job) == (ROW_USED, 0)
    job.submit(attempt(2))

    assert balance(job) == (ROW_USED, 2 * ROW)


def test_rows_that_are_sent_again_are_not_free() -> None:
    job = under(("job", 3 * ROW), shards=(("a", "b", "c"),))
    job.submit(attempt())
    finish(
        job,
        attempt(),
        lambda line: answered(line) if line["custom_id"] < "c" else error_line("c", "Throttling"),
    )

    assert balance(job) == (2 * ROW_USED, 0)
    job.plan = job.plan.model_copy(
        update={
            "ceilings": (Ceiling(scope="job", at_most=Money(micros=2 * ROW_USED + ROW - 1, currency="CNY")),)
        }
    )
    job.store.put(record_key(job.job_id, "plan.json"), job.plan.to_bytes())
    job.drain()

    assert job.statuses() == ["answered", "answered", "refused"]
    assert len(job.provider.submissions) == 1


@pytest.mark.parametrize("error", [QuotaReached("429"), TransientError("503")])
def test_what_was_not_sent_is_given_back(error: PipelineError) -> None:
    job = under(("job", 10_000))
    job.provider.fail_next("create", error)

    with contextlib.suppress(TransientError):
        job.submit(attempt())

    assert balance(job) == (0, 0)


def test_what_the_provider_refuses_costs_nothing() -> None:
    job = under(("job", 10_000), shards=(("a",),))
    job.provider.fail_next("create", ProviderRejected("no"))

    job.submit(attempt())
    job.drain()

    assert balance(job) == (0, 0)


def test_a_batch_that_may_exist_keeps_its_reservation_and_is_settled_once_it_is_found() -> None:
    job = under(("job", 10_000))
    job.provider.fail_next("submit", OutcomeUnknown("no answer"), after=True)

    with pytest.raises(OutcomeUnknown):
        job.submit(attempt())
    assert balance(job) == (0, 2 * ROW)
    job.clock.advance(LEASE)
    job.submit(attempt())
    finish(job, attempt())

    assert balance(job) == (2 * ROW_USED, 0)


def test_rows_without_a_line_are_reckoned_with_the_most() -> None:
    job = under(("job", 10_000), shards=(("a", "b", "c"),), attempts=1)
    job.submit(attempt())

    finish(job, attempt(), lambda line: answered(line) if line["custom_id"] == "a" else None)
    job.clock.advance(timedelta(hours=2))
    job.drain()

    assert job.statuses() == ["answered", "missing", "missing"]
    assert balance(job) == (ROW_USED + 2 * ROW, 0)


def test_answers_without_their_tokens_are_reckoned_with_the_most() -> None:
    job = under(("job", 10_000), shards=(("a", "b"),))
    job.submit(attempt())

    finish(job, attempt(), lambda line: result_line(line["custom_id"]))

    assert balance(job) == (2 * ROW, 0)


def test_a_batch_that_was_cancelled_before_it_ran_costs_nothing() -> None:
    job = under(("job", 10_000), shards=(("a", "b"),))
    job.submit(attempt())
    job.cancel()

    finish(job, attempt(), lambda _line: None, BatchStatus.CANCELLED)

    assert balance(job) == (0, 0)


def test_what_an_older_version_collected_is_returned_at_the_close() -> None:
    job = under(("job", 10_000), ("all", 10_000), shards=(("a", "b"), ("c",)))
    for shard in (1, 2):
        job.submit(attempt(shard=shard))
    plan = job.plan.model_dump_json().encode()
    job.store.put(
        record_key(job.job_id, "plan.json"), job.plan.model_copy(update={"ceilings": ()}).to_bytes()
    )
    finish(job, attempt(shard=1))
    assert balance(job) == (0, 3 * ROW)
    job.store.put(record_key(job.job_id, "plan.json"), plan)

    finish(job, attempt(shard=2))

    assert balance(job, "job") == balance(job, "all") == (3 * ROW_USED, 0)


@pytest.mark.parametrize("is_planned", [True, False], ids=["planned", "of the stack since"])
def test_wherever_an_invocation_dies_everything_is_spent_once_and_nothing_stays_reserved(
    *, is_planned: bool
) -> None:
    ceilings = (("job", 3 * ROW), ("all", 4 * ROW))[: 2 if is_planned else 1]

    def ends(job: Pipeline) -> None:
        for batch in job.provider.unfinished():
            job.provider.answer_all(batch, answer=answered)

    for calls in itertools.count(step=3):  # each would take twice as long as all other tests of this room
        job, cut = under(*ceilings), Cut(calls)
        job.functions.month_budget = None if is_planned else of_stack(4)
        job.drain(lambda job=job: ends(job), cut)  # type: ignore[misc]
        assert job.statuses() == ["answered"] * 4
        assert balance(job, "job") == balance(job, "all") == (4 * ROW_USED, 0)
        if cut.left is not None:  # it was not killed
            break
    assert calls > 40


IN_MICROS = Decimal("0.000001")
NEVER = "next month it would not fit either"
NEXT_MONTH = "from 2026-12-01 on"


def waits(
    job: Pipeline, ceilings: Sequence[Ceiling], file: str, stack: int | None = None, *, shard: int = 1
) -> tuple[str, str]:
    """What the ticket says if these amounts stand now, and whose they are."""
    job.plan = job.plan.model_copy(update={"ceilings": tuple(ceilings)})
    job.store.put(record_key(job.job_id, "plan.json"), job.plan.to_bytes())
    job.functions.month_budget = stack and Money(micros=stack, currency="CNY")
    job.store.put(BUDGET, file.encode())
    assert job.submit(attempt(shard=shard)) == "waiting"
    ticket = job.records.find_ready(attempt(shard=shard))
    assert ticket
    assert ticket.waiting_for
    assert ticket.waiting_for.code == OVER_BUDGET
    return ticket.waiting_for.message, ticket.waiting_for.budget


def month(scope: str, **of: Any) -> Ceiling:
    return Ceiling.model_validate({"scope": scope, "at_most": Money(micros=10**6, currency="CNY"), **of})


ALL, FOLDER = month("all"), month("folder", folder="a")
OF_STACK = month("all", of_stack=ALL.at_most)


@pytest.mark.parametrize(
    ("ceiling", "file", "stack", "parts"),
    [
        (ALL, "month: {} CNY", None, ("the budget of all files for a whole month", "amount in budget.yaml")),
        (FOLDER, "folders: {{a: {} CNY}}", None, ("the budget of folder a for", "amount in budget.yaml")),
        (OF_STACK, "month: 1 CNY", 1, ("the budget of all files for", "stack's parameter MonthBudget")),
    ],
)
@pytest.mark.parametrize("missing", [1, ROW, 0])
def test_a_batch_that_no_month_has_room_for_is_not_said_to_go_on_in_the_next(
    ceiling: Ceiling, file: str, stack: int | None, parts: tuple[str, str], missing: int
) -> None:
    job, at_most = under(), 2 * ROW - missing
    if not missing:  # it fits to the last millionth, once nothing is sent beside it
        job.plan = job.plan.model_copy(update={"ceilings": (ceiling,)})
        job.store.put(record_key(job.job_id, "plan.json"), job.plan.to_bytes())
        job.functions.month_budget = stack and ceiling.at_most
        assert job.submit(attempt(shard=1)) == "submitted"

    amount = file.format(at_most * IN_MICROS)
    message, _ = waits(job, [ceiling], amount, stack and at_most, shard=1 if missing else 2)

    said, where = parts
    assert where in message
    assert (NEVER in message, NEXT_MONTH in message) == (bool(missing), not missing)
    assert (said in message, "取消任务" in message, "cancel the job" in message) == (bool(missing),) * 3


def test_of_a_budget_that_is_spent_and_one_that_is_too_small_it_names_that_which_no_month_mends() -> None:
    job = under()
    job.plan = job.plan.model_copy(update={"ceilings": (FOLDER, ALL)})
    job.store.put(record_key(job.job_id, "plan.json"), job.plan.to_bytes())
    job.submit(attempt(shard=1))

    message, budget = waits(job, [FOLDER, ALL], "month: 0.0014 CNY\nfolders: {a: 0.0029 CNY}", shard=2)

    assert budget == "all"
    assert NEVER in message
    assert balance(job, "folder") == (0, 2 * ROW)
