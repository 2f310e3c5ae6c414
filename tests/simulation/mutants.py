"""Ways to break the code on purpose. The simulation must find each, or it proves nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from types import ModuleType
from typing import Any
from unittest.mock import patch

from shared.board import estimates, read
from shared.board.model import SettledRows
from shared.board.progress import Progress
from shared.bucket.attempt import Attempt, JobId, job_id_for, parse_attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.history import history_key
from shared.bucket.keys import INBOX_MARK, Stage, open_job_key, record_key, sample_replies_key
from shared.bucket.money import Balance
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.outcome import Outcome, SettledShard
from shared.bucket.records.plan import Plan, Source
from shared.bucket.result_names import result_key_for
from shared.bucket.tickets import APPROVED, Approval, InboxMark
from shared.bucket.uploads import Upload, upload_key
from shared.formats.lines import byte_lines
from shared.money import invoice
from shared.money.worst_case import worst_case
from shared.pipeline.collect import collect_shard
from shared.pipeline.collect.apply_outcome import ApplyOutcome
from shared.pipeline.collect.collect_shard import CollectShard
from shared.pipeline.collect.settle_attempt import SettleAttempt
from shared.pipeline.jobs import close_job, erase_job
from shared.pipeline.jobs.close_job import CloseJob
from shared.pipeline.jobs.erase_job import EraseJob
from shared.pipeline.jobs.resume_job import ResumeJob
from shared.pipeline.jobs.retry_job import RetryJob
from shared.pipeline.jobs.start_job import StartJob
from shared.pipeline.loans.asked_before import AskedBefore
from shared.pipeline.loans.loans import Loans
from shared.pipeline.loans.share_answers import ShareAnswers
from shared.pipeline.quota import ceilings as quota_ceilings
from shared.pipeline.quota.admission import Admission
from shared.pipeline.quota.balances import Balances
from shared.pipeline.quota.ceilings import Ceilings
from shared.pipeline.quota.claim_slot import ClaimSlot, NotNow
from shared.pipeline.quota.claims import Claims, release_claim
from shared.pipeline.quota.slots import Slots
from shared.pipeline.reconcile.repairs.lost_uploads import FindLostUploads
from shared.pipeline.reconcile.repairs.poll_running import PollRunning
from shared.pipeline.reconcile.repairs.resume_open_jobs import ResumeOpenJobs
from shared.pipeline.reconcile.repairs.retry_words import RetryWords
from shared.pipeline.reuse import lend_answers
from shared.pipeline.reuse.known_answers import FindAnswers, KnownAnswers
from shared.pipeline.sample import ask_sample
from shared.pipeline.sample.ask_sample import AskSample
from shared.pipeline.sample.records import SampleGroup
from shared.pipeline.sample.sample_money import SampleMoney
from shared.pipeline.submit import approval as submit_approval
from shared.pipeline.submit import reserve_money, submit_shard
from shared.pipeline.submit.close_unsent import CloseUnsent
from shared.pipeline.submit.decision import CANCELLED, Close, Wait
from shared.pipeline.submit.reserve_money import ReserveMoney
from shared.pipeline.submit.submit_shard import SubmitShard
from shared.pipeline.validate import validate_file
from shared.pipeline.validate.decide_upload import DecideUpload
from shared.pipeline.validate.dropped_file import DroppedFile
from shared.pipeline.validate.plan_job import PlanJob
from shared.pipeline.validate.refuse_file import RefuseFile
from shared.pipeline.validate.shards.write_shards import ShardWriter
from shared.pipeline.validate.validate_file import ValidateFile
from shared.pipeline.validate.validate_result import ValidateResult
from shared.pipeline.words import tell_waiting
from shared.pipeline.words.is_so import IsSo
from shared.pipeline.words.put_words import PutWords
from shared.pipeline.words.tell import Tell
from shared.pipeline.words.tell_ends import TellEnds
from shared.pipeline.words.tell_waiting import TellWaiting
from shared.ports.provider import BatchId, BatchState, BatchStatus, FailedFor
from shared.providers.ark.api import ArkApi
from shared.providers.ark.client import Ark
from shared.providers.ark.wire import JOB_ID, Job, JobPage
from shared.providers.tione import client as tione
from shared.providers.tione.client import Tione
from shared.providers.tione.staging import Staging as TioneStaging
from shared.providers.tione.wire import Task
from shared.recipes.columns.answers import AnswerColumns, ColumnValues
from shared.results.again.misfits import Misfits, Tries
from shared.results.lent.lent_answers import LentAnswers
from shared.results.lent.reused_answers import ReusedAnswers
from shared.results.spool.answer_spool import AnswerSpool
from shared.results.spool.row_ids import RowIds
from shared.results.spool.usage_count import UsageCount
from shared.words.event import WordTicket
from tests.simulation.bucket import Bucket
from tests.simulation.faults import seeds_with
from tests.support.fakes import START

Method = Callable[..., Any]
Owner = type | ModuleType


@dataclass(frozen=True)
class Mutant:
    """Code with a mistake in it.

    Attributes:
        changes: Methods and functions to replace, each by what is made of the right one.
        seed: One that is known to find it, tried first. Any change of the calls may change which.
        faults: Searched are only seeds that have these often.
        providers: And only those that have these, and no others.
    """

    name: str
    changes: tuple[tuple[Owner, str, Callable[[Method], Method]], ...]
    seed: int = 0
    faults: tuple[str, ...] = ()
    providers: tuple[str, ...] = ("bailian",)

    def seeds(self, most: int) -> Iterator[int]:
        """Where to look for it."""
        yield self.seed
        yield from itertools.islice(seeds_with(self.faults, self.providers), most)

    @contextmanager
    def applied(self) -> Iterator[None]:
        with ExitStack() as stack:
            for owner, method, broken in self.changes:
                right = getattr(owner, method)
                stack.enter_context(patch.object(owner, method, wraps(right)(broken(right))))
            yield


def _one(
    name: str, owner: Owner, method: str, broken: Callable[[Method], Method], seed: int = 0, **where: Any
) -> Mutant:
    return Mutant(name, ((owner, method, broken),), seed, **where)


def _lends_the_first(right: Method) -> Method:
    return lambda self, row: right(self, row._replace(lender=min(self._kept)))


def _reuses_the_first(right: Method) -> Method:
    return lambda self, row: right(self, row._replace(reuses=min(self._kept)))


def _reuses_for_ever(right: Method) -> Method:
    return lambda self, lends_to, _within: right(self, lends_to, timedelta(days=1000))


def _lends_what_stands_in_another_shard(right: Method) -> Method:
    def change(self: AskedBefore, at: int) -> tuple[int, int]:
        shard, place = right(self, at)
        return max(shard - 1, 1), place

    return change


def _shares_in_a_shard_only(right: Method) -> Method:
    def change(self: AskedBefore) -> int:
        return self._starts[-1]

    return change


def _takes_the_first_of_the_lender(right: Method) -> Method:
    def change(self: Loans, row: Any) -> Any:
        right(self, row)
        first = min(each for each in self._lent._kept if each[0] == row.lender[0])
        return right(self, row._replace(lender=first))

    return change


def _always(value: object) -> Callable[[Method], Method]:
    return lambda _right: lambda *_arguments, **_named: value


def _refuses_without_a_second_look(_right: Method) -> Method:
    def refuse(self: ValidateFile, source: Source, refused: Any, *, is_guess: bool = False) -> Any:
        RefuseFile(self.store)(source, refused, is_guess=is_guess)
        return ValidateResult.REJECTED

    return refuse


def _finds_no_start(right: Method) -> Method:
    numbers = itertools.count(1000)
    return lambda key: f"{right(key)}{next(numbers)}-"


def _claims_of_its_own(right: Method) -> Method:
    numbers = itertools.count(1000)
    return lambda self, pool, claims: right(
        self, pool, replace(claims, claimed_at={next(numbers): self.clock.now()})
    )


def _writes_before_it_creates(_right: Method) -> Method:
    def submit(self: SubmitShard, plan: Plan, attempt: Any, _ticket: Any) -> Any:
        record = self._record(plan, attempt, BatchId("batch_not-created-yet"))
        self.providers.of(plan.provider).batches.submit(self._request(plan, attempt))
        return record

    return submit


def _drops_its_ticket_first(stages: Iterable[Stage]) -> Callable[[Method], Method]:
    def broken(right: Method) -> Method:
        def act(self: Any, plan: Plan, attempt: Any, *more: Any, **named: Any) -> Any:
            for stage in stages:
                BucketRecords(self.store).drop_ticket(stage, attempt)
            return right(self, plan, attempt, *more, **named)

        return act

    return broken


def _believes_the_hint(right: Method) -> Method:
    def state_of(self: CollectShard, submitted: Any, **named: Any) -> BatchState | None:
        state, submission = right(self, submitted, **named), submitted.submission
        if state is not None or not submission.batch_id:
            return state
        batches = self.providers.of(submission.provider).batches
        state = batches.status(BatchId(submission.batch_id))
        return state and replace(state, status=BatchStatus.COMPLETED)

    return state_of


def _takes_expired_for_failed(right: Method) -> Method:
    def settle(self: Any, plan: Plan, attempt: Any, state: BatchState, **named: Any) -> Any:
        if state.status is BatchStatus.EXPIRED:
            state = replace(state, status=BatchStatus.FAILED, result_files=())
        return right(self, plan, attempt, state, **named)

    return settle


def _forgets_the_second_file(right: Method) -> Method:
    def settle(self: Any, plan: Plan, attempt: Any, state: BatchState, **named: Any) -> Any:
        return right(self, plan, attempt, replace(state, result_files=state.result_files[:1]), **named)

    return settle


def _matches_by_order(right: Method) -> Method:
    def init(self: RowIds, asked: Iterable[str]) -> None:
        right(self, asked)
        numbers = iter(range(len(self.asked)))
        self.exactly = lambda _custom_id: next(numbers, None)  # type: ignore[method-assign,assignment]

    return init


def _sends_everything_again(_right: Method) -> Method:
    def write(self: ApplyOutcome, plan: Plan, attempt: Any, following: Any, _outcome: Outcome) -> None:
        lines = byte_lines(self.store.read(plan.requests_key(attempt)))
        self.store.put(plan.requests_key(following), b"".join(line + b"\n" for line in lines))

    return write


def _overwrites(_right: Method) -> Method:
    def create(self: BucketRecords, key: str, record: Any) -> Any:
        self._store.put(key, record.to_bytes())
        return record

    return create


def _does_not_wait(right: Method) -> Method:
    def settle(self: Any, plan: Plan, attempt: Any, state: BatchState, **_named: Any) -> Any:
        return right(self, plan, attempt, state, may_be_incomplete=True)

    return settle


def _throws_cancelled_answers_away(right: Method) -> Method:
    def settle(self: SettleAttempt, plan: Plan, attempt: Any, state: BatchState, **named: Any) -> Any:
        if self.job_is_cancelled:
            state = replace(state, result_files=())
        return right(self, plan, attempt, state, **named)

    return settle


def _takes_what_is_taken(right: Method) -> Method:
    def take(self: Slots, slot: Any, holder: Any) -> bool:
        right(self, slot, holder)
        return True

    return take


def _leaves_what_dead_claims_took(_right: Method) -> Method:
    return lambda _self, _claims: None


class _SaysThatItIsNew:
    """A store in which every create succeeds."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        self._store.put_if_absent(key, content)
        return True


