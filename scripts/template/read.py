"""Read what ``template.yaml`` deploys into a ``Stack``, from which the local cloud starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from scripts.localcloud.access.ram import PolicyError, Statement, parse_statement
from scripts.localcloud.oss.web.cors import CorsRule
from scripts.template.parameters import TemplateError
from scripts.template.ros import Template, read_template
from scripts.template.stack import (
    AsyncConfig,
    EventBridgeTrigger,
    EventRule,
    FunctionSpec,
    HttpTrigger,
    OssTrigger,
    RocketMqTrigger,
    RuleTarget,
    Stack,
    TimerTrigger,
    Trigger,
)

FUNCTION = "ALIYUN::FC3::Function"
TRIGGER = "ALIYUN::FC3::Trigger"
ASYNC_CONFIG = "ALIYUN::FC3::AsyncInvokeConfig"
RULE = "ALIYUN::EventBridge::Rule"
BUCKET = "ALIYUN::OSS::Bucket"
ROLE = "ALIYUN::RAM::Role"


def load_stack(
    path: Path, parameters: Mapping[str, object], attributes: Mapping[tuple[str, str], str]
) -> Stack:
    """Read a template the way ROS would deploy it with these parameters.

    Args:
        path: The template.
        parameters: Values by name; pseudo parameters (``ALIYUN::Region``) have local defaults.
        attributes: What only a deployed resource knows:
            ``{("CallbackTrigger", "UrlInternet"): "http://…"}``.

    Raises:
        TemplateError: A parameter is unknown, missing or not allowed, alone or by a rule, or a
            reference cannot be resolved.
    """
    document = read_template(path)
    roles = {f"acs:ram:::role/{key}": key for key, it in document["Resources"].items() if it["Type"] == ROLE}
    arns = {(key, "Arn"): arn for arn, key in roles.items()}
    template = Template(document, parameters, {**arns, **attributes})
    _obey(document.get("Rules") or {}, template)
    functions = tuple(_function(template, logical_id, roles) for logical_id in template.resources(FUNCTION))
    by_name = {spec.name: spec.logical_id for spec in functions}
    # Also if the stack finds it already there.
    buckets = [key for key, it in document["Resources"].items() if it["Type"] == BUCKET]
    if len(buckets) != 1:
        raise TemplateError(f"{path}: expected one bucket, found {len(buckets)}")
    return Stack(
        bucket=template.property(buckets[0], "BucketName"),
        functions=functions,
        triggers=tuple(_trigger(template, key, by_name) for key in template.resources(TRIGGER)),
        rules=tuple(_rule(template, key) for key in template.resources(RULE)),
        async_configs={
            _target(template, key, by_name): _async_config(template, key)
            for key in template.resources(ASYNC_CONFIG)
        },
        cors_rules=_cors_rules(template, buckets[0]),
        bucket_tags=template.property(buckets[0], "Tags") or {},
    )


def _obey(rules: Mapping[str, Any], template: Template) -> None:
    """https://help.aliyun.com/zh/ros/user-guide/rules."""
    for name, rule in rules.items():
        if template.condition(rule.get("RuleCondition", True)):
            for each in rule["Assertions"]:
                if not template.condition(each["Assert"]):
                    said = each.get("AssertDescription", "an assertion does not hold")
                    raise TemplateError(f"{name}: {said.rstrip('.')}")


def _function(template: Template, key: str, roles: Mapping[str, str]) -> FunctionSpec:
    code = template.property(key, "Code", {})
    if "OssObjectName" not in code:
        raise TemplateError(f"{key}: Code has no OssObjectName, so its folder is unknown")
    environment = template.property(key, "EnvironmentVariables", {})
    return FunctionSpec(
        logical_id=key,
        name=template.property(key, "FunctionName"),
        folder=PurePosixPath(code["OssObjectName"]).stem,
        runtime=template.property(key, "Runtime"),
        handler=template.property(key, "Handler"),
        timeout_s=int(template.property(key, "Timeout", 3)),  # Function Compute's own defaults
        memory_mb=int(template.property(key, "MemorySize", 512)),
        environment={name: str(value) for name, value in environment.items()},
        statements=_statements(template, roles.get(template.property(key, "Role"))),
    )


