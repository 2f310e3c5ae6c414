"""Reads an approval that somebody dropped beside a file: it holds the number of the quote."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX
from shared.bucket.records.plan import Source
from shared.bucket.result_names import quote_keys_for, rejection_keys_for
from shared.formats.visible_text import folded
from shared.inputs.inbox_keys import approved_key
from shared.pipeline.jobs.report import render_notice
from shared.pipeline.jobs.retries import latest_retry
from shared.pipeline.quotes.approve_job import ApproveJob
from shared.pipeline.words.tell_ends import TellEnds
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing
from shared.problems.problem import Problem, ProblemList

# The number, or the quote's line that has it, in which case, width and spaces do not matter.
_DIGEST = re.compile(r"(?:(?:quotenumber|报价编号):)?([0-9a-f]{12})(?:\(.*\))?")
# More is no approval.
_MAX_BYTES = 1000
# Of the shell and Notepad on Windows, by their first bytes.
_ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


@dataclass(frozen=True)
class ApproveByFile:
    """Approves the job of the file beside it, as that file is now; else a report says why not."""

    store: ObjectStore
    clock: Clock

    def __call__(self, source: Source) -> bool:
        """Return whether the job is approved; ``source`` is the approval itself."""
        report, _ = rejection_keys_for(source.key)
        problem = self._approve(source)
        if problem is None:
            self.store.delete(report)
            return True
        self.store.put(report, render_notice(source.key.removeprefix(INBOX), problem))
        TellEnds(self.store, self.clock).refused(source, ProblemList([problem]))
        return False

    def _approve(self, source: Source) -> Problem | None:
        key = approved_key(source.key) or ""
        name = key.removeprefix(INBOX).rpartition("/")[2]
        head = self.store.head(key)
        if head is None:
            return Problem("approval_without_file", found=name)
        records = BucketRecords(self.store)
        dropped = {"key": key, "etag": head.etag, "dropped_at": head.modified_at}
        upload = records.find_upload(source.model_copy(update=dropped))
        plan = records.find_plan(JobId(upload.job_id)) if upload else None
        if plan is None:
            return Problem("approval_without_quote", found=name)
        said = self._read(source)
        found = _DIGEST.fullmatch(folded(said).strip("\"'“”"))
        if not found:
            code = "approval_unreadable" if said.strip() else "approval_empty"
            return Problem(code, found=said.strip(), values={"quote": quote_keys_for(key)[0]})
        return ApproveJob(self.store, self.clock, "file")(latest_retry(records, plan), found[1]).refused

    def _read(self, source: Source) -> str:
        content = b""
        try:
            for chunk in self.store.read(source.key, etag=source.etag):
                content += chunk
                if len(content) > _MAX_BYTES:
                    break
        except ObjectMissing:
            return ""  # replaced or removed; a newer one has an event of its own
        encoding = next((each for start, each in _ENCODINGS.items() if content.startswith(start)), "utf-8")
        return content.decode(encoding, errors="replace")
