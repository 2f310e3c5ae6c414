"""The operations on one object: put, get, head, copy, append, delete."""

from __future__ import annotations

import dataclasses
import re
from contextlib import closing

from scripts.localcloud.oss import oss_refusals
from scripts.localcloud.oss.wire import object_headers
from scripts.localcloud.oss.wire.answer import (
    NEXT_POSITION,
    Call,
    described,
    written,
)
from scripts.localcloud.oss.wire.oss_request import OssRequest
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import Write, read_pieces
from scripts.localcloud.storage.object_index import StoredObject
from scripts.localcloud.storage_http.answer import Answer, file_answer, iso_time
from scripts.localcloud.storage_http.conditions import ByteRange, check_conditions, range_for
from scripts.localcloud.storage_http.incoming.request import overrides
from scripts.localcloud.storage_http.incoming.xml_bodies import xml_answer


def put_object(call: Call) -> Answer:
    write = call.write("ObjectCreated:PutObject")
    call.storage.check_overwrite(write)
    with call.storage.new_content() as content:
        content.fill(call.body.pieces())
        return Answer(headers=written(call.storage.publish(content, write)))


def get_object(call: Call) -> Answer:
    row, stream = call.open()
    try:
        object_headers.check_readable(row.headers)
        check_conditions(call.request, row)
        span = _span(call.request, row.size_bytes)
        headers = {**described(row), **overrides(call.request, object_headers.HTTP_HEADERS)}
    except refusals.Refusal:
        stream.close()
        raise
    return file_answer(headers, stream, row.size_bytes, span)


def _span(request: OssRequest, size_bytes: int) -> ByteRange | None:
    """OSS ignores a range that leaves the object, unless the request asks for HTTP's behaviour.

    Source:
    https://www.alibabacloud.com/help/en/oss/how-to-obtain-oss-resources-by-segmenting-http-range-requests
    """
    is_standard = request.header("x-oss-range-behavior").lower() == "standard"
    return range_for(request, size_bytes, is_standard=is_standard)


def head_object(call: Call) -> Answer:
    row, stream = call.open()
    stream.close()
    check_conditions(call.request, row)
    headers = described(row)
    if "objectMeta" in call.request.query:
        headers = {name: headers[name] for name in ("ETag", "Last-Modified", "x-oss-hash-crc64ecma")}
    return Answer(headers=headers, size_bytes=row.size_bytes)


def delete_object(call: Call) -> Answer:
    call.storage.delete(call.request.bucket, call.request.key, "ObjectRemoved:DeleteObject", call.request_id)
    return Answer(204)


def copy_object(call: Call) -> Answer:
    write = call.write("ObjectCreated:CopyObject")
    call.storage.check_overwrite(write)
    source, stream = call.open_copy_source()
    with closing(stream), call.storage.new_content() as content:
        check_conditions(call.request, source, "x-oss-copy-source-if-")
        write = _with_copied_headers(write, source, call.request)
        content.fill(read_pieces(stream))
        row = call.storage.publish(content, write)
    children = [("LastModified", iso_time(row.modified_s)), ("ETag", f'"{row.etag}"')]
    return xml_answer("CopyObjectResult", list(children), written(row))


def append_object(call: Call) -> Answer:
    """Append by writing a new object, so that a killed process leaves the old one."""
    position = call.request.query.get("position", "")
    if not re.fullmatch("[0-9]{1,15}", position):
        raise refusals.invalid_argument("The append position is not a number.")
    with call.storage.new_content() as content:
        try:
            before, stream = call.storage.open(call.request.bucket, call.request.key)
        except refusals.Refusal as refusal:
            if refusal.code != "NoSuchKey":
                raise
            before = None
        else:
            with closing(stream):
                content.fill(read_pieces(stream))
        _check_append(before, int(position))
        # What is kept with an object is said when it is created, and later ignored.
        write = call.write("ObjectCreated:AppendObject", object_type="Appendable", like=before)
        content.fill(call.body.pieces())

        def not_changed_meanwhile(existing: StoredObject | None) -> None:
            if existing != before:
                raise oss_refusals.position_not_equal_to_length(existing.size_bytes if existing else 0)

        row = call.storage.publish(content, write, not_changed_meanwhile)
    return Answer(headers={**written(row), NEXT_POSITION: str(row.size_bytes)})


def _with_copied_headers(write: Write, source: StoredObject, request: OssRequest) -> Write:
    """The copy's metadata and tags: the source's, or with the directive REPLACE the request's own.

    Storage class, encryption and ACL are never copied; the content type is, if no other is given.
    """
    headers = dict(write.headers)
    content_type = request.header("content-type") or source.content_type
    is_copied = object_headers.is_needed_to_decrypt
    if not _is_replaced(request, "x-oss-metadata-directive"):
        content_type = source.content_type
        is_copied = object_headers.is_metadata
    headers = {name: value for name, value in headers.items() if not is_copied(name)}
    headers |= {name: value for name, value in source.headers.items() if is_copied(name)}
    if not _is_replaced(request, "x-oss-tagging-directive"):
        headers.pop(object_headers.TAGGING, None)
        headers |= {n: v for n, v in source.headers.items() if n == object_headers.TAGGING}
    return dataclasses.replace(write, content_type=content_type, headers=headers)


def _is_replaced(request: OssRequest, directive: str) -> bool:
    value = request.header(directive).upper()
    if value not in ("", "COPY", "REPLACE"):
        raise refusals.invalid_argument(f"The value of {directive} is invalid.")
    return value == "REPLACE"


def _check_append(before: StoredObject | None, position: int) -> None:
    if before and before.object_type != "Appendable":
        raise oss_refusals.object_not_appendable()
    length = before.size_bytes if before else 0
    if position != length:
        raise oss_refusals.position_not_equal_to_length(length)
