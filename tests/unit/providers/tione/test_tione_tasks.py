"""What is asked of TI-ONE for a batch, and what its tasks and their folders mean to us."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from shared.pipeline.account_problems import waiting_for
from shared.pipeline.collect.rows.verdict import BatchVerdict
from shared.ports.provider import BatchId, BatchRequest, BatchState, BatchStatus, FailedFor
from shared.problems.exceptions import (
    OutcomeUnknown,
    ProviderRejected,
    ProviderTrouble,
    QuotaReached,
    TransientError,
)
from shared.problems.render import MESSAGES
from shared.providers.staged_files import STAGED_FOR
from shared.providers.tione.profile import TIONE
from tests.support.bailian_requests import batch_request, chat_line
from tests.support.fakes import START, FixedClock, MemoryStore
from tests.support.scripted_tione import (
    TIONE_BUCKET,
    TIONE_MODEL,
    TIONE_PREFIX,
    ScriptedTencent,
    leave_results,
    tione_over,
)

NAME = "batchdrop-0123456789abcdef-1-00001"
IN, OUT = f"{TIONE_PREFIX}in/{NAME}/", f"{TIONE_PREFIX}out/{NAME}/"
LINE = b'{"custom_id":"a","response":{"status_code":200,"body":{}},"error":null}\n'
OTHER = LINE.replace(b'"a"', b'"b"')


class Bench:
    """An adapter over a store and TI-ONE; made anew after a change of the setting."""

    def __init__(self, api: str = "batch") -> None:
        self.clock = FixedClock()
        self.store, self.tencent = MemoryStore(self.clock), ScriptedTencent()
        self.tione = tione_over(self.store, self.tencent, self.clock, api)

    def switch(self, api: str, prefix: str = TIONE_PREFIX) -> None:
        self.tione = tione_over(self.store, self.tencent, self.clock, api, prefix)

    def submit(self, name: str = NAME, **fields: Any) -> BatchId:
        return self.tione.submit(request(name, **fields))

    def set_status(self, batch_id: BatchId, status: str, **fields: Any) -> BatchState:
        self.tencent.tasks[batch_id] |= {"Status": status} | fields
        found = self.tione.status(batch_id)
        assert found
        return found

    def keys(self) -> list[str]:
        return [found.key for found in self.store.list("") if "/runner/" not in found.key]

    def actions(self) -> list[str]:
        return [action for action, _ in self.tencent.calls]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def request(name: str = NAME, **fields: Any) -> BatchRequest:
    lines = [chat_line(each, model=TIONE_MODEL) for each in "ab"]
    return batch_request(name, *lines, **({"model": TIONE_MODEL} | fields))


def decoded(command: str) -> str:
    return base64.b64decode(command).decode()


def test_a_task_of_batch_prediction_runs_the_runner_over_its_folders(bench: Bench) -> None:
    bench.submit(callback_url="https://x/finished/1", metadata={"batchdrop": "job/1-00001"}, description="d")

    action, body = bench.tencent.calls[-1]
    assert (action, body["BatchTaskName"], body["ChargeType"]) == (
        "CreateBatchTask",
        NAME,
        "POSTPAID_BY_HOUR",
    )
    assert body["ResourceConfigInfo"] == {
        "Role": "WORKER",
        "InstanceNum": 1,
        "InstanceType": "TI.GN10.2XLARGE40.POST",
    }
    assert decoded(body["StartCmdBase64"]) == "sh /opt/ml/code/start.sh"
    (mounted,), (written,) = body["DataConfigs"], body["Outputs"]
    assert mounted["COSSource"] == {"Bucket": TIONE_BUCKET, "Region": "ap-shanghai", "Paths": [IN]}
    assert written["COSSource"]["Paths"] == [OUT]
    (package,) = body["CodePackage"]["Paths"]
    assert {found.key.removeprefix(package) for found in bench.store.list(package)} == {
        "start.sh",
        "runner.py",
    }
    assert body["CallbackUrl"] == "https://x/finished/1"
    assert body["Tags"] == [{"TagKey": "batchdrop", "TagValue": "job/1-00001"}]


def test_a_training_task_is_the_same_under_other_names() -> None:
    bench = Bench("training")
    bench.submit()

    action, body = bench.tencent.calls[-1]
    assert (action, body["Name"]) == ("CreateTrainingTask", NAME)
    assert body["ResourceConfigInfos"][0]["Role"] == "WORKER"
    command = json.loads(decoded(body["EncodedStartCmdInfo"]["StartCmdInfo"]))
    assert command == {"StartCmd": "sh /opt/ml/code/start.sh"}
    assert body["Output"]["Paths"] == [OUT]
    assert "CodePackagePath" in body
    assert "CallbackUrl" not in body


def test_beside_its_input_lies_what_the_runner_must_know(bench: Bench) -> None:
    bench.submit(completion_window=timedelta(hours=24))

    content = bench.store.get(f"{IN}requests.jsonl")
    task = json.loads(bench.store.get(f"{IN}task.json"))
    assert (task["name"], task["model"], task["requests"]) == (NAME, TIONE_MODEL, 2)
    assert task["input_sha256"] == hashlib.sha256(content).hexdigest()
    assert task["server"]["command"] == ["vllm", "serve", TIONE_MODEL, "--port", "8000"]
    assert task["deadline"] == f"{bench.clock.now() + timedelta(hours=24):%Y-%m-%dT%H:%M:%SZ}"
    assert bench.store.get(OUT) == b""


def test_an_input_that_lies_there_is_not_uploaded_again_until_it_is_old(bench: Bench) -> None:
    reads: list[str] = []
    lines = request().open_lines
    bench.tencent.refusals["CreateBatchTask"] = "ResourcesSoldOut"

    def submit() -> dict[str, Any]:
        with pytest.raises(QuotaReached):
            bench.submit(open_lines=lambda: (reads.append("read"), lines())[1])
        found: dict[str, Any] = json.loads(bench.store.get(f"{IN}task.json"))
        return found

    first = submit()
    bench.clock.advance(STAGED_FOR)
    second = submit()
    assert reads == ["read"]
    assert second == first | {"deadline": second["deadline"]}
    assert second["deadline"] > first["deadline"]

    bench.clock.advance(timedelta(seconds=1))
    submit()
    assert reads == ["read"] * 2


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("INIT", BatchStatus.PENDING),
        ("SUBMITTING", BatchStatus.PENDING),
        ("PENDING", BatchStatus.PENDING),
        ("STARTING", BatchStatus.PENDING),
        ("RUNNING", BatchStatus.RUNNING),
        ("STOPPING", BatchStatus.RUNNING),
        ("SUCCEED", BatchStatus.COMPLETED),
        ("STOPPED", BatchStatus.EXPIRED),
        ("FAILED", BatchStatus.EXPIRED),
        ("SUBMIT_FAILED", BatchStatus.EXPIRED),
        ("SUCCEEDED", BatchStatus.UNKNOWN),
        ("", BatchStatus.UNKNOWN),
    ],
)
def test_a_word_that_we_do_not_know_is_no_end(bench: Bench, word: str, status: BatchStatus) -> None:
    assert bench.set_status(bench.submit(), word).status is status


@pytest.mark.parametrize("word", ["SUCCEED", "FAILED", "STOPPED"])
@pytest.mark.parametrize("is_complete", [True, False])
def test_the_manifest_has_the_last_word_on_rows(bench: Bench, word: str, *, is_complete: bool) -> None:
    batch_id = bench.submit()
    leave_results(
        bench.store, NAME, LINE, OTHER if is_complete else b"", complete=is_complete, reason="stopped"
    )

    state = bench.set_status(batch_id, word)

    assert state.status is (BatchStatus.COMPLETED if is_complete else BatchStatus.EXPIRED)
    assert (state.requests_completed, state.requests_failed) == (1, int(is_complete))
    assert state.lines_promised == 1 + is_complete
    assert sorted(bench.tione.results(state)) == [
        each[:-1] for each in ([LINE, OTHER] if is_complete else [LINE])
    ]


@pytest.mark.parametrize(("lines", "status"), [(b"", BatchStatus.FAILED), (LINE, BatchStatus.EXPIRED)])
def test_a_model_that_the_server_does_not_have_is_not_asked_for_again(
    bench: Bench, lines: bytes, status: BatchStatus
) -> None:
    batch_id = bench.submit()
    told = {"complete": False, "reason": "model_not_served", "model": TIONE_MODEL}
    leave_results(bench.store, NAME, lines, **told)

    state = bench.set_status(batch_id, "FAILED")

    assert state.status is status
    row = BatchVerdict(state, (), attempts_left=1).settle("b", 2, None)
    if lines:
        assert row is None  # it is sent again
    else:
        assert row
        assert row.error_code == "model_not_served"
        assert row.error_message.count(f"{TIONE_MODEL}") == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"complete": None},
        {"name": "other"},
        {"input_sha256": "0" * 64},
        {"format": 2},
        {"results": {"bytes": 5, "sha256": hashlib.sha256(LINE).hexdigest(), "lines": 1}},
        {"results": None},
    ],
    ids=str,
)
def test_a_success_without_a_valid_manifest_is_waited_for(bench: Bench, wrong: dict[str, Any]) -> None:
    batch_id = bench.submit()
    leave_results(bench.store, NAME, LINE, **wrong)

    state = bench.set_status(batch_id, "SUCCEED")

    # Of a completed batch every row must have a line; until then it is waited for.
    assert (state.status, state.requests_completed) == (BatchStatus.COMPLETED, None)
    assert list(bench.tione.results(state)) == [LINE[:-1]]


@pytest.mark.parametrize(
    ("word", "reason", "said"),
    [
        ("STOPPED", "", "STOPPED"),
        ("FAILED", "no such image", "FAILED (no such image)"),
        ("SUBMIT_FAILED", "no such image", "SUBMIT_FAILED (no such image)"),
        ("SUCCEED", "job succeed", ""),
        ("RUNNING", "", ""),
    ],
)
def test_what_broke_a_task_off_is_told(bench: Bench, word: str, reason: str, said: str) -> None:
    assert bench.set_status(bench.submit(), word, FailureReason=reason).broken_off == said


@pytest.mark.parametrize(("reason", "said"), [("server_died", "SUCCEED (server_died)"), ("deadline", "")])
def test_a_task_that_ran_until_its_deadline_was_not_broken_off(bench: Bench, reason: str, said: str) -> None:
    batch_id = bench.submit()
    leave_results(bench.store, NAME, LINE, complete=False, reason=reason)

    assert bench.set_status(batch_id, "SUCCEED").broken_off == said


def test_what_is_told_in_every_open_row_is_short(bench: Bench) -> None:
    batch_id = bench.submit()
    leave_results(bench.store, NAME, LINE, complete=False, reason="x" * 9_000)

    assert len(bench.set_status(batch_id, "SUCCEED").broken_off) < 300


def test_output_may_come_late_after_a_stop_but_not_if_nothing_ran(bench: Bench) -> None:
    batch_id = bench.submit()

    assert bench.set_status(batch_id, "STOPPED").lines_promised is None
    assert bench.set_status(batch_id, "FAILED").lines_promised is None
    assert bench.set_status(batch_id, "SUBMIT_FAILED").lines_promised == 0


@pytest.mark.parametrize(
    ("reason", "failed_for", "trouble"),
    [
        ("account in arrears", FailedFor.ACCOUNT, "account_without_money"),
        ("ResourcesSoldOut", FailedFor.QUOTA, ""),
        ("container exited with code 127", None, ""),
    ],
)
def test_a_task_that_failed_before_it_ran_says_for_what(
    bench: Bench, reason: str, failed_for: FailedFor | None, trouble: str
) -> None:
    state = bench.set_status(bench.submit(), "FAILED", FailureReason=reason)

    assert (state.failed_for, state.trouble) == (failed_for, trouble)
    assert state.raw_status == f"FAILED ({reason})"
    started = bench.set_status(BatchId(state.batch_id), "FAILED", StartTime="2026-11-27 10:00:00")
    assert started.failed_for is None


def test_a_torn_line_is_left_out_and_a_wrong_hash_is_told_after_the_lines(bench: Bench) -> None:
    batch_id = bench.submit()
    leave_results(bench.store, NAME, LINE + OTHER[:-5], complete=None)
    state = bench.set_status(batch_id, "SUCCEED")
    assert list(bench.tione.results(state)) == [LINE[:-1]]

    leave_results(bench.store, NAME, LINE + OTHER[:-1], complete=None)
    assert list(bench.tione.results(state)) == [LINE[:-1], OTHER[:-1]]

    leave_results(bench.store, NAME, LINE)
    bench.store.put(f"{OUT}results.jsonl", OTHER)
    lines = bench.tione.results(bench.set_status(batch_id, "SUCCEED"))

    assert next(lines) == OTHER[:-1]
    with pytest.raises(ProviderRejected):
        next(lines)


@pytest.mark.parametrize(
    ("code", "error", "trouble"),
    [
        ("AuthFailure.SignatureExpire", ProviderTrouble, "clock_wrong"),
        ("AuthFailure.SecretIdNotFound", ProviderTrouble, "access_key_refused"),
        ("AuthFailure.UnauthorizedOperation", ProviderTrouble, "access_key_without_permission"),
        ("UnauthorizedOperation", ProviderTrouble, "access_key_without_permission"),
        ("FailedOperation.NoPermission", ProviderTrouble, "access_key_without_permission"),
        ("OperationDenied.BalanceInsufficient", ProviderTrouble, "account_without_money"),
        ("InternalError.InsufficientBalance", ProviderTrouble, "account_without_money"),
        ("FailedOperation.FreezeBillFailed", ProviderTrouble, "account_without_money"),
        ("InvalidParameterValue.ImageNotFound", ProviderTrouble, "task_settings_refused"),
        ("InvalidParameter", ProviderTrouble, "task_settings_refused"),
        ("UnsupportedRegion", ProviderTrouble, "task_settings_refused"),
        ("InvalidParameterValue.CosPathNotExist", ProviderTrouble, "staging_not_readable"),
        ("InvalidAction", ProviderTrouble, "api_withdrawn"),
        ("ActionOffline", ProviderTrouble, "api_withdrawn"),
        ("UnsupportedOperation", ProviderTrouble, "api_withdrawn"),
        ("FailedOperation.Unheard", ProviderTrouble, "provider_refuses"),
        ("LimitExceeded", QuotaReached, "resources_sold_out"),
        ("ResourceInsufficient.A", QuotaReached, "resources_sold_out"),
        ("RequestLimitExceeded", QuotaReached, ""),
        ("InternalError.DBError", OutcomeUnknown, None),
        ("FailedOperation.Processing", OutcomeUnknown, None),
        ("ServerNetworkError", OutcomeUnknown, None),
        ("ClientNetworkError", OutcomeUnknown, None),
        ("FailedOperation.DuplicateNameTaskIsCreating", OutcomeUnknown, None),
    ],
)
def test_what_a_refusal_to_create_means(
    bench: Bench, code: str, error: type[Exception], trouble: str | None
) -> None:
    bench.tencent.refusals["CreateBatchTask"] = code

    with pytest.raises(error) as refusal:
        bench.submit()

    assert type(refusal.value) is error
    assert getattr(refusal.value, "trouble", None) == trouble
    assert not trouble or trouble in MESSAGES


@pytest.mark.parametrize(
    ("trouble", "setting"),
    [
        ("access_key_refused", "TENCENT_SECRET_ID"),
        ("access_key_without_permission", "TENCENT_SECRET_ID"),
        ("api_withdrawn", "TIONE_API"),
        ("resources_sold_out", "TIONE_RESOURCE"),
        ("staging_not_readable", "COS_BUCKET"),
        ("task_settings_refused", "TIONE_IMAGE"),
        ("wrong_base_url", "TIONE_HOST"),
    ],
)
def test_the_ticket_names_the_setting_in_both_languages(trouble: str, setting: str) -> None:
    message = waiting_for(ProviderTrouble("so it is", trouble), START, TIONE.terms).message

    assert [setting in text for text in message.split("\n")] == [True, True]


def test_a_task_that_was_created_though_the_answer_said_otherwise_is_not_created_again(bench: Bench) -> None:
    first = bench.submit()
    assert bench.submit() == first
    bench.store.delete(f"{IN}requests.jsonl")
    bench.tencent.refusals["CreateBatchTask"] = "InvalidParameterValue.DuplicateName"

    assert bench.submit() == first
    assert bench.actions().count("CreateBatchTask") == 2


def test_of_tasks_of_one_name_the_newest_with_our_output_is_found(bench: Bench) -> None:
    older, newer = bench.submit(), BatchId("batch-9")
    mount = bench.tencent.tasks[older]["Outputs"]
    foreign = [{"COSSource": {"Bucket": TIONE_BUCKET, "Paths": ["elsewhere/out/x/"]}}]
    bench.tencent.tasks[older]["CreateTime"] = "2026-11-26 09:00:00"
    bench.tencent.put(newer, "RUNNING", NAME, Outputs=mount, CreateTime="2026-11-26 10:00:00")
    bench.tencent.put("batch-10", "RUNNING", NAME, Outputs=foreign, CreateTime="2026-11-26 11:00:00")

    assert bench.tione.find(NAME) == newer
    assert bench.tione.find("other") is None


def test_after_a_switch_of_the_api_earlier_tasks_are_found_stopped_and_read(bench: Bench) -> None:
    batch_id = bench.submit()
    bench.switch("training")

    assert bench.tione.find(NAME) == batch_id
    assert bench.set_status(batch_id, "RUNNING").status is BatchStatus.RUNNING
    bench.tione.cancel(batch_id)
    assert bench.actions()[-1] == "StopBatchTask"


def test_of_a_task_whose_api_is_withdrawn_the_manifest_tells_after_the_switch(bench: Bench) -> None:
    batch_id = bench.submit()
    bench.tencent.refusals["DescribeBatchTask"] = "InvalidAction"
    with pytest.raises(ProviderTrouble) as trouble:
        bench.tione.status(batch_id)
    assert trouble.value.trouble == "api_withdrawn"

    bench.switch("training")
    bench.tencent.refusals["StopBatchTask"] = "InvalidAction"
    leave_results(bench.store, NAME, LINE, complete=None)
    unclear = bench.tione.status(batch_id)
    assert unclear
    # It may run, so its rows are not sent again; a day after its deadline they get what lies there.
    assert (unclear.status, len(unclear.result_files)) == (BatchStatus.UNKNOWN, 1)
    bench.tione.cancel(batch_id)
    assert bench.tione.status(BatchId("batch-unheard")) is None
    leave_results(bench.store, NAME, LINE + OTHER)

    state = bench.tione.status(batch_id)
    assert state
    assert (state.status, state.name, state.lines_promised) == (BatchStatus.COMPLETED, NAME, 2)


def test_whose_a_task_is_stays_known_though_its_create_was_not_answered(bench: Bench) -> None:
    batch_id = bench.submit()
    bench.store.delete(f"{TIONE_PREFIX}ids/{batch_id}")
    assert bench.tione.find(NAME) == batch_id
    leave_results(bench.store, NAME, LINE + OTHER)
    bench.tencent.refusals["DescribeBatchTask"] = "InvalidAction"
    bench.switch("training")

    state = bench.tione.status(batch_id)

    assert state
    assert state.name == NAME


def test_a_task_that_could_not_be_noted_is_in_doubt_until_it_is(bench: Bench) -> None:
    def fail(what: str, key: str) -> None:
        if "/ids/" in key and what == "put":
            raise TransientError("503")

    bench.store.before = fail
    with pytest.raises(OutcomeUnknown):
        bench.submit()
    bench.store.before = None

    found = bench.tione.find(NAME)

    assert found
    assert bench.store.get(f"{TIONE_PREFIX}ids/{found}") == NAME.encode()
    assert bench.actions().count("CreateBatchTask") == 1


def test_a_task_that_is_too_new_to_be_stopped_is_told_again(bench: Bench) -> None:
    batch_id = bench.submit()
    bench.tencent.refusals["StopBatchTask"] = "FailedOperation.UnSubmitNotAllowToStop"
    with pytest.raises(TransientError):
        bench.tione.cancel(batch_id)

    del bench.tencent.refusals["StopBatchTask"]
    bench.tione.cancel(BatchId("batch-gone"))
    bench.tione.cancel(BatchId(""))


@pytest.mark.parametrize("prefix", [TIONE_PREFIX, "other/"])
def test_what_is_collected_leaves_nothing_but_the_runner(bench: Bench, prefix: str) -> None:
    batch_id = bench.submit()
    leave_results(bench.store, NAME, LINE, OTHER)
    bench.switch("batch", prefix)
    others = f"{TIONE_PREFIX}in/other/task.json"
    bench.store.put(others, b"")

    bench.tione.clean_up(bench.set_status(batch_id, "SUCCEED"))

    assert bench.keys() == [others]


def test_output_in_another_bucket_is_waited_for_until_that_is_set(bench: Bench) -> None:
    batch_id = bench.submit()
    bench.tencent.tasks[batch_id]["Outputs"][0]["COSSource"] = {"Bucket": "other-1", "Paths": [OUT]}

    with pytest.raises(ProviderTrouble, match="COS_BUCKET to other-1 "):
        bench.tione.status(batch_id)


@pytest.mark.parametrize("prefix", [TIONE_PREFIX, ""])
def test_a_task_whose_name_is_not_told_is_known_by_its_folder(bench: Bench, prefix: str) -> None:
    bench.switch("batch", prefix)
    batch_id = bench.submit()
    bench.store.put(f"{prefix}out/{NAME}/results.jsonl", LINE + OTHER)

    state = bench.set_status(batch_id, "SUCCEED", BatchTaskName=None)

    assert state.name == NAME
    assert len(list(bench.tione.results(state))) == 2


def test_files_are_told_with_the_batch_that_they_belong_to(bench: Bench) -> None:
    batch_id = bench.submit()
    leave_results(bench.store, NAME, LINE)
    bench.store.put("elsewhere/in/x/task.json", b"")

    files = {file.file_id: file for file in bench.tione.unused_files()}

    assert {key for key, file in files.items() if file.input_of == NAME} == {
        f"{IN}requests.jsonl",
        f"{IN}task.json",
        OUT,
    }
    assert files[f"{OUT}results.jsonl"].batch_name == files[f"{OUT}manifest.json"].batch_name == NAME
    note = files[f"{TIONE_PREFIX}ids/{batch_id}"]
    assert (note.result_of, note.batch_name) == (None, NAME)  # it goes though nobody shows the task
    assert files[f"{IN}task.json"].is_read()
    bench.set_status(batch_id, "STOPPED")
    assert not next(file for file in bench.tione.unused_files() if file.file_id == f"{IN}task.json").is_read()


@pytest.mark.parametrize("model", ["--trust-remote-code", "a b", "../x", "a\nb", "", "-m"])
def test_a_model_that_would_be_an_option_of_the_server_is_refused(bench: Bench, model: str) -> None:
    with pytest.raises(ProviderRejected):
        bench.submit(model=model)

    assert bench.tencent.calls == []