def _believes_its_claim(right: Method) -> Method:
    return lambda self, pool, claims: right(replace(self, store=_SaysThatItIsNew(self.store)), pool, claims)


def _gives_back_what_it_does_not_hold(_right: Method) -> Method:
    return lambda self, slot, _holder: self.store.put(slot.free_key, b"")


@dataclass(frozen=True)
class _LooksOnce(CloseJob):
    newest: JobId

    def _newest(self, _plan: Plan) -> JobId:
        return self.newest


def _publishes_without_a_second_look(right: Method) -> Method:
    return lambda self, plan, shards, report: right(
        _LooksOnce(self.store, self.clock, self._newest(plan)), plan, shards, report
    )


def _closes_though_another_sends(right: Method) -> Method:
    def decide(self: SubmitShard, plan: Plan, provider: Any, claims: Claims, ticket: Any) -> Any:
        decision = right(self, plan, provider, claims, ticket)
        is_ours_to_close = isinstance(decision, Wait) and self._is_cancelled(claims.attempt)
        return CANCELLED if is_ours_to_close else decision

    return decide


def _closes_beside_another(right: Method) -> Method:
    def close(self: CloseUnsent, plan: Plan, pool: Any, claims: Claims, reason: Close) -> Any:
        said = right(self, plan, pool, claims, reason)
        return self._record(plan, claims.attempt, reason) if said is NotNow.CLAIMED else said

    return close


