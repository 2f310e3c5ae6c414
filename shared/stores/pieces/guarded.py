"""Writes one object of a store whose refusal to overwrite is not always plain."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from shared.ports.store import ObjectHead
from shared.problems.exceptions import OutcomeUnknown
from shared.stores.pieces.checksums import check_sent
from shared.stores.pieces.errors import Refused, has_versions
from shared.stores.pieces.writer import Upload

_MD5 = re.compile(r"[0-9A-F]{32}(-\d+)?")


class Translated(Protocol):
    """Raises the pipeline's error for any that a cloud's SDK raises inside."""

    def __call__(
        self, operation: str, key: str, *, publishes: bool = False
    ) -> AbstractContextManager[None]: ...


@dataclass(frozen=True)
class Errors:
    """How the errors of a cloud's SDK are read.

    Attributes:
        refusal: The SDK's class for an answer that refuses.
        refused_by: What such an answer said.
    """

    translated: Translated
    refusal: type[Exception]
    refused_by: Callable[[Any], Refused]


@dataclass(frozen=True)
class GuardedTarget(ABC):
    """``Target`` in a bucket.

    Attributes:
        client: The SDK's.
        holds: Whether the key holds exactly this content, or with a size alone, that many bytes;
            ``None`` if there is no object.
    """

    client: Any
    bucket: str
    key: str
    if_absent: bool
    holds: Callable[[str, bytes | int], bool | None]
    errors: ClassVar[Errors]

    @abstractmethod
    def begin(self) -> Upload: ...

    @abstractmethod
    def send(self, content: bytes) -> tuple[int | None, str | None]:
        """Put the object; its CRC64 and its version, if the service tells them."""

    def put(self, content: bytes) -> bool:
        return self.published("PutObject", lambda: self._put(content), content)

    def _put(self, content: bytes) -> str | None:
        checksum, version = self.send(content)
        check_sent(checksum, content, self.key)
        return version

    def published(self, operation: str, publish: Callable[[], str | None], written: bytes | int) -> bool:
        """Do it, and say whether it was done, or the key is taken.

        Args:
            operation: The cloud's name for it.
            publish: Does it, and tells the version that was written, if there is one.
            written: The content, or its size.

        Raises:
            ConfigurationError: The bucket has versions.
        """
        with self.errors.translated(operation, self.key, publishes=True):
            try:
                version = publish()
            except self.errors.refusal as error:
                if self.if_absent and self._is_taken(error, written):
                    return False
                raise
        if self.if_absent and version:
            raise has_versions(f"{operation} {self.key}")
        return True

    def _is_taken(self, error: Exception, written: bytes | int) -> bool:
        """Any 409 but the plain one may mean that something is there, or on its way: look."""
        refused = self.errors.refused_by(error)
        if refused.is_taken or refused.status != 409:
            return refused.is_taken
        holds_ours = self.holds(self.key, written)
        if holds_ours and refused.is_passing:
            raise OutcomeUnknown(f"{self.key}: 409 {refused.code}, and the object is like ours") from error
        return holds_ours is not None


TargetT = TypeVar("TargetT", bound=GuardedTarget)


class GuardedUpload(ABC, Generic[TargetT]):
    """``Upload`` to a ``GuardedTarget``."""

    def __init__(self, target: TargetT, upload_id: str) -> None:
        self.target = target
        self.upload_id = upload_id
        self._parts: dict[int, tuple[Any, int]] = {}

    @abstractmethod
    def send_part(self, number: int, part: bytes) -> tuple[Any, int | None]:
        """How the completion names the part, and its CRC64, if the service tells it."""

    @abstractmethod
    def copy_part(self, number: int, source: ObjectHead, span: tuple[int, int]) -> Any:
        """How the completion names the part."""

    @abstractmethod
    def finish(self, parts: list[Any]) -> str | None:
        """Join the parts; the object's version, if there is one."""

    @abstractmethod
    def discard(self) -> None: ...

    def send(self, number: int, part: bytes) -> None:
        with self.target.errors.translated("UploadPart", self.target.key):
            named, checksum = self.send_part(number, part)
        check_sent(checksum, part, self.target.key)
        self._parts[number] = named, len(part)

    def copy(self, number: int, source: ObjectHead, first: int, last: int) -> None:
        with self.target.errors.translated("UploadPartCopy", source.key):
            named = self.copy_part(number, source, (first, last))
        self._parts[number] = named, last - first + 1

    def complete(self) -> bool:
        parts = [named for _, (named, _) in sorted(self._parts.items())]
        size_bytes = sum(size_bytes for _, size_bytes in self._parts.values())
        return self.target.published("CompleteMultipartUpload", lambda: self.finish(parts), size_bytes)

    def abort(self) -> None:
        with self.target.errors.translated("AbortMultipartUpload", self.target.key):
            self.discard()


def literal(etag: str) -> str | None:
    """An ETag as ``If-Match`` must name it where it is compared by letter: MD5s in lower case.

    What is no MD5 is left out, since its case is not known.
    """
    return etag.lower() if _MD5.fullmatch(etag) else None
