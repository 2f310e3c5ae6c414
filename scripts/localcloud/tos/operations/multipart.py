"""The operations on multipart uploads, between HTTP and ``Uploads``."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from typing import Any

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import read_pieces
from scripts.localcloud.storage.listing import uploads_after
from scripts.localcloud.storage.multipart import MAX_PART_NUMBER, PartReference, etag_of_parts
from scripts.localcloud.storage.object_index import Part, Upload
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.conditions import check_conditions, copy_range_for
from scripts.localcloud.storage_http.request import bounded_number
from scripts.localcloud.tos.wire.answers import OWNER, iso_time, json_answer, parse_json, wire_etag, written
from scripts.localcloud.tos.wire.call import Call


def create_upload(call: Call) -> Answer:
    write = call.write("ObjectCreated:CreateMultipartUpload")
    call.storage.check_overwrite(write)
    upload = call.uploads.initiate(write)
    return json_answer({"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.upload_id})


def upload_part(call: Call) -> Answer:
    upload, number = _upload(call), _part_number(call)
    with call.storage.new_content() as content:
        content.fill(call.pieces())
        part = call.uploads.put_part(upload, number, content, call.write("ObjectCreated:UploadPart"))
    return Answer(headers=written(part))


def upload_part_copy(call: Call) -> Answer:
    upload, number = _upload(call), _part_number(call)
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
    upload = _upload(call)
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
    call.uploads.abort(_upload(call), call.write("ObjectRemoved:AbortUpload"))
    return Answer(204)


def list_parts(call: Call) -> Answer:
    upload = _upload(call)
    limit = bounded_number(call.request, "max-parts", default=1000, largest=1000)
    marker = bounded_number(
        call.request, "part-number-marker", default=0, smallest=0, largest=MAX_PART_NUMBER
    )
    parts = [part for part in call.uploads.parts(upload) if part.number > marker]
    shown = parts[:limit]
    return json_answer(
        {
            "Bucket": upload.bucket,
            "Key": upload.key,
            "UploadId": upload.upload_id,
            "PartNumberMarker": marker,
            "NextPartNumberMarker": shown[-1].number if shown else 0,
            "MaxParts": limit,
            "IsTruncated": len(parts) > limit,
            "StorageClass": "STANDARD",
            "Owner": OWNER,
            "Parts": [_part(part) for part in shown],
        }
    )


def list_uploads(call: Call) -> Answer:
    query = call.request.query
    limit = bounded_number(call.request, "max-uploads", default=1000, largest=1000)
    after = query.get("key-marker", ""), query.get("upload-id-marker", "")
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    found = call.uploads.uploads(call.request.bucket, prefix)
    entries = uploads_after(found, prefix=prefix, delimiter=delimiter, after=after)
    shown = entries[:limit]
    next_key, next_id = shown[-1][0] if shown else ("", "")
    return json_answer(
        {
            "Bucket": call.request.bucket,
            "Prefix": prefix,
            "Delimiter": delimiter,
            "KeyMarker": after[0],
            "UploadIdMarker": after[1],
            "NextKeyMarker": next_key,
            "NextUploadIdMarker": next_id,
            "MaxUploads": limit,
            "IsTruncated": len(entries) > limit,
            "Uploads": [_entry(upload) for (_, upload_id), upload in shown if upload_id],
            "CommonPrefixes": [{"Prefix": key} for (key, upload_id), _ in shown if not upload_id],
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
    except (KeyError, TypeError, ValueError) as error:
        raise refusals.malformed_document() from error
    return sorted(named)


def _entry(upload: Upload) -> dict[str, Any]:
    return {
        "Key": upload.key,
        "UploadId": upload.upload_id,
        "StorageClass": "STANDARD",
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


def _upload(call: Call) -> Upload:
    request = call.request
    return call.uploads.get(request.bucket, request.key, request.query["uploadId"])


def _part_number(call: Call) -> int:
    return bounded_number(call.request, "partNumber", largest=MAX_PART_NUMBER)
