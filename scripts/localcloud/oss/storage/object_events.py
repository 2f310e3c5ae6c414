"""What happened to an object, and the two documents in which OSS tells a function about it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from scripts.localcloud.oss.wire.oss_request import META_PREFIX

# The local cloud has one account and one caller; both are made up, in the shape of the real ones.
ACCOUNT_ID = "1000000000000001"
SOURCE_IP_ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class ObjectEvent:
    """One change of one object.

    Attributes:
        event_name: As in the payload, without the ``oss:`` of the trigger's configuration.
        etag: Without quotes; empty where the service has none.
        event_time: Aware UTC.
        delta_bytes: How much the object grew by.
        user_meta: ``x-oss-meta-*`` headers, and HTTP's own that are kept with the object.
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


def render_oss_event(event: ObjectEvent, rule_id: str = "0" * 40) -> bytes:
    """The payload of a native OSS trigger.

    Source: https://help.aliyun.com/en/functioncompute/fc/user-guide/trigger-event-formats.
    """
    record = {**_record(event)}
    record["oss"] = {**_oss(event), "ruleId": rule_id}
    return _json({"events": [record]})


def render_cloud_event(event: ObjectEvent) -> bytes:
    """The same change as one CloudEvent from EventBridge, whose ``data`` is the bare record."""
    oss = _oss(event)
    oss["bucket"] = {**_bucket(event), "virtualBucket": ""}
    return _json(
        {
            "specversion": "1.0",
            "id": event.request_id,
            "source": "acs.oss",
            "type": f"oss:{event.event_name}",
            "subject": f"acs:oss:{event.region}:{ACCOUNT_ID}:{event.bucket}/{event.key}",
            "datacontenttype": "application/json;charset=utf-8",
            "time": _seconds(event.event_time),
            "aliyunaccountid": ACCOUNT_ID,
            "aliyunoriginalaccountid": ACCOUNT_ID,
            "aliyunpublishtime": _seconds(event.event_time + timedelta(seconds=1)),
            "aliyuneventbusname": "default",
            "aliyunregionid": event.region,
            "data": {**_record(event), "oss": oss},
        }
    )


def render_stored_event(event: ObjectEvent) -> str:
    """The event as the index keeps it until it is delivered."""
    fields = {**dataclasses.asdict(event), "event_time": event.event_time.isoformat()}
    return json.dumps(fields, ensure_ascii=True)


def parse_stored_event(text: str) -> ObjectEvent:
    fields = json.loads(text)
    fields["event_time"] = datetime.fromisoformat(fields["event_time"])
    return ObjectEvent(**fields)


def _record(event: ObjectEvent) -> dict[str, object]:
    return {
        "eventName": event.event_name,
        "eventSource": "acs:oss",
        "eventTime": _milliseconds(event.event_time),
        "eventVersion": "1.0",
        "region": event.region,
        "requestParameters": {"sourceIPAddress": SOURCE_IP_ADDRESS},
        "responseElements": {"requestId": event.request_id},
        "userIdentity": {"principalId": ACCOUNT_ID},
    }


def _oss(event: ObjectEvent) -> dict[str, object]:
    return {
        "bucket": _bucket(event),
        "object": {
            "deltaSize": event.delta_bytes,
            "eTag": event.etag,
            "key": event.key,
            "objectMeta": {"mimeType": event.content_type, "userMeta": _user_meta(event)},
            "size": event.size_bytes,
        },
        "ossSchemaVersion": "1.0",
    }


def _bucket(event: ObjectEvent) -> dict[str, str]:
    arn = f"acs:oss:{event.region}:{ACCOUNT_ID}:{event.bucket}"
    return {"arn": arn, "name": event.bucket, "ownerIdentity": ACCOUNT_ID}


def _user_meta(event: ObjectEvent) -> dict[str, str]:
    return {name: value for name, value in event.user_meta.items() if name.startswith(META_PREFIX)}


def _milliseconds(moment: datetime) -> str:
    moment = moment.astimezone(timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _seconds(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def _json(document: object) -> bytes:
    # Keys arrive at the handler as raw UTF-8, not percent-encoded.
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
