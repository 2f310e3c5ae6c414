"""What a task of TI-ONE reads and writes in COS: a folder for each, and the runner's package.

COS says of its lists that they may be old, so what is needed lies at keys that we know. Only the
sweep lists: https://cloud.tencent.com/document/product/436/7734.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.formats.lines import numbered_lines
from shared.ports.provider import BatchRequest, ProviderFile
from shared.problems.exceptions import ObjectMissing, ProviderRejected, ProviderTrouble
from shared.providers.staged_files import INPUTS, OUTPUTS, StagedFiles, staged_file
from shared.providers.tione.lines_seen import Seen, is_whole
from shared.providers.tione.package import runner_files, runner_hash
from shared.providers.tione.task import Folders, TaskSettings, task_file
from shared.providers.tione.troubles import STAGING_NOT_READABLE
from shared.providers.tione.wire import CosPlace, Manifest, Task, parse_manifest

log = logging.getLogger(__name__)

_NOTES = "ids/"
_TASK, _REQUESTS = "task.json", "requests.jsonl"
_RESULTS, _ERRORS, _MANIFEST = "results.jsonl", "errors.jsonl", "manifest.json"


class _Input(BaseModel):
    """What an earlier try wrote into ``task.json`` about the request lines."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    requests: int
    input_bytes: int
    input_sha256: str


class Output(NamedTuple):
    """What a task has left. There is no manifest if it is torn, or does not fit what lies there."""

    manifest: Manifest | None
    files: tuple[str, ...]


