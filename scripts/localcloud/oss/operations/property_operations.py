"""The operations on what is kept with an object: its tags, its ACL, and where a link points."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from urllib.parse import quote

from scripts.localcloud.oss import oss_refusals
from scripts.localcloud.oss.operations.bucket_operations import access_control_policy
from scripts.localcloud.oss.wire.answer import Call
from scripts.localcloud.oss.wire.object_headers import (
    ACL,
    SYMLINK_TARGET,
    TAGGING,
    check_object_acl,
    checked_tags,
    parse_tags,
    render_tags,
)
from scripts.localcloud.oss.wire.oss_request import check_key
from scripts.localcloud.storage.object_index import StoredObject
from scripts.localcloud.storage.properties import change_headers
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.incoming.request import decoded_header
from scripts.localcloud.storage_http.incoming.xml_bodies import Element, parse_tagging, xml_answer


def get_tagging(call: Call) -> Answer:
    return tagging(parse_tags(_row(call).headers.get(TAGGING, "")))


def tagging(tags: Mapping[str, str]) -> Answer:
    """The document that shows them."""
    elements: list[Element] = [("Tag", [("Key", key), ("Value", value)]) for key, value in tags.items()]
    return xml_answer("Tagging", [("TagSet", elements)])


def put_tagging(call: Call) -> Answer:
    tags = checked_tags(parse_tagging(call.body.read_document()))
    _change(call, TAGGING, render_tags(tags) or None)
    return Answer()


def delete_tagging(call: Call) -> Answer:
    _change(call, TAGGING, None)
    return Answer(204)


def get_acl(call: Call) -> Answer:
    return access_control_policy(_row(call).headers.get(ACL, "default"))


def put_acl(call: Call) -> Answer:
    acl = call.request.header(ACL)
    check_object_acl(acl)
    _change(call, ACL, acl)
    return Answer()


def put_symlink(call: Call) -> Answer:
    """A link is an empty file; that its target exists is asked when it is read."""
    target = decoded_header(call.request.header(SYMLINK_TARGET))
    check_key(target)
    write = call.write("ObjectCreated:PutSymlink", object_type="Symlink")
    write = dataclasses.replace(write, headers={**write.headers, SYMLINK_TARGET: quote(target)})
    with call.storage.new_content() as content:
        row = call.storage.publish(content, write)
    return Answer(headers={"ETag": f'"{row.etag}"'})


def get_symlink(call: Call) -> Answer:
    row = _row(call)
    if row.object_type != "Symlink":
        raise oss_refusals.not_a_symlink()
    return Answer(headers={SYMLINK_TARGET: row.headers[SYMLINK_TARGET], "ETag": f'"{row.etag}"'})


def _row(call: Call) -> StoredObject:
    """The object itself; a symbolic link is not followed."""
    row, stream = call.open_unfollowed()
    stream.close()
    return row


def _change(call: Call, name: str, value: str | None) -> None:
    change_headers(call.storage, call.request.bucket, call.request.key, {name: value})
