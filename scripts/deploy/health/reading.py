"""Looks whether Bailian may read requests from the bucket, where ``InputFrom`` is ``oss``."""

from __future__ import annotations

from collections.abc import Iterator

import oss2

from scripts.deploy.control import CloudRefused, Control, Question
from scripts.deploy.health.finding import Finding
from scripts.deploy.place import Place
from scripts.deploy.releases import open_bucket, reason_of
from scripts.operate.texts.said import said
from shared.providers.bailian.profile import BUCKET_TAG, READING_ROLE, READING_SERVICE

_GET_ROLE = Question("ram.aliyuncs.com", "2015-05-01", "GetRole")
# As Terraform's provider has it, which asks the same:
# https://github.com/aliyun/terraform-provider-alicloud/blob/master/alicloud/service_alicloud_ram.go
_NO_ROLE = "EntityNotExist.Role"


def reading_findings(place: Place, control: Control, bucket: str | None) -> Iterator[Finding]:
    """Without a bucket that could lack the tag, only the role is looked for."""
    yield _role(control)
    if bucket:
        yield _tag(place, bucket)


def _role(control: Control) -> Finding:
    """The one by which Bailian reads; no stack makes it, since it may be there already."""
    fix = f"aliyun ram CreateServiceLinkedRole --ServiceName {READING_SERVICE}"
    try:
        control.ask(_GET_ROLE, None, RoleName=READING_ROLE)
    except CloudRefused as refused:
        if refused.code == _NO_ROLE:
            return Finding(READING_ROLE, said("doctor_reading_role"), fix)
        problem = said("doctor_unasked", service="RAM", reason=refused)
        return Finding(READING_ROLE, problem, fix, is_fatal=False)
    return Finding(READING_ROLE)


def _tag(place: Place, bucket: str) -> Finding:
    """Without it the role reads nothing. A stack gives it to the bucket that it makes."""
    name, value = BUCKET_TAG
    fix = f"aliyun oss bucket-tagging --method put oss://{bucket} {name}#{value}"
    try:
        tags = open_bucket(place, bucket).get_bucket_tagging().tag_set.tagging_rule
    except oss2.exceptions.NoSuchBucket:
        return Finding(f"{name}={value}")
    except oss2.exceptions.OssError as error:
        problem = said("doctor_unasked", service="OSS", reason=reason_of(error).rstrip(". "))
        return Finding(f"{name}={value}", problem, fix, is_fatal=False)
    has_tag = tags.get(name) == value
    return Finding(f"{name}={value}", None if has_tag else said("doctor_bucket_tag"), "" if has_tag else fix)
