"""What Ark's answers to a create mean, and its silence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.ark.jobs.job_faults import JobFault
from scripts.localcloud.storage_http.incoming.request_faults import FaultAction
from shared.ports.provider import BatchId
from shared.problems.exceptions import (
    OutcomeUnknown,
    PipelineError,
    ProviderRejected,
    ProviderTrouble,
    QuotaReached,
    TransientError,
)
from shared.problems.render import MESSAGES
from shared.providers.ark import api
from shared.providers.ark.client import Ark
from tests.support.ark import (
    BUCKET,
    FOLDER,
    GONE,
    INPUT,
    KEY_ID,
    SECRET,
    ArkOnThisMachine,
    ark_request,
    ended,
    open_adapter,
    stage,
)
from tests.support.bailian_requests import wait_for
from tests.support.waiting import wait_until

# What its answers to a create mean.


def test_a_lost_answer_leaves_one_job_that_is_found_and_adopted(on: ArkOnThisMachine) -> None:
    on.ark.faults.paused = True
    on.ark.faults.add(JobFault(cut_connection=True))

    with pytest.raises(OutcomeUnknown):
        on.provider.submit(ark_request("job"))
    adopted = on.provider.submit(ark_request("job"))

    assert [adopted, on.provider.find("job")] == [on.jobs[0].id] * 2
    assert len(on.jobs) == 1


def test_a_job_whose_answer_was_lost_is_found_after_its_end(on: ArkOnThisMachine) -> None:
    on.ark.faults.add(JobFault(cut_connection=True))

    with pytest.raises(OutcomeUnknown):
        on.provider.submit(ark_request("job"))
    batch_id = BatchId(on.jobs[0].id)
    ended(on, batch_id)

    assert on.provider.find("job") == batch_id


@pytest.mark.parametrize("status", [429, 500, 502, 408])
def test_a_create_is_never_repeated_by_the_sdk(on: ArkOnThisMachine, status: int) -> None:
    on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", status=status, after=True, code="Busy"))

    with pytest.raises(TransientError):
        on.provider.submit(ark_request("job"))

    assert len(on.jobs) == 1


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (500, "InternalServiceError", OutcomeUnknown),
        (503, "", OutcomeUnknown),
        (408, "RequestTimeout", OutcomeUnknown),
        (200, "InternalError", OutcomeUnknown),
        (429, "RateLimitExceeded", QuotaReached),
        (429, "Unheard.Of", QuotaReached),
        (200, "QuotaExceeded.Job", QuotaReached),
        (400, "LimitExceeded.BatchInferenceJob", QuotaReached),
        (400, "OperationDenied.JobQuota", QuotaReached),
        (403, "OperationDenied.QuotaExceeded", QuotaReached),
        (400, "", TransientError),
        (407, "", TransientError),
        (400, "InvalidParameter.Name", ProviderRejected),
        (403, "OperationDenied.Whatever", ProviderRejected),
        (404, "InvalidEndpointOrModel.NotFound", ProviderRejected),
    ],
)
def test_each_refusal_of_a_create_says_what_is_to_be_done(
    on: ArkOnThisMachine, status: int, code: str, expected: type[PipelineError]
) -> None:
    on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", status=status, code=code, message="No."))

    with pytest.raises(PipelineError) as refusal:
        on.provider.submit(ark_request("job"))

    assert type(refusal.value) is expected
    is_for_good = expected is ProviderRejected
    assert (on.objects() == []) == is_for_good


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidParameter.CompletionWindow", "CompletionWindow exceeds the limit of 28d"),
        ("InvalidParameter.Name", "The length of Name exceeds the limit 200"),
        ("InvalidParameter", "Tags exceed the limit"),
        ("InvalidParameter.InputFile", "file has too many lines"),
        ("InvalidParameter.Tags", "标签数量超过上限"),
        ("MissingParameter.Quota", "The quota is missing"),
        ("InvalidParameter.RateLimit", "rate limit is no number"),
        ("OperationDenied.InputTooLarge", "输入文件大小超过5GB上限"),
    ],
)
def test_words_of_a_limit_are_no_quota_that_passes(on: ArkOnThisMachine, code: str, message: str) -> None:
    on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", status=400, code=code, message=message))

    with pytest.raises(ProviderRejected):
        on.provider.submit(ark_request("job"))


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (429, "ProjectLimitExceeded", "No."),
        (403, "QuotaExceeded.ProjectBatchJob", "No."),
        (400, "ProjectQuotaExceeded", "No."),
        (400, "OperationDenied.ProjectBatchJobQuota", "No."),
        (403, "LimitExceeded.Project", "No."),
        (400, "OperationDenied.Whatever", "该项目近7天创建任务的配额已用完"),
        (400, "OperationDenied.Whatever", "Quota of the project exceeded"),
    ],
)
def test_a_quota_of_a_project_is_waited_for(
    on: ArkOnThisMachine, status: int, code: str, message: str
) -> None:
    on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", status=status, code=code, message=message))

    with pytest.raises(QuotaReached) as refusal:
        on.provider.submit(ark_request("job"))

    assert refusal.value.trouble == "job_quota_used_up"


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [
        (403, "AccountOverdueError", "account_without_money"),
        (400, "OperationDenied.ServiceOverdue", "account_without_money"),
        (400, "OperationDenied.ServiceNotOpen", "account_without_money"),
        (200, "OperationDenied.ServiceNotOpen", "account_without_money"),
        (404, "ModelNotOpen", "model_not_activated"),
        (400, "OperationDenied.ArkAccessRoleNotFound", "staging_not_readable"),
        (403, "OperationDenied.TosAccessDenied", "staging_not_readable"),
        (400, "OperationDenied.InputFileTosLocation", "staging_not_readable"),
        (401, "InvalidAccessKey", "access_key_refused"),
        (400, "InvalidAuthorization", "access_key_refused"),
        (401, "InvalidSecretToken", "access_key_refused"),
        (400, "InvalidTimestamp", "clock_wrong"),
        (403, "InvalidTimestamp", "clock_wrong"),
        (403, "LackProjectPolicy", "access_key_without_permission"),
        (404, "ServiceNotFound", "wrong_base_url"),
        (400, "InvalidRegion", "project_refused"),
        (403, "SignatureDoesNotMatch", "access_key_refused"),
        (400, "AuthenticationError", "access_key_refused"),
        (401, "", "access_key_refused"),
        (403, "AccessDenied", "access_key_without_permission"),
        (403, "", "access_key_without_permission"),
        (404, "", "wrong_base_url"),
        (404, "InvalidActionOrVersion", "wrong_base_url"),
        (404, "NotFound.Project", "project_refused"),
        (400, "InvalidParameter.ProjectName", "project_refused"),
        (400, "MissingParameter.ProjectName", "project_refused"),
        (400, "InvalidProject", "project_refused"),
        (404, "ProjectNotFound", "project_refused"),
        (400, "ProjectNotExist", "project_refused"),
    ],
)
def test_money_rights_and_settings_are_for_somebody_to_mend(
    on: ArkOnThisMachine, status: int, code: str, trouble: str
) -> None:
    on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", status=status, code=code, message="No."))

    with pytest.raises(ProviderTrouble, match="The operator must") as refusal:
        on.provider.submit(ark_request("job"))

    assert refusal.value.trouble == trouble
    assert trouble in MESSAGES
    assert INPUT in on.objects()  # it is not uploaded again


def test_a_weekly_quota_is_waited_for_and_told_and_one_of_calls_is_not_told(on: ArkOnThisMachine) -> None:
    on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", status=400, code="ExceedsQuota.InSevenDays"))
    on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", status=429, code="RequestRateLimitExceeded"))

    with pytest.raises(QuotaReached) as of_jobs:
        on.provider.submit(ark_request("job"))
    with pytest.raises(QuotaReached) as of_calls:
        on.provider.submit(ark_request("job"))

    assert (of_jobs.value.trouble, of_calls.value.trouble) == ("job_quota_used_up", "")
    assert of_jobs.value.trouble in MESSAGES


def test_racing_creates_of_one_attempt_make_one_job_that_all_of_them_get(on: ArkOnThisMachine) -> None:
    on.ark.faults.paused = True
    names = [f"job-{number}" for number in range(12)] * 3

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda name: on.provider.submit(ark_request(name)), names))

    assert len(on.jobs) == 12
    assert got[:12] == got[12:24] == got[24:]


@pytest.mark.parametrize("key", [INPUT, FOLDER])
@pytest.mark.parametrize("action", [FaultAction.CUT_BEFORE, FaultAction.CUT_AFTER, FaultAction.ANSWER_503])
def test_an_upload_without_an_answer_leaves_no_create_in_doubt(
    on: ArkOnThisMachine, action: FaultAction, key: str
) -> None:
    on.tos.faults.add(action, "PUT", key)

    with pytest.raises(TransientError) as refusal:
        on.provider.submit(ark_request("job"))

    assert type(refusal.value) is TransientError
    assert on.jobs == []
    assert on.provider.submit(ark_request("job")) == on.jobs[0].id


# A job that a refusal names.


def other_job(on: ArkOnThisMachine, name: str, source: str) -> str:
    """A job of another name than ``source``, which reads the input of that."""
    on.ark.faults.paused = True
    body = {
        "Name": name,
        "ModelReference": {"FoundationModel": {"Name": "m", "ModelVersion": "240615"}},
        "InputFileTosLocation": {"BucketName": BUCKET, "ObjectKey": f"batchdrop/in/{source}.jsonl"},
        "OutputDirTosLocation": {"BucketName": BUCKET, "ObjectKey": f"batchdrop/out/{source}/"},
    }
    opened = api.open_api(on.ark.url, "cn-beijing", "default", KEY_ID, SECRET)
    return opened.create(body, if_unclear=OutcomeUnknown)


def test_a_foreign_job_on_our_input_is_not_adopted(on: ArkOnThisMachine) -> None:
    stage(on, "job")
    other_job(on, "job-of-somebody", "job")

    with pytest.raises(OutcomeUnknown, match="another name"):
        on.provider.submit(ark_request("job"))

    assert on.provider.find("job") is None
    assert INPUT in on.objects()


def test_a_job_of_our_name_on_another_input_is_neither_found_nor_adopted(on: ArkOnThisMachine) -> None:
    stage(on, "other")
    named = other_job(on, "job", "other")
    fault = {"code": "OperationDenied.X", "message": f"In use by {named}."}
    on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", status=400, **fault))

    with pytest.raises(ProviderRejected):
        on.provider.submit(ark_request("job"))

    assert on.provider.find("job") is None


@pytest.fixture
def _is_not_listed_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.ArkApi, "named", lambda *_: iter(()))


@pytest.mark.usefixtures("_is_not_listed_yet")
@pytest.mark.parametrize("get", [500, 429, 404, 403])
def test_a_job_that_is_named_and_cannot_be_looked_at_leaves_the_outcome_open(
    on: ArkOnThisMachine, get: int
) -> None:
    on.ark.faults.paused = True
    on.provider.submit(ark_request("job"))
    on.ark.faults.add(
        CallFault(route="GetBatchInferenceJob", status=get, code="NotFound" if get == 404 else "X")
    )

    with pytest.raises(OutcomeUnknown):
        on.provider.submit(ark_request("job"))

    assert len(on.jobs) == 1


@pytest.mark.usefixtures("_is_not_listed_yet")
@pytest.mark.parametrize("status", [400, 403, 409, 429])
def test_the_id_counts_whatever_code_and_status_the_refusal_has(on: ArkOnThisMachine, status: int) -> None:
    on.ark.faults.paused = True
    batch_id = on.provider.submit(ark_request("job"))
    message = f"see bi-20200101000000-zzzzz2x and {batch_id}"
    on.ark.faults.add(
        CallFault(route="CreateBatchInferenceJob", status=status, code="Unheard", message=message),
        CallFault(route="GetBatchInferenceJob", status=None),
    )
    stage(on, "somebody")

    with pytest.raises(OutcomeUnknown):  # the first id is of no job that is shown
        on.provider.submit(ark_request("job"))
    on.ark.faults.add(
        CallFault(route="CreateBatchInferenceJob", status=status, code="Unheard", message=f"{batch_id} runs")
    )

    assert on.provider.submit(ark_request("job")) == batch_id


@pytest.mark.parametrize("message", ["No.", "See the job of this input."])
def test_a_refusal_for_good_gives_up_no_job_that_there_is(on: ArkOnThisMachine, message: str) -> None:
    refusal = {"status": 400, "code": "Unheard", "message": message}
    on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", after=True, **refusal))

    assert on.provider.submit(ark_request("job")) == on.jobs[0].id
    assert on.objects()[:2] == [INPUT, FOLDER]


@pytest.mark.parametrize("status", [403, 404, 429])
def test_a_job_whose_create_was_refused_after_its_effect_is_adopted_after_its_end(
    on: ArkOnThisMachine, status: int
) -> None:
    on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", status=status, code="", after=True))
    with pytest.raises((ProviderTrouble, QuotaReached)):
        on.provider.submit(ark_request("job"))
    wait_until(lambda: on.jobs[0].is_terminal, "its end")

    assert on.provider.submit(ark_request("job")) == on.jobs[0].id
    assert len(on.jobs) == 1


def test_nothing_is_created_again_while_the_jobs_are_not_shown(on: ArkOnThisMachine) -> None:
    on.ark.faults.add(
        CallFault(route="CreateBatchInferenceJob", status=403, code="", after=True),
        CallFault(route="ListBatchInferenceJobs", status=400, code="Unheard"),
    )

    for _ in range(2):
        with pytest.raises(ProviderTrouble):
            on.provider.submit(ark_request("job"))

    assert len(on.jobs) == 1


@pytest.mark.parametrize("listed", [500, 429, 403])
def test_a_refusal_for_good_leaves_the_outcome_open_if_the_jobs_are_not_shown(
    on: ArkOnThisMachine, listed: int
) -> None:
    on.ark.faults.add(
        CallFault(route="CreateBatchInferenceJob", status=400, code="Unheard", message="No."),
        CallFault(route="ListBatchInferenceJobs", status=listed, code="X"),
    )

    with pytest.raises(OutcomeUnknown):
        on.provider.submit(ark_request("job"))

    assert INPUT in on.objects()


# The quota of a week, as far as the operator has told it.


def test_what_exceeds_the_quota_of_a_week_is_told_before_anything_is_staged(on: ArkOnThisMachine) -> None:
    adapter = open_adapter(on.ark.url, on.store, weekly_jobs=2)
    for name in ("first", "second"):
        adapter.submit(ark_request(name))

    with pytest.raises(QuotaReached, match="2 jobs of the last 7 days") as refusal:
        adapter.submit(ark_request("job"))

    assert refusal.value.trouble == "job_quota_used_up"
    assert len(on.jobs) == 2
    assert INPUT not in on.objects()


def test_a_list_that_is_refused_tells_no_quota(on: ArkOnThisMachine) -> None:
    adapter = open_adapter(on.ark.url, on.store, weekly_jobs=2)
    on.ark.faults.add(CallFault(route="ListBatchInferenceJobs", status=400, code="InvalidParameter"))

    adapter.submit(ark_request("job"))

    assert len(on.jobs) == 1


# Connections.


def test_a_refused_connection_has_created_nothing(on: ArkOnThisMachine) -> None:
    adapter = open_adapter("http://127.0.0.1:9", on.store)

    with pytest.raises(TransientError) as refusal:
        adapter.submit(ark_request("job"))

    assert type(refusal.value) is TransientError


def test_silence_after_a_create_leaves_its_outcome_open(
    on: ArkOnThisMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_READ_OF_CREATE_S", 0.2)
    on.ark.faults.add(CallFault(route="CreateBatchInferenceJob", status=None, after=True, delay_s=1))

    with pytest.raises(OutcomeUnknown):
        open_adapter(on.ark.url, on.store).submit(ark_request("job"))

    assert wait_for(lambda: len(on.jobs)) == 1


@pytest.mark.parametrize(
    ("action", "call"),
    [
        ("GetBatchInferenceJob", Ark.status),
        ("ListBatchInferenceJobs", Ark.find),
        ("StopBatchInferenceJob", Ark.cancel),
    ],
)
def test_all_else_is_given_up_sooner(
    on: ArkOnThisMachine, monkeypatch: pytest.MonkeyPatch, action: str, call: Callable[[Ark, BatchId], object]
) -> None:
    """The timer waits for it, and what it waits for keeps it from the other provider's batches."""
    adapter = open_adapter(on.ark.url, on.store)
    batch_id = adapter.submit(ark_request("job"))
    monkeypatch.setattr(api, "_READ_S", 0.2)
    on.ark.faults.add(CallFault(route=action, status=None, delay_s=1))

    with pytest.raises(TransientError, match="no usable answer"):
        call(adapter, batch_id)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"<html>Welcome</html>"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"5"),
        (200, b"{}"),
        (200, b'{"ResponseMetadata": []}'),
        (200, b'{"ResponseMetadata": "x"}'),
        (200, b'{"ResponseMetadata": {"Error": 5}}'),
        (200, b'{"ResponseMetadata": {}, "Result": [1]}'),
        (200, b'{"ResponseMetadata": {}, "Result": "x"}'),
        (200, b'{"ResponseMetadata": {}}'),
        (200, b'{"ResponseMetadata": {}, "Result": {}}'),
        (200, b'{"ResponseMetadata": {}, "Result": {"Id": null}}'),
        (200, b"\xff\xfe"),
        (302, b""),
        (502, b"<html>Bad Gateway</html>"),
    ],
)
def test_an_answer_that_cannot_be_read_leaves_the_outcome_open(
    on: ArkOnThisMachine, status: int, body: bytes
) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        adapter = open_adapter(f"http://127.0.0.1:{server.server_port}", on.store)
        with pytest.raises(OutcomeUnknown):
            adapter.submit(ark_request("job"))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_wrong_call_of_the_sdk_is_no_answer_of_ark() -> None:
    class OtherSdk:
        def do_call(self, info: object, body: object) -> object:
            raise AssertionError

    client: Any = OtherSdk()
    with pytest.raises(TypeError, match="_request_timeout"):
        api.ArkApi(client, "default", ()).get(GONE)


@pytest.mark.parametrize(
    ("get", "expected"), [(500, TransientError), (429, QuotaReached), (403, ProviderTrouble)]
)
def test_a_question_that_fails_is_no_answer(
    on: ArkOnThisMachine, get: int, expected: type[PipelineError]
) -> None:
    batch_id = on.provider.submit(ark_request("job"))
    on.ark.faults.add(CallFault(route="GetBatchInferenceJob", status=get, code="X"))

    with pytest.raises(expected):
        on.provider.status(batch_id)
