"""The commands of scripts/batchdrop, on a bucket in memory; tests/e2e starts the program itself."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import string
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud.announce import Address, announced, running_cloud, running_clouds
from scripts.localcloud.data_lock import locked
from scripts.operate import access
from scripts.operate.__main__ import main
from scripts.operate.access import OpenBucket, open_bucket
from scripts.operate.door.reply import Reply
from scripts.operate.jobs.commands import Commands
from scripts.operate.jobs.follow_board import follow_board
from scripts.operate.texts.said import TEXTS, Refusal
from shared.board.read import OpenTickets, ReadBoard
from shared.bucket.attempt import JobId, retry_job_id_for
from shared.bucket.keys import Stage, attempt_key, record_key, ticket_key
from shared.bucket.result_names import result_key_for
from shared.bucket.tickets import ReadyTicket, WaitingFor
from shared.bucket.uploads import Upload, upload_done_key, upload_key
from shared.events.oss import UploadedObject
from shared.pipeline.jobs.resume_job import ResumeJob
from shared.pipeline.jobs.retries import forbid_retry
from shared.pipeline.jobs.start_job import StartJob
from shared.pipeline.validate.validate_file import MAX_STARTS
from shared.ports.provider import BatchStatus
from shared.ports.providers import Providers
from shared.problems.exceptions import ConfigurationError, TransientError
from shared.providers.ark import profile as ark
from shared.runtime.system_clock import SystemClock
from shared.runtime.wiring.providers.profiles import PROFILES
from tests.support.builders import JOB, attempt
from tests.support.fake_provider import ScriptedProvider, echo, only, result_line
from tests.support.fakes import Killed, MemoryStore
from tests.support.pipeline import Pipeline
from tests.support.whole_job import run_job

FILE = "inbox/a/names.csv"
ENV = {
    "BUCKET_NAME": "drop",
    "OSS_ENDPOINT": "http://127.0.0.1:9",
    "OSS_REGION": "cn-beijing",
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
}


class Person:
    """Somebody at a terminal, and a job whose file lies in the inbox."""

    def __init__(self, *, is_versioned: bool = False, **plan: Any) -> None:
        self.job = Pipeline(**plan)
        self.drop()
        self.heard: list[str] = []
        bucket = OpenBucket(self.job.store, "drop", is_versioned=lambda: is_versioned)
        self.commands = Commands(bucket, self.heard.append)

    def drop(self) -> None:
        """Put the file into the inbox; validate has noted which job it became."""
        self.job.store.put(FILE, b"x")
        head = self.job.store.head(FILE)
        assert head is not None
        pointer = upload_key("drop", FILE, head.etag, head.modified_at)
        self.job.records.create(pointer, Upload(job_id=JOB))

    def close(self, answered: Iterable[str]) -> None:
        answers = set(answered)

        def end() -> None:
            for each in self.job.provider.submissions:
                self.job.provider.answer_all(
                    each.batch_id,
                    BatchStatus.COMPLETED,
                    lambda line: (
                        echo(line)
                        if line["custom_id"] in answers
                        else result_line(line["custom_id"], status=400)
                    ),
                )

        self.job.drain(end)

    def refused(self, command: str, *arguments: Any) -> str:
        with pytest.raises(Refusal) as refusal:
            getattr(self.commands, command)(*arguments)
        assert f"[{refusal.value.code}]" in str(refusal.value)
        return refusal.value.code

    def provider_of(self, _: str) -> Providers:
        return self.job.functions.providers

    @property
    def text(self) -> str:
        return "\n".join(self.heard)


# What is said.


@pytest.mark.parametrize("code", TEXTS)
def test_both_languages_say_the_same(code: str) -> None:
    zh, en = ({name for _, name, _, _ in string.Formatter().parse(text) if name} for text in TEXTS[code])

    assert zh == en
    is_to_be_copied = TEXTS[code].zh.rpartition("：")[2] == TEXTS[code].en.rpartition(": ")[2] != ""
    assert is_to_be_copied or TEXTS[code].zh.endswith(("。", "：", "…"))
    assert is_to_be_copied or TEXTS[code].en.endswith((".", ":", "…"))


def test_every_text_is_used() -> None:
    sources = [path for path in Path(access.__file__).parents[1].rglob("*.py") if path.parent.name != "texts"]
    said = {
        node.value
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
    }

    assert TEXTS.keys() - said == set()


def test_status_shows_first_what_waits_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person()
    board = person.commands._board
    job = board.look(JobId(JOB), board.open_jobs()[JobId(JOB)])
    assert job
    assert job.waiting_since
    later = job.model_copy(
        update={"source_key": "later.csv", "waiting_since": job.waiting_since + timedelta(seconds=1)}
    )
    # Whose ticket was put first does not count.
    monkeypatch.setattr(ReadBoard, "open_jobs", lambda _: dict.fromkeys(["later", "first"], OpenTickets()))
    monkeypatch.setattr(ReadBoard, "look", lambda _, name, __: later if name == "later" else job)

    person.commands.status(None)

    assert person.text.index(job.source_key) < person.text.index("later.csv")


# Versioning.


@pytest.mark.parametrize("target", [None, JOB])
def test_status_warns_of_a_bucket_with_versioning(target: str | None) -> None:
    person = Person(is_versioned=True)

    person.commands.status(target)

    assert "[bucket_versioned]" in person.heard[0]
    assert JOB in "".join(person.heard[1:])


def test_whoever_erases_in_a_bucket_with_versioning_hears_first_that_it_keeps_all() -> None:
    person = Person(is_versioned=True)
    person.close("ab")

    code = person.refused("erase", JOB, person.provider_of, lambda _: False)

    assert code == "nothing_erased"
    assert "[bucket_versioned]" in person.text


def test_of_a_bucket_without_versioning_nothing_is_said() -> None:
    person = Person()

    person.commands.status(None)
    person.close("ab")
    person.commands.erase(JOB, person.provider_of, lambda _: True)

    assert "[bucket_versioned]" not in person.text


# Erase.


def test_a_closed_job_is_erased_once_somebody_said_yes() -> None:
    person = Person()
    person.close("ab")
    asked: list[str] = []

    person.commands.erase(JOB, person.provider_of, lambda about: not asked.append(about))
    person.commands.status(JOB)

    assert "[about_to_erase]" in asked[0]
    assert FILE in asked[0]
    assert "[erased]" in person.heard[0]
    assert "抹除 erased" in person.text
    assert person.refused("retry", JOB) == "already_erased"
    assert person.refused("cancel", JOB, 0) == "already_erased"


@pytest.mark.parametrize("target", [JOB, FILE])
def test_an_erased_job_that_was_answered_says_that_it_is_erased(target: str) -> None:
    person = erased_person(answered="abc")

    assert person.refused("retry", target) == "already_erased"
    assert person.refused("cancel", target, 0) == "already_erased"


def erased_person(answered: str = "ab") -> Person:
    """With a job of the file in the inbox that owns its result's name, as validate makes them."""
    person = Person()
    person.close(answered)
    store, plan, head = person.job.store, person.job.plan, person.job.store.head(FILE)
    assert head is not None
    source = plan.source.model_copy(update={"etag": head.etag})
    store.put(record_key(JOB, "plan.json"), plan.model_copy(update={"source": source}).to_bytes())
    person.job.records.claim_name(result_key_for(FILE), FILE)
    person.commands.erase(FILE, person.provider_of, lambda _: True)
    person.heard.clear()
    return person


