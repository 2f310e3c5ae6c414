"""The local TI-ONE through Tencent's generic client: its actions, and how each can be refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests

from scripts.localcloud.actions.objects import Objects
from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.tione.api.service import Habit
from scripts.localcloud.tione.tasks.task_faults import TaskFault
from tests.support.fakes import FixedClock
from tests.support.local_tione import (
    BATCH,
    BUCKET,
    TRAINING,
    Family,
    TioneOnThisMachine,
    caller,
    code_of,
    cos_path,
    data_config,
    local_tione,
)
from tests.support.waiting import PATIENCE_S, wait_until

COPY = "cp /opt/ml/input/data/a /opt/ml/output/b"
SLEEP = "exec sleep 60"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TioneOnThisMachine]:
    with local_tione(tmp_path_factory.mktemp("tione")) as on:
        yield on


@pytest.fixture
def on(shared: TioneOnThisMachine) -> Iterator[TioneOnThisMachine]:
    yield shared
    shared.tione.faults.clear()
    shared.tione.habits.clear()


@pytest.fixture
def name(on: TioneOnThisMachine, request: pytest.FixtureRequest) -> str:
    """A name that no other test has, whose folders are there."""
    name = f"n{abs(hash(request.node.nodeid))}"
    on.stage(name)
    return name


@pytest.mark.parametrize("family", [BATCH, TRAINING], ids=["batch", "training"])
def test_the_actions_of_a_family(on: TioneOnThisMachine, name: str, family: Family) -> None:
    task_id = on.create(name, COPY, family)
    ended = on.wait(task_id, family=family)
    filters = [{"Name": family.name, "Values": [name]}]
    listed = on.call(f"Describe{family.word}Tasks", Filters=filters, Limit=5)
    refused = code_of(lambda: on.call(f"Stop{family.word}Task", **{family.id: task_id}))
    on.call(f"Delete{family.word}Task", **{family.id: task_id})

    assert (ended["Status"], ended["FailureReason"]) == ("SUCCEED", "job succeed")
    assert (ended[family.id], ended[family.name]) == (task_id, name)
    assert ended["DataConfigs"] == [data_config(f"in/{name}/")]
    assert ended["CodePackagePath"] == cos_path("runner/")
    output = {"Outputs": [data_config(f"out/{name}/")], "Output": cos_path(f"out/{name}/")}
    assert {field: ended[field] for field in output if field in ended}.items() <= output.items()
    (item,) = listed[f"{family.word}TaskSet"]
    assert listed["TotalCount"] == 1
    assert (item[family.id], item["Status"]) == (task_id, "SUCCEED")
    assert "DataConfigs" not in item
    assert refused == "OperationDenied"
    assert code_of(lambda: on.describe(task_id, family)) == "FailedOperation.RecordNotFound"
    assert on.keys(f"out/{name}/") == ["", "b"]
    assert on.store.get(f"out/{name}/b") == b"1\n"


def test_the_sixth_action_tells_of_the_instance_in_small_letters(on: TioneOnThisMachine, name: str) -> None:
    task_id = on.create(name, COPY)
    on.wait(task_id)

    (instance,) = on.call("DescribeBatchTaskInstances", BatchTaskId=task_id)["BatchInstances"]

    assert instance["Status"] == "succeed"


def test_neither_family_knows_the_tasks_of_the_other(on: TioneOnThisMachine, name: str) -> None:
    task_id = on.create(name, COPY)

    assert code_of(lambda: on.describe(task_id, TRAINING)) == "FailedOperation.RecordNotFound"
    filters = [{"Name": "Name", "Values": [name]}]
    assert on.call("DescribeTrainingTasks", Filters=filters)["TotalCount"] == 0


def test_a_list_compares_names_whole_or_in_part_and_shows_the_newest_first(
    on: TioneOnThisMachine, name: str
) -> None:
    on.stage(f"{name}-2")
    first, second = on.create(name, COPY), on.create(f"{name}-2", COPY)

    def found(**fields: Any) -> list[str]:
        listed = on.call("DescribeBatchTasks", **fields)["BatchTaskSet"]
        return [item["BatchTaskId"] for item in listed]

    whole = {"Name": "BatchTaskName", "Values": [name]}
    part = whole | {"Fuzzy": True}
    assert found(Filters=[whole]) == [first]
    assert found(Filters=[part]) == [second, first]
    assert found(Filters=[part], Order="ASC") == [first, second]
    assert found(Filters=[part], Limit=1, Offset=1) == [first]
    assert found(Filters=[part, whole | {"Negative": True}]) == [second]
    assert found(TagFilters=[{"TagKey": "batchdrop", "TagValues": [f"{name}-2"]}]) == [second]
    assert code_of(lambda: found(Filters=[{"Name": "No", "Values": []}])) == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"BatchTaskName": "with a space"}, "InvalidParameterValue"),
        ({"BatchTaskName": "x" * 61}, "InvalidParameterValue"),
        ({"BatchTaskName": None}, "MissingParameter"),
        ({"JobType": 1}, "UnknownParameter"),
        ({"ChargeType": "FREE"}, "InvalidParameterValue"),
        ({"ChargeType": "PREPAID"}, "InvalidParameterValue"),
        ({"ResourceConfigInfo": {"Role": "WORKER"}}, "InvalidParameterValue"),
        ({"StartCmdBase64": "%"}, "InvalidParameterValue"),
        ({"Tags": "batchdrop"}, "InvalidParameter"),
        ({"Outputs": [data_config("out/nobody-made-it/")]}, "InvalidParameterValue.CosPathNotExist"),
        ({"CodePackage": cos_path("runner")}, "InvalidParameterValue"),
    ],
)
def test_a_creation_that_does_not_fit_is_refused(
    on: TioneOnThisMachine, name: str, change: dict[str, Any], code: str
) -> None:
    assert code_of(lambda: on.create(name, COPY, **change)) == code
    assert (
        on.call("DescribeBatchTasks", Filters=[{"Name": "BatchTaskName", "Values": [name]}])["TotalCount"]
        == 0
    )


def test_two_tasks_may_have_one_name_unless_that_is_refused(on: TioneOnThisMachine, name: str) -> None:
    ids = {on.create(name, COPY), on.create(name, COPY)}
    on.tione.habits.add(Habit.UNIQUE_NAMES)

    assert len(ids) == 2
    assert code_of(lambda: on.create(name, COPY)) == "FailedOperation.DuplicateName"


def test_the_batch_actions_may_be_withdrawn_and_those_of_training_stay(
    on: TioneOnThisMachine, name: str
) -> None:
    on.tione.habits.add(Habit.BATCH_WITHDRAWN)

    assert code_of(lambda: on.create(name, COPY)) == "InvalidAction"
    assert code_of(lambda: on.call("DescribeBatchTasks")) == "InvalidAction"
    assert on.wait(on.create(name, COPY, TRAINING), family=TRAINING)["Status"] == "SUCCEED"


def test_a_stop_is_refused_until_the_task_runs(on: TioneOnThisMachine, name: str) -> None:
    on.tione.faults.add(TaskFault(starting_looks=2))
    task_id = on.create(name, f"echo half > /opt/ml/output/b; {SLEEP}")

    def stop() -> dict[str, Any]:
        return on.call("StopBatchTask", BatchTaskId=task_id)

    assert [code_of(stop), code_of(stop)] == ["FailedOperation.UnSubmitNotAllowToStop"] * 2
    on.wait(task_id, "RUNNING")
    stop()

    ended = on.wait(task_id)
    assert ended["Status"] == "STOPPED"
    assert on.keys(f"out/{name}/") == [""]


def test_a_stopped_container_hears_of_it_and_may_leave_its_output(on: TioneOnThisMachine, name: str) -> None:
    on.tione.faults.add(TaskFault(output_after_stop=True))
    heard = "trap 'echo heard > /opt/ml/output/b; exit 0' TERM; echo > /opt/ml/output/ready"
    task_id = on.create(name, f"{heard}; while :; do sleep 0.05; done")
    folder = on.tione.store.folder_of(task_id) if on.tione.store else Path()
    wait_until((folder / "ml/output/ready").exists, "the container to run")

    on.call("StopBatchTask", BatchTaskId=task_id)

    assert on.wait(task_id)["Status"] == "STOPPED"
    assert on.store.get(f"out/{name}/b") == b"heard\n"
    wait_until(lambda: not folder.exists(), "its folder to go")


def test_a_command_that_fails_fails_the_task_whose_output_is_there(on: TioneOnThisMachine, name: str) -> None:
    on.store.put(f"out/{name}/former", b"stays")

    ended = on.wait(on.create(name, f"{COPY}; exit 3"))

    assert (ended["Status"], ended["FailureReason"]) == ("FAILED", "job failed: exit code 3")
    assert on.keys(f"out/{name}/") == ["", "b", "former"]


def test_a_key_with_dots_reaches_nothing_outside_of_its_container(
    on: TioneOnThisMachine, name: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"outside")
    objects = Objects(lambda: on.cos.storage)
    objects.write(BUCKET, f"in/{name}/../../../../dots", tmp_path / "file")
    assert objects.under(BUCKET, f"in/{name}/.")
    folders = [path for path in on.cos.storage.layout.data_dir.parents if "pytest" in str(path)]

    ended = on.wait(on.create(name, "find /opt/ml -name dots > /opt/ml/output/b"))

    assert ended["Status"] == "SUCCEED"
    assert on.store.get(f"out/{name}/b") == b""
    assert [*folders[0].rglob("dots")] == []


def test_a_container_has_nothing_of_this_machine_in_its_environment(
    on: TioneOnThisMachine, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENCENT_SECRET_KEY", "of-somebody")

    on.wait(on.create(name, "env | cut -d= -f1 | sort > /opt/ml/output/b"))

    assert set(on.store.get(f"out/{name}/b").decode().split()) <= {
        "HOME",
        "LANG",
        "PATH",
        "PWD",
        "SHLVL",
        "_",
        "OLDPWD",
    }


def test_times_are_those_of_china_and_say_no_zone(tmp_path: Path) -> None:
    clock = FixedClock(datetime(2026, 11, 27, 20, 0, tzinfo=timezone.utc))
    with local_tione(tmp_path, clock=clock) as on:
        on.stage("task")
        ended = on.wait(on.create("task", COPY))

    assert ended["CreateTime"] == ended["EndTime"] == "2026-11-28 04:00:00"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"secret_key": "another"}, "AuthFailure.SignatureFailure"),
        ({"secret_id": "AKIDnobody"}, "AuthFailure.SecretIdNotFound"),
        ({"token": "of-nobody"}, "AuthFailure.TokenFailure"),
    ],
)
def test_a_call_that_is_not_signed_well_is_refused(
    on: TioneOnThisMachine, how: dict[str, str], code: str
) -> None:
    call = caller(on.tione.url, **how)

    assert code_of(lambda: call("DescribeBatchTasks")) == code


def test_a_temporary_key_is_good_with_its_token(tmp_path: Path) -> None:
    with local_tione(tmp_path, token="token") as on:
        assert on.call("DescribeBatchTasks")["TotalCount"] == 0


def signed_headers(on: TioneOnThisMachine, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the SDK sends with the body ``{}``."""
    sent: list[dict[str, str]] = []

    def send(_session: object, request: requests.PreparedRequest, **_: object) -> requests.Response:
        sent.append(dict(request.headers))
        raise requests.ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(requests.Session, "send", send)
        assert code_of(lambda: on.call("DescribeBatchTasks")) == "ClientNetworkError"
    return sent[0]


