"""The lists of multipart uploads, and of the parts of one."""

from __future__ import annotations

from typing import Any

from scripts.localcloud.storage.object_index import Part, Upload
from scripts.localcloud.storage_http.answer import Answer, iso_time
from scripts.localcloud.storage_http.hosted.call import quoted
from scripts.localcloud.tos.wire.answers import OWNER, STORAGE_CLASS, json_answer
from scripts.localcloud.tos.wire.call import Call


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
        "ETag": quoted(part),
        "Size": part.size_bytes,
    }