@pytest.mark.parametrize("target", [JOB, FILE])
def test_what_is_erased_already_is_not_asked_about_again(target: str) -> None:
    person = erased_person()

    person.commands.erase(target, person.provider_of, lambda _: False)

    assert [line.rpartition(" ")[2] for line in person.heard] == ["[erased_before]"]


def test_of_an_erased_job_the_name_is_not_shown() -> None:
    person = erased_person()

    person.commands.status(JOB)

    assert "文件名已抹除 name erased" in person.text
    assert FILE not in person.text
    assert not any(FILE.encode() in content for content in person.job.store.objects.values())


def test_an_erased_job_is_found_by_the_name_that_it_had() -> None:
    person = erased_person()
    assert person.job.store.head(FILE) is None

    person.commands.status(FILE)

    assert "抹除 erased" in person.text
    assert person.refused("retry", FILE) == "already_erased"
    person.commands.erase(FILE, person.provider_of, lambda _: True)
    assert "[erased_before]" in person.text


@pytest.mark.parametrize(
    "name", ["inbox/a/names.tsv", "inbox/a/names", "inbox/a/other.csv", "inbox/names.csv"]
)
def test_by_no_other_name_is_it_found(name: str) -> None:
    assert erased_person().refused("status", name) == "no_such_job"