def _makes_a_retry_of_its_own(right: Method) -> Method:
    def plan_of(self: RetryJob, records: Any, closed: Plan) -> Plan:
        own = sha256(self.run_id.encode()).hexdigest()[:16]
        return right(self, records, closed).model_copy(update={"job_id": own})

    return plan_of


def _plans_before_it_settles(right: Method) -> Method:
    def start(self: RetryJob, records: BucketRecords, closed: Plan) -> Plan:
        mine = self._plan(records, closed)
        self.store.put(open_job_key(JobId(mine.job_id)), b"")
        records.create(record_key(JobId(mine.job_id), "plan.json"), mine)
        return right(self, records, closed)

    return start


def _finds_a_row_open(right: Method) -> Method:
    def kept(self: RetryJob, closed: Plan, shard: Any, settled: Any, attempt: Any) -> Outcome:
        one_more = shard.model_copy(update={"requests": shard.requests + 1})
        return right(self, closed, one_more, settled, attempt)  # type: ignore[no-any-return]

    return kept


def _reads_whatever_is_there_now(_right: Method) -> Method:
    return lambda self: self.store.read(self.source.key)


def _finds_by_the_recipe(_right: Method) -> Method:
    return lambda self, source: BucketRecords(self.store).find_plan(_job_of(source))


def _decides_anew(_right: Method) -> Method:
    return lambda _self, _source, mine: mine


def _pinned(store: Any, source: Source) -> JobId:
    """The job of the recipe under which the upload was seen first."""
    name = upload_key(source.bucket, source.key, source.etag, source.dropped_at)
    return JobId(BucketRecords(store).create(f"{name}.first", Upload(job_id=_job_of(source))).job_id)


def _finds_the_pinned_job(right: Method) -> Method:
    return lambda self, source: (
        right(self, source) or BucketRecords(self.store).find_plan(_pinned(self.store, source))
    )


def _plans_the_pinned_job(right: Method) -> Method:
    return lambda self, source, _job_id, recipe: right(self, source, _pinned(self.store, source), recipe)


def _looks_two_days_back(right: Method) -> Method:
    def dropped(self: FindLostUploads, mark: InboxMark, until: Any) -> Any:
        since = InboxMark(answered_until=self.clock.now() - timedelta(hours=48))
        return right(self, max(mark, since, key=lambda each: each.answered_until), until)

    return dropped


def _forgets_files_without_an_answer(right: Method) -> Method:
    return lambda self, mark, until, key, _unanswered: right(self, mark, until, key, ())


def _takes_files_for_answered(right: Method) -> Method:
    def repair(self: FindLostUploads, head: Any, answered: set[str]) -> bool:
        is_repaired = bool(right(self, head, answered))
        answered.add(head.key)
        return is_repaired

    return repair


def _orders_versions_by_the_drop_alone(right: Method) -> Method:
    return lambda result_key, dropped_at, job_id, _seen_at=None: right(result_key, dropped_at, job_id)


def _writes_the_ledger_first(right: Method) -> Method:
    def publish(self: CloseJob, plan: Plan, shards: Sequence[SettledShard], report: Ledger) -> str:
        ledger = self._ledger(plan, shards, plan.result_key)
        BucketRecords(self.store).create(record_key(JobId(plan.job_id), "ledger.json"), ledger)
        return str(right(self, plan, shards, report))

    return publish


def _closes_the_open_mark_first(right: Method) -> Method:
    def close(self: CloseJob, plan: Plan) -> Any:
        self.store.delete(open_job_key(JobId(plan.job_id)))
        return right(self, plan)

    return close


def _gives_back_before_it_puts_off(right: Method) -> Method:
    def put_off(self: SubmitShard, plan: Plan, attempt: Any, ticket: Any, refusal: Any) -> Any:
        claims = Claims.of(self.store, attempt)
        for number in claims.unreleased:
            release_claim(self.store, attempt, number)
        return right(self, plan, attempt, ticket, refusal)

    return put_off


def _leaves_the_list_before_it_claims(right: Method) -> Method:
    def claim(self: ClaimSlot, pool: Any, claims: Claims) -> Any:
        Admission(self.store, self.clock).leave(pool, claims.attempt)
        return right(self, pool, claims)

    return claim


def _never_has_enough(right: Method) -> Method:
    def verdict(self: SettleAttempt, plan: Plan, *others: Any, **named: Any) -> Any:
        return right(self, plan.model_copy(update={"attempts": 99}), *others, **named)

    return verdict


def _believes_its_clock(_right: Method) -> Method:
    return lambda self, now, _lease: any(now - at < timedelta(seconds=20) for at in self.claimed_at.values())


def _trusts_an_old_list(right: Method) -> Method:
    def decide(self: SubmitShard, plan: Plan, provider: Any, claims: Claims, ticket: Any) -> Any:
        profile = replace(provider.profile, listed_for=timedelta.max)
        return right(self, plan, replace(provider, profile=profile), claims, ticket)

    return decide


def _job_of(source: Source) -> JobId:
    return job_id_for(source.bucket, source.key, source.etag, source.recipe_etag)


def _as_of_another_recipe(source: Source) -> Source:
    is_moved = source.recipe_key and source.recipe_key.count("/") > 1
    return source.model_copy(update={"recipe_etag": f"{source.recipe_etag}, moved"}) if is_moved else source


def _looks_where_the_recipe_lies(right: Method) -> Method:
    return lambda self, source: right(self, _as_of_another_recipe(source))


def _plans_where_the_recipe_lies(right: Method) -> Method:
    return lambda self, source, _job_id, recipe: right(
        self, source, _job_of(_as_of_another_recipe(source)), recipe
    )


