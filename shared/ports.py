"""What the use cases need from the outside, as protocols; the adapters implement them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol

from shared.domain.batches import BatchId, BatchRequest, BatchState, ProviderFile
from shared.domain.errors import ProviderTrouble
from shared.domain.limits import SlotPool
from shared.domain.problems import Values
from shared.domain.provider_profile import ProviderProfile


@dataclass(frozen=True)
class ObjectHead:
    """What the store knows of an object without reading it. ``etag`` is without quotes, upper case."""

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime


class ObjectWriter(Protocol):
    """Bytes on their way into one object, which appears whole at ``commit`` or not at all.

    Used as a context manager: leaving it without ``commit`` discards what was written.
    """

    @property
    def size_bytes(self) -> int:
        """How much was written so far."""

    def write(self, chunk: bytes) -> None: ...

    def commit(self) -> bool:
        """Publish the object. False if the writer was opened with ``if_absent`` and the key was taken."""

    def __enter__(self) -> ObjectWriter: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ObjectStore(Protocol):
    """One bucket. Every method may raise ``TransientError`` or ``ConfigurationError`` (no access, no bucket)."""

    def put(self, key: str, content: bytes) -> None:
        """Write or overwrite a small object."""

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write a small object unless the key is taken; says whether it was written.

        After a time-out the write may have happened all the same: a caller that must know compares contents.
        """

    def open_writer(self, key: str, *, if_absent: bool = False) -> ObjectWriter:
        """Write an object of any size in constant memory."""

    def get(self, key: str) -> bytes:
        """Read a small object whole.

        Raises:
            ObjectMissing: There is none.
        """

    def read(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        """Stream an object of any size in chunks, its checksum verified at the end.

        Raises:
            ObjectMissing: There is none, or with ``etag`` it is no longer that version.
        """

    def head(self, key: str) -> ObjectHead | None:
        """Size, ETag and time of an object, or ``None``."""

    def list(self, prefix: str) -> Iterator[ObjectHead]:
        """Every object whose key starts with ``prefix``, in the order of their keys' UTF-8 bytes."""

    def delete(self, key: str) -> None:
        """Remove an object; no error if there is none."""

    def concatenate(self, key: str, sources: Sequence[str]) -> None:
        """Write one object from others, in order, without holding them in memory.

        Raises:
            ObjectMissing: One of the sources is not there.
        """


class BatchProvider(Protocol):
    """A cloud's batch inference service.

    Every method may raise ``TransientError`` (429, 5xx, time-outs), ``ConfigurationError`` (key, region, money)
    or ``ProviderRejected``.
    """

    def submit(self, request: BatchRequest) -> BatchId:
        """Stage the request lines and create one batch. Not idempotent: ``find`` first when in doubt.

        Raises:
            OutcomeUnknown: The batch may exist all the same.
            TransientError: Anything else that may pass; the batch was certainly not created.
        """

    def find(self, name: str) -> BatchId | None:
        """The newest batch that was created under exactly this name, if the provider lists one."""

    def status(self, batch_id: BatchId) -> BatchState | None:
        """The batch now, or ``None`` if the provider does not know it (it may be too new to be seen)."""

    def results(self, state: BatchState) -> Iterator[bytes]:
        """The result lines of all result files, without line ends, in no order."""

    def cancel(self, batch_id: BatchId) -> None: ...

    def clean_up(self, state: BatchState) -> None:
        """Delete the provider's files of this batch; no error if they are gone."""

    def unused_files(self) -> Iterator[ProviderFile]:
        """The account's files, inputs and results, but for those that a batch reads which is listed as unfinished.

        Other people's files are among them. A file whose batch is not listed (yet) is, too: judge by its name and age.
        """

    def delete_file(self, file_id: str) -> None:
        """Delete one file; no error if it is gone."""


@dataclass(frozen=True)
class Provider:
    """A provider as the use cases are handed it: what is known of it, and the way to call it."""

    profile: ProviderProfile
    batches: BatchProvider


class Providers:
    """The providers of this installation, by the names that plans hold."""

    def __init__(self, *providers: Provider) -> None:
        self._by_name = {provider.profile.name: provider for provider in providers}

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._by_name.values())

    def of(self, name: str) -> Provider:
        """The provider of that name.

        Raises:
            ProviderTrouble: There is none here: another version's, or it is not set up.
        """
        if name not in self._by_name:
            known = ", ".join(self._by_name)
            raise ProviderTrouble(f"The operator must set up the provider {name}; there is: {known}")
        return self._by_name[name]

    def terms_of(self, name: str) -> Values:
        """How messages call it; nothing for one that there is not."""
        provider = self._by_name.get(name)
        return provider.profile.terms if provider else {}

    @property
    def pools(self) -> tuple[SlotPool, ...]:
        return tuple(pool for provider in self for pool in provider.profile.pools)


class Clock(Protocol):
    """Time, so that tests can make it."""

    def now(self) -> datetime:
        """An aware UTC time."""


class SignatureVerifier(Protocol):
    """Asymmetric signatures, verified with a certificate that is published on the web."""

    def has_signed(self, certificate_url: str, signature: bytes, texts: Iterable[bytes]) -> bool:
        """Whether ``signature`` is the certificate's RSA signature, with SHA-256, over one of the texts.

        Raises:
            TransientError: The certificate cannot be had, or is none.
        """