def test_a_file_that_is_dropped_again_goes_with_an_erasure_by_its_name() -> None:
    person = erased_person()
    person.drop()
    ResumeJob(StartJob(person.job.store, person.job.clock))(person.job.plan, person.job.clock.now())
    assert [key for key in person.job.store.objects if key.startswith("rejected/")]

    person.commands.erase(FILE, person.provider_of, lambda _: True)

    assert [key for key in person.job.store.objects if key.startswith(("inbox/", "rejected/"))] == []
    assert not any(FILE.encode() in content for content in person.job.store.objects.values())


@pytest.mark.parametrize("is_looked_at", [False, True])
def test_of_a_file_that_stays_it_is_said_what_to_do(*, is_looked_at: bool) -> None:
    person = Person()
    person.close("ab")
    person.job.clock.advance(timedelta(minutes=5))
    person.job.store.put(FILE, b"newer")
    if is_looked_at:
        head = person.job.store.head(FILE)
        assert head is not None
        pointer = upload_key("drop", FILE, head.etag, head.modified_at)
        person.job.records.create(pointer, Upload(job_id="f" * 16))

    person.commands.erase(JOB, person.provider_of, lambda _: True)

    assert "[erased]" in person.heard[0]
    assert "[dropped_since]" in person.heard[1]
    assert f"scripts/batchdrop erase {FILE}" in person.heard[1]


@pytest.mark.parametrize("recipe", ["", "output: {format: jsonl}\n", "output: {format: xlsx}\n"])
@pytest.mark.parametrize("name", ["a.csv", "评价/a.csv", "a.jsonl.csv"])
def test_whoever_erases_a_file_hears_of_its_other_versions(name: str, recipe: str) -> None:
    question = f"model: qwen-plus\nprompt: '{{{{ text }}}}'\n{recipe}"
    store, first = run_job(name, b"id,text\n1,a\n", question)
    _, second = run_job(name, b"id,text\n1,b\n", question, store=store)
    heard: list[str] = []
    commands = Commands(OpenBucket(store, "drop"), heard.append)

    def erase(target: str) -> str:
        heard.clear()
        provider = only(ScriptedProvider(store._clock))  # type: ignore[arg-type]
        commands.erase(target, lambda _: provider, lambda _: True)
        return "".join(heard)

    said = erase(second.job_id)
    assert "[other_versions]" in said
    assert f"scripts/batchdrop erase {first.job_id}" in said
    assert "[other_versions]" not in erase(first.job_id)
    assert "[other_versions]" not in erase(second.job_id)


def test_of_a_file_that_goes_it_is_not() -> None:
    person = erased_person()

    person.drop()
    ResumeJob(StartJob(person.job.store, person.job.clock))(person.job.plan, person.job.clock.now())
    person.commands.erase(FILE, person.provider_of, lambda _: True)
    person.commands.erase(JOB, person.provider_of, lambda _: True)

    assert "[dropped_since]" not in person.text


def test_nothing_is_erased_unless_somebody_says_yes() -> None:
    person = Person()
    person.close("abc")
    before = dict(person.job.store.objects)

    code = person.refused("erase", JOB, person.provider_of, lambda _: False)

    assert code == "nothing_erased"
    assert person.job.store.objects == before


def test_an_open_job_is_not_erased() -> None:
    person = Person()

    assert person.refused("erase", JOB, person.provider_of, lambda _: True) == "open_not_erased"


BAILIAN = {"DASHSCOPE_API_KEY": "sk-x"}
ARK = {"ARK_ACCESS_KEY_ID": "ak", "ARK_SECRET_ACCESS_KEY": "sk-of-ark", "TOS_BUCKET": "acme-batch"}