def _fills_the_columns_of_plain_answers(right: Method) -> Method:
    def read(self: AnswerColumns, content: str) -> ColumnValues:
        values, problem = right(self, content)
        return ColumnValues([None] * len(values) if problem else values, problem)

    return read


def _forgets_the_columns(right: Method) -> Method:
    def plan_of(self: RetryJob, records: Any, closed: Plan) -> Plan:
        return right(self, records, closed).model_copy(update={"answer_columns": {}})  # type: ignore[no-any-return]

    return plan_of


def _loses_bad_rows(right: Method) -> Method:
    return lambda self, row, limits: right(self, row, limits) if row.request else None


def _takes_its_own_for_anothers(right: Method) -> Method:
    def take(self: Slots, slot: Any, holder: Any) -> bool:
        return self.store.put_if_absent(slot.key, holder.to_bytes()) and bool(right(self, slot, holder))

    return take


def _reads_one_page(right: Method) -> Method:
    return lambda self, prefix, **named: itertools.islice(right(self, prefix, **named), self._page)


def _believes_that_it_went_back(right: Method) -> Method:
    """What has ended, and runs again, was thrown away."""

    def state_of(self: CollectShard, submitted: Any, **named: Any) -> BatchState | None:
        state, submission = right(self, submitted, **named), submitted.submission
        ended = vars(self.store).setdefault("ended", set())
        if state is None and submission.batch_id in ended:
            return BatchState(BatchId(submission.batch_id), BatchStatus.EXPIRED, "expired")
        ended.update([submission.batch_id] if state else [])
        return state

    return state_of


def _finds_rows_of_another_batch(right: Method) -> Method:
    def find(self: RowIds, custom_id: str) -> int | None:
        index = right(self, custom_id)
        return 0 if index is None and custom_id.startswith("r") else index

    return find


def _takes_too_large_for_expired(right: Method) -> Method:
    def settle(self: Any, plan: Plan, attempt: Any, state: BatchState, **named: Any) -> Any:
        if any(problem.code == "invalid_file_size" for problem in state.problems):
            state = replace(state, status=BatchStatus.EXPIRED)
        return right(self, plan, attempt, state, **named)

    return settle


def _throws_answers_of_cancelled_batches_away(right: Method) -> Method:
    def settle(self: SettleAttempt, plan: Plan, attempt: Any, state: BatchState, **named: Any) -> Any:
        if state.status is BatchStatus.CANCELLED and not self.job_is_cancelled:
            state = replace(state, result_files=())
        return right(self, plan, attempt, state, **named)

    return settle


def _waits_for_what_is_deleted(right: Method) -> Method:
    def state_of(self: CollectShard, submission: Any, **named: Any) -> BatchState | None:
        state = right(self, submission, **named)
        return None if state is not None and state.status is BatchStatus.UNKNOWN else state

    return state_of


def _waits_for_files_that_are_gone(right: Method) -> Method:
    return lambda self, file_id, state, spool, **_named: right(
        self, file_id, state, spool, may_be_incomplete=False
    )


def _marks_before_it_looks(right: Method) -> Method:
    def candidates(self: FindLostUploads) -> Iterator[Any]:
        found = list(right(self))
        mark = BucketRecords(self.store).find(INBOX_MARK, InboxMark)
        if mark:
            self._mark(mark, self.clock.now() - self.older_than, "", ())
        return iter(found)

    return candidates


def _takes_failed_for_completed(right: Method) -> Method:
    def settle(self: Any, plan: Plan, attempt: Any, state: BatchState, **named: Any) -> Any:
        if state.status is BatchStatus.FAILED and state.failed_for is FailedFor.ROWS:
            state = replace(state, status=BatchStatus.COMPLETED)
        return right(self, plan, attempt, state, **named)

    return settle


def _asks_nobody_for_the_name(_right: Method) -> Method:
    return lambda _self, source_key, suffix: result_key_for(source_key, suffix)


def _says_only_that_it_is_erased(_right: Method) -> Method:
    def reduce(self: EraseJob, plan: Plan, ledger: Any) -> None:
        erased = ledger.model_copy(update={"erased_at": self.clock.now()})
        self.store.put(record_key(JobId(plan.job_id), "ledger.json"), erased.to_bytes())

    return reduce


def _believes_the_list(_right: Method) -> Method:
    def named(self: ArkApi, name: str) -> Iterator[Job]:
        body = {"Filter": {"Name": name}, "PageNumber": 1, "PageSize": 100}
        yield from JobPage.model_validate(self._call("ListBatchInferenceJobs", body)).items or ()

    return named


def _finds_by_name_alone(_right: Method) -> Method:
    def find(self: Ark, name: str, _object_key: str = "") -> BatchId | None:
        found = max(self._api.named(name), key=lambda job: job.created_at, default=None)
        return BatchId(found.id) if found else None

    return find


def _takes_initializing_for_an_end(right: Method) -> Method:
    def get(self: ArkApi, job_id: str) -> Job | None:
        job: Job | None = right(self, job_id)
        if job is None or job.status is None or job.phase != "Initializing":
            return job
        return job.model_copy(update={"status": job.status.model_copy(update={"phase": "Completed"})})

    return get


def _asks_for_another_input(right: Method) -> Method:
    def look(self: SubmitShard, plan: Plan, *others: Any) -> Any:
        shards = tuple(each.model_copy(update={"requests_key": each.rows_key}) for each in plan.shards)
        return right(self, plan.model_copy(update={"shards": shards}), *others)

    return look


def _adopts_whatever_reads_the_input(_right: Method) -> Method:
    def active(_self: Ark, _name: str, refusal: Exception) -> BatchId | None:
        named = JOB_ID.search(str(refusal))
        return BatchId(named[0]) if named else None

    return active


def _reads_one_file(right: Method) -> Method:
    return lambda self, job: [key for key in right(self, job) if key.endswith("/output/results.jsonl")]


