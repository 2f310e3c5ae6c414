"""The commands about jobs, each on an open bucket."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scripts.operate.access import OpenBucket
from scripts.operate.jobs.being_checked import being_checked
from scripts.operate.jobs.budgets import budget_facts, budget_lines, ceiling_lines, free_now
from scripts.operate.jobs.facts import job_facts, open_job_facts
from scripts.operate.jobs.find_jobs import find_former_jobs, find_jobs, job_and_retries
from scripts.operate.jobs.follow_cancel import FollowCancel
from scripts.operate.jobs.show import board_lines, job_lines, short_lines
from scripts.operate.texts.said import ERASED_NAME, Refusal, said
from scripts.terminal import named, typed
from shared.board.model import Board, untold_by
from shared.board.read import ReadBoard
from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import BOARD, OUTBOX, awaited_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import rejection_keys_for
from shared.pipeline.jobs.cancel_job import CancelJob, CancelResult
from shared.pipeline.jobs.erase_job import EraseJob
from shared.pipeline.jobs.retries import latest_retry
from shared.pipeline.jobs.retry_job import RetryJob, RetryResult, open_rows
from shared.pipeline.words.untold import untold_problems
from shared.ports.providers import Providers
from shared.problems.escapes import escaped_line
from shared.problems.render import render_problem
from shared.results.kept_rows import PartUnreadable
from shared.runtime.system_clock import SystemClock
from shared.runtime.wiring.providers.profiles import PROFILES

MAX_JOBS = 1000
# A job of which nothing was sent is closed at once.
_CLOSED_WITHIN_S = 20.0
_NOT_RETRIED = {
    RetryResult.OPEN: "not_closed",
    RetryResult.GONE: "records_gone",
    RetryResult.ERASED: "being_erased",
}
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Commands:
    """Each tells people what it did and returns what programs ask, or raises ``Refusal``."""

    bucket: OpenBucket
    tell: Tell

    def status(self, target: str | None) -> list[dict[str, object]]:
        """The jobs that are shown, as facts."""
        self._warn_of_versions()
        if target is not None:
            plans = [each for plan in self.find(target) for each in job_and_retries(self._records, plan)]
            for plan in plans:
                is_charged = self.bucket.is_charged(plan.provider)
                head = self.bucket.store.head(plan.source.key) if plan.approval and plan.source.key else None
                is_outdated = head is not None and head.etag != plan.source.etag
                lines = job_lines(self._records, plan, is_charged=is_charged, is_outdated=is_outdated)
                self._tell_all(lines)
                self._tell_all(ceiling_lines(self.bucket.store, plan))
            return [job_facts(self._records, plan) for plan in plans]
        return self.open_now()[0]

    def open_now(self) -> tuple[list[dict[str, object]], int]:
        """The open jobs that are shown, as facts; if there is none, how many files may be one."""
        board = self._board
        found = board.open_jobs()
        looked = [board.look(job_id, tickets) for job_id, tickets in list(found.items())[:MAX_JOBS]]
        # By what is shown: tickets are put again now and then, and rows would change their places.
        jobs = sorted((job for job in looked if job), key=lambda job: (str(job.waiting_since), job.job_id))
        if jobs:
            self._tell_all(board_lines(jobs))
        # The whole inbox is listed for that, so only now.
        files = 0 if jobs else being_checked(self.bucket, SystemClock())
        if not jobs:
            self.tell(said("being_checked", files=files) if files else said("nothing_open"))
        if len(found) > MAX_JOBS:
            self.tell(said("more_jobs", jobs=len(found) - MAX_JOBS))
        self._tell_untold()
        return [open_job_facts(job) for job in jobs], files

    def budget(self) -> list[dict[str, object]]:
        """What may still be spent this month, as facts; nothing without a ``budget.yaml``."""
        found = free_now(self.bucket.store, SystemClock(), self._tell_all)
        self._tell_all(budget_lines(found, SystemClock()))
        return [budget_facts(each) for each in found]

    def find(self, target: str, *, is_to_go: bool = False) -> list[Plan]:
        """The jobs that are meant; raises ``Refusal`` if there is none."""
        return find_jobs(self.bucket, self._board, target, is_to_go=is_to_go)

    def cancel(self, target: str, wait_s: float) -> JobId:
        plans = self.find(target)
        still_open = [plan for plan in plans if self._ledger(plan) is None]
        plan = self._only(target, plans, still_open or self._alive(plans)[-1:])
        self._refuse_erased(plan)
        job_id = JobId(plan.job_id)
        cancel = CancelJob(self.bucket.store, SystemClock())
        done = cancel(job_id)
        if done is CancelResult.CLOSED:
            ledger = self._ledger(plan)
            self.tell(
                said("already_closed", **_named(plan), result=named(ledger.result_key) if ledger else "")
            )
            return job_id
        is_new = done is CancelResult.CANCELLED
        self.tell(said("cancelled" if is_new else "already_cancelled", **_named(plan)))
        self._follow_cancel(plan, cancel, wait_s)
        return job_id

    def retry(self, target: str) -> JobId:
        """The job that sends them; if there is none, the one that has no open rows."""
        plans = self.find(target)
        alive = self._alive(plans)
        worth = [plan for plan in alive if (ledger := self._ledger(plan)) is None or open_rows(plan, ledger)]
        plan = self._only(target, plans, worth or alive[-1:])
        self._refuse_erased(plan)
        if not worth:
            self.tell(said("nothing_to_retry", target=target))
            return JobId(plan.job_id)
        try:
            run_id = f"run-{secrets.token_hex(8)}"
            retried = RetryJob(self.bucket.store, SystemClock(), run_id, PROFILES)(plan)
        except PartUnreadable as error:
            raise Refusal("records_damaged", **_named(plan), reason=error) from error
        if retried.said is RetryResult.STARTED:
            code = "retry_waits" if retried.plan.approval else "retry_started"
            self.tell(said(code, **_named(retried.plan), rows=retried.rows))
        elif retried.said is RetryResult.NOTHING:
            self.tell(said("nothing_to_retry", target=target))
        elif retried.newer:
            newer = latest_retry(self._records, retried.newer)
            raise Refusal("retry_of_replaced", **_named(retried.plan), newer=newer.job_id)
        else:
            raise Refusal(_NOT_RETRIED[retried.said], **_named(retried.plan))
        return JobId(retried.plan.job_id)

    def erase(
        self, target: str, provider_of: Callable[[str], Providers], confirm: Callable[[str], bool]
    ) -> JobId:
        """Erase a closed job's data, once ``confirm`` has heard what goes and said yes."""
        plans = self.find(target, is_to_go=True)
        plan = self._only(target, plans, self._alive(plans))
        if self._is_erased(plan) and not self._lies_there_again(plan.source.key):
            self.tell(said("erased_before", **_named(plan)))
        else:
            self._erase(plan, provider_of(plan.provider), confirm)
        if plan.source.key and self.bucket.store.head(plan.source.key):
            self.tell(said("dropped_since", **_named(plan), typed=typed(plan.source.key)))
        # Their names are known for as long as this one's was.
        others = [
            each for each in find_former_jobs(self.bucket, plan.source.key) if not self._is_erased(each)
        ]
        if others:
            jobs = ", ".join(each.job_id for each in others)
            self.tell(said("other_versions", **_named(plan) | {"jobs": jobs, "job": others[0].job_id}))
        return JobId(plan.job_id)

    def _erase(self, plan: Plan, providers: Providers, confirm: Callable[[str], bool]) -> None:
        self._warn_of_versions()
        if not confirm(said("about_to_erase", **_named(plan), rows=plan.rows)):
            raise Refusal("nothing_erased")
        if self.bucket.store.head(awaited_key(JobId(plan.job_id))):  # nothing of it was sent
            cancel = CancelJob(self.bucket.store, SystemClock())
            cancel(JobId(plan.job_id))
            self._follow_cancel(plan, cancel, _CLOSED_WITHIN_S)
        if not EraseJob(self.bucket.store, providers, SystemClock())(plan):
            raise Refusal("open_not_erased", **_named(plan))
        self.tell(said("erased", **_named(plan)))

    def _lies_there_again(self, key: str) -> bool:
        keys = (key, *rejection_keys_for(key)) if key else ()
        return any(self.bucket.store.head(each) for each in keys)

    def _warn_of_versions(self) -> None:
        if self.bucket.is_versioned():
            self.tell(said("bucket_versioned", bucket=self.bucket.name))

    def only_one(self, target: str, meant: list[Plan]) -> Plan:
        """Raises ``Refusal`` if several are meant."""
        return self._only(target, meant, meant)

    def _only(self, target: str, plans: list[Plan], meant: list[Plan]) -> Plan:
        """The one that is meant; if there are several, all are listed to choose from."""
        if len(meant) > 1:
            raise Refusal(
                "several_jobs", *map(escaped_line, short_lines(plans, self._records)), target=target
            )
        return meant[0]

    def _alive(self, plans: list[Plan]) -> list[Plan]:
        """Those that still have data; if all are erased, the last one."""
        return [plan for plan in plans if not self._is_erased(plan)] or plans[-1:]

    def _refuse_erased(self, plan: Plan) -> None:
        ledger = self._ledger(plan)
        if ledger and ledger.erased_at:
            raise Refusal("being_erased" if ledger.is_being_erased else "already_erased", **_named(plan))

    def _is_erased(self, plan: Plan) -> bool:
        ledger = self._ledger(plan)
        return ledger is not None and ledger.erased_at is not None and not ledger.is_being_erased

    def _ledger(self, plan: Plan) -> Ledger | None:
        return self._records.find_ledger(JobId(plan.job_id))

    @property
    def _records(self) -> BucketRecords:
        return BucketRecords(self.bucket.store)

    @property
    def _board(self) -> ReadBoard:
        earlier = self._records.find(BOARD, Board)
        return ReadBoard(self.bucket.store, SystemClock(), max_tickets=50, earlier=earlier)

    def _tell_untold(self) -> None:
        store = self.bucket.store
        untold = untold_by(head.key for head in store.list(OUTBOX))
        for problem in untold_problems(store, SystemClock(), untold):
            self._tell_all((render_problem(problem, "zh"), render_problem(problem, "en")))

    @property
    def _follow_cancel(self) -> FollowCancel:
        return FollowCancel(self.bucket.store, lambda: self._board, self.tell)

    def _tell_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.tell(escaped_line(line))


def _named(plan: Plan) -> dict[str, object]:
    return {"job": plan.job_id, "key": named(plan.source.key) if plan.source.key else ERASED_NAME}
