"""What happens when the bucket's lifecycle rules have removed a job's working data: a clear answer, never a payment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from scripts.localcloud.ros import Template, read_template
from scripts.ros_check import ROOT
from shared.adapters.bailian_profile import BAILIAN
from shared.domain.batches import BatchStatus
from shared.domain.errors import PipelineError
from shared.domain.events import UploadedObject
from shared.domain.keys import JobId, ShardAttempt, Stage, ticket_in
from shared.domain.records import Plan
from shared.services.ask_again import AskAgain
from shared.services.bucket_records import BucketRecords
from shared.services.collect_shard import CollectShard
from shared.services.deadlines import SEND_WITHIN
from shared.services.reconcile import Overdue, Reconcile
from shared.services.submit_shard import SubmitShard
from shared.services.validate_file import ValidateFile
from tests.fake_provider import ScriptedProvider, only
from tests.fakes import FixedClock, MemoryStore

RECIPE = b"model: qwen-flash\nprompt: 'Say {{ name }}'\n"
NAMES = b"name\nAda\nBo\nCy\n"
PARAMETERS = {"BucketName": "drop", "CallbackSecret": "s" * 32, "CodeBucket": "code", "DashScopeApiKey": "sk"}
BUCKET = Template(read_template(ROOT / "template.yaml"), PARAMETERS, {}).properties("Bucket")
RULES = BUCKET["LifecycleConfiguration"]["Rule"]
REPORT = "rejected/names.csv.report.txt"


class Pipeline:
    """All functions over one bucket; each event is delivered when a test says so."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.events: list[str] = []
        self.store = MemoryStore(self.clock, self.events.append)
        self.records = BucketRecords(self.store)
        self.provider = ScriptedProvider(self.clock)
        self.uploads = 0

    def drop(self, content: bytes = NAMES) -> str:
        self.store.put("inbox/batch.yaml", RECIPE)
        self.store.put("inbox/names.csv", content)
        self.uploads += 1
        validate = ValidateFile(self.store, self.clock, BAILIAN, "qwen-flash", f"run-{self.uploads}")
        return validate(UploadedObject("drop", "inbox/names.csv", "", f"upload-{self.uploads}"))

    def deliver(self) -> list[str]:
        """Run every function that waits for an event, until none does."""
        said = []
        for _ in range(50):
            events, self.events[:] = list(self.events), []
            tickets = [found for key in dict.fromkeys(events) if (found := ticket_in(key))]
            if not tickets:
                return said
            for stage, unit in tickets:
                if stage is Stage.READY:
                    said.append(self.submit(unit))
                elif stage is Stage.FINISHED:
                    said.append(self.collect(unit))
        pytest.fail(f"it never ends: {said[-6:]}")

    def submit(self, unit: ShardAttempt) -> str:
        lease = timedelta(minutes=15)
        return SubmitShard(
            self.store, only(self.provider), self.clock, lease, f"t{len(self.events)}", lambda _: None
        )(unit)

    def collect(self, unit: ShardAttempt) -> str:
        run_id = f"run-{self.clock.now():%H%M%S}-{unit.attempt}"
        return CollectShard(self.store, only(self.provider), self.clock, run_id, timedelta(hours=1))(unit)

    def tick(self, after: timedelta = timedelta(hours=1)) -> dict[str, int]:
        self.clock.advance(after)
        overdue = Overdue.from_seconds(ready=300, poll=300, finished=1200, inbox=900)
        validate = AskAgain(self.store, self.clock, overdue.inbox)
        return Reconcile(
            self.store, only(self.provider), self.clock, overdue, validate, "drop", timedelta(minutes=1)
        )()

    def end_batch(self, status: BatchStatus = BatchStatus.COMPLETED, *, answered: int = 3) -> None:
        batch_id = self.provider.last.batch_id
        lines = [line["custom_id"] for line in self.provider.last.lines[:answered]]
        result = self.provider.answer_all(batch_id, status, lambda line: _echo(line, lines))
        self.provider.set_state(result.batch_id, status, requests_completed=len(lines))

    def run_to_its_end(self) -> Plan:
        """Two attempts: the first one expires with one answer."""
        assert self.drop() == "planned"
        self.deliver()
        self.end_batch(BatchStatus.EXPIRED, answered=1)
        self.tick()
        self.deliver()
        self.end_batch()
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

    def board(self) -> list[str]:
        return [key for key in self.store.objects if ticket_in(key) or key.startswith("again/")]

    def report(self) -> str:
        return self.store.get(REPORT).decode("utf-8-sig")


