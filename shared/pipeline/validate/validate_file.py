"""Turns a dropped file into a planned job, or into a report of what is wrong with it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import partial
from urllib.parse import unquote

from shared.bucket.attempt import JobId, job_id_for
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import AGAIN, INBOX, draft_key
from shared.bucket.money import Money
from shared.bucket.records.plan import Plan, Source
from shared.bucket.result_names import has_dot_segment
from shared.bucket.tickets import REPLACED
from shared.bucket.uploads import AgainTicket, Start, left_key, start_prefix, upload_done_key, upload_key
from shared.events.oss import UploadedObject
from shared.inputs.formats import file_form_for, has_request_lines
from shared.inputs.inbox_keys import FileForm, KeyRole, key_role_for
from shared.pipeline.jobs.resume_job import ResumeJob, ResumeResult
from shared.pipeline.jobs.retries import latest_retry
from shared.pipeline.jobs.retry_job import RetryJob, RetryResult
from shared.pipeline.jobs.start_job import StartJob
from shared.pipeline.quotes.approvals import decided_now
from shared.pipeline.quotes.approve_by_file import ApproveByFile
from shared.pipeline.replaced.replace_earlier import ReplaceEarlier
from shared.pipeline.sample.ask_sample import AskSample, SampleUnderWay
from shared.pipeline.validate.check_setting import check_setting
from shared.pipeline.validate.decide_upload import DecideUpload
from shared.pipeline.validate.dropped_file import DroppedFile
from shared.pipeline.validate.find_recipe import FoundRecipe, find_misnamed_recipe, find_recipe
from shared.pipeline.validate.plan_job import PlanJob, Planned
from shared.pipeline.validate.read_recipe import chosen_profile, recipe_for, refused_under
from shared.pipeline.validate.refuse_file import Refused, RefuseFile
from shared.pipeline.validate.watch import Watch
from shared.pipeline.words.tell_ends import TellEnds
from shared.ports.choice import ProviderChoice
from shared.ports.clock import Clock
from shared.ports.profile import ProviderProfile
from shared.ports.real_time import RealTime
from shared.ports.store import ObjectHead, ObjectStore
from shared.problems.exceptions import ObjectMissing, PipelineError, TransientError, UserInputError
from shared.problems.problem import Problem, ProblemList

log = logging.getLogger(__name__)

# A file whose validation died in this many starts (time-out, out of memory) is refused with a
# report instead of being tried for ever. FC starts an event again after a minute, then after two.
MAX_STARTS = 2


class ValidateResult(str, Enum):
    """What was done for one upload, in one word for the log."""

    PLANNED = "planned"
    REJECTED = "rejected"
    RECIPE = "recipe"
    APPROVED = "approved"
    HIDDEN = "hidden"
    GONE = "gone"
    REPLACED = "replaced"
    SAMPLING = "sampling"  # another run asks its sample, and goes on then


# The same file dropped again resumes its job.
Validated = ValidateResult | ResumeResult


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
        head = self._head(upload.key)
        if head is None or not head.key.startswith(INBOX):
            log.info("upload.gone", extra={"key": upload.key})
            return ValidateResult.GONE
        role = key_role_for(head.key)
        if role is not KeyRole.INPUT:
            return self._look_beside(upload.bucket, head, role)
        if has_dot_segment(head.key):
            refused = Refused.because(Problem("dot_segment", found=head.key))
            said = self._refuse(_source(upload.bucket, head, None), refused)
        else:
            if seen_at < head.modified_at:
                seen_at = self.clock.now()  # dropped while a slow look was under way, or by a slow clock
            said = self._validate(upload, head, find_recipe(self.store, head.key), seen_at)
        if said is not ValidateResult.REPLACED:
            self._note_done(_source(upload.bucket, head, None))
        return said

    def _head(self, key: str) -> ObjectHead | None:
        """The object as it is now.

        Keys arrive raw. No page promises that, so the decoded key is tried, too.
        """
        head = self.store.head(key)
        if head is None and "%" in key:
            head = self.store.head(unquote(key))
        return head

    def _look_beside(self, bucket: str, head: ObjectHead, role: KeyRole) -> Validated:
        """What is no input starts no job of its own."""
        if role is KeyRole.APPROVAL:
            return self._approve(_source(bucket, head, None))
        if role in (KeyRole.RECIPE, KeyRole.NOTIFY):
            return self._check_setting(bucket, head, role)
        if role is KeyRole.HIDDEN:
            return ValidateResult.HIDDEN
        refused = Refused.because(Problem("folder_marker", found=head.key))
        return self._refuse(_source(bucket, head, None), refused)

    def _approve(self, source: Source) -> ValidateResult:
        is_approved = ApproveByFile(self.store, self.clock)(source)
        self._note_done(source)
        return ValidateResult.APPROVED if is_approved else ValidateResult.REJECTED

    def _note_done(self, source: Source) -> None:
        self.store.put(upload_done_key(source.bucket, source.key, source.etag, source.dropped_at), b"")

    def _check_setting(self, bucket: str, head: ObjectHead, role: KeyRole) -> Validated:
        """It starts no job, but its mistakes are reported at once."""
        source = _source(bucket, head, None)
        try:
            check_setting(self.store, head.key, role, self.providers)
        except UserInputError as error:
            return self._refuse(source, Refused.because(*error.problems))
        self._withdraw(source)
        return ValidateResult.RECIPE

    def _validate(
        self, upload: UploadedObject, head: ObjectHead, found: FoundRecipe | None, seen_at: datetime
    ) -> Validated:
        source = _source(upload.bucket, head, found).model_copy(update={"seen_at": seen_at})
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
        try:
            form = file_form_for(source.key, source.size_bytes)
            if misnamed := self._misnamed_recipe(source, form):
                return self._refuse(source, Refused.because(Problem("recipe_name_beside", found=misnamed)))
            profile = chosen_profile(found, self.providers)
            try:
                recipe = recipe_for(form, found, profile) if found else None
            except UserInputError as error:
                said = self._all_problems(source, form, error, profile, watch)
                return self._refuse(source, refused_under(found, said))
            names = [each.name for each in self.providers.profiles]
            planner = PlanJob(
                self.store,
                self.clock,
                profile,
                self.default_model,
                self.run_id,
                watch,
                names,
                has_real_time=profile.name in self.real_times,
                month_budget=self.month_budget,
            )
            planned = planner(source, job_id, recipe)
        except UserInputError as error:
            return self._refuse(source, Refused.because(*error.problems))
        except ObjectMissing:
            # Replaced or removed while it was read. A newer version has an event of its own.
            log.info("upload.replaced", extra={"key": source.key})
            return ValidateResult.REPLACED
        if isinstance(planned, Refused):
            return self._refuse(source, refused_under(found, planned))
        return self._start(planned, source)

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

    def _misnamed_recipe(self, source: Source, form: FileForm) -> str | None:
        if has_request_lines(form):
            return None
        return find_misnamed_recipe(self.store, source.key, source.recipe_key)

    def _all_problems(
        self,
        source: Source,
        form: FileForm,
        error: UserInputError,
        profile: ProviderProfile,
        watch: Watch,
    ) -> Refused:
        """The recipe's problems, and those of a file that can be read without it."""
        problems = ProblemList(error.problems)
        if not (has_request_lines(form) and profile.rules.form.is_addressed):
            return Refused(problems)
        with DroppedFile(self.store, source) as file:
            reader = file.open_rows(None, profile, self.default_model)
            for _ in watch(reader):
                pass  # reading is what finds them
        problems.absorb(reader.all_problems)
        return Refused(problems, reader.facts)

    def _resume(self, plan: Plan, source: Source) -> ResumeResult:
        self._withdraw(source)
        ReplaceEarlier(self._start_job)(plan)
        said = ResumeJob(self._start_job)(plan.of_file(source.key), source.dropped_at)
        if said is not ResumeResult.ERASED and self._waits_again(plan, source):
            self._wait_again(plan)
        return said

    def _wait_again(self, plan: Plan) -> None:
        """Let it wait for an approval again, once it is closed."""
        if (
            RetryJob(self.store, self.clock, self.run_id, self.providers.profiles)(plan).said
            is RetryResult.OPEN
        ):
            raise TransientError(f"job {plan.job_id} closes, since nothing of it is to be sent any more")

    def _waits_again(self, plan: Plan, source: Source) -> bool:
        """Whether it was not sent, and is wanted after all: it was dropped again since."""
        records = BucketRecords(self.store)
        latest = latest_retry(records, plan)
        job_id, until = JobId(latest.job_id), latest.approve_until
        if source.dropped_at <= latest.source.dropped_at or records.is_cancelled(job_id):
            return False
        if latest.ceilings and records.find_replacement(job_id):
            return records.is_closed(job_id)
        decided = decided_now(records, job_id, until, self.clock.now()) if until else None
        if until is None or decided is None or decided.is_approved:
            return False
        return decided.said == REPLACED or source.dropped_at > until

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


def _source(bucket: str, head: ObjectHead, recipe: FoundRecipe | None) -> Source:
    return Source(
        bucket=bucket,
        key=head.key,
        etag=head.etag,
        size_bytes=head.size_bytes,
        dropped_at=head.modified_at,
        recipe_key=recipe.key if recipe else None,
        recipe_etag=recipe.etag if recipe else None,
    )
