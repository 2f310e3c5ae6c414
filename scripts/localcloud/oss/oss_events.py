"""The document in which OSS tells a function what happened to an object."""

from __future__ import annotations

import json
from datetime import datetime, timezone

from scripts.localcloud.options import ACCOUNT_ID
from scripts.localcloud.oss.wire.object_headers import META_PREFIX
from scripts.localcloud.storage.object_events import ObjectEvent

SOURCE_IP_ADDRESS = "127.0.0.1"


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
