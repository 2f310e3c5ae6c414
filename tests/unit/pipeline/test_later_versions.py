"""After a roll-back, what a later version has begun in its own way waits for that version."""

from __future__ import annotations

import json

import pytest

from shared.bucket.attempt import Attempt
from shared.bucket.keys import Stage, attempt_key, record_key, ticket_key
from shared.pipeline.jobs.retry_job import RetryJob
from shared.pipeline.jobs.start_job import StartJob
from shared.problems.exceptions import ProviderTrouble
from tests.support.builders import attempt
from tests.support.pipeline import Pipeline


class Bench(Pipeline):
    """A job of one shard; ``write`` changes a record as a later version writes it."""

    def write(self, key: str, **changes: object) -> None:
        record = json.loads(self.store.get(key))
        self.store.put(key, json.dumps({**record, "made_by": "99.1.0", **changes}).encode())

    def answer(self) -> None:
        self.provider.answer_all(self.provider.last.batch_id)

    def outcome(self, mine: Attempt, **changes: object) -> None:
        """Let a later version settle the attempt."""
        made = {
            "kind": "split", "batch_id": "b", "batch_status": "completed", "settled": 1,
            "decided_at": self.clock.now().isoformat(), "made_by": "99.1.0", "new_field": 1,
        }  # fmt: skip
        self.store.put(attempt_key(mine, "outcome.json"), json.dumps({**made, **changes}).encode())

    def waits_for(self, mine: Attempt) -> str | None:
        ticket = self.records.find_running(mine)
        return ticket.waiting_for.code if ticket and ticket.waiting_for else None

    def heard(self, mine: Attempt) -> str:
        self.records.put_finished(mine, "test")
        return self.collect(mine)


def test_a_job_whose_result_has_a_format_of_a_later_version_waits_and_goes_on_after_it_is_back() -> None:
    bench = Bench(shards=[["a", "b"]])
    plan_key = record_key(bench.job_id, "plan.json")
    bench.write(plan_key, output_format="arrow")
    bench.submit(attempt())
    bench.answer()

    said = bench.heard(attempt())
    decided = bench.records.find_outcome(attempt())
    waits_for = bench.waits_for(attempt())
    bench.write(plan_key, output_format="csv")
    bench.heard(attempt())

    assert (said, decided, waits_for) == ("waiting", None, "later_version")
    assert len(bench.provider.submissions) == 1
    assert [row["status"] for row in bench.rows()] == ["answered", "answered"]


def test_what_a_later_version_decided_in_its_own_way_is_left_to_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(shards=[["a", "b"]])
    bench.submit(attempt())
    bench.answer()
    bench.outcome(attempt())
    before = bench.store.get(attempt_key(attempt(), "outcome.json"))

    caplog.clear()
    said = bench.heard(attempt())

    assert (said, bench.waits_for(attempt())) == ("waiting", "later_version")
    assert bench.store.get(attempt_key(attempt(), "outcome.json")) == before
    assert not bench.records.has_ticket(Stage.FINISHED, attempt())
    assert [record.message for record in caplog.records] == ["collect.put_off"]
    assert len(bench.provider.submissions) == 1


def test_a_later_version_that_decides_at_the_same_moment_is_followed_no_further() -> None:
    bench = Bench(shards=[["a", "b"]])
    bench.submit(attempt())
    bench.answer()

    def overtake(call: str, key: str) -> None:
        if (call, key) == ("create", attempt_key(attempt(), "outcome.json")):
            bench.store.before = None
            bench.outcome(attempt())

    bench.store.before = overtake

    assert bench.heard(attempt()) == "waiting"
    assert bench.waits_for(attempt()) == "later_version"


def test_an_attempt_after_such_an_outcome_waits_too_since_its_rows_are_not_known() -> None:
    bench = Bench(shards=[["a", "b"]])
    second = attempt(2)
    bench.outcome(attempt())
    bench.store.concatenate(bench.plan.requests_key(second), [bench.plan.requests_key(attempt())])
    bench.records.put_ready(second)
    bench.submit(second)
    bench.answer()

    assert bench.heard(second) == "waiting"
    assert (bench.waits_for(second), bench.records.find_outcome(second)) == ("later_version", None)


def test_the_timer_sends_no_attempt_after_such_an_outcome() -> None:
    bench = Bench(shards=[["a", "b"]])
    bench.submit(attempt())
    bench.outcome(attempt())
    bench.store.concatenate(bench.plan.requests_key(attempt(2)), [bench.plan.requests_key(attempt())])
    bench.records.drop_ticket(Stage.RUNNING, attempt())

    StartJob(bench.store, bench.clock)(bench.plan)

    assert bench.store.head(ticket_key(Stage.READY, attempt(2))) is None
    assert bench.records.has_ticket(Stage.FINISHED, attempt())


def test_a_closed_job_of_a_later_versions_format_is_not_retried() -> None:
    bench = Bench(shards=[["a", "b"]])
    bench.submit(attempt())
    bench.provider.answer_all(bench.provider.last.batch_id)
    bench.heard(attempt())
    closed = bench.plan.model_copy(update={"output_format": "arrow"})
    bench.write(record_key(bench.job_id, "ledger.json"), by_status={"answered": 1, "missing": 1})

    with pytest.raises(ProviderTrouble, match="arrow"):
        RetryJob(bench.store, bench.clock, "run")(closed)
