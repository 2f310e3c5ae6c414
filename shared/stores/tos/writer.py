"""Writes one TOS object through the ``tos`` SDK: by one call, or as a multipart upload."""

from __future__ import annotations

from typing import Any, ClassVar

from shared.ports.store import ObjectHead
from shared.stores.pieces.guarded import Errors, GuardedTarget, GuardedUpload, literal
from shared.stores.tos.errors import TOS_ERRORS, translated


class TosTarget(GuardedTarget):
    """``Target`` in a TOS bucket."""

    errors: ClassVar[Errors] = TOS_ERRORS

    def send(self, content: bytes) -> tuple[int | None, str | None]:
        result = self.client.put_object(
            self.bucket, self.key, content=content, forbid_overwrite=self.forbid()
        )
        return result.hash_crc64_ecma, result.version_id

    def begin(self) -> TosUpload:
        with translated("CreateMultipartUpload", self.key):
            # Without the forbid header: by the port, it is ``complete`` that tells of a taken key.
            upload_id = str(self.client.create_multipart_upload(self.bucket, self.key).upload_id)
        return TosUpload(self, upload_id)

    def forbid(self) -> bool | None:
        return self.if_absent or None


class TosUpload(GuardedUpload[TosTarget]):
    """``Upload`` to a ``TosTarget``."""

    def send_part(self, number: int, part: bytes) -> tuple[Any, int | None]:
        result = self.target.client.upload_part(*self._where(), number, content=part)
        return result, result.hash_crc64_ecma

    def copy_part(self, number: int, source: ObjectHead, span: tuple[int, int]) -> Any:
        first, last = span
        return self.target.client.upload_part_copy(
            *self._where(),
            number,
            self.target.bucket,
            source.key,
            copy_source_range_start=first,
            copy_source_range_end=last,
            copy_source_if_match=literal(source.etag),
        )

    def finish(self, parts: list[Any]) -> str | None:
        result = self.target.client.complete_multipart_upload(
            *self._where(), parts, forbid_overwrite=self.target.forbid()
        )
        version: str | None = result.version_id
        return version

    def discard(self) -> None:
        self.target.client.abort_multipart_upload(*self._where())

    def _where(self) -> tuple[str, str, str]:
        return self.target.bucket, self.target.key, self.upload_id
