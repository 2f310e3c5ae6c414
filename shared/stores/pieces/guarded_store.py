"""The objects of a bucket that must not have versions; a cloud's own store adds its calls."""

from __future__ import annotations

import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.ports.store import ObjectHead, ObjectWriter
from shared.problems.exceptions import ConfigurationError, ObjectMissing
from shared.stores.pieces.checksums import CheckedBody, check_crc
from shared.stores.pieces.concatenation import PartBounds, PartPlan, join
from shared.stores.pieces.errors import has_versions
from shared.stores.pieces.guarded import Errors, GuardedTarget
from shared.stores.pieces.writer import PieceWriter

log = logging.getLogger(__name__)

_VERSIONED = frozenset({"Enabled", "Suspended"})


@dataclass(frozen=True)
class Opened:
    """The answer to a GET.

    Attributes:
        read: At most so many bytes, or all; nothing at the end.
        crc64: Of the whole object, if the service tells it.
    """

    read: Callable[..., bytes]
    etag: str
    size_bytes: int | None
    crc64: int | None


class GuardedStore(ABC):
    """``ObjectStore`` over the client of a cloud's SDK.

    A bucket that has, or had, versioning is refused by the first write: it is asked once. It does
    not keep create-if-absent, or no page says whether it does. A key without the right to ask goes
    on; then the first write if absent that is answered with a version is refused, after the fact.
    """

    cloud: ClassVar[str]
    bounds: ClassVar[PartBounds]
    errors: ClassVar[Errors]

    def __init__(self, client: Any, bucket: str) -> None:
        self.client = client
        self.bucket = bucket
        self._is_checked = False

    @abstractmethod
    def look(self, key: str) -> ObjectHead:
        """``HeadObject``."""

    @abstractmethod
    def opened(
        self, key: str, etag: str | None, span: tuple[int, int] | None = None
    ) -> AbstractContextManager[Opened]:
        """``GetObject``, of this version if one is named, or only a part of it."""

    @abstractmethod
    def page(self, prefix: str, after: str | None) -> tuple[list[ObjectHead], str | None]:
        """One page of a list, and where the next one begins, if there is one."""

    @abstractmethod
    def remove(self, key: str) -> None:
        """``DeleteObject``."""

    @abstractmethod
    def versioning(self) -> str | None:
        """``GetBucketVersioning``."""

    @abstractmethod
    def target(self, key: str, *, if_absent: bool) -> GuardedTarget: ...

    def sendable(self, key: str) -> str:
        """The key, if the SDK can send it: its HTTP library takes dots out of a path, unasked.

        Raises:
            ConfigurationError: Another object would be meant.
        """
        if {".", ".."} & set(key.split("/")):
            raise ConfigurationError(
                f"{key}: a name of which a part is . or .. cannot be sent to {self.cloud}; rename it"
            )
        return key

    def put(self, key: str, content: bytes) -> None:
        self._target(key).put(content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        return self._target(key, if_absent=True).put(content)

    def open_writer(self, key: str, *, if_absent: bool = False) -> ObjectWriter:
        return PieceWriter(self._target(key, if_absent=if_absent), self.bounds.buffer_bytes)

    def get(self, key: str) -> bytes:
        return b"".join(self.read(key))

    def read(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        with self._opened(key, etag) as answer:
            checked = CheckedBody(answer.read, answer.size_bytes)
            yield from checked.chunks()
            check_crc(answer.crc64, checked.checksum, key)

    def head(self, key: str) -> ObjectHead | None:
        try:
            with self.errors.translated("HeadObject", key):
                return self.look(self.sendable(key))
        except ObjectMissing:
            self._check_bucket()
            return None
        except ConfigurationError:
            self._is_checked = False
            self._check_bucket()
            raise

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        # Nobody lists a part of such a bucket, so none is asked to begin at a key.
        next_page: str | None = None
        before = ""
        while True:
            with self.errors.translated("ListObjects", prefix):
                heads, next_page = self.page(prefix, next_page)
            for head in heads:
                if head.key.encode() <= before.encode():
                    log.error("bucket.list_out_of_order", extra={"key": head.key, "after": before})
                before = head.key
                if head.key.encode() > after.encode():
                    yield head
            if next_page is None:
                return

    def delete(self, key: str) -> None:
        self._check_bucket()
        with self.errors.translated("DeleteObject", key, publishes=True):
            try:
                self.remove(self.sendable(key))
            except self.errors.refusal as error:
                if self.errors.refused_by(error).code != "NoSuchKey":
                    raise

    def concatenate(self, key: str, sources: Sequence[str]) -> None:
        writer = PieceWriter(self._target(key), self.bounds.buffer_bytes)
        join(self, sources, writer, self.bounds, self._range)

    def is_versioned(self) -> bool:
        """Whether the bucket has, or had, versioning; false, too, if the key may not ask."""
        with self.errors.translated("GetBucketVersioning", self.bucket):
            try:
                return self.versioning() in _VERSIONED
            except self.errors.refusal as error:
                if self.errors.refused_by(error).code != "AccessDenied":
                    raise
                log.warning("bucket.versioning_unknown", extra={"bucket": self.bucket})
                return False

    def _target(self, key: str, *, if_absent: bool = False) -> GuardedTarget:
        self._check_bucket()
        return self.target(self.sendable(key), if_absent=if_absent)

    def _check_bucket(self) -> None:
        """Ask once whether the bucket will do; also why a HEAD failed, whose answer has no body."""
        if not self._is_checked and self.is_versioned():
            raise has_versions(self.bucket)
        self._is_checked = True

    @contextlib.contextmanager
    def _opened(self, key: str, etag: str | None, span: tuple[int, int] | None = None) -> Iterator[Opened]:
        with (
            self.errors.translated("GetObject", key),
            self.opened(self.sendable(key), etag, span) as answer,
        ):
            if etag and answer.etag != etag:
                raise ObjectMissing(f"GetObject {key}: it is no longer the version {etag}")
            yield answer

    def _range(self, step: PartPlan) -> bytes:
        with self._opened(step.source.key, step.source.etag, (step.first, step.last)) as answer:
            return answer.read()

    def holds(self, key: str, written: bytes | int) -> bool | None:
        """Whether the key holds what was written; ``None`` if there is no object."""
        if isinstance(written, int):
            found = self.head(key)
            return None if found is None else found.size_bytes == written
        try:
            return self.get(key) == written
        except ObjectMissing:
            return None
