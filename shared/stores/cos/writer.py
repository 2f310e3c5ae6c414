"""Writes one COS object through COS's SDK: by one call, or as a multipart upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from requests.structures import CaseInsensitiveDict

from shared.ports.store import ObjectHead
from shared.stores.cos.errors import COS_ERRORS, IncompleteAnswerError, translated
from shared.stores.pieces.guarded import Errors, GuardedTarget, GuardedUpload, literal

# The SDK has no argument for it; what it takes for metadata becomes headers as it is named.
_FORBID = {"Metadata": {"x-cos-forbid-overwrite": "true"}}


@dataclass(frozen=True)
class CosTarget(GuardedTarget):
    """``Target`` in a COS bucket."""

    region: str
    errors: ClassVar[Errors] = COS_ERRORS

    def send(self, content: bytes) -> tuple[int | None, str | None]:
        answer = told(self.client.put_object(self.bucket, content, self.key, **self.forbid()), "ETag")
        return checksum(answer), answer.get("x-cos-version-id")

    def begin(self) -> CosUpload:
        with translated("InitiateMultipartUpload", self.key):
            # Without the forbid header: by the port, it is ``complete`` that tells of a taken key.
            answer = told(self.client.create_multipart_upload(self.bucket, self.key), "UploadId")
        return CosUpload(self, answer["UploadId"])

    def forbid(self) -> dict[str, Any]:
        return _FORBID if self.if_absent else {}


class CosUpload(GuardedUpload[CosTarget]):
    """``Upload`` to a ``CosTarget``."""

    def send_part(self, number: int, part: bytes) -> tuple[Any, int | None]:
        target = self.target
        answer = told(
            target.client.upload_part(target.bucket, target.key, part, number, self.upload_id), "ETag"
        )
        return named(number, answer), checksum(answer)

    def copy_part(self, number: int, source: ObjectHead, span: tuple[int, int]) -> Any:
        target = self.target
        etag = literal(source.etag)
        answer = target.client.upload_part_copy(
            target.bucket,
            target.key,
            number,
            self.upload_id,
            {"Bucket": target.bucket, "Region": target.region, "Key": source.key},
            f"bytes={span[0]}-{span[1]}",
            **({"CopySourceIfMatch": f'"{etag}"'} if etag else {}),
        )
        return named(number, told(answer, "ETag"))

    def finish(self, parts: list[Any]) -> str | None:
        target = self.target
        answer = target.client.complete_multipart_upload(
            target.bucket, target.key, self.upload_id, {"Part": parts}, **target.forbid()
        )
        return told(answer, "ETag").get("x-cos-version-id")

    def discard(self) -> None:
        self.target.client.abort_multipart_upload(self.target.bucket, self.target.key, self.upload_id)


def told(answer: Mapping[str, Any], wanted: str) -> Mapping[str, Any]:
    """The headers of an answer, by names of any case.

    Raises:
        IncompleteAnswerError: What must be told is not.
    """
    headers: Mapping[str, Any] = CaseInsensitiveDict(answer)
    if not headers.get(wanted):
        raise IncompleteAnswerError(wanted)
    return headers


def checksum(answer: Mapping[str, Any]) -> int | None:
    """The CRC64 of the bytes, if it is told."""
    text = str(answer.get("x-cos-hash-crc64ecma", ""))
    return int(text) if text.isdecimal() else None


def named(number: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    """How the completion names a part."""
    return {"PartNumber": number, "ETag": answer["ETag"]}