def _statements(template: Template, role: str | None) -> tuple[Statement, ...]:
    """What the role's policies say; a function without a role of this stack may do nothing."""
    policies = template.property(role, "Policies", []) if role else []
    documents = [document for policy in policies for document in policy["PolicyDocument"]["Statement"]]
    try:
        return tuple(map(parse_statement, documents))
    except PolicyError as error:
        raise TemplateError(f"{role}.Policies: {error}") from error


def _target(template: Template, key: str, by_name: Mapping[str, str]) -> str:
    name = template.property(key, "FunctionName")
    if name not in by_name:
        raise TemplateError(f"{key}: no function of this stack is called {name}")
    return by_name[name]


def _trigger(template: Template, key: str, by_name: Mapping[str, str]) -> Trigger:
    kind = template.property(key, "TriggerType")
    config = template.property(key, "TriggerConfig")
    named = (key, template.property(key, "TriggerName"), _target(template, key, by_name))
    try:
        return _configured(kind, named, config)
    except KeyError as error:
        raise TemplateError(f"{key}: TriggerConfig lacks {error}") from error


def _configured(kind: str, named: tuple[str, str, str], config: Mapping[str, Any]) -> Trigger:
    if kind == "oss":
        filter_key = config["filter"]["key"]
        return OssTrigger(*named, tuple(config["events"]), filter_key["prefix"], filter_key["suffix"])
    if kind == "http":
        return HttpTrigger(*named, tuple(config["methods"]), config["authType"])
    if kind == "timer":
        return TimerTrigger(*named, config["cronExpression"], config.get("payload", ""), config["enable"])
    if kind == "eventbridge":
        return _event_trigger(named, config)
    raise TemplateError(f"{named[0]}: the local cloud has no {kind} trigger")


def _event_trigger(named: tuple[str, str, str], config: Mapping[str, Any]) -> Trigger:
    source = config["eventSourceConfig"]
    schema = config.get("eventSinkConfig", {}).get("deliveryOption", {}).get("eventSchema", "CloudEvents")
    enabled = config.get("triggerEnable", True)
    if source["eventSourceType"] == "Default":
        pattern = json.loads(config["eventRuleFilterPattern"])
        return EventBridgeTrigger(*named, pattern, schema, enabled)
    if source["eventSourceType"] != "RocketMQ":
        raise TemplateError(f"{named[0]}: the local cloud has no event source {source['eventSourceType']}")
    topic = source["eventSourceParameters"]["sourceRocketMQParameters"]
    window = config.get("runOptions", {}).get("batchWindow", {})
    return RocketMqTrigger(
        *named,
        instance_id=topic["InstanceId"],
        topic=topic["Topic"],
        schema=schema,
        enabled=enabled,
        batch_size=int(window.get("CountBasedWindow", 1)),
    )


def _cors_rules(template: Template, bucket: str) -> tuple[CorsRule, ...]:
    configuration = template.property(bucket, "CORSConfiguration", {})
    return tuple(
        CorsRule(
            origins=tuple(rule["AllowedOrigin"]),
            methods=tuple(rule["AllowedMethod"]),
            headers=tuple(rule.get("AllowedHeader", ())),
            exposed=tuple(rule.get("ExposeHeader", ())),
            max_age_s=rule.get("MaxAgeSeconds"),
        )
        for rule in configuration.get("CORSRule", ())
    )


def _rule(template: Template, key: str) -> EventRule:
    rule = template.properties(key)
    targets = tuple(
        RuleTarget(
            target["Type"],
            target["Endpoint"],
            {item["ResourceKey"]: (item["Form"], item["Value"]) for item in target["ParamList"]},
        )
        for target in rule["Targets"]
    )
    enabled = rule.get("Status", "ENABLE") == "ENABLE"
    return EventRule(key, rule["RuleName"], rule["FilterPattern"], enabled, targets)


def _async_config(template: Template, key: str) -> AsyncConfig:
    destination = template.property(key, "DestinationConfig", {})
    return AsyncConfig(
        max_retries=int(template.property(key, "MaxAsyncRetryAttempts", 3)),
        max_age_s=int(template.property(key, "MaxAsyncEventAgeInSeconds", 18_000)),
        on_failure=destination.get("OnFailure", {}).get("Destination", ""),
    )
