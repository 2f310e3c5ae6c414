"""The operations of a service that keeps objects, as tables: which one a request asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from scripts.localcloud.storage.object_files import check_bucket_name
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.incoming.request import ObjectRequest

CallT = TypeVar("CallT")


@dataclass(frozen=True)
class Row(Generic[CallT]):
    """One operation.

    Attributes:
        mark: What tells it from its siblings: a query parameter, or a header if it starts with
            ``x-``; ``""`` always matches.
        action: The permission that it takes; ``""`` if the operation itself asks.
        parameters: Those of the query that it knows, beside the mark, separated by blanks.
    """

    method: str
    mark: str
    operation: Callable[[CallT], Answer]
    action: str
    parameters: str = ""

    def matches(self, request: ObjectRequest) -> bool:
        is_header = self.mark.startswith("x-")
        is_marked = bool(request.header(self.mark)) if is_header else self.mark in request.query
        return self.method == request.method and (is_marked or not self.mark)

    def knows(self, parameter: str) -> bool:
        return parameter == self.mark or parameter in self.parameters.split()


@dataclass(frozen=True)
class Tables(Generic[CallT]):
    """Every operation, by what it is about; of one table's rows the first match wins."""

    service: Sequence[Row[CallT]]
    bucket: Sequence[Row[CallT]]
    object: Sequence[Row[CallT]]
    part: Sequence[Row[CallT]]
    check_key: Callable[[str], None]

    def find(self, request: ObjectRequest) -> Row[CallT] | None:
        """The operation, if there is one.

        Raises:
            Refusal: 400 for an impossible name of a bucket or key.
        """
        return next((row for row in self._table_for(request) if row.matches(request)), None)

    def _table_for(self, request: ObjectRequest) -> Sequence[Row[CallT]]:
        if not request.bucket:
            return self.service
        check_bucket_name(request.bucket)
        if not request.key:
            return self.bucket
        self.check_key(request.key)
        return self.part if "uploadId" in request.query else self.object
