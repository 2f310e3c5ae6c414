"""Turns a dropped file into a planned job, or into a report of what is wrong with it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from shared.bucket.attempt import JobId, job_id_for
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import AGAIN, INBOX, draft_key
from shared.bucket.money import Money
from shared.bucket.records.plan import Plan, Source
from shared.bucket.result_names import has_dot_segment
from shared.bucket.uploads import AgainTicket, Start, left_key, start_prefix, upload_done_key, upload_key
from shared.events.oss import UploadedObject
from shared.inputs.inbox_keys import KeyRole, key_role_for
from shared.pipeline.jobs.resume_job import ResumeJob, ResumeResult
from shared.pipeline.jobs.start_job import StartJob
from shared.pipeline.quotes.approve_by_file import ApproveByFile
from shared.pipeline.replaced.replace_earlier import ReplaceEarlier
from shared.pipeline.sample.ask_sample import AskSample, SampleUnderWay
from shared.pipeline.validate.decide_upload import DecideUpload
from shared.pipeline.validate.dropped_file import find_dropped, source_of
from shared.pipeline.validate.plan_job import Planned
from shared.pipeline.validate.read_file import ReadFile
from shared.pipeline.validate.recipe.check_setting import check_setting
from shared.pipeline.validate.recipe.find_recipe import FoundRecipe, find_recipe
from shared.pipeline.validate.refuse_file import Refused, RefuseFile
from shared.pipeline.validate.resume_upload import ResumeUpload
from shared.pipeline.validate.validate_result import Validated, ValidateResult
from shared.pipeline.validate.watch import Watch
from shared.pipeline.words.tell_ends import TellEnds
from shared.ports.choice import ProviderChoice
from shared.ports.clock import Clock
from shared.ports.real_time import RealTime
from shared.ports.store import ObjectHead, ObjectStore
from shared.problems.exceptions import PipelineError, UserInputError
from shared.problems.problem import Problem

log = logging.getLogger(__name__)

# A file whose validation died in this many starts (time-out, out of memory) is refused with a
# report instead of being tried for ever. FC starts an event again after a minute, then after two.
MAX_STARTS = 2


@dataclass(frozen=True)
class ValidateFile:
    """Validate one upload. The same bytes, name and recipe are the same job.

    Attributes:
        run_id: Unique to this invocation; drafts lie under it.
        default_model: For a two-column CSV, which names none.
        providers: Those for which files may be planned; a recipe chooses one.
        stop_at: A file that is not read by then is refused; ``None`` if nobody says when this
            invocation ends.
        real_times: By provider, what answers the rows of a sample.
        month_budget: What the stack allows all files in a month.
    """

    store: ObjectStore
    clock: Clock
    providers: ProviderChoice
    default_model: str
    run_id: str
    stop_at: datetime | None = None
    real_times: Mapping[str, RealTime] = field(default_factory=dict)
    month_budget: Money | None = None

    def __call__(self, upload: UploadedObject) -> Validated:
        """Validate the upload, or the one that the ticket of ``AskAgain`` names.

        The ticket is of an upload whose event was lost; it is removed at the end. While another run
        asks the job's sample nothing is said to be done: if it dies, the timer asks again.
        """
        try:
            return self._handled(upload)
        except SampleUnderWay as other:
            log.info("sample.under_way", extra={"key": upload.key, "reason": str(other)})
            return ValidateResult.SAMPLING

    def _handled(self, upload: UploadedObject) -> Validated:
        if not upload.key.startswith(AGAIN):
            return self._answer(upload)
        ticket = BucketRecords(self.store).find(upload.key, AgainTicket)
        if ticket is None:
            log.info("ticket.gone", extra={"key": upload.key})
            return ValidateResult.GONE
        said = (
            self._go_on(JobId(ticket.job_id))
            if ticket.job_id
            else self._answer(UploadedObject(ticket.bucket, ticket.key, ticket.etag))
        )
        self.store.delete(upload.key)
        return said

    def _go_on(self, job_id: JobId) -> Validated:
        """Start a job whose sample was begun, whatever became of its file."""
        records = BucketRecords(self.store)
        plan = records.find_plan(job_id)
        if plan is None or records.is_closed(job_id):
            return ValidateResult.GONE
        self._start_job(plan)
        return ResumeResult.RESUMED

    def _answer(self, upload: UploadedObject) -> Validated:
        seen_at = self.clock.now()  # before the look: what is dropped after it is seen later
        head = find_dropped(self.store, upload.key)
        if head is None or not head.key.startswith(INBOX):
            log.info("upload.gone", extra={"key": upload.key})
            return ValidateResult.GONE
        role = key_role_for(head.key)
        if role is not KeyRole.INPUT:
            return self._look_beside(upload.bucket, head, role)
        if has_dot_segment(head.key):
            refused = Refused.because(Problem("dot_segment", found=head.key))
            said = self._refuse(source_of(upload.bucket, head, None), refused)
        else:
            if seen_at < head.modified_at:
                seen_at = self.clock.now()  # dropped while a slow look was under way, or by a slow clock
            said = self._validate(upload, head, find_recipe(self.store, head.key), seen_at)
        if said not in (ValidateResult.REPLACED, ResumeResult.OPEN):
            self._note_done(source_of(upload.bucket, head, None))
        return said

    def _look_beside(self, bucket: str, head: ObjectHead, role: KeyRole) -> Validated:
        """What is no input starts no job of its own."""
        if role is KeyRole.APPROVAL:
            return self._approve(source_of(bucket, head, None))
        if role in (KeyRole.RECIPE, KeyRole.NOTIFY):
            return self._check_setting(bucket, head, role)
        if role is KeyRole.HIDDEN:
            return ValidateResult.HIDDEN
        refused = Refused.because(Problem("folder_marker", found=head.key))
        return self._refuse(source_of(bucket, head, None), refused)

    def _approve(self, source: Source) -> ValidateResult:
        is_approved = ApproveByFile(self.store, self.clock)(source)
        self._note_done(source)
        return ValidateResult.APPROVED if is_approved else ValidateResult.REJECTED

    def _note_done(self, source: Source) -> None:
        self.store.put(upload_done_key(source.bucket, source.key, source.etag, source.dropped_at), b"")

    def _check_setting(self, bucket: str, head: ObjectHead, role: KeyRole) -> Validated:
        """It starts no job, but its mistakes are reported at once."""
        source = source_of(bucket, head, None)
        try:
            check_setting(self.store, head.key, role, self.providers)
        except UserInputError as error:
            return self._refuse(source, Refused.because(*error.problems))
        self._withdraw(source)
        return ValidateResult.RECIPE

    def _validate(
        self, upload: UploadedObject, head: ObjectHead, found: FoundRecipe | None, seen_at: datetime
    ) -> Validated:
        source = source_of(upload.bucket, head, found).model_copy(update={"seen_at": seen_at})
        if plan := DecideUpload(self.store).find_plan(source):
            return self._resume(plan, source)
        job_id = job_id_for(source.bucket, source.key, source.etag, source.recipe_etag)
        name = upload_key(source.bucket, source.key, source.etag, source.dropped_at)
        if sum(1 for _ in self.store.list(start_prefix(name))) >= MAX_STARTS:
            return self._give_up(source)
        start = f"{start_prefix(name)}{self.run_id}"
        drafts = Start(drafts=draft_key(job_id, self.run_id, "")).to_bytes()
        try:
            show_life = partial(self.store.put, start, drafts)
            show_life()
            said = self._read(source, job_id, found, Watch(self.clock, show_life, self.stop_at))
        except PipelineError:
            # An outage is not the file's fault: only runs that die without an error count. An
            # erasure must find what it wrote, unless that is a job's already.
            self.store.put(left_key(name, self.run_id), drafts)
            self.store.delete(start)
            raise
        self.store.delete(start)
        return said

    def _read(self, source: Source, job_id: JobId, found: FoundRecipe | None, watch: Watch) -> Validated:
        read = ReadFile(
            self.store,
            self.clock,
            self.providers,
            self.default_model,
            self.run_id,
            has_real_time=self.real_times.keys(),
            month_budget=self.month_budget,
        )
        planned = read(source, job_id, found, watch)
        if planned is None:
            log.info("upload.replaced", extra={"key": source.key})
            return ValidateResult.REPLACED
        return self._refuse(source, planned) if isinstance(planned, Refused) else self._start(planned, source)

    def _start(self, planned: Planned, source: Source) -> Validated:
        self._withdraw(source)
        ReplaceEarlier(self._start_job)(planned.plan)
        if planned.is_new:
            self._start_job(planned.plan, is_new=True)
        else:
            ResumeJob(self._start_job)(planned.plan, source.dropped_at)
        return ValidateResult.PLANNED

    @property
    def _start_job(self) -> StartJob:
        ask_sample = AskSample(self.store, self.clock, self.real_times, self.run_id)
        return StartJob(self.store, self.clock, self.providers.profiles, ask_sample)

    def _resume(self, plan: Plan, source: Source) -> ResumeResult:
        self._withdraw(source)
        return ResumeUpload(self.store, self.clock, self.run_id, self._start_job)(plan, source)

    def _give_up(self, source: Source) -> Validated:
        """Report it. Dropping the file again tries again.

        The starts stay: they say where drafts are that somebody may want to be erased.
        """
        problem = Problem("validation_unfinished", values={"starts": MAX_STARTS})
        # Perhaps they were alive, and one of them has refused the file by now.
        return self._refuse(source, Refused.because(problem), is_guess=True)

    def _refuse(self, source: Source, refused: Refused, *, is_guess: bool = False) -> Validated:
        refuse = RefuseFile(self.store)
        if refuse.is_replaced(source):
            return ValidateResult.REPLACED
        refuse(source, refused, is_guess=is_guess)
        if refuse.is_replaced(source):
            return self._look_again(source)
        # Perhaps another look was faster, and found a recipe that was put right meanwhile.
        plan = DecideUpload(self.store).find_plan(source)
        if plan:
            return self._resume(plan, source)
        TellEnds(self.store, self.clock).refused(source, refused.problems)
        return ValidateResult.REJECTED

    def _withdraw(self, source: Source) -> None:
        refuse = RefuseFile(self.store)
        if not refuse.is_replaced(source):
            refuse.withdraw(source.key)
            if refuse.is_replaced(source):
                self._look_again(source)

    def _look_again(self, source: Source) -> Validated:
        RefuseFile(self.store).withdraw(source.key)
        return self._answer(UploadedObject(source.bucket, source.key, ""))
