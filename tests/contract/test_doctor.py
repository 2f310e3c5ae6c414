"""What a deployment lacks, found one by one: each right, each service, each key."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest

from scripts.bundle.zips import ROOT
from scripts.deploy.control import Control
from scripts.deploy.deployment import new_secrets
from scripts.deploy.doctor import Doctor, Finding
from scripts.deploy.place import Place, place_for
from scripts.deploy.rights import Right, missing, own_rights, statements_in
from scripts.deploy.ros import Ros
from scripts.localcloud.options import ACCOUNT_ID, REGION
from scripts.localcloud.ros.account import LocalAccount
from scripts.localcloud.ros.rights import NEEDED
from scripts.template.ros import read_template
from tests.support.local_account import batchdrop, running_account

TEMPLATE = (ROOT / "template.yaml").read_text(encoding="utf-8")
NAMES = {"BucketName": "doctored", "CodeBucket": "doctored-code"}
RAM = ("ram:ListPoliciesForUser", "ram:ListGroupsForUser", "ram:GetPolicy")
SERVICES = {"FC3": "Function Compute", "MNS": "SMQ (MNS)", "EventBridge": "EventBridge", "SLS": "SLS"}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAccount]:
    with running_account(tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture(scope="module")
def place(account: LocalAccount) -> Place:
    return place_for({}, account.data_dir, REGION)


@pytest.fixture(scope="module")
def needed(place: Place) -> list[Right]:
    """Every right that deploying takes, each once."""
    rights = own_rights(*NAMES.values())
    of_stack = Ros(Control(place), REGION).needed_rights(TEMPLATE, parameters(place))
    return list(dict.fromkeys([*rights, *map(Right, of_stack)]))


def parameters(place: Place) -> dict[str, str]:
    given = {**place.given, **NAMES}
    return {**new_secrets(TEMPLATE, given), **given}


def problems(place: Place) -> list[Finding]:
    found = Doctor(place, Control(place), TEMPLATE, parameters(place)).findings()
    return [each for each in found if each.problem]


def user_with(account: LocalAccount, place: Place, actions: set[str]) -> Place:
    user = account.keys.add_user(f"user-{uuid.uuid4()}", actions)
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
    assert all(each.stops and each.mend.startswith("aliyun ram AttachPolicyToUser") for each in found)


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
    assert found.mend.startswith("https://")


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
    lacking = [each for each in printed[-1]["findings"] if each["problem"]]
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