def _days(rule: dict[str, object]) -> int:
    expiration = rule["Expiration"]
    assert isinstance(expiration, dict)
    return int(expiration["Days"])


def _echo(line: dict[str, object], answered: list[str]) -> dict[str, object] | None:
    from tests.fake_provider import echo

    return echo(line) if line["custom_id"] in answered else None


def test_plan_ledger_and_decisions_are_kept_and_rows_requests_answers_and_parts_go() -> None:
    pipeline = Pipeline()
    plan = pipeline.run_to_its_end()

    removed = pipeline.expire()

    kinds = {key.rsplit("/", 1)[-1].split("-")[0].split(".")[0] for key in removed}
    assert kinds == {"00001", "requests", "answers", "part"}
    kept = {
        key.rsplit("/", 1)[-1] for key in pipeline.store.objects if key.startswith(f"jobs/{plan.job_id}/")
    }
    assert kept == {"plan.json", "ledger.json", "claim-1", "submission.json", "outcome.json", "00001.json"}


def test_a_result_that_is_still_there_is_left_alone_when_its_file_is_dropped_again() -> None:
    pipeline = Pipeline()
    plan = pipeline.run_to_its_end()
    result = pipeline.store.get(plan.result_key)
    pipeline.expire()

    said = pipeline.drop()

    assert (said, pipeline.deliver(), pipeline.board()) == ("resumed", [], [])
    assert pipeline.store.get(plan.result_key) == result
    assert len(pipeline.provider.submissions) == 2
    assert REPORT not in pipeline.store.objects


def test_a_result_that_cannot_be_made_again_is_told_of_in_both_languages_and_never_paid_again() -> None:
    pipeline = Pipeline()
    plan = pipeline.run_to_its_end()
    pipeline.store.delete(plan.result_key)
    pipeline.expire()

    said = [pipeline.drop(), pipeline.drop()]

    assert (said, pipeline.deliver(), pipeline.board()) == (["result_removed"] * 2, [], [])
    assert "改名" in pipeline.report() or "换一个文件名" in pipeline.report()
    assert f"(job {plan.job_id})" in pipeline.report()
    assert "drop it anew" in pipeline.report()
    assert len(pipeline.provider.submissions) == 2


def test_another_version_takes_the_notice_back() -> None:
    pipeline = Pipeline()
    plan = pipeline.run_to_its_end()
    pipeline.store.delete(plan.result_key)
    pipeline.expire()
    pipeline.drop()

    said = pipeline.drop(NAMES + b"Di\n")

    assert said == "planned"
    assert REPORT not in pipeline.store.objects


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("stage", ["finished", "running", "ready"])
def test_a_late_hint_about_a_closed_job_ends_at_once(attempt: int, stage: str) -> None:
    pipeline = Pipeline()
    plan = pipeline.run_to_its_end()
    result = pipeline.store.get(plan.result_key)
    unit = ShardAttempt(JobId(plan.job_id), attempt, 1)
    submission = pipeline.records.find_submission(unit)
    assert submission is not None
    pipeline.expire()
    put: dict[str, Callable[[], None]] = {
        "finished": lambda: pipeline.records.put_finished(unit, "callback"),
        "running": lambda: pipeline.records.put_running(unit, submission.running_ticket()),
        "ready": lambda: pipeline.records.put_ready(unit),
    }

    put[stage]()
    pipeline.deliver()
    pipeline.tick()
    pipeline.deliver()

    assert pipeline.board() == []
    assert pipeline.store.get(plan.result_key) == result
    assert len(pipeline.provider.submissions) == 2
    assert REPORT not in pipeline.store.objects


