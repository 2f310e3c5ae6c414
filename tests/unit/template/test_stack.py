"""The resolver of ROS templates, on small templates; the real one has test_template.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.localcloud.access.ram import Statement
from scripts.localcloud.oss.web.cors import CorsRule
from scripts.template.parameters import TemplateError
from scripts.template.read import load_stack
from scripts.template.ros import Template
from scripts.template.stack import HttpTrigger, OssTrigger

SMALL = """
ROSTemplateFormatVersion: '2015-09-01'
Parameters:
  Name: {Type: String, Default: drop}
  Days: {Type: Number, Default: 3, MinValue: 1}
  Level: {Type: String, Default: low, AllowedValues: [low, high]}
  Secret: {Type: String, Default: long enough, MinLength: 8, NoEcho: true}
Conditions:
  High: {'Fn::Equals': [{Ref: Level}, high]}
  Low: {'Fn::Not': [High]}
  Both: {'Fn::And': [High, Low]}
  Any: {'Fn::Or': [{Condition: High}, Low]}
Rules:
  FewDays:
    RuleCondition: {'Fn::Equals': [{Ref: Level}, high]}
    Assertions:
      - Assert: {'Fn::Not': [{'Fn::Equals': [{Ref: Days}, 9]}]}
        AssertDescription: Not nine days, which is too many.
      - Assert: {'Fn::Not': [{'Fn::Equals': [{Ref: Name}, lost]}]}
Resources:
  Bucket:
    Type: ALIYUN::OSS::Bucket
    Properties:
      BucketName: {Ref: Name}
      CORSConfiguration:
        CORSRule: [{AllowedOrigin: [{'Fn::Sub': 'https://${Name}.example'}], AllowedMethod: [POST], MaxAgeSeconds: {Ref: Days}}]
  Work:
    Type: ALIYUN::FC3::Function
    Properties:
      FunctionName: {'Fn::Sub': '${ALIYUN::StackName}-work'}
      Runtime: python3.10
      Handler: index.handler
      Timeout: 7
      Code: {OssBucketName: code, OssObjectName: {'Fn::Sub': 'v1/work.zip'}}
      Role: {'Fn::GetAtt': [WorkRole, Arn]}
      EnvironmentVariables:
        URL: {'Fn::GetAtt': [Hook, UrlInternet]}
        SIZE: {'Fn::If': [High, 10, 1]}
        GONE: {'Fn::If': [High, big, {Ref: 'ALIYUN::NoValue'}]}
        DAYS: {Ref: Days}
        TEXT: {'Fn::Sub': ['${Bucket.Name} ${other} ${!kept}', {other: {'Fn::Join': ['-', [a, {Ref: Days}]]}}]}
  WorkRole:
    Type: ALIYUN::RAM::Role
    Properties:
      RoleName: work
      ManagedBy: {'Fn::GetAtt': [Nowhere, Arn]}  # never asked for
      Policies:
        - PolicyName: work
          PolicyDocument:
            Version: '1'
            Statement:
              - {Effect: Allow, Action: [oss:GetObject], Resource: [{'Fn::Sub': 'acs:oss:*:*:${Name}/in/*'}]}
              - Effect: Deny
                Action: 'oss:*'
                Resource: '*'
                Condition: {StringLike: {'oss:Prefix': [{'Fn::Sub': '${Level}/*'}]}}
  Hook:
    Type: ALIYUN::FC3::Trigger
    Properties:
      FunctionName: {'Fn::GetAtt': [Work, FunctionName]}
      TriggerName: hook
      TriggerType: http
      TriggerConfig: {authType: anonymous, methods: [POST]}
  Uploads:
    Type: ALIYUN::FC3::Trigger
    Condition: High
    Properties:
      FunctionName: {'Fn::GetAtt': [Work, FunctionName]}
      TriggerName: uploads
      TriggerType: oss
      TriggerConfig: {events: ['oss:ObjectCreated:PutObject'], filter: {key: {prefix: in/, suffix: .csv}}}
