"""The operations on multipart uploads, between HTTP and ``Uploads``."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from typing import Any

from scripts.localcloud.storage.content import read_pieces
from scripts.localcloud.storage.multipart import PartReference, etag_of_parts
from scripts.localcloud.storage.object_index import Part, Upload
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.conditions import check_conditions, copy_range_for
from scripts.localcloud.tos import tos_refusals
from scripts.localcloud.tos.wire.answers import (
    OWNER,
    STORAGE_CLASS,
    iso_time,
    json_answer,
    parse_json,
    wire_etag,
    written,
)
from scripts.localcloud.tos.wire.call import Call


def create_upload(call: Call) -> Answer:
    write = call.write("ObjectCreated:CreateMultipartUpload")
    call.storage.check_overwrite(write)
    upload = call.uploads.initiate(write)
    return json_answer({"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.upload_id})


def upload_part(call: Call) -> Answer:
    upload, number = call.upload(), call.part_number()
    with call.storage.new_content() as content:
        content.fill(call.pieces())
        part = call.uploads.put_part(upload, number, content, call.write("ObjectCreated:UploadPart"))
    return Answer(headers=written(part))


def upload_part_copy(call: Call) -> Answer:
    upload, number = call.upload(), call.part_number()
    source, stream = call.open_copy_source()
    with closing(stream), call.storage.new_content() as content:
        check_conditions(call.request, source, "x-tos-copy-source-if-", literal=wire_etag(source))
        span = copy_range_for(call.request.header("x-tos-copy-source-range"), source.size_bytes)
        content.fill(read_pieces(stream, span.first, span.size_bytes))
        part = call.uploads.put_part(upload, number, content, call.write("ObjectCreated:UploadPartCopy"))
    document = {"LastModified": iso_time(part.modified_s), "ETag": f'"{wire_etag(part)}"'}
    return json_answer(document, written(part))


def complete_upload(call: Call) -> Answer:
    """Join the parts in the order of their numbers, however the request names them."""
    upload = call.upload()
    references = _references(call, upload)
    write = call.write("ObjectCreated:CompleteUpload", etag=etag_of_parts(references))
    call.storage.check_overwrite(write)
    write = dataclasses.replace(write, content_type=upload.content_type, headers=upload.headers)
    row = call.uploads.complete(upload, references, write)
    document: dict[str, Any] = {
        "Bucket": row.bucket,
        "Key": row.key,
        "ETag": f'"{wire_etag(row)}"',
        "Location": f"https://{row.bucket}.{call.request.endpoint}/{row.key}",
    }
    if call.request.header("x-tos-complete-all"):
        named = [{"PartNumber": each.number, "ETag": f'"{each.etag.lower()}"'} for each in references]
        document |= {"CompletedParts": named}
    return json_answer(document, {**written(row), **call.version()})


def abort_upload(call: Call) -> Answer:
    call.uploads.abort(call.upload(), call.write("ObjectRemoved:AbortUpload"))
    return Answer(204)


def list_parts(call: Call) -> Answer:
    upload = call.upload()
    page = call.page_of_parts(upload)
    return json_answer(
        {
            "Bucket": upload.bucket,
            "Key": upload.key,
            "UploadId": upload.upload_id,
            "PartNumberMarker": page.after,
            "NextPartNumberMarker": page.entries[-1].number if page.entries else 0,
            "MaxParts": page.limit,
            "IsTruncated": page.is_truncated,
            "StorageClass": upload.headers.get(STORAGE_CLASS, "STANDARD"),
            "Owner": OWNER,
            "Parts": [_part(part) for part in page.entries],
        }
    )


def list_uploads(call: Call) -> Answer:
    page = call.page_of_uploads()
    next_key, next_id = page.entries[-1][0] if page.entries else ("", "")
    return json_answer(
        {
            "Bucket": call.request.bucket,
            "Prefix": call.request.query.get("prefix", ""),
            "Delimiter": call.request.query.get("delimiter", ""),
            "KeyMarker": page.after[0],
            "UploadIdMarker": page.after[1],
            "NextKeyMarker": next_key,
            "NextUploadIdMarker": next_id,
            "MaxUploads": page.limit,
            "IsTruncated": page.is_truncated,
            "Uploads": [_entry(upload) for (_, upload_id), upload in page.entries if upload_id],
            "CommonPrefixes": [{"Prefix": key} for (key, upload_id), _ in page.entries if not upload_id],
        }
    )


def _references(call: Call, upload: Upload) -> list[PartReference]:
    """The parts that the request names, or with ``x-tos-complete-all`` every one that arrived."""
    document = call.body.read_document()
    if call.request.header("x-tos-complete-all").lower() == "yes":
        return [PartReference(part.number, part.etag) for part in call.uploads.parts(upload)]
    try:
        named = [
            PartReference(int(part["PartNumber"]), str(part["ETag"]).strip('"').upper())
            for part in parse_json(document)["Parts"]
        ]
        etag_of_parts(named)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise tos_refusals.malformed_body() from error
    return sorted(named)


def _entry(upload: Upload) -> dict[str, Any]:
    return {
        "Key": upload.key,
        "UploadId": upload.upload_id,
        "StorageClass": upload.headers.get(STORAGE_CLASS, "STANDARD"),
        "Owner": OWNER,
        "Initiated": iso_time(upload.initiated_s),
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "PartNumber": part.number,
        "LastModified": iso_time(part.modified_s),
        "ETag": f'"{wire_etag(part)}"',
        "Size": part.size_bytes,
    }
