"""What happened to an object, and how it is kept until it is told."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ObjectEvent:
    """One change of one object.

    Attributes:
        event_name: As in the payload, without the service's name before it, ``oss:``.
        etag: Without quotes; empty where the service has none.
        event_time: Aware UTC.
        delta_bytes: How much the object grew by.
        user_meta: The headers kept with the object.
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


def render_stored_event(event: ObjectEvent) -> str:
    """The event as the index keeps it until it is delivered."""
    fields = {**dataclasses.asdict(event), "event_time": event.event_time.isoformat()}
    return json.dumps(fields, ensure_ascii=True)


def parse_stored_event(text: str) -> ObjectEvent:
    fields = json.loads(text)
    fields["event_time"] = datetime.fromisoformat(fields["event_time"])
    return ObjectEvent(**fields)