def test_a_late_hint_about_an_attempt_that_was_sent_again_needs_nothing_of_it() -> None:
    pipeline = Pipeline()
    pipeline.drop()
    pipeline.deliver()
    pipeline.end_batch(BatchStatus.EXPIRED, answered=1)
    pipeline.tick()
    pipeline.deliver()
    first = ShardAttempt(JobId(pipeline.plan().job_id), 1, 1)
    pipeline.store.delete(pipeline.plan().shards[0].requests_key)

    pipeline.records.put_finished(first, "callback")
    said = pipeline.deliver()

    assert said == ["resend"]
    assert REPORT not in pipeline.store.objects


def test_the_timer_finds_nothing_to_do_for_a_closed_job() -> None:
    pipeline = Pipeline()
    pipeline.run_to_its_end()
    pipeline.expire()

    assert pipeline.tick(timedelta(days=200)) == {}
    assert pipeline.deliver() == []


def test_an_open_job_whose_data_somebody_removed_sends_nothing_and_says_so() -> None:
    pipeline = Pipeline()
    pipeline.drop()
    pipeline.expire()
    pipeline.tick()
    pipeline.deliver()
    pipeline.tick()

    said = pipeline.deliver()

    assert said == ["work_removed"]
    assert (pipeline.board(), pipeline.provider.submissions) == ([], [])
    assert f"job ({pipeline.plan().job_id}) is not finished" in pipeline.report()
    assert "告知运维人员" in pipeline.report()
    assert pipeline.tick(timedelta(days=1)) == {}


def test_dropping_the_file_of_such_a_job_again_gives_the_same_answer_and_ends() -> None:
    pipeline = Pipeline()
    pipeline.drop()
    pipeline.deliver()
    pipeline.end_batch()
    pipeline.expire()
    for _ in range(2):
        pipeline.tick()
        pipeline.deliver()
    before = pipeline.report()

    said = pipeline.drop()
    for _ in range(2):
        pipeline.tick()
        pipeline.deliver()

    assert said == "resumed"
    assert (pipeline.board(), pipeline.report()) == ([], before)
    assert len(pipeline.provider.submissions) == 1


def test_an_attempt_that_could_not_be_sent_for_too_long_is_closed_with_its_reason_instead_of_paid() -> None:
    pipeline = Pipeline()
    pipeline.drop()
    pipeline.events.clear()

    for _ in range(3):
        pipeline.tick(SEND_WITHIN / 2 + timedelta(hours=1))
    pipeline.deliver()
    pipeline.tick()
    pipeline.deliver()

    ledger = pipeline.records.find_ledger(JobId(pipeline.plan().job_id))
    assert ledger is not None
    assert (ledger.by_status, ledger.adds_up) == ({"refused": 3}, True)
    assert pipeline.store.get(ledger.result_key).count(b",waited_too_long,") == 3
    assert pipeline.provider.submissions == []


def test_a_batch_that_may_have_been_created_is_adopted_however_late_it_is() -> None:
    pipeline = Pipeline()
    pipeline.drop()
    pipeline.events.clear()
    unit = ShardAttempt(JobId(pipeline.plan().job_id), 1, 1)
    pipeline.provider.fail_next("submit", _Died(), after=True)
    with pytest.raises(_Died):
        pipeline.submit(unit)
    pipeline.clock.advance(SEND_WITHIN + timedelta(days=1))

    pipeline.submit(unit)

    submission = pipeline.records.find_submission(unit)
    assert submission is not None
    assert submission.batch_id == pipeline.provider.last.batch_id
    assert len(pipeline.provider.submissions) == 1


class _Died(PipelineError):
    """The process dies here."""


def test_answers_of_an_earlier_attempt_are_kept_when_the_next_comes_too_late() -> None:
    pipeline = Pipeline()
    pipeline.drop()
    pipeline.deliver()
    pipeline.end_batch(BatchStatus.EXPIRED, answered=2)
    pipeline.tick()
    pipeline.provider.fail_next("find", _Died())
    finished = [
        found[1] for key in pipeline.board() if (found := ticket_in(key)) and found[0] is Stage.FINISHED
    ]
    pipeline.collect(finished[0])
    pipeline.events.clear()
    pipeline.tick(SEND_WITHIN)
    pipeline.deliver()
    pipeline.tick()
    pipeline.deliver()

    ledger = pipeline.records.find_ledger(JobId(pipeline.plan().job_id))
    assert ledger is not None
    assert ledger.by_status == {"answered": 2, "refused": 1}
