"""What providers that read and write a bucket of theirs are given there, and leave there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from shared.ports.provider import BatchId, BatchRequest, ProviderFile
from shared.ports.store import ObjectHead, ObjectStore
from shared.problems.exceptions import (
    ConfigurationError,
    ObjectMissing,
    OutcomeUnknown,
    ProviderRejected,
    TransientError,
)

INPUTS = "in/"
OUTPUTS = "out/"
LINES = ".jsonl"
# Older files count as abandoned if no job is known that reads them (``ABANDONED_AFTER``, two days).
STAGED_FOR = timedelta(days=1)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _ignored(_: bytes) -> None:
    """What nobody wants to see."""


@dataclass(frozen=True)
class StagedFiles:
    """The part of one bucket below ``prefix``; nothing outside it is ever written.

    Attributes:
        store: The bucket.
        bucket: Its name, by which the provider knows it.
        prefix: Ends with a slash.
        now: The time in UTC.
    """

    store: ObjectStore
    bucket: str
    prefix: str
    now: Callable[[], datetime] = _now

    def output_folder(self, name: str) -> str:
        return f"{self.prefix}{OUTPUTS}{name}/"

    def is_old(self, head: ObjectHead | None) -> bool:
        """Whether it would soon seem abandoned, so that it is written anew."""
        return head is not None and self.now() - head.modified_at > STAGED_FOR

    def holds(self, head: ObjectHead | None, request: BatchRequest) -> bool:
        """Whether the request's lines were uploaded before."""
        if head is None or request.crc64 is None or self.is_old(head):
            return False
        return (head.size_bytes, head.crc64) == (request.size_bytes, request.crc64)

    def upload(self, key: str, request: BatchRequest, see: Callable[[bytes], object] = _ignored) -> None:
        """Copy the request lines; ``see`` is shown each chunk."""
        with self.store.open_writer(key) as writer:
            for chunk in request.open_lines():
                see(chunk)
                writer.write(chunk)
            if writer.size_bytes != request.size_bytes:
                raise TransientError(
                    f"{request.object_key} was read with another length than {request.size_bytes} bytes"
                )
            writer.commit()

    def chunks(self, key: str) -> Iterator[bytes]:
        """A file of results, of one version even while another is written.

        Raises:
            ProviderRejected: It is gone (status 404).
        """
        head = self.store.head(key)
        if head is None:
            raise ProviderRejected(f"The result file is gone: {key}", status=404)
        try:
            yield from self.store.read(key, etag=head.etag)
        except ObjectMissing as missing:
            raise ProviderRejected(f"The result file is gone: {missing}", status=404) from missing

    def delete(self, key: str) -> None:
        if not key.startswith(self.prefix):
            raise ValueError(f"{key} is none of ours")
        self.store.delete(key)

    def delete_folder(self, folder: str) -> None:
        """All that lies in it, and the object that makes it exist."""
        for found in list(self.store.list(folder)):
            self.delete(found.key)
        self.delete(folder)


@contextmanager
def before_a_create() -> Iterator[None]:
    """As long as the input may not lie there, no create was sent that could be in doubt."""
    try:
        yield
    except OutcomeUnknown as unclear:
        raise TransientError(str(unclear)) from unclear


def folder_of(prefix: str) -> str:
    """With one slash, at its end; ``""`` if it is the whole bucket."""
    return f"{prefix.strip('/')}/".lstrip("/")


def require_set(values: Mapping[str, str]) -> None:
    """Check what is needed, by the names of the settings.

    Raises:
        ConfigurationError: Something is empty.
    """
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise ConfigurationError(f"The operator must set {', '.join(missing)}: empty.")


def staged_file(
    found: ObjectHead, *, input_of: str = "", result_of: BatchId | None = None, batch_name: str = ""
) -> ProviderFile:
    name = found.key.rpartition("/")[2] or found.key
    return ProviderFile(found.key, name, found.modified_at, found.size_bytes, input_of, result_of, batch_name)
