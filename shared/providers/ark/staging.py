"""What a job of Ark reads and writes in TOS: an input and a folder of results for each attempt."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from shared.formats.lines import byte_lines
from shared.ports.provider import BatchId, BatchRequest, ProviderFile
from shared.ports.store import ObjectHead, ObjectStore
from shared.problems.exceptions import ObjectMissing, ProviderRejected, ProviderTrouble, TransientError
from shared.providers.ark.troubles import STAGING_NOT_READABLE
from shared.providers.ark.wire import JOB_ID, Location

_INPUTS = "in/"
_OUTPUTS = "out/"
_LINES = ".jsonl"
_PLACE = re.compile(rf"(?:.*/)?(?:{_INPUTS}([^/]+){re.escape(_LINES)}|{_OUTPUTS}([^/]+)/?)")
# Older files count as abandoned if no job is known that reads them (``ABANDONED_AFTER``, two days).
STAGED_FOR = timedelta(days=1)


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Staging:
    """The part of one bucket below ``prefix``; nothing outside it is ever written.

    Outside it, nothing is deleted but what was staged there under another prefix.

    Attributes:
        store: The bucket.
        bucket: Its name, by which Ark knows it.
        prefix: Ends with a slash.
        now: The time in UTC.
    """

    store: ObjectStore
    bucket: str
    prefix: str
    now: Callable[[], datetime] = _now

    def input_key(self, name: str) -> str:
        """Made of the name alone: while a job that reads it is active, Ark creates no second one.

        https://www.volcengine.com/docs/82379/1339603
        """
        return f"{self.prefix}{_input(name)}"

    def output_folder(self, name: str) -> str:
        return f"{self._outputs}{name}/"

    def location(self, key: str) -> dict[str, str]:
        return {"BucketName": self.bucket, "ObjectKey": key}

    def has_input(self, name: str) -> bool:
        return self.store.head(self.input_key(name)) is not None

    def input_of(self, location: Location | None, name: str) -> str | None:
        """The key of a job's input if it is ours: below the prefix, or of this name."""
        key = (location and location.object_key) or ""
        is_here = location and location.bucket_name == self.bucket
        is_ours = key.startswith(self.prefix) or is_input_of(name, key)
        return key if is_here and is_ours else None

    def that_put(self, key: str | None, name: str) -> Staging:
        """As it was when it put this input: another prefix may have been set then."""
        if key is None or not is_input_of(name, key):
            return self
        return replace(self, prefix=key.removesuffix(_input(name)))

    def results_of(self, location: Location | None, name: str) -> str:
        """The folder that a job was given, under whichever prefix; ours, if it tells none.

        Raises:
            ProviderTrouble: It lies in another bucket.
        """
        place = location or Location()
        if place.bucket_name and place.bucket_name != self.bucket:
            raise ProviderTrouble(
                f"The operator must set TOS_BUCKET to {place.bucket_name} until the jobs that write there "
                f"are collected; it is {self.bucket}.",
                STAGING_NOT_READABLE,
            )
        return place.object_key or self.output_folder(name)

    def put(self, request: BatchRequest) -> None:
        """Upload the input unless it lies there, and make the folder that Ark wants to exist.

        What waited for long is written anew, so that nobody takes it for abandoned.
        """
        key, folder = self.input_key(request.name), self.output_folder(request.name)
        head = self.store.head(key)
        is_old = head is not None and self.now() - head.modified_at > STAGED_FOR
        told = head and (head.size_bytes, head.crc64)
        if is_old or request.crc64 is None or told != (request.size_bytes, request.crc64):
            self._upload(key, request)
        if is_old:
            self.store.put(folder, b"")
        else:
            self.store.put_if_absent(folder, b"")

    def remove(self, name: str) -> None:
        """Delete the input and all of the folder of results."""
        if not name or "/" in name:
            return
        self.store.delete(self.input_key(name))
        for found in list(self.store.list(self.output_folder(name))):
            self.store.delete(found.key)
        self.store.delete(self.output_folder(name))

    def delete(self, key: str) -> None:
        if not key.startswith(self.prefix):
            raise ValueError(f"{key} is none of ours")
        self.store.delete(key)

    def result_keys(self, folder: str, batch_id: str) -> list[str]:
        """Every file with lines that a job has written; pages and samples name them differently."""
        listed = self.store.list(_folder_of_job(folder, batch_id))
        return [found.key for found in listed if found.key.endswith(_LINES) and found.size_bytes]

    def lies_outside(self, key: str, folder: str, batch_id: str) -> bool:
        """Whether a file that a job names is there, but not where its other files are listed."""
        return not key.startswith(_folder_of_job(folder, batch_id)) and self.store.head(key) is not None

    def lines(self, key: str) -> Iterator[bytes]:
        """The lines of one file, of one version even while another is written.

        Raises:
            ProviderRejected: The file is gone (status 404).
        """
        head = self.store.head(key)
        if head is None:
            raise ProviderRejected(f"The result file is gone: {key}", status=404)
        try:
            yield from byte_lines(self.store.read(key, etag=head.etag))
        except ObjectMissing as missing:
            raise ProviderRejected(f"The result file is gone: {missing}", status=404) from missing

    def files(self) -> Iterator[tuple[str, ProviderFile]]:
        """All that lies below the prefix, beside the name of the batch that it belongs to."""
        for found in self.store.list(self._inputs):
            name = found.key.removeprefix(self._inputs).removesuffix(_LINES)
            yield name, _file(found, input_of=name)
        for found in self.store.list(self._outputs):
            name, _, rest = found.key.removeprefix(self._outputs).partition("/")
            job = JOB_ID.fullmatch(rest.partition("/")[0])
            if job:
                yield name, _file(found, result_of=BatchId(job[0]), batch_name=name)
            elif not rest:
                yield name, _file(found, input_of=name)

    @property
    def _inputs(self) -> str:
        return f"{self.prefix}{_INPUTS}"

    @property
    def _outputs(self) -> str:
        return f"{self.prefix}{_OUTPUTS}"

    def _upload(self, key: str, request: BatchRequest) -> None:
        with self.store.open_writer(key) as writer:
            for chunk in request.open_lines():
                writer.write(chunk)
            if writer.size_bytes != request.size_bytes:
                raise TransientError(
                    f"{request.object_key} was read with another length than {request.size_bytes} bytes"
                )
            writer.commit()


def is_input_of(name: str, key: str) -> bool:
    """Whether the key was made of this name, under whichever prefix was set then.

    A name holds its job's id, which is of one file in one bucket, so there is no second one.
    """
    return f"/{key}".endswith(f"/{_input(name)}")


def name_in(location: Location | None) -> str:
    """The batch's name, of which its folder's key or its input's was made; ``""`` if of none."""
    found = _PLACE.fullmatch((location and location.object_key) or "")
    return (found and (found[1] or found[2])) or ""


def _input(name: str) -> str:
    return f"{_INPUTS}{name}{_LINES}"


def _folder_of_job(folder: str, batch_id: str) -> str:
    return f"{folder.rstrip('/')}/{batch_id}/"


def _file(
    found: ObjectHead, *, input_of: str = "", result_of: BatchId | None = None, batch_name: str = ""
) -> ProviderFile:
    name = found.key.rpartition("/")[2] or found.key
    return ProviderFile(found.key, name, found.modified_at, found.size_bytes, input_of, result_of, batch_name)
