"""Parses the OSS events that start functions, native or through EventBridge."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError

from shared.bucket.attempt import Attempt
from shared.bucket.keys import Stage, ticket_in
from shared.problems.exceptions import ConfigurationError

_CREATED = frozenset({"PutObject", "PostObject", "CopyObject", "CompleteMultipartUpload", "AppendObject"})


@dataclass(frozen=True)
class UploadedObject:
    """An object that an event reports as written."""

    bucket: str
    key: str
    etag: str


class _Bucket(BaseModel):
    name: str


class _Object(BaseModel):
    key: str
    etag: str = Field("", alias="eTag")


class _Oss(BaseModel):
    bucket: _Bucket
    object: _Object


class _Event(BaseModel):
    name: str = Field(alias="eventName")
    oss: _Oss


def parse_oss_events(event: bytes) -> list[UploadedObject]:
    """Read one event or many: ``{"events": […]}``, one CloudEvent, or an array of CloudEvents.

    Keys are raw UTF-8, not URL-encoded. Events that create nothing are skipped. The shapes:
    https://help.aliyun.com/zh/functioncompute/fc-3-0/user-guide/formats-of-event-for-different-triggers

    Raises:
        ConfigurationError: Not an OSS event: the function has a trigger of another kind.
    """
    try:
        document = json.loads(event)
        records = [_Event.model_validate(each) for each in _records_in(document)]
    except (ValueError, ValidationError) as error:
        raise ConfigurationError(f"not an OSS event; check the function's triggers: {error}") from error
    return [
        UploadedObject(each.oss.bucket.name, each.oss.object.key, each.oss.object.etag)
        for each in records
        if each.name.rpartition(":")[2] in _CREATED
    ]


def _records_in(document: object) -> list[object]:
    if isinstance(document, list):
        return [record for each in document for record in _records_in(each)]
    if isinstance(document, dict) and isinstance(document.get("events"), list):
        return list(document["events"])
    if isinstance(document, dict) and "specversion" in document:
        return [document.get("data")]
    return [document]


def keys_in(event: bytes, prefix: str) -> list[str]:
    """The keys below a prefix that an OSS event names; other objects are skipped."""
    return [upload.key for upload in parse_oss_events(event) if upload.key.startswith(prefix)]


def tickets_in(event: bytes, stage: Stage) -> list[Attempt]:
    """The attempts whose tickets an OSS event names; other objects are skipped."""
    named = [ticket_in(upload.key) for upload in parse_oss_events(event)]
    return [ticket[1] for ticket in named if ticket and ticket[0] is stage]
