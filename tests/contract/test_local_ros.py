"""The local ROS through the vendor's SDK: stacks that are made, changed, taken back and deleted."""

from __future__ import annotations

import json
import socket
import traceback
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timezone

import oss2
import pytest
from alibabacloud_ros20190910 import models
from alibabacloud_ros20190910.client import Client

from scripts.deploy.control import CloudRefused, Control, answered
from scripts.deploy.deployment import Deployment
from scripts.deploy.place import Place
from scripts.deploy.ros import HOST, Event, Ros
from scripts.deploy.smoke import FOLDER, SmokeFailed, smoke_test
from scripts.localcloud.options import REGION
from scripts.localcloud.ros.account import LocalAccount
from shared.bucket.result_names import rejection_keys_for
from tests.support.local_account import bucket_of


def template(**functions: str) -> str:
    """A bucket, a queue, and functions by name with the prefix of their code."""
    resources: dict[str, object] = {
        "Bucket": {"Type": "ALIYUN::OSS::Bucket", "Properties": {"BucketName": {"Ref": "BucketName"}}},
        "Queue": {"Type": "ALIYUN::MNS::Queue", "Properties": {"QueueName": {"Ref": "QueueName"}}},
    }
    for name, code in functions.items():
        resources[name] = {
            "Type": "ALIYUN::FC3::Function",
            "Properties": {
                "FunctionName": name.lower(),
                "Runtime": "python3.10",
                "Handler": "index.handler",
                "Code": {"OssBucketName": "code", "OssObjectName": code},
            },
        }
    parameters = {
        "BucketName": {"Type": "String"},
        "QueueName": {"Type": "String", "Default": "q"},
        "Word": {"Type": "String", "NoEcho": True, "Default": ""},
    }
    outputs = {"Queue": {"Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}}
    document = {"ROSTemplateFormatVersion": "2015-09-01", "Parameters": parameters, "Resources": resources}
    return json.dumps({**document, "Outputs": outputs})


@pytest.fixture
def ros(place: Place) -> Ros:
    return Ros(Control(place), REGION)


def follow(ros: Ros, stack_id: str, told: set[str] | None = None) -> tuple[str, list[Event]]:
    events: list[Event] = []
    stack = ros.followed(stack_id, events.append, told or set())
    return stack.status, events


def test_a_stack_is_made_with_events_outputs_and_hidden_parameters(ros: Ros) -> None:
    stack_id = ros.create("made", template(), {"BucketName": "made", "Word": "secret"})

    status, events = follow(ros, stack_id)

    assert status == "CREATE_COMPLETE"
    told = [(each.logical_id, each.status) for each in events]
    assert told.index(("Bucket", "CREATE_IN_PROGRESS")) < told.index(("Bucket", "CREATE_COMPLETE"))
    assert (told[0], told[-1]) == (("made", "CREATE_IN_PROGRESS"), ("made", "CREATE_COMPLETE"))
    stack = ros.find("made")
    assert stack
    assert stack.outputs == {"Queue": "q"}
    assert stack.parameters == {"BucketName": "made", "QueueName": "q", "Word": "******"}


def test_an_update_changes_what_differs_and_keeps_the_other_parameters(ros: Ros) -> None:
    stack_id = ros.create("changed", template(), {"BucketName": "changed"})
    follow(ros, stack_id)

    (change,) = ros.preview(stack_id, template(), {"QueueName": "other"})
    told = ros.told_events(stack_id)
    ros.update(stack_id, template(), {"QueueName": "other"})
    status, events = follow(ros, stack_id, told)

    assert (change.action, change.logical_id) == ("Modify", "Queue")
    assert status == "UPDATE_COMPLETE"
    assert {each.logical_id for each in events} == {"changed", "Queue"}
    assert ros.get(stack_id).parameters["BucketName"] == "changed"
    with pytest.raises(CloudRefused, match="NotSupported"):
        ros.update(stack_id, template(), {})


def test_a_creation_that_fails_leaves_nothing(ros: Ros, account: LocalAccount) -> None:
    stack_id = ros.create("failed", template(Worker="no/such.zip"), {"BucketName": "failed"})

    status, events = follow(ros, stack_id)

    assert status == "CREATE_ROLLBACK_COMPLETE"
    assert "no/such.zip" in next(each.reason for each in events if each.has_failed)
    assert "failed" not in account.oss.storage.buckets()


def test_an_update_that_fails_is_taken_back(ros: Ros) -> None:
    stack_id = ros.create("taken", template(), {"BucketName": "taken"})
    follow(ros, stack_id)

    ros.update(stack_id, template(Worker="no/such.zip"), {"QueueName": "other"})
    status, _ = follow(ros, stack_id)

    assert status == "ROLLBACK_COMPLETE"
    assert ros.get(stack_id).outputs == {"Queue": "q"}


def test_what_begins_late_is_waited_for(ros: Ros, account: LocalAccount) -> None:
    stack_id = ros.create("late", template(), {"BucketName": "late"})
    follow(ros, stack_id)
    told = ros.told_events(stack_id)
    account.stacks.lags = True
    try:
        ros.update(stack_id, template(), {"QueueName": "other"})
        with ThreadPoolExecutor(1) as pool:
            following = pool.submit(follow, ros, stack_id, told)
            done, _ = wait([following], timeout=1)
            account.stacks.lags = False
            status, events = following.result()
    finally:
        account.stacks.lags = False

    assert not done, "the stack is complete, as of its creation"
    assert (status, events[-1].status) == ("UPDATE_COMPLETE", "UPDATE_COMPLETE")


def test_an_operation_that_breaks_has_an_end(ros: Ros, account: LocalAccount) -> None:
    bucket_of(account, "code").create_bucket()
    bucket_of(account, "code").put_object("broken.zip", b"no zip")
    stack_id = ros.create("broken", template(Worker="broken.zip"), {"BucketName": "broken"})

    status, events = follow(ros, stack_id)

    assert status == "CREATE_FAILED"
    assert "BadZipFile" in events[-1].reason


def test_a_bucket_that_holds_something_is_not_deleted(ros: Ros, account: LocalAccount) -> None:
    stack_id = ros.create("full", template(), {"BucketName": "full"})
    follow(ros, stack_id)
    bucket_of(account, "full").put_object("kept", b"")

    ros.delete(stack_id)
    status, _ = follow(ros, stack_id)

    assert status == "DELETE_FAILED"
    assert bucket_of(account, "full").object_exists("kept")


def test_what_is_to_be_retained_stays(ros: Ros, account: LocalAccount) -> None:
    kept = template().replace('"ALIYUN::OSS::Bucket",', '"ALIYUN::OSS::Bucket", "DeletionPolicy": "Retain",')
    stack_id = ros.create("retained", kept, {"BucketName": "retained"})
    follow(ros, stack_id)

    ros.delete(stack_id)
    status, _ = follow(ros, stack_id)

    assert status == "DELETE_COMPLETE"
    assert "retained" in account.oss.storage.buckets()
    assert ros.find("retained") is None


def test_a_deployments_bucket_stays_whatever_its_template_says(
    ros: Ros, place: Place, account: LocalAccount
) -> None:
    follow(ros, ros.create("older", template(), {"BucketName": "older"}))
    deployment = Deployment(place, "older", print, print, 0.0)

    gone = deployment.delete(deployment.find())

    assert gone.status == "DELETE_COMPLETE"
    assert "older" in account.oss.storage.buckets()


def test_a_smoke_test_that_cannot_be_read_or_reached_has_failed(
    ros: Ros, place: Place, account: LocalAccount
) -> None:
    follow(ros, ros.create("smoked", template(), {"BucketName": "smoked"}))
    user = account.keys.add_user("dropper", {"oss:PutObject", "oss:DeleteObject"})
    dropper = replace(place, access_key_id=user.access_key_id, access_key_secret=user.secret)
    with socket.create_server(("127.0.0.1", 0)) as server:
        nowhere = f"http://127.0.0.1:{server.getsockname()[1]}"
    now = datetime.now(timezone.utc)

    with pytest.raises(SmokeFailed, match="AccessDenied"):
        smoke_test(dropper, "smoked", now, 60.0)
    with pytest.raises(SmokeFailed):
        smoke_test(replace(place, oss_endpoint=nowhere), "smoked", now, 0.0)
    bucket = bucket_of(account, "smoked")
    for key in rejection_keys_for(f"inbox/{FOLDER}{now:%Y%m%dT%H%M%S%fZ}.csv"):
        bucket.put_object(key, "why not".encode("utf-8-sig"))
    with pytest.raises(SmokeFailed, match=r"^why not$"):
        smoke_test(place, "smoked", now, 60.0)
    assert not bucket.list_objects("").object_list


def test_errors_have_the_words_of_ros(ros: Ros, place: Place) -> None:
    stack_id = ros.create("twice", template(), {"BucketName": "twice"})
    follow(ros, stack_id)
    wrong = [
        (lambda: ros.create("twice", template(), {"BucketName": "other"}), "StackExists"),
        (lambda: ros.get("no-such"), "StackNotFound"),
        (lambda: ros.create("bad", template(), {}), "StackValidationFailed"),
        (lambda: ros.create("bad", template(), {"No": "such"}), "StackValidationFailed"),
    ]

    for call, code in wrong:
        with pytest.raises(CloudRefused) as refused:
            call()
        assert refused.value.code == code
    config = Control(place).config(HOST)
    config.access_key_secret = "wrong"
    request = models.GetStackRequest(region_id=REGION, stack_id=stack_id)
    with pytest.raises(CloudRefused) as refused:
        answered(lambda: Client(config).get_stack(request))
    assert refused.value.code == "SignatureDoesNotMatch"


def test_an_account_that_is_not_reached_is_told_without_secrets(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    ros = Ros(Control(replace(place, control=f"http://127.0.0.1:{port}")), REGION)
    given = {"BucketName": "none", "Word": "sk-secret"}
    calls = [
        lambda: ros.create("none", template(), given),
        lambda: ros.update("none", template(), given),
        lambda: ros.preview("none", template(), given),
        lambda: ros.needed_rights(template(), given),
    ]

    for call in calls:
        with pytest.raises(CloudRefused) as refused:
            call()
        assert refused.value.code == "Unreachable"
        shown = traceback.format_exception(refused.value)
        assert not [line for line in shown if "sk-secret" in line]


def test_a_user_makes_only_what_the_own_policies_allow(account: LocalAccount, place: Place) -> None:
    own = {f"ros:{name}" for name in ("CreateStack", "GetStack", "ListStackEvents")}
    user = account.keys.add_user("builder", own | {"oss:*"})
    as_user = Place(user.access_key_id, user.secret, "", REGION, place.oss_endpoint, place.control)
    ros = Ros(Control(as_user), REGION)

    stack_id = ros.create("bounded", template(), {"BucketName": "bounded"})
    status, events = follow(ros, stack_id)

    assert status == "CREATE_ROLLBACK_COMPLETE"
    assert "mns:" in next(each.reason for each in events if each.has_failed)
    with pytest.raises(CloudRefused) as refused:
        ros.delete(stack_id)
    assert refused.value.is_about_rights
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        bucket_of(account, "bounded").get_bucket_info()