@dataclass(frozen=True)
class Staging(StagedFiles):
    """The files of TI-ONE's tasks.

    ``region``: The bucket's.
    """

    region: str = ""

    def folders(self, name: str) -> Folders:
        return Folders(
            code=self._place(self._package),
            input=self._place(self._input_folder(name)),
            output=self._place(self.output_folder(name)),
        )

    def put(self, request: BatchRequest, settings: TaskSettings, deadline: datetime) -> None:
        """Upload the input unless it lies there, and what a task needs beside it."""
        key = f"{self._input_folder(request.name)}{_REQUESTS}"
        earlier = self._told_input(request.name) if self.holds(self.store.head(key), request) else None
        if earlier is None or earlier.input_bytes != request.size_bytes:
            seen = Seen()
            self.upload(key, request, seen.add)
            earlier = _Input(requests=seen.lines, input_bytes=request.size_bytes, input_sha256=seen.sha256)
        told = task_file(
            request,
            settings,
            deadline=deadline,
            requests=earlier.requests,
            input_sha256=earlier.input_sha256,
        )
        self.store.put(f"{self._input_folder(request.name)}{_TASK}", told)
        for name, content in runner_files().items():
            # Written anew each time: a rule that deletes what is old must not delete what is used.
            self.store.put(f"{self._package}{name}", content)
        # TI-ONE wants the folder to exist.
        self.store.put(self.output_folder(request.name), b"")

    def has_input(self, name: str) -> bool:
        return self.store.head(f"{self._input_folder(name)}{_REQUESTS}") is not None

    def note(self, task_id: str, name: str) -> None:
        """Keep whose task it is, for the day on which TI-ONE no longer shows it."""
        self.store.put(f"{self.prefix}{_NOTES}{task_id}", name.encode())

    def noted(self, task_id: str) -> str:
        """The name; ``""`` if it was not noted."""
        try:
            return self.store.get(f"{self.prefix}{_NOTES}{task_id}").decode()
        except ObjectMissing:
            return ""

    def that_put(self, task: Task) -> Staging:
        """As it was when it put this task's input: another prefix may have been set then.

        Raises:
            ProviderTrouble: The task writes into another bucket.
        """
        bucket, folder = task.output.bucket, task.output.folder
        if bucket and bucket != self.bucket:
            raise ProviderTrouble(
                f"The operator must set COS_BUCKET to {bucket} until the tasks that write there are "
                f"collected; it is {self.bucket}.",
                STAGING_NOT_READABLE,
            )
        own = f"{OUTPUTS}{task.name}/"
        return replace(self, prefix=folder.removesuffix(own)) if folder.endswith(f"/{own}") else self

    def is_output_of(self, task: Task, name: str) -> bool:
        """Whether the task writes where one of this name does; a list may leave it out."""
        folder, bucket = task.output.folder, task.output.bucket or self.bucket
        return not folder or (bucket == self.bucket and f"/{folder}".endswith(f"/{OUTPUTS}{name}/"))

    def output_of(self, name: str) -> Output:
        """What the task of this name has left, as far as it is there now."""
        folder = self.output_folder(name)
        manifest = self._manifest(folder)  # first: it is written last
        sizes = {file: self._size_of(f"{folder}{file}") for file in (_RESULTS, _ERRORS)}
        if manifest and not self._is_valid(manifest, name, sizes):
            log.warning("manifest.invalid", extra={"batch_name": name, "sizes": str(sizes)})
            manifest = None
        return Output(manifest, tuple(f"{folder}{file}" for file, size in sizes.items() if size))

    def lines(self, key: str) -> Iterator[bytes]:
        """The whole lines of one file; one that is torn is left out.

        Raises:
            ProviderRejected: The file is gone, or it is not the one that its manifest names. What
                came before that can be read.
        """
        folder, _, file = key.rpartition("/")
        manifest = self._manifest(f"{folder}/")
        seen = Seen()
        for line in numbered_lines(seen.each_of(self.chunks(key))):
            if line.content is None or not is_whole(line.content):
                log.warning("line.torn", extra={"key": key, "line": line.number})
            elif line.size_bytes:
                yield line.content.removesuffix(b"\n")
        told = manifest and (manifest.results if file == _RESULTS else manifest.errors)
        if told and told.sha256 != seen.sha256:
            raise ProviderRejected(f"The result file is not the one that the runner wrote: {key}")

    def that_has(self, files: Sequence[str]) -> Staging:
        """As it was when its task wrote these files of results."""
        folder = files[0].rpartition(f"/{OUTPUTS}")[0] if files else ""
        return replace(self, prefix=f"{folder}/") if folder else self

    def remove(self, name: str, task_id: str) -> None:
        """Delete what a task reads and writes, also what a list does not show yet."""
        self.delete(f"{self.prefix}{_NOTES}{task_id}")
        if not name or "/" in name:
            return
        read, written = self._input_folder(name), self.output_folder(name)
        known = {read: (_TASK, _REQUESTS), written: (_RESULTS, _ERRORS, _MANIFEST)}
        for folder, files in known.items():
            for file in files:
                self.delete(f"{folder}{file}")
            self.delete_folder(folder)

    def files(self) -> Iterator[tuple[str, ProviderFile]]:
        """All that tasks read and write, beside the name of the batch that it belongs to."""
        for place in (INPUTS, OUTPUTS, _NOTES):
            for found in self.store.list(f"{self.prefix}{place}"):
                name, _, rest = found.key.removeprefix(f"{self.prefix}{place}").partition("/")
                if place == _NOTES:  # the task may be one that nobody can ask for any more
                    noted = self.noted(name)
                    yield noted, staged_file(found, batch_name=noted)
                elif place == INPUTS or not rest:
                    yield name, staged_file(found, input_of=name)
                else:
                    yield name, staged_file(found, batch_name=name)

    @property
    def _package(self) -> str:
        return f"{self.prefix}runner/{runner_hash()}/"

    def _input_folder(self, name: str) -> str:
        return f"{self.prefix}{INPUTS}{name}/"

    def _place(self, folder: str) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Region": self.region, "Paths": [folder]}

    def _told_input(self, name: str) -> _Input | None:
        try:
            return _Input.model_validate_json(self.store.get(f"{self._input_folder(name)}{_TASK}"))
        except (ObjectMissing, ValidationError):
            return None

    def _manifest(self, folder: str) -> Manifest | None:
        try:
            return parse_manifest(self.store.get(f"{folder}{_MANIFEST}"))
        except ObjectMissing:
            return None

    def _size_of(self, key: str) -> int:
        head = self.store.head(key)
        return head.size_bytes if head else 0

    def _is_valid(self, manifest: Manifest, name: str, sizes: dict[str, int]) -> bool:
        asked = self._told_input(name)
        return (
            manifest.name == name
            and (asked is None or asked.input_sha256 == manifest.input_sha256)
            and sizes == {_RESULTS: manifest.results.bytes, _ERRORS: manifest.errors.bytes}
        )


def name_in(place: CosPlace) -> str:
    """The batch's name, of which its folder of results was made; ``""`` if of none."""
    _, found, name = f"/{place.folder}".rstrip("/").rpartition(f"/{OUTPUTS}")
    return name if found else ""
