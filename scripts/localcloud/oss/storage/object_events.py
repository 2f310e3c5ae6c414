"""What happened to an object, and the document in which OSS tells a function about it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from scripts.localcloud.options import ACCOUNT_ID
from scripts.localcloud.oss.wire.object_headers import META_PREFIX

SOURCE_IP_ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class ObjectEvent:
    """One change of one object.

    Attributes:
        event_name: As in the payload, without the ``oss:`` of the trigger's configuration.
        etag: Without quotes; empty where the service has none.
        event_time: Aware UTC.
        delta_bytes: How much the object grew by.
        user_meta: The headers kept with the object; of them, ``x-oss-meta-*`` are told.
    """

    event_name: str
    bucket: str
    key: str
    etag: str
    size_bytes: int
    request_id: str
    event_time: datetime
    region: str
    delta_bytes: int = 0
    content_type: str = "application/octet-stream"
    user_meta: Mapping[str, str] = dataclasses.field(default_factory=dict)


def render_oss_event(event: ObjectEvent) -> bytes:
    """The payload of a native OSS trigger.

    Source: https://help.aliyun.com/en/functioncompute/fc/user-guide/trigger-event-formats.
    """
    record = {
        "eventName": event.event_name,
        "eventSource": "acs:oss",
        "eventTime": _milliseconds(event.event_time),
        "eventVersion": "1.0",
        "region": event.region,
        "requestParameters": {"sourceIPAddress": SOURCE_IP_ADDRESS},
        "responseElements": {"requestId": event.request_id},
        "userIdentity": {"principalId": ACCOUNT_ID},
        "oss": {**_oss(event), "ruleId": "0" * 40},
    }
    # Keys arrive at the handler as raw UTF-8, not percent-encoded.
    return json.dumps({"events": [record]}, ensure_ascii=False, separators=(",", ":")).encode()


def render_stored_event(event: ObjectEvent) -> str:
    """The event as the index keeps it until it is delivered."""
    fields = {**dataclasses.asdict(event), "event_time": event.event_time.isoformat()}
    return json.dumps(fields, ensure_ascii=True)


def parse_stored_event(text: str) -> ObjectEvent:
    fields = json.loads(text)
    fields["event_time"] = datetime.fromisoformat(fields["event_time"])
    return ObjectEvent(**fields)


def _oss(event: ObjectEvent) -> dict[str, object]:
    arn = f"acs:oss:{event.region}:{ACCOUNT_ID}:{event.bucket}"
    return {
        "bucket": {"arn": arn, "name": event.bucket, "ownerIdentity": ACCOUNT_ID},
        "object": {
            "deltaSize": event.delta_bytes,
            "eTag": event.etag,
            "key": event.key,
            "objectMeta": {"mimeType": event.content_type, "userMeta": _user_meta(event)},
            "size": event.size_bytes,
        },
        "ossSchemaVersion": "1.0",
    }


def _user_meta(event: ObjectEvent) -> dict[str, str]:
    return {name: value for name, value in event.user_meta.items() if name.startswith(META_PREFIX)}


def _milliseconds(moment: datetime) -> str:
    moment = moment.astimezone(timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