"""
KNOWN = {("Hook", "UrlInternet"): "http://127.0.0.1:1"}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def edited(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_references_become_values(small: Path) -> None:
    stack = load_stack(small, {"ALIYUN::StackName": "mine"}, KNOWN)

    work = stack.function("Work")
    assert (stack.bucket, work.name, work.folder, work.timeout_s) == ("drop", "mine-work", "work", 7)
    assert work.environment == {
        "URL": "http://127.0.0.1:1",
        "SIZE": "1",
        "DAYS": "3",
        "TEXT": "drop a-3 ${kept}",
    }
    assert stack.triggers == (HttpTrigger("Hook", "hook", "Work", ("POST",), "anonymous"),)
    assert stack.cors_rules == (CorsRule(("https://drop.example",), ("POST",), max_age_s=3),)


def test_a_functions_role_comes_with_its_statements_resolved(small: Path) -> None:
    stack = load_stack(small, {"Name": "mine"}, KNOWN)

    assert stack.function("Work").statements == (
        Statement(True, ("oss:GetObject",), ("acs:oss:*:*:mine/in/*",), {}),
        Statement(False, ("oss:*",), ("*",), {"StringLike": {"oss:Prefix": ("low/*",)}}),
    )


@pytest.mark.parametrize("role", ["'acs:ram::1:role/elsewhere'", "''"])
def test_a_role_from_elsewhere_allows_nothing_here(small: Path, role: str) -> None:
    stack = load_stack(edited(small, "{'Fn::GetAtt': [WorkRole, Arn]}", role), {}, KNOWN)

    assert stack.function("Work").statements == ()


def test_a_condition_decides_which_resources_exist(small: Path) -> None:
    stack = load_stack(small, {"Level": "high"}, KNOWN)

    assert stack.function("Work").environment["SIZE"] == "10"
    assert list(stack.triggers_of("Work"))[1] == OssTrigger(
        "Uploads", "uploads", "Work", ("oss:ObjectCreated:PutObject",), "in/", ".csv"
    )


@pytest.mark.parametrize(
    ("name", "expected"), [("High", False), ("Low", True), ("Both", False), ("Any", True)]
)
def test_conditions_combine(name: str, expected: bool) -> None:
    template = Template(yaml.safe_load(SMALL), {}, {})

    assert template.condition(name) is expected


def test_secrets_are_in_no_representation(small: Path) -> None:
    stack = load_stack(
        edited(small, "SIZE:", "KEY: {Ref: Secret}\n        SIZE:"), {"Secret": "hush-hush"}, KNOWN
    )

    assert stack.function("Work").environment["KEY"] == "hush-hush"
    assert "hush-hush" not in repr(stack)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Nmae": "x"}, "there is no parameter Nmae"),
        ({"Level": "middle"}, "parameter Level: 'middle' is not one of low, high"),
        ({"Days": "many"}, "parameter Days: 'many' is not a number"),
        ({"Days": 0}, "parameter Days: 0 is not within 1 and None"),
        ({"Secret": "short"}, "parameter Secret: its value is not within 8 and None"),
        ({"Level": "high", "Days": 9}, "FewDays: Not nine days, which is too many"),
        ({"Level": "high", "Name": "lost"}, "FewDays: an assertion does not hold"),
    ],
)
def test_a_wrong_parameter_is_named(small: Path, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        load_stack(small, parameters, KNOWN)


@pytest.mark.parametrize("parameters", [{"Days": 9}, {"Level": "high"}, {"Level": "high", "Days": 8}])
def test_a_rule_refuses_nothing_else(small: Path, parameters: dict[str, Any]) -> None:
    assert load_stack(small, parameters, KNOWN).bucket == "drop"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Name: {Type: String, Default: drop}", "Name: {Type: String}", "parameter Name is missing"),
        ("{Ref: Days}\n", "{Ref: Hours}\n", "Work.EnvironmentVariables.DAYS: Ref Hours: there is no such"),
        ("[Hook, UrlInternet]", "[Hook, UrlIntranet]", "Hook.UrlIntranet is only known once deployed"),
        ("[Hook, UrlInternet]", "[Hock, UrlInternet]", "there is no resource Hock"),
        ("[Hook, UrlInternet]", "[Uploads, TriggerName]", "the condition of Uploads does not hold"),
        ("'Fn::If': [High, 10", "'Fn::If': [Hihg, 10", "there is no condition Hihg"),
        ("${Bucket.Name}", "${Bucket}", r"give its value as the attribute \('Bucket', 'Ref'\)"),
        ("'Fn::Join': ['-', [a,", "'Fn::Jion': ['-', [a,", "Fn::Jion is not supported"),
        ("High: {'Fn::Equals': [{Ref: Level}, high]}", "High: {'Fn::Not': [Low]}", "circular reference"),
        ("[Work, FunctionName]", "[Bucket, BucketName]", "Hook: no function of this stack is called drop"),
        ("authType: anonymous, ", "", "Hook: TriggerConfig lacks 'authType'"),
        ("TriggerType: http", "TriggerType: log", "Hook: the local cloud has no log trigger"),
        ("OssObjectName", "ZipFile", "Work: Code has no OssObjectName"),
        ("[WorkRole, Arn]", "[WorkRule, Arn]", "Work.Role: there is no resource WorkRule"),
        ("Effect: Deny", "Effect: Refuse", "WorkRole.Policies: Effect is 'Refuse', not Allow or Deny"),
        ("ALIYUN::OSS::Bucket", "ALIYUN::TOS::Bucket", "expected one bucket, found 0"),
    ],
)
def test_what_cannot_be_resolved_is_named(small: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        load_stack(edited(small, old, new), {}, KNOWN)


def test_an_attribute_that_leads_back_to_itself_is_an_error(small: Path) -> None:
    edited(small, "BucketName: {Ref: Name}", "BucketName: {'Fn::GetAtt': [Bucket, BucketName]}")

    with pytest.raises(TemplateError, match=r"circular reference: Bucket.BucketName → Bucket.BucketName"):
        load_stack(small, {}, KNOWN)


def test_a_file_without_resources_is_no_template(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("a: 1", encoding="utf-8")

    with pytest.raises(TemplateError, match="no Resources"):
        load_stack(path, {}, {})
