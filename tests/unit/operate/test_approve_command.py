"""``scripts/batchdrop approve``: it shows the quote, asks, and says what came of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.operate.access import OpenBucket
from scripts.operate.jobs.approve import approve
from scripts.operate.jobs.commands import Commands
from scripts.operate.jobs.find_jobs import dropped_key
from scripts.operate.jobs.show import job_lines
from scripts.operate.texts.said import Refusal
from shared.bucket.attempt import JobId
from shared.bucket.records.plan import Plan
from tests.support.functions import BUCKET_NAME
from tests.unit.pipeline.quotes.test_approvals import ALWAYS, BOUNDED, KEY, TABLE, Bench
from tests.unit.pipeline.replaced.test_replaced import settle


class Person:
    """Somebody at a terminal, who reads what is told and answers one question."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.heard: list[str] = []
        self.asked: list[str] = []
        self.commands = Commands(OpenBucket(bench.store, BUCKET_NAME), self.heard.append)

    def approve(self, target: str = "a/t.csv", digest: str | None = None, *, says: bool = True) -> str:
        def confirm(about: str) -> bool:
            self.asked.append(about)
            return says

        try:
            approve(self.commands, target, digest, confirm)
        except Refusal as refusal:
            return str(refusal)
        return "\n".join(self.heard)


@pytest.fixture
def person() -> Person:
    return Person(Bench(ALWAYS.replace("always", "always, approve_within: 90d")))


@pytest.mark.parametrize("target", ["a/t.csv", KEY, "a/t.csv.approve", "job"])
def test_it_shows_the_quote_and_asks(person: Person, target: str) -> None:
    said = person.approve(person.bench.plan.job_id if target == "job" else target)

    assert person.bench.digest in said
    assert "t.csv.approve" in said
    assert "[about_to_approve]" in person.asked[0]
    assert "[approved]" in said
    assert person.bench.tickets()


def test_a_job_that_waits_has_no_tickets_that_anybody_could_miss(person: Person) -> None:
    waiting = "\n".join(job_lines(person.bench.records, person.bench.plan))
    person.approve()
    started = "\n".join(job_lines(person.bench.records, person.bench.plan))

    assert "waits for approval" in waiting
    assert "attempt 1" not in waiting
    assert "attempt 1: 待发送 ready" in started


def test_a_report_of_a_wrong_number_goes_once_the_job_is_approved(person: Person) -> None:
    person.bench.drop(f"{KEY}.approve", b"")
    person.bench.drop(f"{KEY}.approve.txt", b"000000000000")
    reports = person.bench.store.keys("rejected/")

    person.approve()

    assert len(reports) == 2
    assert person.bench.store.keys("rejected/") == []


def test_who_says_no_approves_nothing(person: Person) -> None:
    assert "[nothing_approved]" in person.approve(says=False)
    assert person.bench.waits


def test_the_right_number_needs_no_question(person: Person) -> None:
    said = person.approve(digest=f" {person.bench.digest.upper()} ")

    assert "[approved]" in said
    assert person.asked == []


def test_another_number_is_refused(person: Person) -> None:
    said = person.approve(digest="0123456789ab")

    assert "[not_approved]" in said
    assert "[approval_of_another]" in said
    assert person.bench.waits


def test_twice_it_says_so(person: Person) -> None:
    person.approve()
    person.heard.clear()

    said = person.approve()

    assert "[approved_before]" in said
    assert len(person.asked) == 1


def test_the_file_as_it_is_now_is_meant(person: Person) -> None:
    old = person.bench.plan
    person.bench.drop(KEY, b"name\nDi\n")

    assert "[approved]" in person.approve()
    assert person.bench.records.find_approval(person.bench.plan.job_id)  # type: ignore[arg-type]
    assert "[approval_of_replaced]" in person.approve(old.job_id)


def test_what_needs_none_says_so() -> None:
    assert "[approval_not_needed]" in Person(Bench(BOUNDED, TABLE)).approve()


def test_a_retry_that_must_be_approved_says_so(person: Person) -> None:
    person.bench.functions.cancel(JobId(person.bench.plan.job_id))
    person.bench.finish()

    person.commands.retry("a/t.csv")

    until = person.bench.plan.approve_until
    assert until
    assert any("[retry_waits]" in line for line in person.heard)
    assert f"{until:%Y-%m-%d %H:%M}" in person.bench.store.get("quotes/a/t.csv.quote.txt").decode()
    assert "[approved]" in person.approve()