@pytest.mark.parametrize(
    ("name", "env", "reason"),
    [
        ("bailian", {}, "DASHSCOPE_API_KEY"),
        ("bailian", ARK | {"DASHSCOPE_API_KEY": " "}, "DASHSCOPE_API_KEY"),
        ("bailian", BAILIAN | {"DASHSCOPE_BASE_URL": "elsewhere"}, "DASHSCOPE_BASE_URL"),
        ("ark", BAILIAN, "ARK_ACCESS_KEY_ID, ARK_SECRET_ACCESS_KEY, TOS_BUCKET"),
        ("ark", ARK | {"TOS_BUCKET": ""}, "TOS_BUCKET"),
        ("tione", BAILIAN | ARK, "TENCENT_SECRET_ID, .*, COS_BUCKET"),
        ("later", ARK | BAILIAN, "later"),
    ],
)
def test_erasing_needs_the_key_to_the_providers_files(name: str, env: dict[str, str], reason: str) -> None:
    with pytest.raises(Refusal, match=f": .*{reason}") as refusal:
        access.open_provider_of(OpenBucket(Person().job.store, "drop"), env, name)

    assert refusal.value.code == "no_provider_key"
    others = [variable for profile in PROFILES if profile.name != name for variable in profile.needs]
    assert not [variable for variable in others if variable in str(refusal.value)]


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"LOG_LEVEL": "verbose"},
        {"CALLBACK_SECRET": "short"},
        {"ARK_ACCESS_KEY_ID": "ak"},
        {"ARK_HOST": "https://open.volcengineapi.com"},
        {"DEFAULT_PROVIDER": "ark"},
    ],
)
def test_erasing_asks_for_nothing_but_the_settings_of_the_jobs_provider(env: dict[str, str]) -> None:
    bucket = OpenBucket(Person().job.store, "drop")
    own = {"DASHSCOPE_BASE_URL": "http://127.0.0.1:9/v1", "DASHSCOPE_API_KEY": "sk-local"}

    assert access.open_provider_of(bucket, BAILIAN | env, "bailian").of("bailian")
    assert access.open_provider_of(replace(bucket, providers=own), env, "bailian").of("bailian")


def test_a_job_of_ark_is_erased_with_arks_settings_alone() -> None:
    bucket = OpenBucket(Person().job.store, "drop")

    opened = access.open_provider_of(bucket, ARK | {"DASHSCOPE_BASE_URL": "elsewhere"}, "ark")

    assert [provider.profile.name for provider in opened] == ["ark"]


def test_at_a_local_cloud_s_own_ark_no_setting_of_the_shell_counts() -> None:
    own = ARK | {"ARK_HOST": "http://127.0.0.1:9", "TOS_PROXY": "127.0.0.1:9"}
    bucket = OpenBucket(Person().job.store, "drop", providers=own)

    assert access.open_provider_of(bucket, {"TOS_PREFIX": "no folder", "ARK_REGION": "?"}, "ark").of("ark")


@pytest.mark.parametrize(("answer", "is_sure"), [("yes", True), (" YES ", True), ("y", False), ("", False)])
def test_yes_must_be_typed_in_full(monkeypatch: pytest.MonkeyPatch, answer: str, is_sure: bool) -> None:
    monkeypatch.setattr("builtins.input", lambda _: answer)

    assert Reply(is_json=False).agrees() is is_sure
    assert Reply(is_json=True).agrees() is None, "a program cannot be asked"


# Which job.


@pytest.mark.parametrize("target", [JOB, FILE, "a/names.csv"])
def test_a_job_is_named_by_its_id_its_file_or_the_files_name_in_the_inbox(target: str) -> None:
    person = Person()

    person.commands.status(target)

    assert person.heard[0].startswith(f"任务 job {JOB}: {FILE}, 3 行 rows")


@pytest.mark.parametrize("target", ["f" * 16, "a/other.csv", "../x", "任意.csv", "", "./"])
@pytest.mark.parametrize("command", ["status", "cancel", "retry", "erase"])
def test_what_is_no_job_and_no_file_is_said_to_be_none(command: str, target: str) -> None:
    arguments = {"cancel": (target, 0), "erase": (target, only(ScriptedProvider()), bool)}

    assert Person().refused(command, *arguments.get(command, (target,))) == "no_such_job"


def test_a_closed_job_says_that_its_file_was_dropped_again_for_nothing() -> None:
    person = Person()
    person.close("abc")
    person.commands.status(FILE)
    assert "dropped again" not in person.text
    dropped_at = person.job.clock.now() + timedelta(hours=1)

    ResumeJob(StartJob(person.job.store, person.job.clock))(person.job.plan, dropped_at)
    person.commands.status(FILE)

    assert "再次放入 dropped again" in person.text
    assert "已有答案，没有重新发送，不收费 already answered, nothing paid" in person.text


def test_a_file_that_is_no_job_yet_may_be_refused() -> None:
    person = Person()
    person.job.store.put("inbox/new.csv", b"x")

    assert person.refused("cancel", "new.csv", 0) == "not_planned"


