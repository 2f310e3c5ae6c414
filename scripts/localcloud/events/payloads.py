"""The bytes that each kind of trigger hands to a function, in the documented shapes.

Source ("触发器event格式"):
https://help.aliyun.com/zh/functioncompute/fc/user-guide/trigger-event-formats.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from scripts.localcloud.events.triggers import CloudEvent
from scripts.localcloud.options import ACCOUNT_ID
from scripts.template.stack import RuleTarget, TimerTrigger


@dataclass(frozen=True)
class Message:
    """One RocketMQ message. If a rule routed it, ``body`` holds the CloudEvent as JSON text."""

    message_id: str
    topic: str
    body: str
    keys: str
    tags: str
    stored_at: datetime


def timer_payload(trigger: TimerTrigger, fired_at: datetime) -> bytes:
    time = fired_at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _render({"triggerTime": time, "triggerName": trigger.name, "payload": trigger.payload})


def eventbridge_payload(event: CloudEvent, *, schema: str, streaming: bool) -> bytes:
    """One event: an object in event-driven mode, an array in event-streaming mode.

    ``RawData`` is ``data`` alone.
    """
    content = event.get("data") if schema == "RawData" else event
    return _render([content] if streaming else content)


def rocketmq_payload(messages: Sequence[Message], *, schema: str, region: str) -> bytes:
    """Messages: always an array, even of one."""
    if schema == "RawData":
        return _render([_raw_message(message) for message in messages])
    return _render([_envelope(message, region) for message in messages])


def message_body(target: RuleTarget, event: CloudEvent) -> str:
    """What a rule puts into the message: the target's ``Body`` parameter applied to the event."""
    return _transformed(target.parameters.get("Body", ("ORIGINAL", "")), event)


def message_keys(target: RuleTarget, event: CloudEvent) -> str:
    return _transformed(target.parameters.get("Keys", ("CONSTANT", "")), event)


def message_tags(target: RuleTarget, event: CloudEvent) -> str:
    return _transformed(target.parameters.get("Tags", ("CONSTANT", "")), event)


def topic_of(target: RuleTarget) -> str:
    """The ``Topic`` parameter, else the last segment of the endpoint's ARN."""
    _, topic = target.parameters.get("Topic", ("", ""))
    return topic or target.endpoint.rpartition("/")[2]


def _transformed(parameter: tuple[str, str], event: CloudEvent) -> str:
    form, value = parameter
    if form == "CONSTANT":
        return value
    if form == "ORIGINAL":
        return _render(event).decode("utf-8")
    if form == "JSONPATH":
        found = _at_path(event, value)
        return found if isinstance(found, str) else _render(found).decode("utf-8")
    raise ValueError(f"the local EventBridge knows no form {form}")


def _at_path(event: CloudEvent, path: str) -> object:
    """``$.a.b`` only, which our template needs; a missing field is ``None``, as in EventBridge."""
    found: Any = event
    for name in path.removeprefix("$").split("."):
        if name:
            found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _envelope(message: Message, region: str) -> dict[str, object]:
    """RocketMQ 5's, as public receivers show it; it is not documented."""
    time = (
        message.stored_at.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
    source = "RocketMQSource"
    return {
        "id": message.message_id,
        "source": source,
        "specversion": "1.0",
        "type": "mq:Topic:SendMessage",
        "datacontenttype": "application/json; charset=utf-8",
        "subject": f"acs:mq:{region}:{ACCOUNT_ID}:{message.topic}",
        "time": time,
        "aliyunaccountid": ACCOUNT_ID,
        "aliyunpublishtime": time,
        "aliyunoriginalaccountid": ACCOUNT_ID,
        "aliyuneventbusname": source,
        "aliyunregionid": region,
        "data": {
            **_raw_message(message),
            "systemProperties": {"KEYS": message.keys, "RECONSUME_TIMES": "0"},
        },
    }


def _raw_message(message: Message) -> dict[str, object]:
    return {
        "msgId": message.message_id,
        "topic": message.topic,
        "systemProperties": {"KEYS": message.keys, "TAGS": message.tags},
        "userProperties": {},
        "body": message.body,
    }


def _render(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
