"""A checked request to the local TOS on its way to its operation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, ClassVar

from scripts.localcloud.storage.multipart import PartReference, etag_of_parts
from scripts.localcloud.storage.object_index import Upload
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.hosted.call import HostedCall
from scripts.localcloud.tos import tos_refusals
from scripts.localcloud.tos.wire.answers import json_answer, parse_json
from scripts.localcloud.tos.wire.tos_request import UNSIGNED, TosRequest


@dataclass(frozen=True)
class Call(HostedCall):
    """What every operation of the local TOS needs."""

    request: TosRequest
    reads: ClassVar[str] = "tos:GetObject"
    directives: ClassVar[tuple[str, str]] = ("COPY", "REPLACE")
    storage_classes: ClassVar[Set[str]] = frozenset({"STANDARD", "IA", "INTELLIGENT_TIERING", "ARCHIVE_FR"})
    default_type: ClassVar[str] = "binary/octet-stream"

    def document(
        self, _name: str, fields: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Answer:
        return json_answer(fields, headers)

    def pieces(self) -> Iterator[bytes]:
        """The body, compared with the hash that was signed, if one was."""
        announced = self.request.header("x-tos-content-sha256")
        if announced in ("", UNSIGNED):
            yield from self.body.pieces()
            return
        digest = hashlib.sha256()
        for piece in self.body.pieces():
            digest.update(piece)
            yield piece
        if digest.hexdigest() != announced.lower():
            raise tos_refusals.content_hash_does_not_match()

    def references(self, upload: Upload) -> list[PartReference]:
        """With ``x-tos-complete-all`` every part that arrived; in the order of their numbers."""
        document = self.body.read_document()
        if self.request.header("x-tos-complete-all").lower() == "yes":
            return [PartReference(part.number, part.etag) for part in self.uploads.parts(upload)]
        try:
            named = [
                PartReference(int(part["PartNumber"]), str(part["ETag"]).strip('"').upper())
                for part in parse_json(document)["Parts"]
            ]
            etag_of_parts(named)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise tos_refusals.malformed_body() from error
        return sorted(named)

    def named(self, references: Sequence[PartReference]) -> dict[str, Any]:
        if not self.request.header("x-tos-complete-all"):
            return {}
        parts = [{"PartNumber": each.number, "ETag": f'"{each.etag.lower()}"'} for each in references]
        return {"CompletedParts": parts}