def test_another_body_action_host_or_time_than_was_signed_is_refused(
    on: TioneOnThisMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = signed_headers(on, monkeypatch)
    two_days_ago = datetime.now(timezone.utc) - timedelta(days=2)

    def code(body: bytes = b"{}", **changes: str) -> str | None:
        changed = headers | {name.replace("_", "-"): value for name, value in changes.items()}
        response = requests.post(on.tione.url, data=body, headers=changed, timeout=PATIENCE_S)
        assert response.status_code == 200
        error: dict[str, str] = response.json()["Response"].get("Error", {})
        return error.get("Code")

    assert code() is None
    assert code(b'{"Limit": 1}') == "AuthFailure.SignatureFailure"
    assert code(Content_Type="text/plain") == "AuthFailure.SignatureFailure"
    assert code(X_TC_Timestamp=str(int(two_days_ago.timestamp()))) == "AuthFailure.SignatureExpire"
    assert code(X_TC_Timestamp=str(int(headers["X-TC-Timestamp"]) + 1)) == "AuthFailure.SignatureFailure"
    assert code(Authorization="TC3-HMAC-SHA256") == "AuthFailure.InvalidAuthorization"
    assert code(X_TC_Version="2019-10-22") == "NoSuchVersion"
    assert code(X_TC_Region="ap-elsewhere") == "UnsupportedRegion"
    # No header of the action's is signed.
    assert code(X_TC_Action="DescribeNothing") == "InvalidAction"


def test_any_code_can_be_asked_for_and_5xx_is_another_error_of_the_sdk(
    on: TioneOnThisMachine, name: str
) -> None:
    on.tione.faults.add(
        CallFault(route="CreateBatchTask", status=200, code="ResourcesSoldOut", message="none left"),
        CallFault(route="CreateBatchTask", status=503),
        CallFault(route="CreateBatchTask", status=200, code="InternalError", after=True),
    )

    codes = [code_of(lambda: on.create(name, COPY)) for _ in range(3)]

    assert codes == ["ResourcesSoldOut", "ServerNetworkError", "InternalError"]
    listed = on.call("DescribeBatchTasks", Filters=[{"Name": "BatchTaskName", "Values": [name]}])
    assert listed["TotalCount"] == 1


def test_a_create_whose_answer_is_lost_has_created_the_task(on: TioneOnThisMachine, name: str) -> None:
    on.tione.faults.add(TaskFault(cut_connection=True, unlisted_lists=1))

    assert code_of(lambda: on.create(name, COPY)) == "ClientNetworkError"

    filters = [{"Name": "BatchTaskName", "Values": [name]}]
    counts = [on.call("DescribeBatchTasks", Filters=filters)["TotalCount"] for _ in range(2)]
    assert counts == [0, 1]


def test_the_faults_are_set_by_a_signed_call_alone(on: TioneOnThisMachine) -> None:
    assert (
        requests.post(f"{on.tione.url}/_faults", json={"paused": True}, timeout=PATIENCE_S).status_code == 400
    )
    assert not on.tione.faults.paused


def test_another_door_is_refused_in_its_own_words(on: TioneOnThisMachine) -> None:
    said = requests.put(on.tione.url, data=b"", timeout=PATIENCE_S)

    assert said.status_code == 200
    assert said.json()["Response"]["Error"]["Code"] == "UnsupportedProtocol"
