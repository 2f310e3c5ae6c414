"""The operations on one object: put, copy, get, head, delete."""

from __future__ import annotations

import dataclasses
from contextlib import closing

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import Write, read_pieces
from scripts.localcloud.storage.object_index import StoredObject
from scripts.localcloud.storage_http.answer import Answer, FileBody
from scripts.localcloud.storage_http.conditions import ByteRange, check_conditions, range_for
from scripts.localcloud.storage_http.request import overrides
from scripts.localcloud.tos.oddities import Oddity
from scripts.localcloud.tos.wire.answers import (
    STORAGE_CLASS,
    described,
    iso_time,
    json_answer,
    wire_etag,
    written,
)
from scripts.localcloud.tos.wire.call import KEPT, Call


def put_object(call: Call) -> Answer:
    write = call.write("ObjectCreated:Put")
    call.storage.check_overwrite(write)
    with call.storage.new_content() as content:
        content.fill(call.pieces())
        row = call.storage.publish(content, write)
    return Answer(headers={**written(row), **call.version()})


def copy_object(call: Call) -> Answer:
    directive = call.request.header("x-tos-metadata-directive").upper()
    if directive not in ("", "COPY", "REPLACE"):
        raise refusals.invalid_argument("The value of x-tos-metadata-directive is invalid.")
    write = call.write("ObjectCreated:Copy")
    call.storage.check_overwrite(write)
    source, stream = call.open_copy_source()
    with closing(stream), call.storage.new_content() as content:
        check_conditions(call.request, source, "x-tos-copy-source-if-", literal=wire_etag(source))
        if directive != "REPLACE":
            write = _with_metadata_of(source, write)
        content.fill(read_pieces(stream))
        row = call.storage.publish(content, write)
    document = {"LastModified": iso_time(row.modified_s), "ETag": f'"{wire_etag(row)}"'}
    return json_answer(document, {**written(row), **call.version()})


def get_object(call: Call) -> Answer:
    row, stream = call.open()
    try:
        check_conditions(call.request, row, literal=wire_etag(row))
        span = range_for(call.request, row.size_bytes, is_standard=True)
        headers = {**described(row), **overrides(call.request, KEPT)}
    except refusals.Refusal:
        stream.close()
        raise
    if span is None:
        return Answer(headers=headers, body=FileBody(stream, ByteRange(0, row.size_bytes - 1)))
    headers["Content-Range"] = f"bytes {span.first}-{span.last}/{row.size_bytes}"
    return Answer(206, headers, FileBody(stream, span))


def head_object(call: Call) -> Answer:
    row, stream = call.open()
    stream.close()
    check_conditions(call.request, row, literal=wire_etag(row))
    return Answer(headers=described(row), size_bytes=row.size_bytes)


def delete_object(call: Call) -> Answer:
    if Oddity.NOTHING_TO_DELETE in call.oddities:
        call.open()[1].close()
    call.storage.delete(call.request.bucket, call.request.key, "ObjectRemoved:Delete", call.request_id)
    return Answer(204)


def _with_metadata_of(source: StoredObject, write: Write) -> Write:
    """The storage class is never copied."""
    headers = {name: value for name, value in source.headers.items() if name != STORAGE_CLASS}
    headers |= {name: value for name, value in write.headers.items() if name == STORAGE_CLASS}
    return dataclasses.replace(write, content_type=source.content_type, headers=headers)
