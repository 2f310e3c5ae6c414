from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import pytest

from scripts.localcloud.events.payloads import (
    Message,
    eventbridge_payload,
    message_body,
    message_keys,
    rocketmq_payload,
    timer_payload,
    topic_of,
)
from scripts.localcloud.events.triggers import functions_for_object, matching

CREATED = (
    "oss:ObjectCreated:PutObject",
    "oss:ObjectCreated:PostObject",
    "oss:ObjectCreated:CompleteMultipartUpload",
)
FINISHED = {
    "specversion": "1.0",
    "id": "81765e5b",
    "source": "acs.dashscope",
    "type": "dashscope:System:BatchTaskFinish",
    "data": {"task_id": "batch_1", "名": "值"},
}


@dataclass(frozen=True)
class Oss:
    function: str
    prefix: str = ""
    suffix: str = ""
    events: tuple[str, ...] = CREATED
    name: str = "upload"


@dataclass(frozen=True)
class Timer:
    function: str = "reconcile"
    name: str = "every-minute"
    cron_expression: str = "@every 1m"
    payload: str = '{"action":"reconcile"}'
    enabled: bool = True


@dataclass(frozen=True)
class Bus:
    function: str
    pattern: dict[str, object]
    name: str = "finish"
    schema: str = "CloudEvents"
    enabled: bool = True


@dataclass(frozen=True)
class Target:
    kind: str = "acs.rocketmq"
    endpoint: str = "acs:mq:cn-beijing:1:/instances/rmq-cn-x/topic/batch-finish"
    parameters: dict[str, tuple[str, str]] = field(default_factory=dict)


TRIGGERS = [
    Oss("validate", prefix="inbox/"),
    Oss("submit", prefix="ready/"),
    Oss("thumbnail", prefix="inbox/", suffix=".png"),
    Oss("removed", events=("oss:ObjectRemoved:DeleteObject",)),
    Oss("everything", prefix="any/", events=("oss:ObjectCreated:*",)),
]


@pytest.mark.parametrize(
    ("event_name", "key", "functions"),
    [
        ("ObjectCreated:PutObject", "inbox/a.csv", ["validate"]),
        ("ObjectCreated:PutObject", "inbox/图 1+2.png", ["validate", "thumbnail"]),
        ("ObjectCreated:CompleteMultipartUpload", "ready/j/1-0", ["submit"]),
        ("ObjectCreated:UploadPart", "inbox/a.csv", []),
        ("ObjectCreated:PutObject", "Inbox/a.csv", []),
        ("ObjectCreated:PutObject", "x/inbox/a.csv", []),
        ("ObjectCreated:PutObject", "inbox%2Fa.csv", []),
        ("oss:ObjectCreated:PutObject", "inbox/a.csv", []),
        ("ObjectRemoved:DeleteObject", "inbox/a.csv", ["removed"]),
        ("ObjectCreated:UploadPart", "any/a", ["everything"]),
        ("ObjectRemoved:DeleteObject", "any/a", ["removed"]),
    ],
)
def test_native_oss_triggers_filter_by_event_prefix_and_suffix_of_the_raw_key(
    event_name: str, key: str, functions: list[str]
) -> None:
    assert functions_for_object(TRIGGERS, event_name, key) == functions


def test_only_enabled_subscriptions_whose_pattern_matches_get_an_event() -> None:
    wanted, other = {"id": ["81765e5b"]}, {"id": ["another"]}
    triggers = [Bus("a", wanted), Bus("b", other), Bus("c", wanted, enabled=False)]

    found = matching(triggers, FINISHED)

    assert [trigger.function for trigger in found] == ["a"]


def test_eventbridge_gives_an_object_an_array_in_streaming_mode_and_only_the_data_if_raw() -> None:
    def payload(schema: str, *, streaming: bool) -> object:
        return json.loads(eventbridge_payload(FINISHED, schema=schema, streaming=streaming))

    assert payload("CloudEvents", streaming=False) == FINISHED
    assert payload("CloudEvents", streaming=True) == [FINISHED]
    assert payload("RawData", streaming=False) == FINISHED["data"]
    assert payload("RawData", streaming=True) == [FINISHED["data"]]


def test_a_timer_says_when_and_who_and_passes_its_text_on() -> None:
    fired_at = datetime(2023, 12, 26, 15, 49, tzinfo=timezone(timedelta(hours=8)))

    assert json.loads(timer_payload(Timer(), fired_at)) == {
        "triggerTime": "2023-12-26T07:49:00Z",
        "triggerName": "every-minute",
        "payload": '{"action":"reconcile"}',
    }


def message(body: str) -> Message:
    return Message("MID", "batch-finish", body, "k-1", "", datetime(2026, 4, 17, tzinfo=timezone.utc))


def test_rocketmq_wraps_the_event_twice_in_an_array() -> None:
    body = message_body(Target(), FINISHED)

    payload = rocketmq_payload([message(body)], schema="CloudEvents", region="cn-beijing")

    (envelope,) = json.loads(payload)
    assert envelope["type"] == "mq:Topic:SendMessage"
    assert envelope["source"] == "RocketMQSource"
    assert envelope["time"] == "2026-04-17T00:00:00.000Z"
    assert envelope["data"]["systemProperties"]["KEYS"] == "k-1"
    assert isinstance(envelope["data"]["body"], str)
    assert json.loads(envelope["data"]["body"]) == FINISHED


def test_raw_rocketmq_messages_have_no_envelope() -> None:
    payload = rocketmq_payload([message("a"), message("b")], schema="RawData", region="r")

    assert [(each["msgId"], each["topic"], each["body"]) for each in json.loads(payload)] == [
        ("MID", "batch-finish", "a"),
        ("MID", "batch-finish", "b"),
    ]


def test_a_rule_target_says_topic_body_and_keys() -> None:
    target = Target(
        parameters={
            "Topic": ("CONSTANT", "other"),
            "Body": ("JSONPATH", "$.data"),
            "Keys": ("JSONPATH", "$.data.task_id"),
        }
    )

    assert (topic_of(target), topic_of(Target())) == ("other", "batch-finish")
    assert json.loads(message_body(target, FINISHED)) == FINISHED["data"]
    assert message_keys(target, FINISHED) == "batch_1"
    assert message_keys(Target(parameters={"Keys": ("JSONPATH", "$.no.such")}), FINISHED) == "null"


def test_an_unknown_form_is_refused_not_ignored() -> None:
    with pytest.raises(ValueError, match="TEMPLATE"):
        message_body(Target(parameters={"Body": ("TEMPLATE", "{}")}), FINISHED)
