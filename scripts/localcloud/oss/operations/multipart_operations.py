"""The operations on multipart uploads, between HTTP and ``Uploads``."""

from __future__ import annotations

import dataclasses
from contextlib import closing

from scripts.localcloud.oss.wire import object_headers
from scripts.localcloud.oss.wire.answer import Call, written
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import read_pieces
from scripts.localcloud.storage.multipart import PartReference, etag_of_parts
from scripts.localcloud.storage.object_index import Part, Upload
from scripts.localcloud.storage_http.answer import Answer, iso_time
from scripts.localcloud.storage_http.conditions import check_conditions, copy_range_for
from scripts.localcloud.storage_http.incoming.xml_bodies import Element, encoded, parse_parts, xml_answer


def initiate_upload(call: Call) -> Answer:
    write = call.write("ObjectCreated:InitiateMultipartUpload")
    call.storage.check_overwrite(write)
    upload = call.uploads.initiate(write)
    encoding = call.request.query.get("encoding-type", "")
    return xml_answer(
        "InitiateMultipartUploadResult",
        [
            *([("EncodingType", encoding)] if encoding else []),
            ("Bucket", upload.bucket),
            ("Key", encoded(upload.key, encoding)),
            ("UploadId", upload.upload_id),
        ],
        object_headers.encryption_headers(upload.headers),
    )


def upload_part(call: Call) -> Answer:
    upload, number = call.upload(), call.part_number()
    with call.storage.new_content() as content:
        content.fill(call.body.pieces())
        part = call.uploads.put_part(upload, number, content, call.write("ObjectCreated:UploadPart"))
    return Answer(headers=written(part))


def upload_part_copy(call: Call) -> Answer:
    upload, number = call.upload(), call.part_number()
    source, stream = call.open_copy_source()
    with closing(stream), call.storage.new_content() as content:
        check_conditions(call.request, source, "x-oss-copy-source-if-")
        span = copy_range_for(call.request.header("x-oss-copy-source-range"), source.size_bytes)
        content.fill(read_pieces(stream, span.first, span.size_bytes))
        part = call.uploads.put_part(upload, number, content, call.write("ObjectCreated:UploadPartCopy"))
    children: list[Element] = [("LastModified", iso_time(part.modified_s)), ("ETag", f'"{part.etag}"')]
    return xml_answer("CopyPartResult", children, written(part))


def complete_upload(call: Call) -> Answer:
    upload = call.upload()
    references = _references(call, upload)
    write = call.write(
        "ObjectCreated:CompleteMultipartUpload", object_type="Multipart", etag=etag_of_parts(references)
    )
    call.storage.check_overwrite(write)
    # Its own headers say of the object no more than who may read it.
    acl = {n: v for n, v in write.headers.items() if n == object_headers.ACL}
    write = dataclasses.replace(write, content_type=upload.content_type, headers={**upload.headers, **acl})
    row = call.uploads.complete(upload, references, write)
    encoding = call.request.query.get("encoding-type", "")
    return xml_answer(
        "CompleteMultipartUploadResult",
        [
            *([("EncodingType", encoding)] if encoding else []),
            ("Location", f"http://{call.request.endpoint}/{row.bucket}/{encoded(row.key, 'url')}"),
            ("Bucket", row.bucket),
            ("Key", encoded(row.key, encoding)),
            ("ETag", f'"{row.etag}"'),
        ],
        written(row),
    )


def _references(call: Call, upload: Upload) -> list[PartReference]:
    """The parts that the request names, or with ``x-oss-complete-all`` every one that arrived."""
    document = call.body.read_document()
    complete_all = call.request.header("x-oss-complete-all").lower()
    if not complete_all:
        return parse_parts(document)
    if complete_all != "yes" or document:
        message = "The value of x-oss-complete-all must be yes, and then no parts may be named."
        raise refusals.invalid_argument(message)
    return [PartReference(part.number, part.etag) for part in call.uploads.parts(upload)]


def abort_upload(call: Call) -> Answer:
    call.uploads.abort(call.upload(), call.write("ObjectRemoved:AbortMultipartUpload"))
    return Answer(204)


def list_parts(call: Call) -> Answer:
    upload = call.upload()
    page = call.page_of_parts(upload)
    encoding = call.request.query.get("encoding-type", "")
    return xml_answer(
        "ListPartsResult",
        [
            *([("EncodingType", encoding)] if encoding else []),
            ("Bucket", upload.bucket),
            ("Key", encoded(upload.key, encoding)),
            ("UploadId", upload.upload_id),
            ("StorageClass", object_headers.storage_class(upload.headers)),
            ("PartNumberMarker", page.after),
            ("NextPartNumberMarker", page.entries[-1].number if page.entries else 0),
            ("MaxParts", page.limit),
            ("IsTruncated", str(page.is_truncated).lower()),
            *_client_encryption(upload),
            *map(_part_element, page.entries),
        ],
    )


def list_uploads(call: Call) -> Answer:
    query = call.request.query
    encoding = query.get("encoding-type", "")
    page = call.page_of_uploads()
    last_key, last_id = page.entries[-1][0] if page.entries else ("", "")
    return xml_answer(
        "ListMultipartUploadsResult",
        [
            *([("EncodingType", encoding)] if encoding else []),
            ("Bucket", call.request.bucket),
            ("KeyMarker", encoded(page.after[0], encoding)),
            ("UploadIdMarker", page.after[1]),
            ("NextKeyMarker", encoded(last_key, encoding)),
            ("NextUploadIdMarker", last_id),
            ("Delimiter", encoded(query.get("delimiter", ""), encoding)),
            ("Prefix", encoded(query.get("prefix", ""), encoding)),
            ("MaxUploads", page.limit),
            ("IsTruncated", str(page.is_truncated).lower()),
            *(_entry_element(place, upload, encoding) for place, upload in page.entries),
        ],
    )


def _client_encryption(upload: Upload) -> list[Element]:
    """``ClientEncryptionCekAlg`` and its like, for a client that encrypts its parts itself."""
    prefix = object_headers.CLIENT_ENCRYPTION
    return [
        ("ClientEncryption" + name.removeprefix(prefix).title().replace("-", ""), value)
        for name, value in upload.headers.items()
        if name.startswith(prefix)
    ]


def _part_element(part: Part) -> Element:
    return (
        "Part",
        [
            ("PartNumber", part.number),
            ("LastModified", iso_time(part.modified_s)),
            ("ETag", f'"{part.etag}"'),
            ("HashCrc64ecma", part.crc64),
            ("Size", part.size_bytes),
        ],
    )


def _entry_element(place: tuple[str, str], upload: Upload, encoding: str) -> Element:
    key, upload_id = place
    if not upload_id:
        return "CommonPrefixes", [("Prefix", encoded(key, encoding))]
    return (
        "Upload",
        [
            ("Key", encoded(key, encoding)),
            ("UploadId", upload_id),
            ("StorageClass", object_headers.storage_class(upload.headers)),
            ("Initiated", iso_time(upload.initiated_s)),
        ],
    )