COMMANDS: dict[str, tuple[Any, ...]] = {
    "status": (),
    "cancel": (0,),
    "retry": (),
    "erase": (only(ScriptedProvider()), bool),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("is_there", [True, False])
def test_a_refused_file_has_no_job_and_its_report_says_why(command: str, is_there: bool) -> None:
    person = Person()
    file, report, table = "inbox/new.csv", "rejected/new.csv.report.txt", "rejected/new.csv.report.csv"
    for key in (file, report, table) if is_there else (report,):
        person.job.store.put(key, b"x")

    with pytest.raises(Refusal) as refusal:
        getattr(person.commands, command)("new.csv", *COMMANDS[command])

    assert refusal.value.code == "was_refused"
    files = f"{file}, {report}, {table}" if is_there else report
    assert f"See {report};" in str(refusal.value)
    told = f"delete these files: {files}. [erase_refused]" in str(refusal.value)
    assert told is (command == "erase"), "who only asks is not told how to erase"


def test_of_a_file_that_was_given_up_the_drafts_are_named_too() -> None:
    person = Person()
    store = person.job.store
    store.put("inbox/new.csv", b"1,a\n")

    def kills(_what: str, key: str) -> None:
        if key.endswith("/draft.json"):
            raise Killed

    store.before = kills
    for number in range(MAX_STARTS):
        with pytest.raises(Killed):
            person.job.functions.validate(UploadedObject("drop", "inbox/new.csv", ""), f"dies-{number}")
    store.before = None
    person.job.functions.validate(UploadedObject("drop", "inbox/new.csv", ""), "run-last")

    with pytest.raises(Refusal) as refusal:
        person.commands.erase("new.csv", person.provider_of, bool)

    assert refusal.value.code == "was_refused"
    drafts = {key.rpartition("/")[0] for key in store.keys("work/") if "/dies-" in key}
    assert len(drafts) == MAX_STARTS
    assert all(f"{each}/" in str(refusal.value) for each in drafts)


def test_the_report_of_an_earlier_file_says_nothing_of_the_one_that_is_being_checked() -> None:
    person = Person()
    person.job.store.put("rejected/new.csv.report.txt", b"x")
    person.job.clock.advance(timedelta(seconds=1))
    person.job.store.put("inbox/new.csv", b"x")

    assert person.refused("status", "new.csv") == "not_planned"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["batch.yaml", "inbox/a/batch.yaml"])
def test_a_recipe_has_no_job(command: str, name: str) -> None:
    assert Person().refused(command, name, *COMMANDS[command]) == "recipe_has_no_job"


def test_the_job_of_a_file_that_was_removed_is_found_by_its_result() -> None:
    person = Person()
    person.close("abc")
    person.job.store.delete(FILE)

    person.commands.status(FILE)

    assert "3 answered" in person.text


def test_the_open_job_of_a_file_that_was_replaced_is_found_by_its_tickets() -> None:
    person = Person()
    person.job.store.put(FILE, b"newer")

    person.commands.cancel(FILE, 0)

    assert person.job.records.is_cancelled(JOB)


def test_of_several_open_jobs_of_a_file_one_has_to_be_chosen() -> None:
    person = Person()
    other = JobId("f" * 16)
    plan = person.job.plan.model_copy(update={"job_id": other})
    person.job.store.put(f"jobs/{other}/plan.json", plan.to_bytes())
    head = person.job.store.head(FILE)
    assert head is not None
    person.job.records.create(
        upload_key("drop", FILE, head.etag, head.modified_at + timedelta(hours=1)), Upload(job_id=other)
    )

    with pytest.raises(Refusal) as refusal:
        person.commands.cancel(FILE, 0)

    assert refusal.value.code == "several_jobs"
    assert JOB in str(refusal.value)
    assert other in str(refusal.value)
    assert not person.job.records.is_cancelled(JOB)
    person.commands.cancel(other, 0)
    assert person.job.records.is_cancelled(other)


# Cancel, retry.


def test_cancelling_says_what_happens_now_and_that_it_was_done_before() -> None:
    person = Person()

    person.commands.cancel(FILE, 0)
    person.commands.cancel(FILE, 0)

    codes = [line.rpartition(" ")[2] for line in person.heard]
    assert codes == ["[cancelled]", "[still_open]", "[already_cancelled]", "[still_open]"]


