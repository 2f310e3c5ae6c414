"""Lists the files of a folder, newest first, each with what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.board.model import SpentMoney
from shared.bucket.keys import INBOX
from shared.inputs.inbox_keys import KeyRole, key_role_for
from shared.pipeline.page.files.file_job import FileJob, open_job
from shared.pipeline.page.files.list_side_by_side import AT_ONCE, SideBySide
from shared.pipeline.page.files.look_at_file import LookAtFile, OpenJobs
from shared.pipeline.page.needs import FindNeeds, RefusedApproval
from shared.ports.store import ObjectHead

# A request for each thousand, and a second of work here for each thirty thousand.
MAX_LISTED = 20_000


@dataclass(frozen=True)
class Listed:
    """Some of a folder's files.

    Attributes:
        board_at: How old progress may be.
        total: Counts all that were listed.
        money: What may still be spent under the ceilings that concern the folder.
        to_approve: Jobs that wait for an approval, of whatever page.
        refused: Approvals that were refused.
        more: There are others, whose names come later: of these only the open jobs are listed.
    """

    board_at: datetime | None
    total: int
    more: bool
    jobs: list[FileJob]
    money: Sequence[SpentMoney] = ()
    to_approve: Sequence[FileJob] = ()
    refused: Sequence[RefusedApproval] = ()


@dataclass(frozen=True)
class ListFiles:
    """Costs one request for each thousand files of the folder, and a few for each that is shown.

    Attributes:
        side_by_side: Kept from one listing to the next.
        at_most: So many objects are listed.
    """

    look: LookAtFile
    side_by_side: SideBySide
    at_most: int = MAX_LISTED

    def __call__(self, folder: str, offset: int, limit: int) -> Listed:
        prefix = f"{INBOX}{folder}"
        store = self.look.store
        found = self.side_by_side(store, prefix, self.at_most + 1)
        heads = [head for head in found[: self.at_most] if key_role_for(head.key) is KeyRole.INPUT]
        heads.sort(key=lambda head: head.modified_at, reverse=True)
        jobs = OpenJobs.read(store)
        unlisted = list(_unlisted(prefix, heads, jobs))
        shown = heads[max(offset - len(unlisted), 0) : max(offset + limit - len(unlisted), 0)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            looked = list(pool.map(partial(self.look.briefly, jobs=jobs), shown))
        needs = FindNeeds(store, prefix, {head.key: head for head in heads}, jobs)
        waiting = needs.to_approve(partial(self.look.briefly, jobs=jobs), looked)
        approvals = [head for head in found if key_role_for(head.key) is KeyRole.APPROVAL]
        return Listed(
            board_at=jobs.board.written_at if jobs.board else None,
            total=len(unlisted) + len(heads),
            more=len(found) > self.at_most,
            jobs=unlisted[offset : offset + limit] + looked,
            to_approve=waiting,
            refused=[*needs.refused(approvals, waiting, self.look.clock.now())],
            money=[each for each in jobs.money if _concerns(each.folder, folder)],
        )


def _concerns(budgeted: str, folder: str) -> bool:
    """Whether a folder's ceiling holds for files of the other, or of some folder below it."""
    of = f"{budgeted}/" if budgeted else ""
    return folder.startswith(of) or of.startswith(folder)


def _unlisted(prefix: str, heads: list[ObjectHead], jobs: OpenJobs) -> Iterator[FileJob]:
    """Open jobs whose file was deleted meanwhile, or comes too late in the list.

    People may still want to see and cancel them.
    """
    listed = {head.key for head in heads}
    for job in jobs.jobs:
        if job.source_key.startswith(prefix) and job.source_key not in listed:
            yield open_job(job, None)
