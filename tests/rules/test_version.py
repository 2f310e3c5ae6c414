"""Every trace that Batchdrop leaves says which version left it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts.bundle.packing import write_zip
from shared import VERSION
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.base import Record
from shared.bucket.keys import attempt_key, record_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.marks import Claim, SlotHolder
from shared.bucket.records.plan import Plan
from shared.bucket.records.submission import Submission
from shared.bucket.result_names import report_key_for
from shared.bucket.slot_keys import Slot
from shared.bucket.tickets import RunningTicket
from shared.pipeline.quota.slots import Slots
from shared.providers.bailian.profile import BAILIAN
from shared.runtime.context import FcContext
from shared.runtime.invocation import run_invocation
from tests.support.builders import JOB, plan_job
from tests.support.fakes import START, FixedClock, MemoryStore
from tests.support.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
OLD_HOLDER = b'{\n "unit": "0123456789abcdef/01-00001",\n "claim": 1\n}'


def test_there_is_one_version_by_the_calendar() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert re.findall(r'^version = "(.*)"$', project, re.MULTILINE) == [VERSION]
    assert re.fullmatch(r"2[6-9]\.(1[0-2]|[1-9])\.[0-9]+", VERSION)


def test_a_record_says_which_version_wrote_it_also_when_it_was_another_ones() -> None:
    store = MemoryStore()
    plan = plan_job(store, FixedClock())
    written = json.loads(store.objects[record_key(JOB, "plan.json")])

    old = plan.model_copy(update={"made_by": "26.1.0"})

    assert written["made_by"] == VERSION
    assert all("made_by" not in shard for shard in written["shards"])
    assert json.loads(old.to_bytes())["made_by"] == VERSION


def test_a_record_of_a_version_that_did_not_say_is_read_unchanged() -> None:
    written = json.loads(plan_job(MemoryStore(), FixedClock()).to_bytes())
    del written["made_by"]

    plan = Plan.model_validate_json(json.dumps(written))

    assert plan.made_by == ""


def test_a_slot_is_taken_with_the_bytes_that_an_older_version_compares() -> None:
    assert SlotHolder(unit="0123456789abcdef/01-00001", claim=1).to_bytes() == OLD_HOLDER


def test_an_older_version_which_requires_a_token_can_read_a_claim() -> None:
    assert "token" in json.loads(Claim(claimed_at=START, slot="slots/one/1-1").to_bytes())


def test_the_slot_that_an_older_version_took_is_freed_by_this_one() -> None:
    store = MemoryStore()
    slot = Slot("one", 1, 1)
    store.put(slot.key, OLD_HOLDER)
    attempt = Attempt(JobId("0123456789abcdef"), 1, 1)

    Slots(store).give_back(slot, SlotHolder(unit=str(attempt), claim=2))
    assert store.head(slot.free_key) is None

    Slots(store).give_back(slot, SlotHolder(unit="0123456789abcdef/01-00001", claim=1))
    assert store.head(slot.free_key)


def test_the_report_for_people_names_no_version() -> None:
    job = Pipeline()
    job.drain(lambda: [job.provider.answer_all(each.batch_id) for each in job.provider.submissions])

    report = json.loads(job.store.get(report_key_for(job.plan.result_key)))
    ledger = json.loads(job.store.get(record_key(job.job_id, "ledger.json")))

    assert ledger["made_by"] == VERSION
    assert set(ledger) - set(report) == {"made_by", "further_results", "erased_at"}


def test_every_invocation_logs_its_version(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        run_invocation(FcContext(), lambda: None)

    assert vars(caplog.records[0])["version"] == VERSION


def test_a_zip_says_its_version(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", {"index.py": b""})

    with ZipFile(tmp_path / "a.zip") as archive:
        assert archive.comment == f"batchdrop {VERSION}".encode()


@pytest.mark.parametrize("model", [Plan, Submission, RunningTicket, Ledger])
def test_a_record_that_names_no_provider_is_about_the_first_one(model: type[Record]) -> None:
    job = Pipeline()
    job.submit(Attempt(JOB, 1, 1))
    running = job.store.get(f"running/{JOB}/1-00001")
    job.drain(lambda: [job.provider.answer_all(each.batch_id) for each in job.provider.submissions])
    contents = {
        Plan: job.store.get(record_key(JOB, "plan.json")),
        Submission: job.store.get(attempt_key(Attempt(JOB, 1, 1), "submission.json")),
        RunningTicket: running,
        Ledger: job.store.get(record_key(JOB, "ledger.json")),
    }
    written = json.loads(contents[model])
    assert written.pop("provider") == BAILIAN.name

    read = model.model_validate_json(json.dumps(written))

    assert json.loads(read.to_bytes()) == json.loads(contents[model])
