"""The offline check of ROS templates finds the mistakes that it is there for."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.template.check import ROOT, SCHEMA, check, main
from scripts.template.ros import read_template

PATH = ROOT / "template.yaml"
Resources = dict[str, Any]


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return read_template(PATH)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return loaded


def rename_property(resources: Resources) -> None:
    properties = resources["Validate"]["Properties"]
    properties["TimeOut"] = properties.pop("Timeout")


def drop_required(resources: Resources) -> None:
    del resources["Submit"]["Properties"]["Handler"]


def drop_required_deep(resources: Resources) -> None:
    del resources["FinishRule"]["Properties"]["Targets"][0]["ParamList"][2]["Value"]


def bad_enum(resources: Resources) -> None:
    resources["Bucket"]["Properties"]["AccessControl"] = "public"


def dangling_ref(resources: Resources) -> None:
    resources["Bucket"]["Properties"]["BucketName"] = {"Ref": "Bukket"}


def dangling_attribute(resources: Resources) -> None:
    resources["Submit"]["Properties"]["Role"] = {"Fn::GetAtt": ["SubmitRole", "ARN"]}


def dangling_resource(resources: Resources) -> None:
    resources["Submit"]["Properties"]["Role"] = {"Fn::GetAtt": ["SubRole", "Arn"]}


def dangling_sub(resources: Resources) -> None:
    resources["Collect"]["Properties"]["Code"]["OssObjectName"] = {"Fn::Sub": "${CodeFolder}collect.zip"}


def dangling_in_either_branch(resources: Resources) -> None:
    choice = ["InternalEndpoint", {"Ref": "If"}, {"Fn::Join": ["", ["a", {"Ref": "Else"}]]}]
    resources["Submit"]["Properties"]["EnvironmentVariables"]["OSS_ENDPOINT"] = {"Fn::If": choice}


def dangling_condition(resources: Resources) -> None:
    resources["FinishTopic"]["Condition"] = "WithRocketMQ"


def dangling_depends(resources: Resources) -> None:
    resources["SubmitTrigger"]["DependsOn"] = ["Buckets"]


def unknown_pseudo_parameter(resources: Resources) -> None:
    resources["Submit"]["Properties"]["EnvironmentVariables"]["OSS_REGION"] = {"Ref": "ALIYUN::RegionId"}


def unknown_type(resources: Resources) -> None:
    resources["Bus"] = {"Type": "ALIYUN::EventBridge::EventBus"}


def text_for_a_number(resources: Resources) -> None:
    resources["Callback"]["Properties"]["Timeout"] = "10"


def too_large(resources: Resources) -> None:
    resources["SubmitAsync"]["Properties"]["MaxAsyncRetryAttempts"] = 9


def too_long(resources: Resources) -> None:
    resources["FinishTopic"]["Properties"]["TopicName"] = "t" * 61


def bad_pattern(resources: Resources) -> None:
    resources["LogProject"]["Properties"]["Name"] = "two words"


def text_for_a_map(resources: Resources) -> None:
    resources["MessageTrigger"]["Properties"]["TriggerConfig"] = "{}"


def text_for_a_list(resources: Resources) -> None:
    resources["ValidateRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"] = (
        "oss:*"
    )


def text_for_a_boolean(resources: Resources) -> None:
    resources["Bucket"]["Properties"]["BlockPublicAccess"] = "yes"


def misplaced_key(resources: Resources) -> None:
    resources["Bucket"]["Propertys"] = {}


@pytest.mark.parametrize(
    ("mistake", "messages"),
    [
        (rename_property, ["Validate: unknown property TimeOut"]),
        (drop_required, ["Submit: required property Handler is missing"]),
        (drop_required_deep, ["FinishRule.Targets[0].ParamList[2]: required property Value is missing"]),
        (bad_enum, ["Bucket.AccessControl: 'public' is not one of private, public-read, public-read-write"]),
        (dangling_ref, ["Bucket.BucketName: Ref Bukket: there is no such parameter or resource"]),
        (dangling_attribute, ["Submit.Role: SubmitRole has no attribute ARN"]),
        (dangling_resource, ["Submit.Role: there is no resource SubRole"]),
        (
            dangling_sub,
            ["Collect.Code.OssObjectName: Ref CodeFolder: there is no such parameter or resource"],
        ),
        (
            dangling_in_either_branch,
            [
                "Submit.EnvironmentVariables.OSS_ENDPOINT: Ref If: there is no such parameter or resource",
                "Submit.EnvironmentVariables.OSS_ENDPOINT: Ref Else: there is no such parameter or resource",
            ],
        ),
        (dangling_condition, ["FinishTopic: there is no condition WithRocketMQ"]),
        (dangling_depends, ["SubmitTrigger: DependsOn Buckets, which does not exist"]),
        (
            unknown_pseudo_parameter,
            [
                "Submit.EnvironmentVariables.OSS_REGION: Ref ALIYUN::RegionId: there is no such parameter or resource"
            ],
        ),
        (unknown_type, ["Bus: unknown type ALIYUN::EventBridge::EventBus"]),
        (text_for_a_number, ["Callback.Timeout: expected a number, found '10'"]),
        (too_large, ["SubmitAsync.MaxAsyncRetryAttempts: 9 is not within 0 and 8"]),
        (too_long, ["FinishTopic.TopicName: 61 characters is not within 1 and 60"]),
        (bad_pattern, ["LogProject.Name: 'two words' does not match ^[a-zA-Z0-9-]+$"]),
        (text_for_a_map, ["MessageTrigger.TriggerConfig: expected a map, found '{}'"]),
        (
            text_for_a_list,
            ["ValidateRole.Policies[0].PolicyDocument.Statement[0].Action: expected a list, found 'oss:*'"],
        ),
        (text_for_a_boolean, ["Bucket.BlockPublicAccess: expected true or false, found 'yes'"]),
        (misplaced_key, ["Bucket: unknown key Propertys"]),
    ],
)
def test_a_mistake_is_found_and_named(
    template: dict[str, Any],
    schema: dict[str, Any],
    mistake: Callable[[Resources], None],
    messages: list[str],
) -> None:
    broken = copy.deepcopy(template)
    mistake(broken["Resources"])

    assert check(broken, schema) == messages


def test_secrets_are_not_echoed_and_have_no_default(template: dict[str, Any], schema: dict[str, Any]) -> None:
    secrets = {name for name, spec in template["Parameters"].items() if spec.get("NoEcho") is True}
    broken = copy.deepcopy(template)
    del broken["Parameters"]["DashScopeApiKey"]["NoEcho"]
    broken["Parameters"]["CallbackSecret"]["Default"] = "x"
    broken["Parameters"]["Leftover"] = {"Type": "String"}

    assert secrets == {
        *(
            "DashScopeApiKey",
            "ArkAccessKeyId",
            "ArkSecretAccessKey",
            "ArkApiKey",
            "TencentSecretId",
            "TencentSecretKey",
        ),
        *("CallbackSecret", "EventBridgeToken", "NotifyChannels", "PageSecret", "PageCertificateKey"),
    }
    assert check(broken, schema) == [
        "DashScopeApiKey: looks like a secret, so it must have NoEcho: true",
        "CallbackSecret: a secret must not have a Default",
        "Leftover: declared, but never used",
    ]


def test_the_command_reports_by_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        re.sub("(?m)^    Type: ALIYUN::OSS::Bucket$", "    Type: Bucket", PATH.read_text("utf-8")), "utf-8"
    )

    assert main([]) == 0
    assert main([str(broken)]) == 1
    assert "Bucket: unknown type Bucket" in capsys.readouterr().out