def test_whoever_cancels_hears_what_must_be_mended_first() -> None:
    person = Person()
    person.job.deliver()
    person.job.functions.profile = ark.ARK
    person.job.tick(timedelta(minutes=10))

    person.commands.cancel(FILE, 0)

    assert "[still_blocked]" in person.heard[1]
    assert "[provider_missing]" in person.text
    assert "[still_open]" not in person.text


def test_a_closed_job_is_not_cancelled() -> None:
    person = Person()
    person.close("abc")

    person.commands.cancel(FILE, 0)

    assert person.heard[-1].endswith("[already_closed]")
    assert not person.job.records.is_cancelled(JOB)


def test_a_retry_of_an_open_job_is_refused_and_of_an_answered_one_needless() -> None:
    person = Person()
    assert person.refused("retry", FILE) == "not_closed"
    person.close("abc")

    person.commands.retry(FILE)

    assert person.heard[-1].endswith("[nothing_to_retry]")
    assert len(person.job.sent()) == 3


def test_a_retry_names_its_job_which_is_meant_from_then_on() -> None:
    person = Person()
    person.close("ab")
    retry = retry_job_id_for(JOB)

    person.commands.retry(FILE)
    again = person.refused("retry", JOB)
    person.commands.cancel(JOB, 0)

    assert f"Job {retry}" not in person.heard[0]
    assert retry in person.heard[0]
    assert again == "not_closed"
    assert person.job.records.is_cancelled(retry)
    assert not person.job.records.is_cancelled(JOB)


def test_records_that_are_gone_or_do_not_fit_are_said_to_be() -> None:
    person = Person()
    person.close("ab")
    settled = person.job.records.find_settled(JOB, 1)
    assert settled is not None
    part = person.job.store.get(settled.part_key)
    person.job.store.put(settled.part_key, part[:-5])
    assert person.refused("retry", FILE) == "records_damaged"

    person.job.store.delete(settled.part_key)

    assert person.refused("retry", FILE) == "records_gone"


def test_a_retry_that_an_erasure_overtakes_is_told_so() -> None:
    person = Person()
    person.close("ab")
    assert forbid_retry(person.job.store, person.job.plan)

    assert person.refused("retry", FILE) == "being_erased"


# Status.


def test_the_board_shows_open_jobs_and_what_somebody_must_do() -> None:
    person = Person()
    reason = WaitingFor(code="no_money", message="请充值。\nTop up.", since=person.job.clock.now())
    person.job.store.put(ticket_key(Stage.READY, attempt()), ReadyTicket(waiting_for=reason).to_bytes())

    person.commands.status(None)

    assert "1 等待中 waiting" in person.text
    assert re.search(r"服务 provider[\s\S]*inbox/a/names.csv +bailian +0/3 ", person.text)
    assert "Top up." in person.text
    assert "[no_money]" in person.text


def test_files_that_are_being_validated_are_told_and_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = MemoryStore(SystemClock())
    for name in ("a.csv", "b.csv", "batch.yaml"):
        store.put(f"inbox/x/{name}", name.encode())
    looks = 0

    def validated(_: float) -> None:
        nonlocal looks
        looks += 1
        head = store.head(f"inbox/x/{'ab'[looks - 1]}.csv")
        assert head
        store.put(upload_done_key("drop", head.key, head.etag, head.modified_at), b"")

    monkeypatch.setattr("scripts.operate.jobs.follow_board.time.sleep", validated)

    follow_board(OpenBucket(store, "drop"), Reply(is_json=False))

    said = re.findall(r"(\d file|\[nothing_open\])", capsys.readouterr().out)
    assert said == ["2 file", "1 file", "[nothing_open]"]


def test_an_empty_board_says_so() -> None:
    person = Person()
    person.close("abc")

    person.commands.status(None)

    assert person.heard[-1].endswith("[nothing_open]")