def test_a_retry_of_what_was_replaced_says_which_job_the_file_is_now(person: Person) -> None:
    old = person.bench.plan
    person.bench.drop(KEY, b"name\nDi\n")
    settle(person.bench)

    with pytest.raises(Refusal) as refused:
        person.commands.retry(old.job_id)

    assert "[retry_of_replaced]" in str(refused.value)
    assert f"is job {person.bench.plan.job_id}" in str(refused.value)


def came_back(person: Person) -> tuple[Plan, Plan]:
    """A version, and another that replaced it for as long as it was not dropped again."""
    old = person.bench.plan
    person.bench.drop(KEY, b"name\nDi\n")
    other = person.bench.plan
    settle(person.bench)
    person.bench.drop(KEY, TABLE)
    person.bench.validate(KEY)
    settle(person.bench)
    assert person.bench.plan.retry_of == old.job_id
    return old, other


def test_status_leads_from_each_version_to_the_retry_of_the_one_that_came_back(person: Person) -> None:
    old, other = came_back(person)

    of_old = "\n".join(job_lines(person.bench.records, old))
    of_other = "\n".join(job_lines(person.bench.records, other))

    assert f"由任务 {person.bench.plan.job_id} 继续 goes on as job {person.bench.plan.job_id}" in of_old
    assert "已有答案" not in of_old
    assert f"the file was replaced, see job {other.job_id}" in of_old
    assert f"the file was replaced, see job {person.bench.plan.job_id}" in of_other


def test_a_retry_of_the_other_version_names_that_retry_too(person: Person) -> None:
    _, other = came_back(person)

    with pytest.raises(Refusal) as refused:
        person.commands.retry(other.job_id)

    assert f"is job {person.bench.plan.job_id}" in str(refused.value)


def test_what_was_dropped_again_without_an_answer_is_not_called_answered(person: Person) -> None:
    person.bench.functions.cancel(JobId(person.bench.plan.job_id))
    person.bench.finish()

    person.bench.drop(KEY, TABLE)

    said = "\n".join(job_lines(person.bench.records, person.bench.plan))
    assert "没有重新发送，不收费 not sent again, nothing paid" in said
    assert "已有答案" not in said


def test_status_says_what_it_waits_for_and_what_was_decided(person: Person) -> None:
    person.commands.status(None)
    person.commands.status("a/t.csv")
    waits = [line for line in person.heard if "waits for approval until" in line]
    person.approve()
    person.heard.clear()

    facts = person.commands.status("a/t.csv")

    assert len(waits) == 2
    assert any("批准 approved" in line and "by command" in line for line in person.heard)
    assert facts[0]["state"] == "open"


def test_a_job_that_waits_is_erased_at_once(person: Person) -> None:
    bench = person.bench
    bench.store.put(f"{KEY}.approve", b"no")
    bench.validate(f"{KEY}.approve")
    plan = bench.plan
    hear = bench.store.on_put

    def wrote(key: str) -> None:  # the functions run while the command waits
        assert hear
        hear(key)
        bench.triggered(key)

    bench.store.on_put = wrote
    person.commands.erase("a/t.csv", lambda _: bench.functions.providers, lambda _: True)

    left = b"\n".join(bench.store.objects.values())
    assert any("[erased]" in line for line in person.heard)
    assert b"Ada" not in left
    assert [key for key, value in bench.store.objects.items() if b"a/t.csv" in value] == []
    assert [key for key in bench.store.objects if key.startswith(("approve/", "rejected/", "quotes/"))] == []
    assert bench.records.find_ledger(plan.job_id) is not None  # type: ignore[arg-type]


def test_a_table_is_named_by_its_path_from_where_the_command_was_called(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mine.csv"
    table.write_bytes(TABLE)
    person.bench.drop(dropped_key(table), TABLE)
    monkeypatch.setenv("CALLED_FROM", str(tmp_path))

    (plan,) = person.commands.find("mine.csv")

    assert plan.source.key == dropped_key(table)
