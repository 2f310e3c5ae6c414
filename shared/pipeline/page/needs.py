"""What the people of a folder are to do: quotes to approve, and approvals that were refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.bucket.attempt import JobId
from shared.bucket.keys import awaited_key
from shared.bucket.result_names import rejection_keys_for
from shared.inputs.inbox_keys import approved_key
from shared.pipeline.deadlines import LOST_APPROVAL_SHOWN
from shared.pipeline.page.files.file_job import FileJob, JobState, open_job
from shared.pipeline.page.files.look_at_file import OpenJobs
from shared.ports.store import ObjectHead, ObjectStore
from shared.problems.exceptions import ObjectMissing

# More are in the list alone; each costs a few requests.
_MOST = 20


@dataclass(frozen=True)
class RefusedApproval:
    """Somebody dropped it beside a file, and the job waits all the same; why, in each language."""

    key: str
    zh: str
    en: str


@dataclass(frozen=True)
class FindNeeds:
    """Looks at one folder.

    Attributes:
        prefix: Of the folder, in the inbox.
        heads: Its dropped files, by their keys.
        jobs: The board, which may be a minute old.
    """

    store: ObjectStore
    prefix: str
    heads: Mapping[str, ObjectHead]
    jobs: OpenJobs

    def to_approve(self, look: Callable[[ObjectHead], FileJob], looked: Sequence[FileJob]) -> list[FileJob]:
        """The jobs that wait for an approval, by the board and by what was ``looked`` at."""
        found = {job.key: job for job in looked if job.state is JobState.APPROVAL}
        for job in self.jobs.jobs:
            key = job.source_key
            is_ours = job.approve_until is not None and key.startswith(self.prefix)
            if is_ours and key not in found and len(found) < _MOST:
                head = self.heads.get(key)
                found[key] = look(head) if head else open_job(job, None)
        waiting = [job for job in found.values() if job.state is JobState.APPROVAL]
        return [job for job in waiting if self.store.head(awaited_key(JobId(job.job_id or "")))]

    def refused(
        self, approvals: Sequence[ObjectHead], waiting: Sequence[FileJob], now: datetime
    ) -> Iterator[RefusedApproval]:
        """Of the newest ``approvals`` those of a job that waits, or of a file that is not there."""
        keys = {job.key for job in waiting}
        for head in sorted(approvals, key=lambda head: head.modified_at, reverse=True)[:_MOST]:
            about = approved_key(head.key) or ""
            is_lost = about not in self.heads and now - head.modified_at < LOST_APPROVAL_SHOWN
            if (about in keys or is_lost) and (said := _report(self.store, head)):
                yield RefusedApproval(head.key, *said)


def _report(store: ObjectStore, head: ObjectHead) -> tuple[str, str] | None:
    """A notice: a line in Chinese, and one in English."""
    key = rejection_keys_for(head.key)[0]
    report = store.head(key)
    if report is None or report.modified_at < head.modified_at:
        return None
    try:
        lines = store.get(key).decode("utf-8-sig", errors="replace").split("\r\n")
    except ObjectMissing:
        return None
    return lines[0], lines[min(1, len(lines) - 1)]
