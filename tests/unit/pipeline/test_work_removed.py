"""What happens when lifecycle rules have removed a job's working data: an answer, no payment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from scripts.template.check import ROOT
from scripts.template.ros import Template, read_template
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.keys import Stage, ticket_in
from shared.bucket.records.plan import Plan
from shared.events.oss import UploadedObject
from shared.pipeline.deadlines import SEND_WITHIN
from shared.ports.provider import BatchStatus
from shared.problems.exceptions import PipelineError
from tests.support.fake_provider import echo
from tests.support.pipeline import Harness
from tests.support.template import ATTRIBUTES, PARAMETERS

RECIPE = b"model: qwen-flash\nprompt: 'Say {{ name }}'\n"
NAMES = b"name\nAda\nBo\nCy\n"
BUCKET = Template(read_template(ROOT / "template.yaml"), PARAMETERS, ATTRIBUTES).properties("Bucket")
RULES = BUCKET["LifecycleConfiguration"]["Rule"]
REPORT = "rejected/names.csv.report.txt"


class Bench(Harness):
    """A file that is dropped, and rules that remove what is old."""

    def drop(self, content: bytes = NAMES) -> str:
        self.store.put("inbox/batch.yaml", RECIPE)
        self.store.put("inbox/names.csv", content)
        run_id = self.run_id()
        return self.functions.validate(UploadedObject("drop", "inbox/names.csv", ""), run_id)

    def tick(self, after: timedelta = timedelta(hours=1)) -> dict[str, int]:
        return super().tick(after)

    def end(self, status: BatchStatus = BatchStatus.COMPLETED, *, answered: int = 3) -> None:
        batch_id = self.provider.last.batch_id
        lines = [line["custom_id"] for line in self.provider.last.lines[:answered]]
        result = self.provider.answer_all(
            batch_id, status, lambda line: echo(line) if line["custom_id"] in lines else None
        )
        self.provider.set_state(result.batch_id, status, requests_completed=len(lines))

    def run_to_its_end(self) -> Plan:
        """Two attempts: the first one expires with one answer."""
        assert self.drop() == "planned"
        self.deliver()
        self.end(BatchStatus.EXPIRED, answered=1)
        self.tick()
        self.deliver()
        self.end()
        self.tick()
        self.deliver()
        plan = self.plan()
        assert self.records.find_ledger(JobId(plan.job_id))
        assert self.board() == []
        return plan

    def plan(self) -> Plan:
        (plan,) = (self.records.find(key, Plan) for key in self.store.objects if key.endswith("/plan.json"))
        assert plan is not None
        return plan

    def expire(self) -> list[str]:
        """Remove all that the rules of the template may remove of a job while its record stands."""
        prefixes = tuple(rule["Prefix"] for rule in RULES if "Expiration" in rule and _days(rule) < 3650)
        removed = [key for key in self.store.objects if key.startswith(prefixes)]
        for key in removed:
            self.store.delete(key)
        self.events.clear()
        return removed

    def report(self) -> str:
        return self.store.get(REPORT).decode("utf-8-sig")


def _days(rule: dict[str, object]) -> int:
    expiration = rule["Expiration"]
    assert isinstance(expiration, dict)
    return int(expiration["Days"])


def test_plan_ledger_and_decisions_are_kept_and_rows_requests_answers_and_parts_go() -> None:
    bench = Bench()
    plan = bench.run_to_its_end()

    removed = bench.expire()

    kinds = {key.rsplit("/", 1)[-1].split("-")[0].split(".")[0] for key in removed}
    assert kinds == {"00001", "requests", "answers", "part", "draft"}
    kept = {key.rsplit("/", 1)[-1] for key in bench.store.objects if key.startswith(f"jobs/{plan.job_id}/")}
    assert kept == {"plan.json", "ledger.json", "claim-1", "submission.json", "outcome.json", "00001.json"}


def test_a_result_that_is_still_there_is_left_alone_when_its_file_is_dropped_again() -> None:
    bench = Bench()
    plan = bench.run_to_its_end()
    result = bench.store.get(plan.result_key)
    bench.expire()

    said = bench.drop()

    assert (said, bench.deliver(), bench.board()) == ("resumed", [], [])
    assert bench.store.get(plan.result_key) == result
    assert len(bench.provider.submissions) == 2
    assert REPORT not in bench.store.objects


def test_a_result_that_cannot_be_made_again_is_told_of_in_both_languages_and_never_paid_again() -> None:
    bench = Bench()
    plan = bench.run_to_its_end()
    bench.store.delete(plan.result_key)
    bench.expire()

    said = [bench.drop(), bench.drop()]

    assert (said, bench.deliver(), bench.board()) == (["result_removed"] * 2, [], [])
    assert "改名" in bench.report() or "换一个文件名" in bench.report()
    assert f"(job {plan.job_id})" in bench.report()
    assert "drop it again" in bench.report()
    assert len(bench.provider.submissions) == 2


def test_another_version_takes_the_notice_back() -> None:
    bench = Bench()
    plan = bench.run_to_its_end()
    bench.store.delete(plan.result_key)
    bench.expire()
    bench.drop()

    said = bench.drop(NAMES + b"Di\n")

    assert said == "planned"
    assert REPORT not in bench.store.objects


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("stage", ["finished", "running", "ready"])
def test_a_late_hint_about_a_closed_job_ends_at_once(number: int, stage: str) -> None:
    bench = Bench()
    plan = bench.run_to_its_end()
    result = bench.store.get(plan.result_key)
    attempt = Attempt(JobId(plan.job_id), number, 1)
    submission = bench.records.find_submission(attempt)
    assert submission is not None
    bench.expire()
    put: dict[str, Callable[[], None]] = {
        "finished": lambda: bench.records.put_finished(attempt, "callback"),
        "running": lambda: bench.records.put_running(attempt, submission.running_ticket()),
        "ready": lambda: bench.records.put_ready(attempt),
    }

    put[stage]()
    bench.deliver()
    bench.tick()
    bench.deliver()

    assert bench.board() == []
    assert bench.store.get(plan.result_key) == result
    assert len(bench.provider.submissions) == 2
    assert REPORT not in bench.store.objects


def test_a_late_hint_about_an_attempt_that_was_sent_again_needs_nothing_of_it() -> None:
    bench = Bench()
    bench.drop()
    bench.deliver()
    bench.end(BatchStatus.EXPIRED, answered=1)
    bench.tick()
    bench.deliver()
    first = Attempt(JobId(bench.plan().job_id), 1, 1)
    bench.store.delete(bench.plan().shards[0].requests_key)

    bench.records.put_finished(first, "callback")
    said = bench.deliver()

    assert said == ["resend"]
    assert REPORT not in bench.store.objects


def test_the_timer_finds_nothing_to_do_for_a_closed_job() -> None:
    bench = Bench()
    bench.run_to_its_end()
    bench.expire()

    assert bench.tick(timedelta(days=200)) == {}
    assert bench.deliver() == []


def test_an_open_job_whose_data_somebody_removed_sends_nothing_and_says_so() -> None:
    bench = Bench()
    bench.drop()
    bench.expire()
    bench.tick()
    bench.deliver()
    bench.tick()

    said = bench.deliver()

    assert said == ["work_removed"]
    assert (bench.board(), bench.provider.submissions) == ([], [])
    assert f"job ({bench.plan().job_id}) is not finished" in bench.report()
    assert "告知管理员" in bench.report()
    assert bench.tick(timedelta(days=1)) == {}


def test_rows_whose_requests_alone_somebody_removed_are_refused_with_their_reason_and_hold_no_slot() -> None:
    bench = Bench()
    bench.drop()
    bench.store.delete(bench.plan().shards[0].requests_key)

    bench.deliver()
    bench.tick()
    bench.deliver()

    ledger = bench.records.find_ledger(JobId(bench.plan().job_id))
    assert ledger is not None
    assert bench.store.get(ledger.result_key).count(b",requests_removed,") == 3
    assert bench.provider.submissions == []
    assert [key for key in bench.store.objects if key.startswith("slots/")][-1].endswith(".free")


def test_dropping_the_file_of_such_a_job_again_gives_the_same_answer_and_ends() -> None:
    bench = Bench()
    bench.drop()
    bench.deliver()
    bench.end()
    bench.expire()
    for _ in range(2):
        bench.tick()
        bench.deliver()
    before = bench.report()

    said = bench.drop()
    for _ in range(2):
        bench.tick()
        bench.deliver()

    assert said == "resumed"
    assert (bench.board(), bench.report()) == ([], before)
    assert len(bench.provider.submissions) == 1


def test_an_attempt_that_could_not_be_sent_for_too_long_is_closed_with_its_reason_instead_of_paid() -> None:
    bench = Bench()
    bench.drop()
    bench.events.clear()

    for _ in range(3):
        bench.tick(SEND_WITHIN / 2 + timedelta(hours=1))
    bench.deliver()
    bench.tick()
    bench.deliver()

    ledger = bench.records.find_ledger(JobId(bench.plan().job_id))
    assert ledger is not None
    assert (ledger.by_status, ledger.adds_up) == ({"refused": 3}, True)
    assert bench.store.get(ledger.result_key).count(b",waited_too_long,") == 3
    assert bench.provider.submissions == []


def test_a_batch_that_may_have_been_created_is_adopted_however_late_it_is() -> None:
    bench = Bench()
    bench.drop()
    bench.events.clear()
    attempt = Attempt(JobId(bench.plan().job_id), 1, 1)
    bench.provider.fail_next("submit", _Died(), after=True)
    with pytest.raises(_Died):
        bench.submit(attempt)
    bench.clock.advance(SEND_WITHIN + timedelta(days=1))

    bench.submit(attempt)

    submission = bench.records.find_submission(attempt)
    assert submission is not None
    assert submission.batch_id == bench.provider.last.batch_id
    assert len(bench.provider.submissions) == 1


class _Died(PipelineError):
    """The process dies here."""


def test_answers_of_an_earlier_attempt_are_kept_when_the_next_comes_too_late() -> None:
    bench = Bench()
    bench.drop()
    bench.deliver()
    bench.end(BatchStatus.EXPIRED, answered=2)
    bench.tick()
    bench.provider.fail_next("find", _Died())
    finished = [found[1] for key in bench.board() if (found := ticket_in(key)) and found[0] is Stage.FINISHED]
    bench.collect(finished[0])
    bench.events.clear()
    bench.tick(SEND_WITHIN)
    bench.deliver()
    bench.tick()
    bench.deliver()

    ledger = bench.records.find_ledger(JobId(bench.plan().job_id))
    assert ledger is not None
    assert ledger.by_status == {"answered": 2, "refused": 1}
