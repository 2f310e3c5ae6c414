"""An account problem costs no row: everything waits, names who must act, and goes on by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.bucket.attempt import Attempt
from shared.bucket.tickets import WaitingFor
from shared.pipeline.jobs.cancel_job import CancelJob
from shared.pipeline.quota.slots import Slots
from shared.ports.provider import BatchId, BatchProblem, BatchStatus, FailedFor
from shared.problems.exceptions import ConfigurationError, ProviderTrouble, QuotaReached
from shared.providers.bailian.profile import BAILIAN, TEST_MODEL
from shared.providers.bailian.troubles import why_failed
from tests.support.builders import JOB, plan_job
from tests.support.pipeline import Harness

MONEY = ProviderTrouble(
    "Bailian refused: Arrearage", "account_without_money", remedy="The operator must pay."
)
KEY = ProviderTrouble("Bailian refused: Invalid API-key provided.", "api_key_refused")
NO_MONEY = BatchProblem("Arrearage", "Access denied, please make sure your account is in good standing.")


class Bench(Harness):
    """One job of the test model."""

    def __init__(self) -> None:
        super().__init__()
        plan_job(self.store, self.clock, [["a"]], model=TEST_MODEL)
        self.attempt = Attempt(JOB, 1, 1)
        self.events.clear()

    def reason(self) -> WaitingFor | None:
        ticket = self.records.find_ready(self.attempt)
        return ticket.waiting_for if ticket else None

    def not_before(self) -> datetime | None:
        ticket = self.records.find_ready(self.attempt)
        return ticket.not_before if ticket else None

    def submitted(self) -> BatchId:
        assert self.submit(self.attempt) == "submitted"
        return self.provider.last.batch_id

    def rows(self) -> dict[str, int] | None:
        ledger = self.records.find_ledger(self.attempt.job_id)
        return ledger.by_status if ledger else None


def test_a_quota_that_lasts_for_days_is_told_like_an_account_problem() -> None:
    bench = Bench()
    bench.provider.fail_next("submit", QuotaReached("Ark refused: 500 in 7 days", "job_quota_used_up"))

    said = bench.submit(bench.attempt)

    reason = bench.reason()
    assert said == "waiting"
    assert reason
    assert reason.code == "job_quota_used_up"
    assert "额度" in reason.message
    assert "takes no more batch jobs for now" in reason.message
    bench.clock.set(bench.not_before())
    assert bench.submitted()


def test_a_refused_submission_waits_with_what_somebody_must_do_in_both_languages(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    bench.provider.fail_next("submit", MONEY)

    said = bench.submit(bench.attempt)

    reason = bench.reason()
    assert said == "waiting"
    assert reason is not None
    assert (reason.code, reason.since) == ("account_without_money", bench.clock.now())
    assert "充值" in reason.message
    assert "The operator must pay." not in reason.message  # it is said in both languages
    assert "Arrearage" in reason.message
    assert [record.getMessage() for record in caplog.records] == ["submit.put_off"]
    assert len(Slots(bench.store).free(BAILIAN.pool_for(TEST_MODEL))) == 2


def test_it_asks_less_and_less_often_and_keeps_since_when() -> None:
    bench = Bench()
    began_at = bench.clock.now()
    waits = []
    for error in (MONEY, MONEY, KEY, KEY, KEY, KEY):
        bench.provider.fail_next("submit", error)
        bench.submit(bench.attempt)
        later = bench.not_before()
        assert later is not None
        waits.append((later - bench.clock.now()) // timedelta(minutes=1))
        bench.clock.set(later)

    reason = bench.reason()
    assert waits == [5, 10, 20, 40, 80, 80]
    assert reason is not None
    assert ".." not in reason.message
    assert ".。" not in reason.message
    assert (reason.code, reason.since) == ("api_key_refused", began_at)


def test_it_goes_on_by_itself_once_the_provider_works_again() -> None:
    bench = Bench()
    bench.provider.fail_next("submit", MONEY)
    bench.submit(bench.attempt)
    bench.events.clear()

    bench.run_until_done()

    assert bench.rows() == {"answered": 1}
    assert len(bench.provider.submissions) == 1


def test_any_refusal_because_of_the_account_waits_also_one_without_a_name() -> None:
    bench = Bench()
    bench.provider.fail_next("submit", ConfigurationError("who knows"))

    said = bench.submit(bench.attempt)

    reason = bench.reason()
    assert said == "waiting"
    assert reason is not None
    assert reason.code == "provider_refuses"
    assert "who knows" in reason.message


def test_a_refused_search_for_an_earlier_batch_waits_and_forgets_nothing() -> None:
    bench = Bench()
    bench.store.put_if_absent(f"jobs/{bench.attempt}/claim-1", b"{}")
    bench.clock.advance(timedelta(hours=1))
    bench.provider.fail_next("find", KEY)

    said = bench.submit(bench.attempt)

    assert said == "waiting"
    assert bench.reason() is not None
    assert bench.provider.submissions == []


def test_a_batch_that_fails_for_want_of_money_is_sent_again_without_using_up_an_attempt() -> None:
    bench = Bench()
    for _ in range(4):
        bench.provider.fail_validation(bench.submitted(), NO_MONEY)
        bench.records.put_finished(bench.attempt, "callback")
        assert bench.collect(bench.attempt) == "requeue"
        bench.attempt = bench.attempt.next_attempt()
        later = bench.not_before()
        assert later is not None
        bench.clock.set(later)

    reason = bench.reason()
    assert reason is not None
    assert reason.code == "account_without_money"
    assert bench.clock.now() - reason.since == timedelta(minutes=5 + 10 + 20 + 40), "since the first refusal"
    bench.run_until_done()
    assert bench.rows() == {"answered": 1}


def test_after_fourteen_days_the_rows_get_the_reason() -> None:
    bench = Bench()
    said = []
    for attempt in (bench.attempt, bench.attempt.next_attempt()):
        assert bench.submit(attempt) == "submitted"
        bench.provider.fail_validation(bench.provider.last.batch_id, NO_MONEY)
        bench.records.put_finished(attempt, "callback")
        said.append(bench.collect(attempt))
        bench.clock.advance(timedelta(days=14))

    assert said == ["requeue", "final"]
    assert bench.rows() == {"refused": 1}


@pytest.mark.parametrize(
    ("problems", "trouble"),
    [
        ([NO_MONEY], "account_without_money"),
        ([BatchProblem("unknown", "Your free tier is used up")], "account_without_money"),
        ([BatchProblem("Model.AccessDenied", "no", line=1, param="body.model")], "model_not_open"),
        ([BatchProblem("invalid_api_key", "no"), NO_MONEY], "api_key_refused"),
        ([BatchProblem("model_not_found", "The model 'qwen-flahs' does not exist.", line=1)], None),
        ([BatchProblem("model_not_found", "The model 'qwen-flahs' does not exist.")], None),
        ([NO_MONEY, BatchProblem("duplicate_custom_id", "twice", line=3)], None),
        ([BatchProblem("bad_prompt", "talks of an overdue bill", line=3)], None),
        ([], None),
    ],
)
def test_only_what_no_row_and_no_recipe_is_to_blame_for_waits(
    problems: list[BatchProblem], trouble: str | None
) -> None:
    failed_for, found = why_failed(problems)

    assert (failed_for is FailedFor.ACCOUNT) == (trouble is not None)
    assert found == (trouble or "")


@pytest.mark.parametrize("method", ["status", "results"])
def test_a_batch_that_nobody_may_look_at_waits_and_is_collected_once_it_can_be(method: str) -> None:
    bench = Bench()
    bench.provider.answer_all(bench.submitted())
    bench.records.put_finished(bench.attempt, "callback")
    bench.provider.fail_next(method, KEY)

    said = bench.collect(bench.attempt)

    ticket = bench.records.find_running(bench.attempt)
    assert said == "waiting"
    assert ticket is not None
    assert ticket.waiting_for is not None
    assert ticket.waiting_for.code == "api_key_refused"
    bench.events.clear()
    bench.run_until_done()
    assert bench.rows() == {"answered": 1}


def test_a_result_whose_rows_are_settled_needs_no_account() -> None:
    bench = Bench()
    bench.provider.answer_all(bench.submitted())
    bench.records.put_finished(bench.attempt, "callback")
    bench.collect(bench.attempt)
    bench.store.delete(f"jobs/{bench.attempt.job_id}/ledger.json")
    bench.records.put_finished(bench.attempt, "callback")
    bench.provider.fail_next("status", KEY)

    said = bench.collect(bench.attempt)

    assert said == "waiting", "its files are still to be deleted"
    assert bench.rows() == {"answered": 1}


def test_the_timer_asks_one_question_while_the_account_is_refused_and_shows_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    bench.submitted()
    for _ in range(3):
        bench.provider.fail_next("status", KEY)
    caplog.clear()

    repairs = bench.tick(timedelta(minutes=10))
    since = bench.clock.now()
    bench.tick(timedelta(minutes=20))  # goes on behind the refused one
    bench.tick()

    ticket = bench.records.find_running(bench.attempt)
    assert repairs == {}
    assert ticket is not None
    assert ticket.waiting_for is not None
    assert (ticket.waiting_for.since, ticket.polls) == (since, 2)
    refused = [record.levelname for record in caplog.records if record.getMessage() == "repairs.refused"]
    assert refused == ["WARNING", "WARNING"]


def test_a_running_batch_that_can_be_looked_at_again_says_so() -> None:
    bench = Bench()
    bench.submitted()
    bench.provider.fail_next("status", KEY)
    bench.tick(timedelta(minutes=10))

    bench.tick(timedelta(minutes=20))
    bench.tick()

    ticket = bench.records.find_running(bench.attempt)
    assert ticket is not None
    assert ticket.waiting_for is None


SILENT = {
    "trouble": "upstream_unavailable",
    "problems": (BatchProblem("upstream_unavailable", "http://127.0.0.1:1/v1: Connection refused"),),
}


def test_a_running_batch_that_waits_for_something_says_so_until_it_goes_on() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.provider.set_state(batch, BatchStatus.RUNNING, **SILENT)
    bench.tick(timedelta(minutes=10))
    first = bench.records.find_running(bench.attempt)
    bench.tick(timedelta(minutes=20))
    second = bench.records.find_running(bench.attempt)
    bench.provider.set_state(batch, BatchStatus.RUNNING, trouble="", problems=())
    bench.tick(timedelta(minutes=40))
    third = bench.records.find_running(bench.attempt)

    assert first
    assert first.waiting_for
    assert second
    assert second.waiting_for
    assert third
    assert first.waiting_for.code == "upstream_unavailable"
    assert first.waiting_for.message.count("http://127.0.0.1:1/v1: Connection refused") == 2
    assert second.waiting_for == first.waiting_for
    assert (second.polls, third.waiting_for) == (2, None)


def test_a_batch_that_waits_holds_up_no_poll_of_another_and_can_be_cancelled() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.provider.set_state(batch, BatchStatus.RUNNING, **SILENT)
    running = bench.records.find_running(bench.attempt)
    assert running
    bench.records.put_running(Attempt(JOB, 1, 2), running.model_copy(update={"batch_id": "batch_other"}))

    bench.tick(timedelta(minutes=10))

    other = bench.records.find_running(Attempt(JOB, 1, 2))
    assert other
    assert other.polls == 1

    CancelJob(bench.store, bench.clock)(JOB)
    bench.collect(bench.attempt)

    assert batch in bench.provider.cancelled


def test_one_run_of_the_timer_asks_no_more_than_half_of_what_the_provider_allows_in_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    profile = replace(BAILIAN, queries_per_minute=4)
    bench = Bench()
    bench.functions.profile = profile
    batch = bench.submitted()
    running = bench.records.find_running(bench.attempt)
    assert running is not None
    attempts = [Attempt(bench.attempt.job_id, 1, shard) for shard in range(1, 6)]
    for attempt in attempts:
        bench.records.put_running(attempt, running.model_copy(update={"batch_id": batch}))
    asked: list[str] = []
    status = bench.provider.status
    monkeypatch.setattr(bench.provider, "status", lambda each: asked.append(each) or status(each))

    counts = []
    for _ in range(3):
        bench.tick(timedelta(minutes=5 if not counts else 0))
        counts.append(len(asked))

    assert counts == [2, 4, 5]
