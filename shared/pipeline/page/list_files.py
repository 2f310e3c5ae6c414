"""Lists the files of a folder, newest first, each with what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.bucket.keys import INBOX
from shared.inputs.inbox_keys import KeyRole, key_role_for
from shared.pipeline.page.file_job import FileJob, open_job
from shared.pipeline.page.look_at_file import LookAtFile, OpenJobs
from shared.ports.store import ObjectHead

# The requests for one file wait for each other, those of several need not.
_AT_ONCE = 8


@dataclass(frozen=True)
class Listed:
    """Some of a folder's files; ``total`` counts all, ``board_at`` is how old progress may be."""

    board_at: datetime | None
    total: int
    jobs: list[FileJob]


@dataclass(frozen=True)
class ListFiles:
    """Costs one request for each thousand files of the folder, and a few for each that is shown."""

    look: LookAtFile

    def __call__(self, folder: str, offset: int, limit: int) -> Listed:
        prefix = f"{INBOX}{folder}"
        heads = [head for head in self.look.store.list(prefix) if key_role_for(head.key) is KeyRole.INPUT]
        heads.sort(key=lambda head: head.modified_at, reverse=True)
        jobs = OpenJobs.read(self.look.store)
        gone = list(_without_file(prefix, heads, jobs))
        shown = heads[max(offset - len(gone), 0) : max(offset + limit - len(gone), 0)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            looked = list(pool.map(partial(self.look.briefly, jobs=jobs), shown))
        board_at = jobs.board.written_at if jobs.board else None
        return Listed(board_at, len(gone) + len(heads), gone[offset : offset + limit] + looked)


def _without_file(prefix: str, heads: list[ObjectHead], jobs: OpenJobs) -> Iterator[FileJob]:
    """Open jobs whose file was deleted meanwhile: people may still want to see and cancel them."""
    there = {head.key for head in heads}
    for job in jobs.jobs:
        if job.source_key.startswith(prefix) and job.source_key not in there:
            yield open_job(job, None)