def test_one_job_is_shown_with_its_attempts_batches_rounds_and_ledger() -> None:
    person = Person()
    person.close("ab")
    person.commands.retry(FILE)
    person.close("c")
    person.heard.clear()

    person.commands.status(JOB)

    first, second = (each.batch_id for each in person.job.provider.submissions)
    lines = person.text
    assert f"attempt 1: {first} 已完成 completed, 2 已回答 answered, 1 被拒绝 refused" in lines
    assert f"attempt 2: {second} 已完成 completed, 累计 in all 3 已回答 answered" in lines
    assert f"of {JOB}" in lines
    assert "结果 result results/a/names.csv" in lines


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Completed", "已完成 completed, "),
        ("Terminated", "已终止 terminated, "),
        ("SUCCEED", "已完成 succeed, "),
        ("STOPPED", "已停止 stopped, "),
        ("FAILED (no such image)", "失败 failed (no such image), "),
        ("SUBMIT_FAILED (no such image)", "提交失败 submit_failed (no such image), "),
        ("cancelled", "已取消 cancelled, "),
        ("Paused", "Paused, "),
    ],
)
def test_how_a_batch_ended_is_said_alike_whoever_says_it(said: str, shown: str) -> None:
    person = Person()
    person.close("abc")
    key = attempt_key(attempt(1), "outcome.json")
    outcome = person.job.records.find_outcome(attempt(1))
    assert outcome is not None
    person.job.store.put(key, outcome.model_copy(update={"batch_status": said}).to_bytes())

    person.commands.status(JOB)

    assert f" {shown}" in person.text


@pytest.mark.parametrize(
    ("move", "shown"),
    [
        (lambda job: None, "第 1 次 attempt 1: 待发送 ready"),
        (lambda job: job.submit(attempt()), "运行中 running, 开始 since"),
        (
            lambda job: (job.submit(attempt()), job.records.put_finished(attempt(), "t")),
            "正在收取 finished, being collected",
        ),
        (lambda job: job.store.delete(ticket_key(Stage.READY, attempt())), "no ticket"),
        (lambda job: job.cancel(), "取消 cancelled"),
    ],
)
def test_where_a_shard_is_now_is_shown(move: Any, shown: str) -> None:
    person = Person()
    move(person.job)

    person.commands.status(JOB)

    assert shown in person.text


# The bucket.


def test_the_environment_names_the_bucket_as_for_the_functions() -> None:
    assert open_bucket(ENV, None).name == "drop"