def _polls_nothing_while_another_is_troubled(right: Method) -> Method:
    def poll(self: PollRunning, attempt: Any, head: Any) -> bool:
        records, running = BucketRecords(self.store), Stage.RUNNING.value
        attempts = [parse_attempt(each.key.removeprefix(running)) for each in self.store.list(running)]
        tickets = [records.find_running(each) for each in attempts if each]
        mine = self.provider.profile.name
        is_troubled = any(each and each.waiting_for and each.provider != mine for each in tickets)
        return False if is_troubled else bool(right(self, attempt, head))

    return poll


def _believes_a_success(right: Method) -> Method:
    def state_of(task: Task, **named: Any) -> BatchState:
        state: BatchState = right(task, **named)
        return replace(state, status=BatchStatus.COMPLETED) if task.status == "SUCCEED" else state

    return state_of


def _expects_no_late_output(right: Method) -> Method:
    def state_of(task: Task, **named: Any) -> BatchState:
        state: BatchState = right(task, **named)
        return replace(state, lines_promised=state.lines_promised or 0)

    return state_of


def _believes_every_count(_right: Method) -> Method:
    def add(self: Progress, _records: Any, _plan: Plan, _attempt: Any, ticket: Any) -> None:
        self.answered += (ticket and ticket.completed) or 0

    return add


def _leaves_the_known_out(right: Method) -> Method:
    def settled_rows(records: Any, job_id: Any, settled: Any, known: SettledRows) -> SettledRows:
        return right(records, job_id, settled, known.model_copy(update={"answered": 0}))

    return settled_rows


def _takes_what_there_is(right: Method) -> Method:
    return lambda durations_s: right((durations_s * 3)[:3]) if durations_s else None


def _remembers_every_job(_right: Method) -> Method:
    return lambda self, plan, ledger: self.store.put(history_key(plan, ledger), b"")


def _bills_the_last_attempt(right: Method) -> Method:
    return lambda shard: [*right(shard)][-1:]


def _counts_nothing_as_cached(right: Method) -> Method:
    def add(self: UsageCount, prompt: int, completion: int, total: int, *details: int, **more: bool) -> None:
        right(self, prompt, completion, total, details[0], 0, **more)

    return add


def _names_it_anew(right: Method) -> Method:
    numbers = itertools.count()
    return lambda kind, *identity: right(kind, *identity, str(next(numbers)))


def _notes_before_it_tells(right: Method) -> Method:
    def tell(self: Tell, ticket: Any) -> Any:
        self._note(ticket, given_up=False)
        return right(self, ticket)

    return tell


def _puts_beside_a_told_one(_right: Method) -> Method:
    def put(self: PutWords, event: Any, channels: Iterable[str]) -> None:
        for channel in channels:
            ticket = WordTicket(event=replace_id(event), channel=channel, put_at=self.clock.now())
            self.store.put_if_absent(ticket.key, ticket.to_bytes())

    numbers = itertools.count()

    def replace_id(event: Any) -> Any:
        return event.model_copy(update={"id": f"{event.id}{next(numbers)}"})

    return put


def _reserves_after_the_upload(right: Method) -> Method:
    def record(self: SubmitShard, plan: Plan, attempt: Any, batch_id: BatchId) -> Any:
        shard, claim = plan.shard(attempt.shard), Claims.of(self.store, attempt).following - 1
        needed = plan.quote and shard and worst_case(plan.quote, shard, shard.requests, shard.size_bytes)
        if needed:
            Ceilings(self.store, self.clock, plan).reserve(attempt, claim, needed)
        return right(self, plan, attempt, batch_id)

    return record


def _returns_it_twice(right: Method) -> Method:
    def settled(attempt: str, charged: Any, standing: Balance) -> Balance:
        changed: Balance = right(attempt, charged, standing)
        before = standing.reserved.get(attempt)
        free = before.micros - charged.within(before.micros) if before else 0
        return changed.model_copy(update={"spent": max(changed.spent - free, 0)})

    return settled


def _overwrites_a_balance(_right: Method) -> Method:
    def change(self: Balances, change: Callable[[Balance], Balance]) -> Balance:
        generation, standing = self._highest()
        changed = change(standing or Balance())
        self.store.put(self._key(generation + 1), changed.to_bytes())
        self._is_highest(generation + 1)
        return changed

    return change


def _sends_again_for_free(right: Method) -> Method:
    def left_open(records: BucketRecords, attempt: Attempt) -> Outcome | None:
        outcome = right(records, attempt)
        return outcome.model_copy(update={"resent": 0}) if outcome else None

    return left_open


def _asks_once_too_often(right: Method) -> Method:
    return lambda self, earlier, *told: right(self, max(earlier - 1, 0), *told)


def _loses_what_was_paid(right: Method) -> Method:
    return lambda self, _kept, told: right(self, None, told)


def _asks_for_all_again(_right: Method) -> Method:
    return lambda _self, status, _code, _cut_off: status == "answered"


def _reserves_for_short_answers(right: Method) -> Method:
    return lambda quote, shard, requests, size_bytes, _before: right(quote, shard, requests, size_bytes)


def _forgets_what_nobody_told(right: Method) -> Method:
    return lambda *arguments: replace(right(*arguments), perhaps=0)


def _asks_without_a_claim(_right: Method) -> Method:
    def group(self: AskSample, plan: Plan, number: int, rows: Any, stop: Any) -> SampleGroup:
        records, key = BucketRecords(self.store), sample_replies_key(JobId(plan.job_id), number)
        found = records.find(key, SampleGroup)
        return found or records.create(key, SampleGroup(why=stop.why) if stop.why else self._ask(plan, rows))

    return group


def _takes_what_is_lost_for_unasked(right: Method) -> Method:
    def create(self: BucketRecords, key: str, record: Any) -> Any:
        if isinstance(record, SampleGroup) and all(each.is_unknown for each in record.replies):
            record = SampleGroup()
        return right(self, key, record)

    return create


def _keeps_the_sample_reserved(right: Method) -> Method:
    def settled(attempt: str, charged: Any, standing: Balance) -> Balance:
        changed: Balance = right(attempt, charged, standing)
        before = standing.reserved.get(attempt)
        return changed.model_copy(
            update={"reserved": {**changed.reserved, **({attempt: before} if before else {})}}
        )

    return settled


def _bills_all_as_batches(right: Method) -> Method:
    return lambda shard: [each.model_copy(update={"in_real_time": False}) for each in right(shard)]


