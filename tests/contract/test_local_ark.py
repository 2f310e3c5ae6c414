"""The local Ark through Volcengine's own SDK: its seven actions, and how it is odd on demand."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from volcenginesdkcore import ApiClient, Configuration, UniversalApi, UniversalInfo
from volcenginesdkcore.rest import ApiException

from scripts.localcloud.actions.signature import AccessKey
from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.ark.api.service import ProjectLimits
from scripts.localcloud.ark.jobs.job_faults import JobFault
from scripts.localcloud.ark.local_ark import LocalArk
from tests.support.ark import (
    BUCKET,
    KEY_ID,
    SECRET,
    ArkOnThisMachine,
    ark_line,
    local_ark,
    stage,
)
from tests.support.bailian_requests import wait_for
from tests.support.certificates import server_pem
from tests.support.fakes import FixedClock
from tests.support.waiting import PATIENCE_S, wait_until

Call = Callable[..., Any]
DRY_RUN = "The request is validated by a dryrun operation."
ACTION = "{}BatchInferenceJob"


@pytest.fixture
def call(on: ArkOnThisMachine) -> Call:
    return caller(on)


def caller(on: ArkOnThisMachine, key_id: str = KEY_ID, secret: str = SECRET, token: str = "") -> Call:
    """The SDK, set up as its own examples do; ``call("Get", Id=…)``."""
    configuration = Configuration()
    configuration.host, configuration.region = on.ark.url, "cn-beijing"
    configuration.ak, configuration.sk, configuration.session_token = key_id, secret, token
    configuration.auto_retry = False
    client = UniversalApi(ApiClient(configuration))

    def call(action: str, **body: Any) -> Any:
        name = "ListBatchInferenceJobs" if action == "List" else ACTION.format(action)
        info = UniversalInfo(
            method="POST", service="ark", version="2024-01-01", action=name, content_type="application/json"
        )
        return client.do_call(info, body)

    return call


def creation(name: str = "job", **fields: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "ModelReference": {"FoundationModel": {"Name": "doubao-pro-32k", "ModelVersion": "240615"}},
        "InputFileTosLocation": {"BucketName": BUCKET, "ObjectKey": f"batchdrop/in/{name}.jsonl"},
        "OutputDirTosLocation": {"BucketName": BUCKET, "ObjectKey": f"batchdrop/out/{name}/"},
        "CompletionWindow": "1d",
        **fields,
    }


def created(on: ArkOnThisMachine, call: Call, name: str = "job", *lines: bytes, **fields: Any) -> str:
    stage(on, name)
    if lines:
        on.store.put(f"batchdrop/in/{name}.jsonl", b"".join(lines))
    return str(call("Create", **creation(name, **fields))["Id"])


def refusal_of(call: Call, action: str, **body: Any) -> tuple[int, str, str]:
    with pytest.raises(ApiException) as refused:
        call(action, **body)
    error = json.loads(refused.value.body)["ResponseMetadata"]["Error"]
    assert isinstance(error["CodeN"], int)
    return refused.value.status, error["Code"], error["Message"]


def phase_of(call: Call, job_id: str) -> str:
    return str(call("Get", Id=job_id)["Status"]["Phase"])


def ended(call: Call, job_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = call("Get", Id=job_id)
        return job if job["Status"]["Phase"] in {"Completed", "Failed", "Terminated"} else None

    return wait_for(look)


def result_ids(on: ArkOnThisMachine, name: str = "job") -> list[str]:
    return [json.loads(line)["custom_id"] for line in result_lines(on, name)]


def result_lines(on: ArkOnThisMachine, name: str) -> list[bytes]:
    keys = [key for key in on.objects(f"batchdrop/out/{name}/") if key.endswith(".jsonl")]
    return [line for line in b"".join(map(on.store.get, keys)).split(b"\n") if line]


def test_all_seven_actions(on: ArkOnThisMachine, call: Call) -> None:
    on.ark.faults.add(JobFault(outcome="stop", after_rows=1))
    rows = [ark_line(str(number)) for number in range(4)]

    job_id = created(on, call, "job", *rows, Tags=[{"Key": "batchdrop", "Value": "1"}])
    job = ended(call, job_id)
    assert call("Update", Id=job_id, Name="new-name", Description="now") == {}
    assert call("Resume", Id=job_id) == {"Id": job_id}
    done = ended(call, job_id)
    (listed,) = call("List", Filter={"Name": "new"})["Items"]
    assert refusal_of(call, "Stop", Id=job_id)[:2] == (400, "OperationDenied.JobPhase")
    assert call("Delete", Id=job_id) == {}

    assert job["Status"]["Phase"] == "Terminated"
    assert job["CompletionWindow"] == "1 days"
    assert [tag["Key"] for tag in job["Tags"]] == ["sys:ark:createdBy", "batchdrop"]
    assert done["Status"]["Phase"] == "Completed"
    assert done["RequestCounts"] == {"Total": 4, "Completed": 4, "Failed": 0}
    assert (listed["Name"], listed["Description"], listed["Id"]) == ("new-name", "now", job_id)
    assert refusal_of(call, "Get", Id=job_id)[:2] == (404, "NotFound.BatchInferenceJob")
    assert sorted(result_ids(on)) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("action", ["Create", "Stop", "Update", "Delete"])
def test_a_dry_run_that_passes_is_an_error_and_changes_nothing(
    on: ArkOnThisMachine, call: Call, action: str
) -> None:
    job_id = created(on, call)
    if action != "Stop":
        ended(call, job_id)
    else:
        on.ark.faults.paused = True
        job_id = created(on, call, "paused")
    stage(on, "dry")
    body = creation("dry") if action == "Create" else {"Id": job_id}

    assert refusal_of(call, action, DryRun=True, **body) == (400, "DryRunOperation", DRY_RUN)
    assert len(on.jobs) == 1 + (action == "Stop")
    assert not any(job.is_deleted or job.phase in {"Terminating", "Terminated"} for job in on.jobs)


def test_a_dry_run_of_a_missing_input_says_that(call: Call) -> None:
    refused = refusal_of(call, "Create", DryRun=True, **creation("nothing"))

    assert refused[:2] == (400, "OperationDenied.InputFileTosLocation")


# Signatures.


@pytest.mark.parametrize(
    ("key_id", "secret", "token", "code"),
    [
        (KEY_ID, "another secret", "", "SignatureDoesNotMatch"),
        ("AKLTnobody", SECRET, "", "InvalidAccessKey"),
        (KEY_ID, SECRET, "a token", "InvalidSecurityToken"),
    ],
)
def test_a_wrong_key_is_refused(
    on: ArkOnThisMachine, key_id: str, secret: str, token: str, code: str
) -> None:
    assert refusal_of(caller(on, key_id, secret, token), "List")[1] == code


def test_a_temporary_key_is_taken_with_its_token(tmp_path: Path, on: ArkOnThisMachine) -> None:
    keys = {"AKTP": AccessKey("s", "the token")}
    with LocalArk(tmp_path / "other", keys, lambda: on.tos.storage) as ark:
        other = ArkOnThisMachine(on.tos, ark, on.provider, on.store)

        assert caller(other, "AKTP", "s", "the token")("List")["TotalCount"] == 0
        assert refusal_of(caller(other, "AKTP", "s", "another"), "List")[1] == "InvalidSecurityToken"


def test_an_unmodified_program_comes_by_tls_under_arks_own_name(
    tmp_path: Path, on: ArkOnThisMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, pem = "open.volcengineapi.com", tmp_path / "ark.pem"
    pem.write_bytes(server_pem(host))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    keys = {KEY_ID: AccessKey(SECRET)}
    with LocalArk(tmp_path / "other", keys, lambda: on.tos.storage, tls=tls, tls_port=0) as ark:
        look_up = socket.getaddrinfo

        def at_home(name: str, port: object, *further: Any, **named: Any) -> Any:
            if name == host:
                return look_up("127.0.0.1", int(ark.tls_url.rpartition(":")[2]), *further, **named)
            return look_up(name, port, *further, **named)

        monkeypatch.setattr(socket, "getaddrinfo", at_home)
        configuration = Configuration()
        configuration.region, configuration.ssl_ca_cert = "cn-beijing", str(pem)
        configuration.ak, configuration.sk = KEY_ID, SECRET
        program = UniversalApi(ApiClient(configuration))
        info = UniversalInfo("POST", "ark", "2024-01-01", "ListBatchInferenceJobs", "application/json")

        assert program.do_call(info, {})["TotalCount"] == 0


def signed(on: ArkOnThisMachine, query: str, body: bytes, **headers: str) -> dict[str, str]:
    """The documented minimum by hand: three headers."""
    date, body_hash = "20261121T115000Z", hashlib.sha256(body).hexdigest()
    named = {"host": on.ark.url.removeprefix("http://"), "x-content-sha256": body_hash, "x-date": date}
    names = ";".join(named)
    lines = "".join(f"{name}:{value}\n" for name, value in named.items())
    canonical = f"POST\n/\n{query}\n{lines}\n{names}\n{body_hash}"
    scope = f"{date[:8]}/cn-beijing/ark/request"
    text = f"HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = SECRET.encode()
    for step in scope.split("/"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    authorization = f"HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {"X-Date": date, "X-Content-Sha256": body_hash, "Authorization": authorization, **headers}


QUERY = "Action=ListBatchInferenceJobs&Version=2024-01-01"


def test_three_signed_headers_are_enough_and_others_may_be_there(on: ArkOnThisMachine) -> None:
    headers = signed(on, QUERY, b"{}", **{"X-Other": "unsigned", "Content-Type": "text/plain"})

    answer = requests.post(f"{on.ark.url}/?{QUERY}", data=b"{}", headers=headers, timeout=PATIENCE_S)

    assert answer.status_code == 200
    assert answer.json()["Result"]["TotalCount"] == 0


@pytest.mark.parametrize(
    ("query", "body", "changed"),
    [
        (QUERY, b"{ }", {}),
        (f"{QUERY}&X-Account-Id=1", b"{}", {}),
        (QUERY, b"{}", {"X-Date": "20261121T115001Z"}),
        (QUERY, b"{}", {"X-Content-Sha256": "0" * 64}),
    ],
)
def test_a_changed_byte_breaks_the_signature(
    on: ArkOnThisMachine, query: str, body: bytes, changed: dict[str, str]
) -> None:
    headers = signed(on, QUERY, b"{}") | changed

    answer = requests.post(f"{on.ark.url}/?{query}", data=body, headers=headers, timeout=PATIENCE_S)

    assert answer.status_code == 403
    assert answer.json()["ResponseMetadata"]["Error"]["Code"] == "SignatureDoesNotMatch"


def test_action_and_account_may_stand_in_query_and_body_and_the_id_in_the_query(
    on: ArkOnThisMachine, call: Call
) -> None:
    job_id = created(on, call)
    query = f"Id={job_id}&Version=2024-01-01&X-Account-Id=2100000000"
    body = json.dumps({"Action": "GetBatchInferenceJob", "Version": "2024-01-01", "X-Account-Id": 1}).encode()

    answer = requests.post(
        f"{on.ark.url}/?{query}", data=body, headers=signed(on, query, body), timeout=PATIENCE_S
    )

    assert answer.json()["Result"]["Id"] == job_id


def test_nobody_without_a_signature_gets_an_answer(on: ArkOnThisMachine) -> None:
    answer = requests.post(f"{on.ark.url}/?{QUERY}", data=b"{}", timeout=PATIENCE_S)

    assert (answer.status_code, answer.json().get("Result")) == (401, None)
    assert (
        requests.post(f"{on.ark.url}/_faults", json={"paused": True}, timeout=PATIENCE_S).status_code == 400
    )
    assert not on.ark.faults.paused


# Creating.


def test_one_input_has_one_active_job_whose_id_the_refusal_names(on: ArkOnThisMachine, call: Call) -> None:
    on.ark.faults.paused = True
    job_id = created(on, call)

    status, _, message = refusal_of(call, "Create", **creation(Name="another-name"))
    assert (status, job_id in message) == (400, True)
    assert call("Create", **creation(ProjectName="other"))["Id"] != job_id
    on.ark.faults.paused = False
    ended(call, job_id)
    assert call("Create", **creation())["Id"] != job_id


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Name": "a b"}, "InvalidParameter.Name"),
        ({"Name": "n" * 201}, "InvalidParameter.Name"),
        ({"Name": None}, "InvalidParameter.Name"),
        ({"CompletionWindow": "36h"}, "InvalidParameter.CompletionWindow"),
        ({"CompletionWindow": "29d"}, "InvalidParameter.CompletionWindow"),
        ({"CompletionWindow": "0d"}, "InvalidParameter.CompletionWindow"),
        ({"ModelReference": {}}, "InvalidParameter.ModelReference"),
        ({"ModelReference": {"FoundationModel": "doubao"}}, "InvalidParameter.FoundationModel"),
        ({"ModelReference": {"FoundationModel": {"ModelVersion": "1"}}}, "MissingParameter.FoundationModel.Name"),
        ({"ModelReference": {"FoundationModel": {"Name": "m", "ModelVersion": ["1"]}}}, "InvalidParameter.FoundationModel.ModelVersion"),
        ({"ModelReference": {"CustomModelId": 5}}, "InvalidParameter.CustomModelId"),
        ({"ModelReference": {"FoundationModel": {"Name": "m"}, "CustomModelId": "cm-1"}}, "InvalidParameter.ModelReference"),
        ({"ModelReference": {"FoundationModel": {"Name": "no-such-model"}}}, "InvalidEndpointOrModel.NotFound"),
        ({"OutputDirTosLocation": {"BucketName": BUCKET, "ObjectKey": "out"}}, "InvalidParameter.OutputDirTosLocation"),
        ({"OutputDirTosLocation": {"BucketName": BUCKET, "ObjectKey": "out/"}}, "OperationDenied.OutputDirTosLocation"),
        ({"InputFileTosLocation": {"BucketName": "nobodys-bucket", "ObjectKey": "x"}}, "OperationDenied.InputFileTosLocation"),
    ],
)  # fmt: skip
def test_what_a_create_must_say(on: ArkOnThisMachine, call: Call, changes: dict[str, Any], code: str) -> None:
    stage(on, "job")

    assert refusal_of(call, "Create", **(creation() | changes))[1] == code
    assert on.jobs == []


@pytest.mark.parametrize(
    ("action", "body", "code"),
    [
        ("Update", {"Name": 5}, "InvalidParameter.Name"),
        ("Update", {"Name": ["new"]}, "InvalidParameter.Name"),
        ("Update", {"Name": "a/b"}, "InvalidParameter.Name"),
        ("Update", {"Name": "n" * 201}, "InvalidParameter.Name"),
        ("Update", {"Description": {}}, "InvalidParameter.Description"),
        ("Update", {"Description": "d" * 301}, "InvalidParameter.Description"),
        ("List", {"Filter": "job"}, "InvalidParameter.Filter"),
        ("List", {"Filter": {"Name": 5}}, "InvalidParameter.Filter.Name"),
        ("List", {"Filter": {"Ids": 5}}, "InvalidParameter.Filter.Ids"),
        ("List", {"Filter": {"Phases": [{}]}}, "InvalidParameter.Filter.Phases.0"),
        ("List", {"Filter": {"FoundationModels": "m"}}, "InvalidParameter.Filter.FoundationModels"),
        ("List", {"TagFilters": [{"Values": []}]}, "MissingParameter.TagFilters.0.Key"),
        ("List", {"ProjectName": ["default"]}, "InvalidParameter.ProjectName"),
        ("List", {"PageNumber": True}, "InvalidParameter.PageNumber"),
        ("List", {"PageSize": 101}, "InvalidParameter.PageSize"),
        ("Get", {"Id": ["job"]}, "MissingParameter.Id"),
        ("Get", {"Id": "\ud800"}, "MissingParameter.Id"),
    ],
)
def test_what_is_of_a_wrong_type_is_refused_and_breaks_no_job(
    on: ArkOnThisMachine, call: Call, action: str, body: dict[str, Any], code: str
) -> None:
    job_id = created(on, call)
    ended(call, job_id)

    assert refusal_of(call, action, **({"Id": job_id} | body))[:2] == (400, code)
    assert call("Get", Id=job_id)["Name"] == "job"
    assert [job["Id"] for job in call("List")["Items"]] == [job_id]


def test_a_missing_folder_of_results_is_made_unless_it_must_exist(tmp_path: Path) -> None:
    with local_ark(tmp_path, limits=ProjectLimits(wants_output_prefix=False)) as on:
        call = caller(on)
        on.store.put("batchdrop/in/job.jsonl", ark_line("a"))

        ended(call, call("Create", **creation())["Id"])

        assert result_ids(on) == ["a"]


def test_a_project_may_create_so_many_in_seven_days(tmp_path: Path) -> None:
    clock = FixedClock(datetime(2026, 11, 21, 9, tzinfo=timezone.utc))
    with local_ark(tmp_path, clock=clock, limits=ProjectLimits(creates_in_7_days=2)) as on:
        call = caller(on)
        for name in ("one", "two", "three"):
            stage(on, name)
        ended(call, call("Create", **creation("one"))["Id"])
        clock.advance(timedelta(days=1))
        call("Delete", Id=on.jobs[0].id)  # it was created all the same
        call("Create", **creation("two"))

        status, code, message = refusal_of(call, "Create", **creation("three"))
        assert (status, "Quota" in code, "7 days" in message) == (429, True, True)
        assert call("Create", **creation("three", ProjectName="other"))["Id"]
        clock.advance(timedelta(days=6, seconds=1))
        assert call("Create", **creation("three"))["Id"]


def test_more_jobs_than_may_run_at_once_queue_in_their_order(tmp_path: Path) -> None:
    with local_ark(tmp_path, limits=ProjectLimits(running_jobs=2)) as on:
        call = caller(on)
        on.ark.faults.paused = True
        ids = [created(on, call, f"job-{number}") for number in range(5)]
        seen = Counter(job["Status"]["Phase"] for job in call("List", PageSize=100)["Items"])
        on.ark.faults.paused = False
        jobs = [ended(call, job_id) for job_id in ids]

        assert seen["Queued"] >= 3
        assert seen["Running"] + seen["Initializing"] <= 2
        assert {job["Status"]["Phase"] for job in jobs} == {"Completed"}
        assert on.ark.queue
        assert on.ark.queue.most_running == 2


def test_projects_do_not_queue_behind_each_other(on: ArkOnThisMachine, call: Call) -> None:
    on.ark.faults.paused = True
    for number in range(4):
        created(on, call, f"job-{number}")
    other = created(on, call, "other", ProjectName="other")

    wait_until(lambda: phase_of(call, other) == "Initializing", "the other project's job does not begin")
    assert Counter(job.phase for job in on.jobs)["Queued"] == 1


# Listing.


def test_the_list_is_fuzzy_in_pages_and_the_newest_is_first(on: ArkOnThisMachine, call: Call) -> None:
    names = [f"job-{number}" for number in range(12)]
    ids = [created(on, call, name) for name in names]

    page = call(
        "List", Filter={"Name": "job-1"}, PageSize=2, PageNumber=1, SortBy="CreateTime", SortOrder="Desc"
    )
    rest = call("List", Filter={"Name": "job-1"}, PageSize=2, PageNumber=2)

    assert (page["TotalCount"], page["PageNumber"], page["PageSize"]) == (3, 1, 2)
    assert [job["Name"] for job in [*page["Items"], *rest["Items"]]] == ["job-11", "job-10", "job-1"]
    assert len(call("List")["Items"]) == 10
    asc = call("List", SortOrder="Asc", PageSize=100)["Items"]
    assert [job["Name"] for job in asc] == names
    assert {job["Id"] for job in call("List", Filter={"Ids": ids[:3]})["Items"]} == set(ids[:3])
    assert call("List", ProjectName="other")["TotalCount"] == 0


def test_initializing_is_shown_and_cannot_be_asked_for(on: ArkOnThisMachine, call: Call) -> None:
    on.ark.faults.paused = True
    job_id = created(on, call)
    wait_until(lambda: phase_of(call, job_id) == "Initializing", "it does not begin")

    assert (
        refusal_of(call, "List", Filter={"Phases": ["Initializing"]})[1] == "InvalidParameter.Filter.Phases.0"
    )
    assert call("List", Filter={"Phases": ["Running", "Completed"]})["Items"] == []


def test_a_filter_of_tags_and_models(on: ArkOnThisMachine, call: Call) -> None:
    tagged = created(on, call, "tagged", Tags=[{"Key": "team", "Value": "red"}])
    tuned = created(on, call, "tuned", ModelReference={"CustomModelId": "cm-1"})

    def found(**filters: Any) -> list[str]:
        return [job["Id"] for job in call("List", **filters)["Items"]]

    assert found(TagFilters=[{"Key": "team", "Values": ["red"]}]) == [tagged]
    assert found(TagFilters=[{"Key": "team", "Values": ["blue"]}]) == []
    assert found(Filter={"CustomModelIds": ["cm-1"]}) == [tuned]
    assert found(Filter={"FoundationModels": [{"Name": "doubao-pro-32k"}]}) == [tagged]


def test_only_get_says_where_a_file_of_errors_lies_elsewhere(on: ArkOnThisMachine, call: Call) -> None:
    on.ark.faults.add(JobFault(errors_elsewhere=True))
    job_id = created(on, call, "job", ark_line("a", "[[refuse:400]]"))

    job = ended(call, job_id)

    assert on.store.head(job["ErrorFileTosLocation"]["ObjectKey"])
    assert "ErrorFileTosLocation" not in call("List")["Items"][0]


# How a job ends.


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([b"\n", ark_line("a"), b" \r\n", b"oops\n"], "第2行非json数据"),
        ([ark_line("a"), b'{"body": {}}\n'], "第2行custom_id不存在"),
        ([b"[]\n"], "第1行custom_id不存在"),
        ([ark_line("a"), b"[" * 501 + b"]" * 501], "第2行嵌套超过500层"),
        ([b'{"custom_id": ["a"], "body": {}}\n'], "第1行custom_id不存在"),
        ([b'{"custom_id": 5, "body": {}}\n'], "第1行custom_id不存在"),
        ([b'{"custom_id": "\\ud800", "body": {}}\n'] * 2, "custom_id=\ufffd存在重复"),
        ([ark_line("a"), ark_line("b"), ark_line("a")], "custom_id=a存在重复"),
        ([b'{"custom_id": "a", "body": "text"}\n'], "custom_id=a的body非json字符串"),
        ([b"\n"], "输入文件为空"),
    ],
)
def test_one_bad_line_fails_the_whole_job(
    on: ArkOnThisMachine, call: Call, lines: list[bytes], message: str
) -> None:
    job = ended(call, created(on, call, "job", *lines))

    assert job["Status"]["Phase"] == "Failed"
    assert job["Status"]["Message"] == f"批量推理任务失败，{message}"
    assert on.objects("batchdrop/out/") == ["batchdrop/out/job/"]


def test_both_files_lie_below_the_jobs_id_and_in_no_order(on: ArkOnThisMachine, call: Call) -> None:
    ids = [f"row-{number:02d}" for number in range(20)]
    rows = [ark_line(each, "[[refuse:400]]" if each.endswith("3") else "hello") for each in ids]

    job_id = created(on, call, "job", *rows)
    job = ended(call, job_id)

    folder = f"batchdrop/out/job/{job_id}"
    assert on.objects("batchdrop/out/") == [
        "batchdrop/out/job/", f"{folder}/error/errors.jsonl", f"{folder}/output/results.jsonl",
    ]  # fmt: skip
    assert job["RequestCounts"] == {"Total": 20, "Completed": 20, "Failed": 2}
    found = result_ids(on)
    assert sorted(found) == ids
    assert [each for each in found if not each.endswith("3")] != [
        each for each in ids if not each.endswith("3")
    ]
    error = json.loads(on.store.get(f"{folder}/error/errors.jsonl").split(b"\n")[0])
    assert error["response"] is None
    assert set(error["error"]) == {"code", "message", "type"}
    answer = json.loads(on.store.get(f"{folder}/output/results.jsonl").split(b"\n")[0])
    assert answer["error"] is None
    assert answer["response"]["status_code"] == 200
    assert answer["response"]["body"]["model"] == "doubao-pro-32k-240615"


def test_a_job_expires_while_it_queues_and_while_it_runs(tmp_path: Path) -> None:
    clock = FixedClock(datetime(2026, 11, 21, 9, tzinfo=timezone.utc))
    with local_ark(tmp_path, clock=clock, limits=ProjectLimits(running_jobs=1)) as on:
        call = caller(on)
        on.ark.faults.paused = True
        ids = [created(on, call, name, CompletionWindow="2d") for name in ("runs", "queues")]
        clock.advance(timedelta(days=2))

        for job_id in ids:
            job = ended(call, job_id)
            assert job["Status"]["Phase"] == "Terminated"
            assert job["Status"]["PhaseTime"] >= job["ExpireTime"] == "2026-11-23T09:00:00Z"


def test_a_queued_job_is_stopped_at_once_and_a_running_one_soon(tmp_path: Path) -> None:
    with local_ark(tmp_path, limits=ProjectLimits(running_jobs=1)) as on:
        call = caller(on)
        on.ark.faults.paused = True
        runs, queues = (created(on, call, name) for name in ("runs", "queues"))
        wait_until(lambda: phase_of(call, runs) == "Initializing", "the first does not begin")

        call("Stop", Id=queues)
        assert phase_of(call, queues) == "Terminated"
        call("Stop", Id=runs)
        job = ended(call, runs)

        assert job["Status"]["Phase"] == "Terminated"
        assert job["Status"]["PhaseTime"] < job["ExpireTime"]


def test_a_resumed_job_goes_on_and_may_answer_rows_twice(on: ArkOnThisMachine, call: Call) -> None:
    rows = [ark_line(str(number)) for number in range(6)]
    on.ark.faults.add(
        JobFault(match="once", outcome="stop"), JobFault(match="twice", outcome="stop", resume_repeats=True)
    )
    for name in ("once", "twice"):
        job_id = created(on, call, name, *rows)
        assert ended(call, job_id)["RequestCounts"]["Completed"] == 3
        before = result_lines(on, name)
        call("Resume", Id=job_id)
        assert ended(call, job_id)["Status"]["Phase"] == "Completed"
        # The very same: another time would be paid for.
        assert set(before) <= set(result_lines(on, name))

    assert sorted(result_ids(on, "once")) == list("012345")
    assert sorted(set(result_ids(on, "twice"))) == list("012345")
    assert len(result_ids(on, "twice")) == 9


LATE = JobFault(late_gets=2)


ENDS = {
    "all answered": (JobFault(), b""),
    "a bad line": (JobFault(), b"no JSON\n"),
    "stopped": (JobFault(outcome="stop"), b""),
    "no files": (JobFault(missing_results=True, missing_errors=True), b""),
    "late files": (LATE, b""),
    "stopped, and late files": (JobFault(late_gets=2, outcome="stop"), b""),
}


@pytest.mark.parametrize(("fault", "line"), ENDS.values(), ids=ENDS)
def test_of_a_job_that_has_ended_only_the_bucket_has_what_was_asked_and_answered(
    on: ArkOnThisMachine, call: Call, tmp_path: Path, fault: JobFault, line: bytes
) -> None:
    on.ark.faults.add(fault)

    job_id = created(on, call, "job", *(ark_line(str(row), "a-diagnosis") for row in range(4)), line)
    ended(call, job_id)
    for _ in range(fault.late_gets):
        call("Get", Id=job_id)

    for key in on.objects("batchdrop/"):
        on.store.delete(key)

    left = [path for path in tmp_path.rglob("*") if path.is_file() and b"a-diagnosis" in path.read_bytes()]
    assert left == []


@pytest.mark.parametrize("fault", [JobFault(), LATE], ids=["there", "late files"])
def test_what_a_kill_left_of_a_job_that_has_ended_goes_with_the_next_start(
    on: ArkOnThisMachine, call: Call, tmp_path: Path, fault: JobFault
) -> None:
    on.ark.faults.add(fault)
    job_id = created(on, call)
    ended(call, job_id)
    store = on.ark.store
    assert store
    for kind in ("input", "output"):
        store.work_path(job_id, kind).write_bytes(ark_line("a"))

    on.ark.stop()
    on.ark.start()

    is_late = fault == LATE
    assert store.work_path(job_id, "output").exists() is is_late


def test_a_service_that_is_started_again_goes_on_and_answers_no_row_twice(tmp_path: Path) -> None:
    rows = [ark_line(str(number)) for number in range(40)]
    with local_ark(tmp_path, job_delay_s=2) as on:
        call = caller(on)
        ids = [created(on, call, f"job-{number}", *rows) for number in range(2)]
        queued = [created(on, call, f"queued-{number}") for number in range(4)]
        wait_until(lambda: on.jobs[0].succeeded > 3, "no rows come")
        url = on.ark.url

        on.ark.stop()
        on.ark.start()

        assert on.ark.url == url
        assert [ended(call, job_id)["Status"]["Phase"] for job_id in [*ids, *queued]] == ["Completed"] * 6
        for number in range(2):
            assert sorted(result_ids(on, f"job-{number}"), key=int) == [str(row) for row in range(40)]


def test_a_call_may_fail_before_or_after_its_effect_or_be_cut_off(on: ArkOnThisMachine, call: Call) -> None:
    on.ark.faults.paused = True
    for name, fault in {
        "before": {"status": 429},
        "after": {"status": 500, "after": True},
        "cut": {"status": None, "cut": True},
    }.items():
        on.ark.faults.add(CallFault(route=ACTION.format("Create"), **fault))
        with pytest.raises(Exception, match=r".*"):
            created(on, call, name)

    assert [job.name for job in on.jobs] == ["after", "cut"]


def test_another_version_or_action_does_not_exist(on: ArkOnThisMachine, call: Call) -> None:
    assert refusal_of(call, "Explain", Id="x")[:2] == (404, "InvalidActionOrVersion")
