"""One folder as a link opens it: whatever is asked, nothing outside of it is read or changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.board.model import OpenJob
from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import RECIPE_NAMES, rejection_keys_for
from shared.inputs.inbox_keys import KeyRole, key_role_for
from shared.links.folders import is_shown_in, key_in
from shared.pipeline.deadlines import (
    DOWNLOAD_LIFETIME,
    FORM_LIFETIME,
    FORM_OPENED_WITHIN,
    SLOW_LINE_BYTES_PER_S,
)
from shared.pipeline.jobs.cancel_job import CancelJob, CancelResult
from shared.pipeline.jobs.retry_job import Retried, RetryJob, RetryResult
from shared.pipeline.page.check_recipe import CheckRecipe
from shared.pipeline.page.files.file_job import JobState, open_job
from shared.pipeline.page.files.list_files import Listed, ListFiles
from shared.pipeline.page.files.list_side_by_side import SideBySide
from shared.pipeline.page.files.look_at_file import LookAtFile, OpenJobs
from shared.pipeline.page.first_results import first_results
from shared.pipeline.page.gate import PageRefusal
from shared.pipeline.page.job_details import JobDetails, with_quote
from shared.pipeline.page.refusal import find_refusal
from shared.pipeline.quotes.approve_job import ApproveJob
from shared.pipeline.validate.recipe.find_recipe import FoundRecipe, find_recipe
from shared.ports.clock import Clock
from shared.ports.profile import ProviderProfile
from shared.ports.signed_access import PostForm, SignedAccess
from shared.ports.store import ObjectStore
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.results.kept_rows import PartUnreadable

# OSS's own bound of a form is 5 GiB: https://help.aliyun.com/en/oss/developer-reference/postobject
MAX_UPLOAD_BYTES = 5 * 10**9


@dataclass(frozen=True)
class FolderPage:
    """What can be seen and done in a folder. A ``path`` is relative to it.

    Every method may raise ``PageRefusal``.

    Attributes:
        folder: Below ``inbox/``, with a slash at its end; ``""`` is all of it.
        run_id: As of ``RetryJob``.
        side_by_side: As of ``ListFiles``.
        until: When the link is over, if it ever is.
    """

    folder: str
    store: ObjectStore
    access: SignedAccess
    clock: Clock
    check_recipe: CheckRecipe
    bucket: str
    run_id: str
    side_by_side: SideBySide
    until: datetime | None = None

    def jobs(self, offset: int, limit: int) -> Listed:
        return ListFiles(self._look, self.side_by_side)(self.folder, offset, limit)

    def open_jobs(self) -> OpenJobs:
        """Of all folders."""
        return OpenJobs.read(self.store)

    def job(self, path: str) -> JobDetails:
        key = self._key(path)
        head = self.store.head(key)
        if head is None:
            return JobDetails(open_job(self._open_without_file(key, path), None), None, None)
        job = self._look(head)
        refusal = find_refusal(self.store, head) if job.state is JobState.REFUSED else None
        plan = self._look.find_plan(head) if job.job_id else None
        results = first_results(self.store, plan) if plan and job.result else None
        details = JobDetails(job, refusal, results)
        today = self.clock.now().date()
        return with_quote(details, self.store, plan, self._profiles, today) if plan else details

    @property
    def _profiles(self) -> Sequence[ProviderProfile]:
        return self.check_recipe.providers.profiles

    def download_url(self, path: str) -> str:
        """Of the result, or of the report of a refused file."""
        head = self.store.head(self._key(path))
        if head is None:
            raise PageRefusal(Problem("no_such_file", found=path))
        job = self._look(head)
        key = rejection_keys_for(head.key)[0] if job.state is JobState.REFUSED else job.result
        if key is None or not is_shown_in(self.folder, key) or self.store.head(key) is None:
            raise PageRefusal(Problem("nothing_to_download", found=path))
        lifetime = self._within_link(DOWNLOAD_LIFETIME, self.clock.now())
        return self.access.download_url(key, file_name=key.rpartition("/")[2], lifetime=lifetime)

    def upload_form(self, name: str, size_bytes: int) -> PostForm:
        """Let a browser put a file of at most this size, or a recipe, under exactly this name."""
        key = key_in(self.folder, name)
        # OSS puts the sent file's name in place of ${filename}, so that it would not be this one
        # (https://help.aliyun.com/zh/oss/developer-reference/postobject).
        is_fixed = key is not None and "${" not in key
        if key is None or not is_fixed or key_role_for(key) not in (KeyRole.INPUT, KeyRole.RECIPE):
            raise PageRefusal(Problem("name_not_taken", found=name))
        if size_bytes > MAX_UPLOAD_BYTES:
            values = {"max_bytes": MAX_UPLOAD_BYTES}
            raise PageRefusal(Problem("upload_too_large", found=name, values=values))
        now = self.clock.now()
        needed = FORM_OPENED_WITHIN + timedelta(seconds=size_bytes / SLOW_LINE_BYTES_PER_S)
        lifetime = self._within_link(min(needed, FORM_LIFETIME), now)
        return self.access.upload_form(key, max_bytes=size_bytes, now=now, lifetime=lifetime)

    def recipe(self) -> FoundRecipe | None:
        """The one that holds for files of this folder, which may lie in a folder above it."""
        return find_recipe(self.store, f"{INBOX}{self.folder}file")

    def save_recipe(self, text: str, seen: str | None = None) -> str:
        """Write the folder's own recipe, unless it is wrong, and return its key.

        Args:
            text: As it is to be.
            seen: The ETag of the recipe that was changed, ``""`` if there was none. One that
                came meanwhile is not written over, unless both come in the same moment.

        Raises:
            UserInputError: It is.
        """
        if problems := self.check_recipe.alone(text):
            raise UserInputError(problems)
        found = self.recipe() if seen is not None else None
        if seen is not None and seen != (found.etag if found else ""):
            raise PageRefusal(Problem("recipe_changed"))
        key = f"{INBOX}{self.folder}{RECIPE_NAMES[0]}"
        self.store.put(key, text.encode())
        return key

    def cancel(self, path: str, job_id: str | None = None) -> JobId:
        """Cancel the file's job, if it is still the one that was seen."""
        plan = self._plan(path, job_id, "nothing_to_cancel")
        if CancelJob(self.store, self.clock)(JobId(plan.job_id)) is CancelResult.CLOSED:
            raise PageRefusal(Problem("nothing_to_cancel", found=path))
        return JobId(plan.job_id)

    def approve(self, path: str, job_id: str, digest: str) -> JobId:
        """Approve the quote of that number, if the file's job is still the one that was seen."""
        plan = self._plan(path, job_id, "approval_without_quote")
        decided = ApproveJob(self.store, self.clock, "page")(plan, digest)
        if decided.refused:
            raise PageRefusal(decided.refused)
        return JobId(plan.job_id)

    def retry(self, path: str, job_id: str | None = None) -> Retried:
        """Send the open rows of the file's job again, if it is still the one that was seen."""
        plan = self._plan(path, job_id, "nothing_to_retry")
        try:
            retried = RetryJob(self.store, self.clock, self.run_id, self._profiles)(plan)
        except PartUnreadable as error:
            raise PageRefusal(Problem("retry_not_possible", found=path)) from error
        if retried.said is RetryResult.NOTHING:
            raise PageRefusal(Problem("nothing_to_retry", found=path))
        if retried.said is not RetryResult.STARTED:
            code = "job_replaced" if retried.newer else "retry_not_possible"
            raise PageRefusal(Problem(code, found=path))
        return retried

    def _within_link(self, lifetime: timedelta, now: datetime) -> timedelta:
        return min(lifetime, self.until - now) if self.until else lifetime

    @property
    def _look(self) -> LookAtFile:
        return LookAtFile(self.store, self.clock, self.bucket)

    def _plan(self, path: str, seen: str | None, code: str) -> Plan:
        key = self._key(path)
        head = self.store.head(key)
        if head is None:
            job_id = JobId(self._open_without_file(key, path).job_id)
            plan = BucketRecords(self.store).find_plan(job_id)
        else:
            plan = self._look.find_plan(head)
        if plan is None:
            raise PageRefusal(Problem(code, found=path))
        if seen is not None and seen != plan.job_id:
            raise PageRefusal(Problem("job_replaced", found=path))
        return plan

    def _open_without_file(self, key: str, path: str) -> OpenJob:
        """The open job of a file that was deleted since it was planned."""
        found = next((job for job in OpenJobs.read(self.store).jobs if job.source_key == key), None)
        if found is None:
            raise PageRefusal(Problem("no_such_file", found=path))
        return found

    def _key(self, path: str) -> str:
        key = key_in(self.folder, path)
        if key is None or key_role_for(key) is not KeyRole.INPUT:
            raise PageRefusal(Problem("no_such_file", found=path))
        return key
