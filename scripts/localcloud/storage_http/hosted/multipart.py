"""The operations on one multipart upload, between HTTP and ``Uploads``."""

from __future__ import annotations

import dataclasses
from contextlib import closing

from scripts.localcloud.storage.content import read_pieces
from scripts.localcloud.storage.multipart import etag_of_parts
from scripts.localcloud.storage_http.answer import Answer, iso_time
from scripts.localcloud.storage_http.conditions import copy_range_for
from scripts.localcloud.storage_http.hosted.call import HostedCall, quoted
from scripts.localcloud.storage_http.hosted.objects import check_source


def create_upload(call: HostedCall) -> Answer:
    write = call.write("ObjectCreated:CreateMultipartUpload")
    call.storage.check_overwrite(write)
    upload = call.uploads.initiate(write)
    fields = {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.upload_id}
    return call.document("InitiateMultipartUploadResult", fields)


def upload_part(call: HostedCall) -> Answer:
    upload, number = call.upload(), call.part_number()
    with call.storage.new_content() as content:
        content.fill(call.pieces())
        part = call.uploads.put_part(upload, number, content, call.write("ObjectCreated:UploadPart"))
    return Answer(headers=call.written(part))


def upload_part_copy(call: HostedCall) -> Answer:
    upload, number = call.upload(), call.part_number()
    source, stream = call.open_copy_source()
    with closing(stream), call.storage.new_content() as content:
        check_source(call, source)
        span = copy_range_for(call.request.own("copy-source-range"), source.size_bytes)
        content.fill(read_pieces(stream, span.first, span.size_bytes))
        part = call.uploads.put_part(upload, number, content, call.write("ObjectCreated:UploadPartCopy"))
    fields = {"LastModified": iso_time(part.modified_s), "ETag": quoted(part)}
    return call.document("CopyPartResult", fields, call.written(part))


def complete_upload(call: HostedCall) -> Answer:
    """Join the parts that the request names."""
    upload = call.upload()
    references = call.references(upload)
    write = call.write("ObjectCreated:CompleteUpload", etag=etag_of_parts(references))
    call.storage.check_overwrite(write)
    write = dataclasses.replace(write, content_type=upload.content_type, headers=upload.headers)
    row = call.uploads.complete(upload, references, write)
    fields = {
        "Location": f"https://{row.bucket}.{call.request.endpoint}/{row.key}",
        "Bucket": row.bucket,
        "Key": row.key,
        "ETag": quoted(row),
        **call.named(references),
    }
    return call.document("CompleteMultipartUploadResult", fields, {**call.written(row), **call.version()})


def abort_upload(call: HostedCall) -> Answer:
    call.uploads.abort(call.upload(), call.write("ObjectRemoved:AbortUpload"))
    return Answer(204)