def test_every_missing_variable_is_named_and_no_value_is_shown() -> None:
    given = {name: ENV[name] for name in ("BUCKET_NAME", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")}

    with pytest.raises(Refusal) as refusal:
        open_bucket(given, None)

    text = str(refusal.value)
    assert "these variables are not: OSS_ENDPOINT, OSS_REGION, ALIBABA_CLOUD_ACCESS_KEY_ID." in text
    assert "secret" not in text


class _Cloud:
    """What is announced of a cloud."""

    def __init__(self, data_dir: Path, url: str = "http://127.0.0.1:9") -> None:
        self.options = type("Options", (), {"data_dir": data_dir, "bucket": "drop"})
        self.oss = self.gateway = type("Server", (), {"url": url})
        self.bailian = self.volcengine = self.tencent = None


def test_a_local_cloud_is_found_while_it_runs(tmp_path: Path) -> None:
    data_dir, listed = tmp_path / "data", tmp_path / "listed"
    with locked(data_dir), announced(_Cloud(data_dir), listed):  # type: ignore[arg-type]
        url = "http://127.0.0.1:9"
        address = Address(str(data_dir), url, "cn-beijing", "drop", page_url=f"{url}/")
        assert running_clouds(listed) == [address]
        assert running_cloud(data_dir) == address

    assert running_clouds(listed) == []
    assert running_cloud(data_dir) is None


def test_what_a_killed_cloud_left_behind_means_nothing(tmp_path: Path) -> None:
    data_dir, listed = tmp_path / "data", tmp_path / "listed"
    listed.mkdir()
    (listed / "broken.json").write_text("{")
    (data_dir / ".localcloud").mkdir(parents=True)
    text = json.dumps({"data_dir": str(data_dir), "endpoint": "e", "region": "r", "bucket": "b"})
    for path in (listed / "1.json", data_dir / ".localcloud" / "address.json"):
        path.write_text(text)

    assert running_clouds(listed) == []
    with pytest.raises(Refusal) as refusal:
        open_bucket({}, data_dir)
    assert refusal.value.code == "no_cloud_there"


@contextmanager
def running(data_dir: Path, listed: Path, url: str = "http://127.0.0.1:9") -> Iterator[Address]:
    """What a cloud does while it runs."""
    with locked(data_dir), announced(_Cloud(data_dir, url), listed):  # type: ignore[arg-type]
        yield Address(str(data_dir.resolve()), url, "cn-beijing", "drop", page_url=f"{url}/")


def killed(data_dir: Path, listed: Path, url: str = "http://127.0.0.1:9") -> dict[Path, bytes]:
    """Run a cloud and kill it: what it had written is there again, and returned."""
    with running(data_dir, listed, url):
        left = {path: path.read_bytes() for path in [*listed.iterdir(), *data_dir.rglob("address.json")]}
    for path, content in left.items():
        path.write_bytes(content)
    return left


def test_a_cloud_that_was_killed_and_started_again_on_its_port_is_one_cloud(tmp_path: Path) -> None:
    left = killed(tmp_path / "data", tmp_path / "listed")

    with running(tmp_path / "data", tmp_path / "listed") as address:
        by_process = tmp_path / "listed" / "12345.json"
        by_process.write_bytes(next(iter(left.values())))
        assert running_clouds(tmp_path / "listed") == [address]

    assert list((tmp_path / "listed").iterdir()) == [by_process]


def test_of_a_cloud_that_was_started_again_on_another_port_the_new_one_counts(tmp_path: Path) -> None:
    killed(tmp_path / "data", tmp_path / "listed", "http://127.0.0.1:8")

    with running(tmp_path / "data", tmp_path / "listed") as address:
        assert running_clouds(tmp_path / "listed") == [address]


def test_a_folder_that_is_listed_under_two_names_is_one_cloud(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "data")
    by_link = {"data_dir": str(tmp_path / "link"), "endpoint": "e", "region": "r", "bucket": "b"}

    with running(tmp_path / "data", tmp_path / "listed") as address:
        (tmp_path / "listed" / "1.json").write_text(json.dumps(by_link))
        assert running_clouds(tmp_path / "listed") == [address]


def test_a_listed_folder_that_is_gone_means_nothing(tmp_path: Path) -> None:
    killed(tmp_path / "gone", tmp_path / "listed")
    shutil.rmtree(tmp_path / "gone")

    with running(tmp_path / "data", tmp_path / "listed") as address:
        assert running_clouds(tmp_path / "listed") == [address]


def test_a_process_that_has_the_number_of_a_killed_cloud_is_no_cloud(tmp_path: Path) -> None:
    left = killed(tmp_path / "data", tmp_path / "listed")
    (tmp_path / "listed" / f"{os.getpid()}.json").write_bytes(next(iter(left.values())))
    (tmp_path / "data" / ".localcloud" / "lock").write_text(f"{os.getpid()}\n")

    assert running_clouds(tmp_path / "listed") == []


def test_two_clouds_that_run_are_two(tmp_path: Path) -> None:
    listed = tmp_path / "listed"
    with running(tmp_path / "a", listed) as one, running(tmp_path / "b", listed) as two:
        assert running_clouds(listed) == [one, two]


def test_without_a_bucket_or_with_several_clouds_the_person_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    clouds: list[Address] = []
    monkeypatch.setattr(access, "running_clouds", lambda: clouds)
    with pytest.raises(Refusal) as none:
        open_bucket({}, None)
    clouds += [Address("/one", "http://127.0.0.1:9", "r", "drop")]
    assert open_bucket({}, None).folder == Path("/one/drop")
    clouds += [Address("/two", "http://127.0.0.1:9", "r", "drop")]

    with pytest.raises(Refusal) as several:
        open_bucket({}, None)

    assert none.value.code == "no_bucket"
    assert "/one, /two" in str(several.value)


def test_a_path_into_a_local_clouds_folder_is_that_file(tmp_path: Path) -> None:
    person = Person()
    commands = Commands(OpenBucket(person.job.store, "drop", tmp_path), person.heard.append)

    commands.status(str(tmp_path / FILE))

    assert JOB in person.heard[0]


@pytest.mark.parametrize(
    ("error", "code"), [(ConfigurationError("403."), "no_access"), (TransientError("503"), "unreachable")]
)
def test_a_bucket_that_cannot_be_read_is_told_in_both_languages(
    error: Exception, code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise error

    monkeypatch.setattr("scripts.operate.access.open_bucket", lambda *_: OpenBucket(Broken(), "drop"))

    status = main(["status"], ENV)

    told = capsys.readouterr().err
    assert status == 1
    assert "存储桶 drop" in told
    assert f"[{code}]" in told
    assert ".." not in told


@pytest.mark.parametrize(
    "arguments", [[], ["cancel"], ["retry"], ["explode"], ["cancel", "x", "--wait", "y"]]
)
def test_wrong_usage_is_status_two(arguments: list[str]) -> None:
    assert main(arguments, {}) == 2