MUTANTS = (
    Mutant(
        "skip the claim",
        (
            (Claims, "is_held", _always(False)),
            (SubmitShard, "_earlier_batch", _always(None)),
            (ClaimSlot, "__call__", _claims_of_its_own),
        ),
        seed=19,
    ),
    _one("drop the lease", Claims, "is_held", _always(False), seed=54),
    _one("take over without looking for a batch", SubmitShard, "_earlier_batch", _always(None), seed=59),
    _one(
        "look for a batch of another input", SubmitShard, "_earlier_batch", _asks_for_another_input, seed=84
    ),
    _one("write the submission before the create", SubmitShard, "_submit", _writes_before_it_creates, seed=1),
    Mutant(
        "delete the ticket first (and have no index of open jobs)",
        (
            (SubmitShard, "_submit", _drops_its_ticket_first([Stage.READY])),
            (ResumeOpenJobs, "_repair", _always(False)),
        ),
        seed=4,
    ),
    Mutant(
        "trust the callback's status",
        ((CollectShard, "_state_of", _believes_the_hint), (SettleAttempt, "__call__", _does_not_wait)),
        seed=31,
    ),
    _one("treat expired as failed", SettleAttempt, "__call__", _takes_expired_for_failed, seed=9),
    _one("forget the error file", SettleAttempt, "__call__", _forgets_the_second_file, seed=60),
    _one("match by order", RowIds, "__init__", _matches_by_order, seed=1),
    _one("do not wait for late results", SettleAttempt, "__call__", _does_not_wait, seed=57),
    _one("send answered rows again", ApplyOutcome, "_write_open_requests", _sends_everything_again, seed=24),
    _one("send rows that ask the same", ShardWriter, "_asked_by", _always(None), seed=13),
    _one("ask again what an earlier shard asks", AskedBefore, "_oldest", _shares_in_a_shard_only, seed=11),
    _one("lend another shard's row", AskedBefore, "_lender", _lends_what_stands_in_another_shard, seed=134),
    _one("take another's loan", Loans, "answer_for", _takes_the_first_of_the_lender, seed=100),
    Mutant(
        "join before rows have what they borrow",
        ((ShareAnswers, "__call__", _always(None)), (ShareAnswers, "of_shard", _always(None))),
        seed=51,
    ),
    _one("close though a lender is open", BucketRecords, "undecided", _always(iter(())), seed=24),
    _one("forget where a closing left off", ShareAnswers, "_is_lent", _always(False), seed=226),
    _one("fill a part before all have lent", ShareAnswers, "_is_ready", _always(True), seed=13),
    _one("take another's answer", LentAnswers, "answer_for", _lends_the_first, seed=341),
    _one("take another earlier answer", ReusedAnswers, "answer_for", _reuses_the_first, seed=30),
    Mutant(
        "pay for what an earlier job was answered",
        ((KnownAnswers, "find", _always(None)), (KnownAnswers, "find_all", _always({}))),
        seed=71,
    ),
    _one("lend what does not fit", lend_answers, "is_good", _always(True), seed=155),  # its answer
    _one("reuse answers for ever", FindAnswers, "__call__", _reuses_for_ever, seed=15),
    _one(
        "keep what an erased job lent",
        erase_job,
        "lent_prefix",
        _always("reuse/none/"),
        seed=2681,
        faults=("job_erased",),
    ),
    _one("take slots that are taken", Slots, "take", _takes_what_is_taken, seed=4),
    _one("never free a slot", Slots, "give_back", _always(None), seed=1),
    _one(
        "throw a cancelled job's answers away",
        SettleAttempt,
        "__call__",
        _throws_cancelled_answers_away,
        seed=197,
    ),
    _one("overwrite records", BucketRecords, "create", _overwrites, seed=14),
    _one(
        "let an older version keep the name",
        CloseJob,
        "_newest",
        lambda _: lambda _self, plan: plan.job_id,
        seed=1,
    ),
    _one(
        "order versions by the drop alone",
        close_job,
        "version_key",
        _orders_versions_by_the_drop_alone,
        seed=2744,
        faults=("whole_seconds", "short_batch"),
    ),
    _one("leave the provider's files", CollectShard, "_clean_up", _always(None), seed=1070),
    _one("leave what dead claims took", Slots, "give_back_all", _leaves_what_dead_claims_took, seed=1),
    _one("give back a slot of another", Slots, "give_back", _gives_back_what_it_does_not_hold, seed=780),
    _one(
        "publish without a second look",
        CloseJob,
        "_publish",
        _publishes_without_a_second_look,
        seed=2003,
        faults=("new_version", "new_version_soon", "short_batch", "slow_results"),
    ),
    _one("believe in a claim that another has", ClaimSlot, "__call__", _believes_its_claim, seed=4),
    Mutant(
        "close what another is sending",
        (
            (SubmitShard, "_decide", _closes_though_another_sends),
            (CloseUnsent, "with_a_claim", _closes_beside_another),
        ),
        seed=414,
    ),
    _one("make a retry of one's own", RetryJob, "_plan", _makes_a_retry_of_its_own, seed=279),
    _one(
        "plan a retry before it is settled",
        RetryJob,
        "_start",
        _plans_before_it_settles,
        seed=2723,
        faults=("retried_at_once", "short_batch"),
    ),
    _one("send a shard without open rows", RetryJob, "_kept", _finds_a_row_open, seed=279),
    _one("have no index of open jobs", ResumeOpenJobs, "_repair", _always(False), seed=11),
    _one("read whatever is there now", DroppedFile, "chunks", _reads_whatever_is_there_now, seed=9),
    Mutant(
        "ask the recipe of the moment",
        ((DecideUpload, "find_plan", _finds_by_the_recipe), (DecideUpload, "_decide", _decides_anew)),
        seed=1130,
        faults=("recipe_edited", "event_late"),
    ),
    Mutant(
        "plan a job of the recipe seen first",
        (
            (DecideUpload, "find_plan", _finds_the_pinned_job),
            (PlanJob, "__call__", _plans_the_pinned_job),
        ),
        seed=266,
        faults=("recipe_edited", "event_late", "dropped_again"),
    ),
    _one("look two days back only", FindLostUploads, "_dropped", _looks_two_days_back, seed=9),
    _one(
        "forget files without an answer", FindLostUploads, "_mark", _forgets_files_without_an_answer, seed=29
    ),
    _one("take files for answered", FindLostUploads, "_repair", _takes_files_for_answered, seed=93),
    _one("write the ledger first", CloseJob, "_publish", _writes_the_ledger_first, seed=1),
    _one(
        "remove the open mark first",
        CloseJob,
        "_close",
        _closes_the_open_mark_first,
        seed=416,
        faults=("kill", "short_batch", "ticket_deleted"),
    ),
    _one(
        "give a claim back before the ticket waits",
        SubmitShard,
        "_put_off",
        _gives_back_before_it_puts_off,
        seed=1,
    ),
    _one(
        "leave the list before the claim", ClaimSlot, "__call__", _leaves_the_list_before_it_claims, seed=116
    ),
    _one("send again without end", SettleAttempt, "_verdict", _never_has_enough, seed=31),
    _one("create although it was cancelled", SubmitShard, "_is_cancelled", _always(False), seed=9),
    _one("start a poison file for ever", validate_file, "start_prefix", _finds_no_start, seed=25),
    _one("trust a clock to seconds", Claims, "is_held", _believes_its_clock, seed=54),
    _one(
        "refuse without a second look",
        ValidateFile,
        "_refuse",
        _refuses_without_a_second_look,
        seed=247,
        faults=("recipe_broken", "event_twice", "slow"),
    ),
    _one(
        "leave the report of a mistake put right",
        RefuseFile,
        "withdraw",
        _always(None),
        seed=311,
        faults=("bad_version",),
    ),
    _one(
        "send what no list shows any more",
        SubmitShard,
        "_decide",
        _trusts_an_old_list,
        seed=1644,
        faults=("outage_of_weeks", "create_fails_after", "kill"),
    ),
    Mutant(
        "ask where the recipe lies",
        (
            (DecideUpload, "find_plan", _looks_where_the_recipe_lies),
            (PlanJob, "__call__", _plans_where_the_recipe_lies),
        ),
        seed=33,
    ),
    _one("take failed for completed", SettleAttempt, "__call__", _takes_failed_for_completed, seed=7),
    _one(
        "fill the columns of plain answers only",
        AnswerColumns,
        "read",
        _fills_the_columns_of_plain_answers,
        seed=1,
    ),
    _one("forget the columns in a retry", RetryJob, "_plan", _forgets_the_columns, seed=793),
    _one("leave bad rows out of the result", ShardWriter, "add", _loses_bad_rows, seed=8),
    _one("take an own 409 for another's", Slots, "take", _takes_its_own_for_anothers, seed=56),
    _one("read the first page only", Bucket, "list", _reads_one_page),
    _one(
        "believe a status that went backwards",
        CollectShard,
        "_state_of",
        _believes_that_it_went_back,
        seed=44,
    ),
    _one("take rows of another batch", RowIds, "find", _finds_rows_of_another_batch, seed=3),
    _one("pass over a second line", AnswerSpool, "_contradict", _always(None), seed=3),
    _one(
        "take too large a shard for expired", SettleAttempt, "__call__", _takes_too_large_for_expired, seed=7
    ),
    _one(
        "throw a cancelled batch's answers away",
        SettleAttempt,
        "__call__",
        _throws_answers_of_cancelled_batches_away,
        seed=19,
    ),
    _one("wait for a deleted batch", CollectShard, "_state_of", _waits_for_what_is_deleted, seed=261),
    _one(
        "wait for files that are gone", SettleAttempt, "_read_file", _waits_for_files_that_are_gone, seed=56
    ),
    _one(
        "mark files before they are looked at",
        FindLostUploads,
        "candidates",
        _marks_before_it_looks,
        seed=7,
    ),
    _one("ask nobody for the name", PlanJob, "_result_key", _asks_nobody_for_the_name, seed=83),
    _one("leave the dropped file", EraseJob, "_erase_upload", _always(None), seed=17),
    _one("leave the working data", EraseJob, "_delete_all", _always(None), seed=17),
    _one("leave the result", EraseJob, "_erase_results", _always(None), seed=17),
    _one("leave the names in the records", EraseJob, "_reduce", _says_only_that_it_is_erased, seed=17),
    Mutant(
        "erase the result of a newer version",
        ((EraseJob, "_is_mine", _always(True)), (CloseJob, "bring_back", _always(None))),
        seed=5280,
        faults=("job_erased", "short_batch", "dropped_again", "new_version"),
    ),
    _one("never look for lost uploads", FindLostUploads, "_repair", _always(False), seed=0),
    _one("leave a deleted result deleted", ResumeJob, "_needs_its_result_again", _always(False), seed=38),
    _one("never poll", PollRunning, "_poll", _always(False), seed=4),
    _one("call nobody up from the list", Admission, "admit", _always(0), seed=4),
    Mutant(
        "drop the name compare in Ark's find",
        ((ArkApi, "named", _believes_the_list), (Ark, "find", _finds_by_name_alone)),
        seed=35,
        providers=("ark",),
    ),
    _one("compare no input in Ark's find", Ark, "find", _finds_by_name_alone, seed=2078, providers=("ark",)),
    _one(
        "take Initializing for an end",
        ArkApi,
        "get",
        _takes_initializing_for_an_end,
        seed=538,
        faults=("initializing",),
        providers=("ark",),
    ),
    _one(
        "adopt whatever reads the input",
        Ark,
        "_active_job",
        _adopts_whatever_reads_the_input,
        seed=5912,
        faults=("input_read_by_another", "create_fails_after"),
        providers=("ark",),
    ),
    _one(
        "read Ark's file of answers alone",
        Ark,
        "_result_files",
        _reads_one_file,
        seed=538,
        providers=("ark",),
    ),
    _one(
        "stop polling at the first troubled provider",
        PollRunning,
        "_poll",
        _polls_nothing_while_another_is_troubled,
        seed=535,
        providers=("bailian", "ark"),
    ),
    _one(
        "skip the manifest",
        TioneStaging,
        "_manifest",
        _always(None),
        seed=5,
        faults=("manifest_absent",),
        providers=("tione",),
    ),
    _one("believe SUCCEED", tione, "state_of", _believes_a_success, seed=748, providers=("tione",)),
    _one(
        "expect no output after a stop",
        tione,
        "state_of",
        _expects_no_late_output,
        seed=122,
        providers=("tione",),
    ),
    _one(
        "compare no output in TI-ONE's find",
        TioneStaging,
        "is_output_of",
        _always(True),
        seed=4988,
        faults=("create_fails_after", "job_copied", "slow_to_list"),
        providers=("tione",),
    ),
    _one(
        "note no task that is found",
        Tione,
        "_noted",
        lambda _: lambda _self, task_id, _name: task_id,
        seed=12368,
        faults=("create_fails_after", "slow", "kill"),
        providers=("tione",),
    ),
    _one("believe every count of the provider", Progress, "add", _believes_every_count, seed=3),
    _one(
        "count settled shards by their tickets, too",
        read,
        "_in_order",
        lambda right: lambda tickets, _settled: right(tickets, ()),
        seed=71,
    ),
    _one(
        "forget what was settled before the last board", read, "settled_rows", _leaves_the_known_out, seed=1
    ),
    _one("estimate from a single job", estimates, "_estimate_from", _takes_what_there_is, seed=14),
    _one(
        "take cancelled jobs and retries for jobs alike", CloseJob, "_remember", _remembers_every_job, seed=0
    ),
    _one("forget how long a job took", CloseJob, "_remember", _always(None), seed=1),
    _one("tell nobody of a job's end", TellEnds, "closed", _always(None), seed=7),
    _one("tell nobody of a refusal", TellEnds, "refused", _always(None), seed=86),
    _one("tell nobody that work waits", TellWaiting, "__call__", _always(None), seed=112),
    _one("name each job that waits", tell_waiting, "event_id_for", _names_it_anew, seed=109),
    _one("put no word again", RetryWords, "_repair", _always(False), seed=211, faults=("channel_fails",)),
    _one("give a word up at once", RetryWords, "_is_over", _always(True), seed=31),
    _one("tell what is not so any more", IsSo, "__call__", _always(True), seed=54),
    _one("tell beside another run", Tell, "_is_mine", _always(True), seed=3179, faults=("event_twice",)),
    _one("note a word before it is told", Tell, "_tell", _notes_before_it_tells, seed=57),
    _one("give each word an id of its own", PutWords, "__call__", _puts_beside_a_told_one, seed=7),
    Mutant(
        "send what nobody has approved",
        ((StartJob, "_waits", _always(False)), (submit_shard, "not_approved", _always(None))),
        seed=11,
        faults=("must_approve",),
    ),
    _one(
        "send it when it is too late",
        submit_approval,
        "decided_now",
        _always(Approval(said=APPROVED, at=START)),
        seed=29,
        faults=("must_approve",),
    ),
    Mutant(
        "let what was replaced wait",
        ((StartJob, "_is_replaced", _always(False)),),
        seed=176,
        faults=("must_approve", "new_version"),
    ),
    _one(
        "retry what was replaced",
        RetryJob,
        "_replaced_by",
        _always(None),
        seed=35784,
        faults=("must_approve", "job_retried"),
    ),
    _one("reserve no money", ReserveMoney, "__call__", _always(None), seed=10, faults=("under_ceilings",)),
    Mutant(
        "reserve after the upload",
        ((ReserveMoney, "__call__", _always(None)), (SubmitShard, "_record", _reserves_after_the_upload)),
        seed=10,
        faults=("under_ceilings",),
    ),
    _one(
        "return what was reserved twice",
        quota_ceilings,
        "_settled",
        _returns_it_twice,
        seed=10,
        faults=("under_ceilings",),
    ),
    _one(
        "count a resend as free",
        reserve_money,
        "_left_open_by",
        _sends_again_for_free,
        seed=10059,
        faults=("under_ceilings", "row_throttled"),
    ),
    _one("ask again once too often", Tries, "asks_again", _asks_once_too_often, seed=81),
    _one("lose what does not fit", Tries, "_best", _loses_what_was_paid, seed=123),
    _one("ask for what fits again", Misfits, "is_one", _asks_for_all_again, seed=6),
    _one(
        "reserve nothing for longer answers",
        reserve_money,
        "worst_case",
        _reserves_for_short_answers,
        seed=989,
        faults=("under_ceilings",),
    ),
    _one(
        "overwrite a balance",
        Balances,
        "change",
        _overwrites_a_balance,
        seed=10,
        faults=("under_ceilings",),
    ),
    _one(
        "bill a shard's last attempt alone",
        invoice,
        "_attempts_of",
        _bills_the_last_attempt,
        seed=97,
        faults=("row_throttled",),
    ),
    _one("charge what was cached in full", UsageCount, "add", _counts_nothing_as_cached, seed=1),
    _one("keep what was reserved", Ceilings, "settle", _always(None), seed=0, faults=("under_ceilings",)),
    _one(
        "ask a sample without a claim",
        AskSample,
        "_group",
        _asks_without_a_claim,
        seed=306,
        faults=("sampled", "event_twice"),
    ),
    _one("keep no answer of a sample", ask_sample, "_kept", _always(None), seed=39, faults=("sampled",)),
    _one(
        "send what a dead run may have asked",
        BucketRecords,
        "create",
        _takes_what_is_lost_for_unasked,
        seed=39,
        faults=("sampled", "kill"),
    ),
    _one(
        "reserve nothing for a sample",
        SampleMoney,
        "reserve",
        _always(value=True),
        seed=223,
        faults=("sampled", "under_ceilings"),
    ),
    _one(
        "settle a sample each time",
        quota_ceilings,
        "_settled_alike",
        _keeps_the_sample_reserved,
        seed=4253,
        faults=("sampled", "under_ceilings"),
    ),
    _one(
        "bill a sample as a batch",
        invoice,
        "_attempts_of",
        _bills_all_as_batches,
        seed=39,
        faults=("sampled",),
    ),
    _one(
        "forget rows of which nobody told the tokens",
        collect_shard,
        "charged_by",
        _forgets_what_nobody_told,
        seed=299,
        faults=("under_ceilings", "line_missing"),
    ),
)
