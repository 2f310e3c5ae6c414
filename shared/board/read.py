"""Reads the open jobs from the bucket: the listings of tickets, and a few records of each job."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from shared.board.estimates import Estimates
from shared.board.model import Board, OpenJob, SettledRows, ShardState, SpentMoney
from shared.board.progress import Progress, sampled_rows, settled_rows
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import OPEN, Stage, awaited_key, job_tickets_prefix, settled_prefix, ticket_in
from shared.bucket.records.plan import Plan
from shared.bucket.tickets import ReadyTicket, RunningTicket, WaitingFor
from shared.ports.clock import Clock
from shared.ports.store import ObjectHead, ObjectStore


@dataclass
class OpenTickets:
    """One job's tickets: of each shard the one that is furthest on."""

    heads: dict[int, tuple[Attempt, Stage, ObjectHead]] = field(default_factory=dict)
    opened_at: datetime | None = None

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest ticket was put; without any, when the timer last looked at the job."""
        return min((head.modified_at for _, _, head in self.heads.values()), default=self.opened_at)

    def add(self, attempt: Attempt, stage: Stage, head: ObjectHead) -> None:
        standing = self.heads.get(attempt.shard)
        # Stages are listed in their order: of one attempt's tickets the last is the furthest on.
        if standing is None or standing[0].number <= attempt.number:
            self.heads[attempt.shard] = (attempt, stage, head)


@dataclass(frozen=True)
class ReadBoard:
    """Costs four listings, and a handful of reads for each job that is looked at more closely.

    Attributes:
        max_tickets: How many of a job's tickets are read; the others count by where they lie.
        earlier: The board before this one, which knows what was settled then.
        ceiling_of: What a job may still spend by its recipe; ``earlier`` tells those who have none.
    """

    store: ObjectStore
    clock: Clock
    max_tickets: int = 20
    earlier: Board | None = None
    ceiling_of: Callable[[Plan], SpentMoney | None] | None = None

    @cached_property
    def _known(self) -> Mapping[str, OpenJob]:
        return {job.job_id: job for job in self.earlier.jobs} if self.earlier else {}

    @cached_property
    def _estimates(self) -> Estimates:
        return Estimates(self.store)

    def open_jobs(self) -> dict[JobId, OpenTickets]:
        """Every job that has a ticket, or ought to, the one with the oldest first."""
        jobs: dict[JobId, OpenTickets] = {}
        for stage in Stage:
            for head in self.store.list(stage.value):
                found = ticket_in(head.key)
                if found:
                    jobs.setdefault(found[1].job_id, OpenTickets()).add(found[1], stage, head)
        for head in self.store.list(OPEN):
            jobs.setdefault(JobId(head.key.removeprefix(OPEN)), OpenTickets()).opened_at = head.modified_at
        return dict(sorted(jobs.items(), key=lambda job: (str(job[1].oldest_at), job[0])))

    def tickets_of(self, job_id: JobId) -> OpenTickets:
        """Those of one job, which costs three listings."""
        tickets = OpenTickets()
        for stage in Stage:
            for head in self.store.list(job_tickets_prefix(stage, job_id)):
                found = ticket_in(head.key)
                if found:
                    tickets.add(found[1], stage, head)
        return tickets

    def look(self, job_id: JobId, tickets: OpenTickets) -> OpenJob | None:
        """The job in detail; ``None`` if its tickets belong to no plan."""
        records = BucketRecords(self.store)
        plan = records.find_plan(job_id)
        if plan is None:
            return None
        settled, known = self.settled_shards(plan), self._known.get(job_id)
        rows = settled_rows(records, job_id, settled, known.settled if known else SettledRows())
        seen = _Seen(records, plan, self.clock.now(), Progress(rows))
        seen.add_all(tickets, settled, self.max_tickets)
        is_cancelled = records.is_cancelled(job_id)
        waits = plan.approval and not is_cancelled and self.store.head(awaited_key(job_id))
        if waits:
            seen.count(ShardState.WAITING, len(plan.shards))
            seen.progress.answered += sampled_rows(records, plan)
        return OpenJob(
            job_id=job_id,
            source_key=plan.source.key,
            provider=plan.provider,
            model=plan.model,
            rows=plan.rows,
            answered=seen.progress.answered,
            failed=seen.progress.failed,
            counted_at=seen.progress.counted_at,
            shards=len(plan.shards),
            by_state=seen.by_state,
            waiting_since=min(seen.since, default=waits.modified_at if waits else tickets.oldest_at),
            planned_at=plan.created_at,
            deadline_at=seen.last_deadline(len(plan.shards) - len(settled)),
            estimate=None if is_cancelled or waits or seen.waiting_for else self._estimates(plan),
            batches=tuple(seen.batches),
            cancelled=is_cancelled,
            closed=seen.waiting_for is not None and records.is_closed(job_id),
            retry_of=plan.retry_of,
            waiting_for=seen.waiting_for,
            settled=rows,
            notify=plan.notify,
            approve_until=plan.approve_until if waits else None,
            ceiling=self.ceiling_of(plan) if self.ceiling_of else known and known.ceiling,
            is_outdated=bool(waits) and self._is_outdated(plan),
        )

    def _is_outdated(self, plan: Plan) -> bool:
        head = self.store.head(plan.source.key)
        return head is not None and head.etag != plan.source.etag

    def settled_shards(self, plan: Plan) -> dict[int, bool]:
        """Those that sent rows which are settled; of each, whether it is whole."""
        if len(plan.shards) == 1:
            return {}  # or its job would be closed
        prefix = settled_prefix(JobId(plan.job_id))
        found = dict[int, bool]()
        for head in self.store.list(prefix):
            name, _, kind = head.key[len(prefix) :].partition(".")
            if name.isdecimal():
                found[int(name)] = found.get(int(name), False) or kind == "json"
        return found


class _Seen:
    """What the tickets of one job say together. The first of them are read."""

    def __init__(self, records: BucketRecords, plan: Plan, now: datetime, progress: Progress) -> None:
        self._records = records
        self._plan = plan
        self._now = now
        self.progress = progress
        self.by_state: dict[str, int] = {}
        self.since: list[datetime] = []
        self.deadlines: list[datetime] = []
        self.batches: list[str] = []
        self.waiting_for: WaitingFor | None = None

    def last_deadline(self, open_shards: int) -> datetime | None:
        """When the last batch ends at the latest; ``None`` if a shard has none, or is not read."""
        return max(self.deadlines) if open_shards == len(self.deadlines) > 0 else None

    def add_all(self, tickets: OpenTickets, settled: Collection[int], max_read: int) -> None:
        """Of the tickets of open shards the first ones are read."""
        for number, (attempt, stage, head) in enumerate(_in_order(tickets, settled)):
            self._add(attempt, stage, head, is_read=number < max_read)
        if settled:
            self.count(ShardState.SETTLED, len(settled))

    def _add(self, attempt: Attempt, stage: Stage, head: ObjectHead, *, is_read: bool) -> None:
        # A batch that is said to have ended has its running/ ticket, too.
        running = self._records.find_running(attempt) if is_read and stage is not Stage.READY else None
        if is_read and stage is Stage.READY and (ready := self._records.find_ready(attempt)):
            self._ready(ready, head)
        elif running and stage is Stage.RUNNING:
            self._running(running)
        else:
            self.count(_state(stage))
            self.since.append(head.modified_at)
        if is_read:
            self.progress.add(self._records, self._plan, attempt, running)

    def count(self, state: ShardState, shards: int = 1) -> None:
        self.by_state[state.value] = self.by_state.get(state.value, 0) + shards

    def _ready(self, ticket: ReadyTicket, head: ObjectHead) -> None:
        is_early = ticket.not_before is not None and ticket.not_before > self._now
        self.count(ShardState.WAITING if is_early or ticket.waiting_for else ShardState.READY)
        self._wait(ticket.waiting_for, head.modified_at)

    def _running(self, ticket: RunningTicket) -> None:
        self.count(ShardState.RUNNING)
        self._wait(ticket.waiting_for, ticket.submitted_at)
        self.deadlines.append(ticket.deadline_at)
        if ticket.batch_id:
            self.batches.append(ticket.batch_id)

    def _wait(self, waiting_for: WaitingFor | None, since: datetime) -> None:
        self.since.append(min(since, waiting_for.since) if waiting_for else since)
        self.waiting_for = self.waiting_for or waiting_for


def _in_order(tickets: OpenTickets, settled: Collection[int]) -> Iterator[tuple[Attempt, Stage, ObjectHead]]:
    """Without those that were left of settled shards."""
    return (tickets.heads[shard] for shard in sorted(tickets.heads) if shard not in settled)


def _state(stage: Stage) -> ShardState:
    return ShardState(stage.value.removesuffix("/"))
