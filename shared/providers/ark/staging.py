"""What a job of Ark reads and writes in TOS: an input and a folder of results for each attempt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shared.formats.lines import byte_lines
from shared.ports.provider import BatchId, BatchRequest, ProviderFile
from shared.problems.exceptions import ProviderTrouble
from shared.providers.ark.troubles import STAGING_NOT_READABLE
from shared.providers.ark.wire import JOB_ID, Location
from shared.providers.staged_files import INPUTS, LINES, OUTPUTS, StagedFiles, staged_file

_PLACE = re.compile(rf"(?:.*/)?(?:{INPUTS}([^/]+){re.escape(LINES)}|{OUTPUTS}([^/]+)/?)")


@dataclass(frozen=True)
class Staging(StagedFiles):
    """The files of Ark's jobs.

    Outside the prefix, nothing is deleted but what was staged there under another one.
    """

    def input_key(self, name: str) -> str:
        """Made of the name alone: while a job that reads it is active, Ark creates no second one.

        https://www.volcengine.com/docs/82379/1339603
        """
        return f"{self.prefix}{_input(name)}"

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
        if not self.holds(head, request):
            self.upload(key, request)
        if self.is_old(head):
            self.store.put(folder, b"")
        else:
            self.store.put_if_absent(folder, b"")

    def remove(self, name: str) -> None:
        """Delete the input and all of the folder of results."""
        if not name or "/" in name:
            return
        self.delete(self.input_key(name))
        self.delete_folder(self.output_folder(name))

    def result_keys(self, folder: str, batch_id: str) -> list[str]:
        """Every file with lines that a job has written; pages and samples name them differently."""
        listed = self.store.list(_folder_of_job(folder, batch_id))
        return [found.key for found in listed if found.key.endswith(LINES) and found.size_bytes]

    def lies_outside(self, key: str, folder: str, batch_id: str) -> bool:
        """Whether a file that a job names is there, but not where its other files are listed."""
        return not key.startswith(_folder_of_job(folder, batch_id)) and self.store.head(key) is not None

    def lines(self, key: str) -> Iterator[bytes]:
        """The lines of one file; see ``chunks``."""
        return byte_lines(self.chunks(key))

    def files(self) -> Iterator[tuple[str, ProviderFile]]:
        """All that lies below the prefix, beside the name of the batch that it belongs to."""
        for found in self.store.list(self._inputs):
            name = found.key.removeprefix(self._inputs).removesuffix(LINES)
            yield name, staged_file(found, input_of=name)
        for found in self.store.list(self._outputs):
            name, _, rest = found.key.removeprefix(self._outputs).partition("/")
            job = JOB_ID.fullmatch(rest.partition("/")[0])
            if job:
                yield name, staged_file(found, result_of=BatchId(job[0]), batch_name=name)
            elif not rest:
                yield name, staged_file(found, input_of=name)

    @property
    def _inputs(self) -> str:
        return f"{self.prefix}{INPUTS}"

    @property
    def _outputs(self) -> str:
        return f"{self.prefix}{OUTPUTS}"


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
    return f"{INPUTS}{name}{LINES}"


def _folder_of_job(folder: str, batch_id: str) -> str:
    return f"{folder.rstrip('/')}/{batch_id}/"
