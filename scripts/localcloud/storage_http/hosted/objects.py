"""The operations on one object: put, copy, get, head, delete."""

from __future__ import annotations

import dataclasses
from contextlib import closing

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import Write, read_pieces
from scripts.localcloud.storage.object_index import StoredObject
from scripts.localcloud.storage_http.answer import Answer, file_answer, iso_time
from scripts.localcloud.storage_http.conditions import check_conditions, range_for
from scripts.localcloud.storage_http.hosted.call import KEPT, HostedCall, quoted, wire_etag
from scripts.localcloud.storage_http.incoming.request import overrides


def put_object(call: HostedCall) -> Answer:
    write = call.write("ObjectCreated:Put")
    call.storage.check_overwrite(write)
    with call.storage.new_content() as content:
        content.fill(call.pieces())
        row = call.storage.publish(content, write)
    return Answer(headers={**call.written(row), **call.version()})


def copy_object(call: HostedCall) -> Answer:
    directive = call.request.own("metadata-directive").upper()
    copies, replaces = call.directives
    if directive not in ("", copies, replaces):
        raise refusals.invalid_argument("The value of the metadata directive is invalid.")
    write = call.write("ObjectCreated:Copy")
    call.storage.check_overwrite(write)
    source, stream = call.open_copy_source()
    with closing(stream), call.storage.new_content() as content:
        check_source(call, source)
        if directive != replaces:
            write = _with_metadata_of(source, write, call.class_header)
        content.fill(read_pieces(stream))
        row = call.storage.publish(content, write)
    fields = {"LastModified": iso_time(row.modified_s), "ETag": quoted(row)}
    return call.document("CopyObjectResult", fields, {**call.written(row), **call.version()})


def check_source(call: HostedCall, source: StoredObject) -> None:
    """Refuse a copy whose conditions its source does not meet."""
    prefix = f"{call.request.prefix}copy-source-if-"
    check_conditions(call.request, source, prefix, literal=wire_etag(source))


def get_object(call: HostedCall) -> Answer:
    row, stream = call.open()
    try:
        check_conditions(call.request, row, literal=wire_etag(row))
        span = range_for(call.request, row.size_bytes, is_standard=True)
        headers = {**call.described(row), **overrides(call.request, KEPT)}
    except refusals.Refusal:
        stream.close()
        raise
    return file_answer(headers, stream, row.size_bytes, span)


def head_object(call: HostedCall) -> Answer:
    row, stream = call.open()
    stream.close()
    check_conditions(call.request, row, literal=wire_etag(row))
    return Answer(headers=call.described(row), size_bytes=row.size_bytes)


def delete_object(call: HostedCall) -> Answer:
    call.storage.delete(call.request.bucket, call.request.key, "ObjectRemoved:Delete", call.request_id)
    return Answer(204)


def _with_metadata_of(source: StoredObject, write: Write, class_header: str) -> Write:
    """The storage class is never copied."""
    headers = {name: value for name, value in source.headers.items() if name != class_header}
    headers |= {name: value for name, value in write.headers.items() if name == class_header}
    return dataclasses.replace(write, content_type=source.content_type, headers=headers)
