"""What a deployment lacks, found one by one: each right, each service, each key."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Mapping
from dataclasses import replace

import pytest

from scripts.bundle.zips import ROOT
from scripts.deploy.control import Control
from scripts.deploy.deployment import Deployment, new_secrets
from scripts.deploy.health.doctor import Doctor
from scripts.deploy.health.finding import Finding
from scripts.deploy.health.rights import Right, at_best, missing, own_rights, statements_in
from scripts.deploy.place import Place
from scripts.deploy.ros import Ros
from scripts.localcloud.options import ACCOUNT_ID, REGION
from scripts.localcloud.oss.operations.tag_operations import put_bucket_tags
from scripts.localcloud.ros.account import LocalAccount
from scripts.localcloud.ros.rights import NEEDED
from scripts.operate.texts.said import Refusal
from scripts.template.ros import read_template
from shared.providers.bailian.profile import BUCKET_TAG, READING_ROLE
from tests.support.local_account import batchdrop

TEMPLATE = (ROOT / "template.yaml").read_text(encoding="utf-8")
NAMES = {"BucketName": "doctored", "CodeBucket": "doctored-code"}
PAGE = {"PageDomain": "page.example", "PageCertificate": "certificate", "PageCertificateKey": "key"}
# Whether a service is open can be seen by those who may list what is in it.
LOOKS = {"fc:ListFunctions", "mns:ListQueue", "eventbridge:ListEventBuses"}
RAM = ("ram:ListPoliciesForUser", "ram:ListGroupsForUser", "ram:GetPolicy")
SERVICES = {"FC3": "Function Compute", "MNS": "SMQ (MNS)", "EventBridge": "EventBridge", "SLS": "SLS"}


@pytest.fixture(scope="module")
def needed(place: Place) -> list[Right]:
    """Every right that deploying takes, each once."""
    rights = own_rights(*NAMES.values())
    of_stack = Ros(Control(place), REGION).needed_rights(TEMPLATE, parameters(place))
    return list(dict.fromkeys([*rights, *map(Right, of_stack)]))


def parameters(place: Place) -> dict[str, str]:
    given = {**place.given, **NAMES, **PAGE}
    return {**new_secrets(TEMPLATE, given), **given}


def problems(place: Place, given: Mapping[str, str] | None = None) -> list[Finding]:
    found = Doctor(place, Control(place), TEMPLATE, given or parameters(place)).findings()
    return [each for each in found if each.problem]


def user_with(
    account: LocalAccount, place: Place, actions: set[str], conditions: Mapping[str, object] | None = None
) -> Place:
    user = account.keys.add_user(f"user-{uuid.uuid4()}", actions | LOOKS, conditions or {})
    return replace(place, access_key_id=user.access_key_id, access_key_secret=user.secret)


def test_the_owner_of_the_account_lacks_nothing(place: Place) -> None:
    assert problems(place) == []


def test_a_user_with_exactly_these_rights_lacks_nothing(
    account: LocalAccount, place: Place, needed: list[Right]
) -> None:
    user = user_with(account, place, {*RAM, *(right.action for right in needed)})

    assert problems(user) == []


def test_each_single_missing_right_is_named(needed: list[Right]) -> None:
    actions = sorted({right.action for right in needed})
    assert len(actions) > 50

    for lacking in actions:
        policy = {
            "Statement": [
                {"Effect": "Allow", "Action": [each for each in actions if each != lacking], "Resource": "*"}
            ]
        }
        found = missing(needed, statements_in([policy]), ACCOUNT_ID, REGION)
        assert {right.action for right in found} == {lacking}


@pytest.mark.parametrize(
    "lacking", ["fc:CreateTrigger", "ram:PassRole", "ros:CreateStack", "oss:PutBucketCors"]
)
def test_a_missing_right_is_told_with_the_line_that_mends_it(
    lacking: str, account: LocalAccount, place: Place, needed: list[Right]
) -> None:
    actions = {right.action for right in needed} | {*RAM}
    user = user_with(account, place, actions - {lacking})

    found = problems(user)

    assert {each.name.partition(" ")[0] for each in found} == {lacking}
    assert all(each.stops and each.fix.startswith("aliyun ram AttachPolicyToUser") for each in found)


def test_a_right_under_a_condition_is_a_note(
    account: LocalAccount, place: Place, needed: list[Right]
) -> None:
    actions = {right.action for right in needed} | {*RAM}
    from_office = {"IpAddress": {"acs:SourceIp": "203.0.113.0/24"}}
    user = user_with(account, place, actions - {"ram:PassRole"}, {"ram:PassRole": from_office})

    (found,) = problems(user)

    assert (found.name, found.stops) == ("ram:PassRole", False)
    assert found.problem
    assert found.problem.code == "doctor_conditional"


def test_a_denial_under_a_condition_is_a_note_and_one_without_is_a_lack(needed: list[Right]) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    denied = {"Effect": "Deny", "Action": "ram:PassRole", "Resource": "*"}
    without_mfa = {"Condition": {"Bool": {"acs:MFAPresent": "false"}}}
    for denial, lacking in [(denied, {"ram:PassRole"}), ({**denied, **without_mfa}, set[str]())]:
        statements = statements_in([{"Statement": [everything, denial]}])

        assert {right.action for right in missing(needed, statements, ACCOUNT_ID, REGION)} == {"ram:PassRole"}
        found = missing(needed, at_best(statements), ACCOUNT_ID, REGION)
        assert {right.action for right in found} == lacking


def test_a_page_without_a_domain_is_a_note(place: Place) -> None:
    given = {name: value for name, value in parameters(place).items() if name not in PAGE}

    (found,) = problems(place, given)

    assert (found.name, found.stops) == ("PageDomain", False)


def test_a_stack_whose_bucket_bailian_is_to_read_takes_its_role_and_a_tag(
    account: LocalAccount, place: Place
) -> None:
    given = {**parameters(place), "InputFrom": "oss"}
    storage, bucket, tag = account.oss.storage, NAMES["BucketName"], "=".join(BUCKET_TAG)
    account.keys.linked_roles.clear()
    (found,) = problems(place, given)
    assert (found.name, found.stops) == (READING_ROLE, True)
    assert found.fix == "aliyun ram CreateServiceLinkedRole --ServiceName datahub.sfm.aliyuncs.com"

    account.keys.linked_roles.add(READING_ROLE)
    try:
        assert problems(place, given) == []  # the stack makes the bucket, with its tag
        put_bucket_tags(storage, bucket, {"team": "ours"})
        (found,) = problems(place, given)
        assert (found.name, found.stops) == (tag, True)
        assert found.fix.endswith(f"oss://{bucket} bailian-datahub-access#read")
        put_bucket_tags(storage, bucket, dict([BUCKET_TAG]))
        assert problems(place, given) == []
    finally:
        storage.delete_bucket(bucket)


def test_no_upgrade_lets_jobs_wait_for_a_role_or_for_the_tag_of_a_kept_bucket(
    account: LocalAccount, place: Place
) -> None:
    deployment = Deployment(place, "s", print, print, 1.0)
    kept = {**NAMES, "InputFrom": "oss", "KeptBucket": "true"}
    storage, bucket = account.oss.storage, NAMES["BucketName"]
    account.keys.linked_roles.clear()
    deployment.check_reading({**kept, "InputFrom": "upload"})
    with pytest.raises(Refusal, match="CreateServiceLinkedRole"):
        deployment.check_reading(kept)

    account.keys.linked_roles.add(READING_ROLE)
    put_bucket_tags(storage, bucket, {"team": "ours"})
    try:
        with pytest.raises(Refusal, match="bailian-datahub-access#read"):
            deployment.check_reading(kept)
        deployment.check_reading({**kept, "KeptBucket": "false"})
        put_bucket_tags(storage, bucket, dict([BUCKET_TAG]))
        deployment.check_reading(kept)
    finally:
        storage.delete_bucket(bucket)


def test_a_role_that_may_not_be_looked_for_is_a_note(account: LocalAccount, place: Place) -> None:
    given = {**parameters(place), "InputFrom": "oss"}

    found = {each.name: each.stops for each in problems(user_with(account, place, {"oss:*"}), given)}

    assert found[READING_ROLE] is False


def test_what_could_not_be_asked_is_not_told_as_right(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nowhere = f"http://127.0.0.1:{server.getsockname()[1]}"

    (found,) = problems(replace(place, control=nowhere))
    assert (found.name, found.stops) == ("AccessKey", True)
    assert found.problem
    assert found.problem.code == "doctor_unasked"

    (found,) = problems(replace(place, given={**place.given, "DashScopeBaseUrl": nowhere}))
    assert (found.name, found.stops) == ("Bailian", False)

    lacking = {each.name: each.stops for each in problems(replace(place, oss_endpoint=nowhere))}
    assert lacking == {"OSS": False}


def test_whoever_may_not_read_the_own_rights_is_told_and_may_go_on(
    account: LocalAccount, place: Place, needed: list[Right]
) -> None:
    user = user_with(account, place, {right.action for right in needed})

    (found,) = problems(user)

    assert found.name == "RAM"
    assert not found.stops


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_not_open_is_told_with_its_address(
    service: str, account: LocalAccount, place: Place
) -> None:
    account.services.closed.add(service)
    try:
        (found,) = problems(place)
    finally:
        account.services.closed.clear()

    assert (found.name, found.stops) == (SERVICES[service], True)
    assert found.fix.startswith("https://")


def test_a_wrong_key_is_told_of_the_account_and_of_bailian(place: Place) -> None:
    (found,) = problems(replace(place, access_key_secret="wrong"))
    assert found.name == "AccessKey"

    (found,) = problems(replace(place, given={**place.given, "DashScopeApiKey": "sk-wrong"}))
    assert (found.name, found.stops) == ("Bailian", True)


def test_nothing_is_made_while_something_lacks(account: LocalAccount) -> None:
    account.services.closed.add("FC3")
    try:
        status, printed = batchdrop(account, "deploy", "--bucket", NAMES["BucketName"])
    finally:
        account.services.closed.clear()

    assert status == 1
    lacking = [each for each in printed[-1]["findings"] if each["stops"]]
    assert [each["name"] for each in lacking] == ["Function Compute"]
    assert account.oss.storage.buckets() == []


def test_the_local_ros_knows_the_rights_of_every_type_in_the_template() -> None:
    kinds = {each["Type"] for each in read_template(ROOT / "template.yaml")["Resources"].values()}

    assert kinds <= NEEDED.keys()


def test_a_bucket_that_cannot_be_is_refused_in_a_sentence(account: LocalAccount) -> None:
    refused = {}
    for code, bucket, more in [
        ("deploy_oss", "My_Drop", []),
        ("deploy_same_bucket", "drop", ["--code-bucket", "drop"]),
    ]:
        status, printed = batchdrop(account, "deploy", "--bucket", bucket, *more)
        refused[code] = (status, printed[-1]["error"]["code"])

    assert refused == {code: (1, code) for code in refused}
