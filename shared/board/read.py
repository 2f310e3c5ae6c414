"""Reads the open jobs from the bucket: the listings of tickets, and a few records of each job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from shared.board.model import OpenJob, ShardState
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import OPEN, Stage, settled_prefix, ticket_in
from shared.bucket.records import Plan
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
    """

    store: ObjectStore
    clock: Clock
    max_tickets: int = 5

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

    def look(self, job_id: JobId, tickets: OpenTickets) -> OpenJob | None:
        """The job in detail; ``None`` if its tickets belong to no plan."""
        records = BucketRecords(self.store)
        plan = records.find_plan(job_id)
        if plan is None:
            return None
        seen = _Seen(self.clock.now())
        settled = self.settled_shards(plan)
        for attempt, stage, head in _in_order(tickets):
            if attempt.shard not in settled:
                self._see(records, seen, attempt, stage, head)
        if settled:
            seen.count(ShardState.SETTLED, len(settled))
        return OpenJob(
            job_id=job_id,
            source_key=plan.source.key,
            provider=plan.provider,
            rows=plan.rows,
            shards=len(plan.shards),
            by_state=seen.by_state,
            waiting_since=min(seen.since, default=tickets.oldest_at),
            deadline_at=min(seen.deadlines, default=None),
            batches=tuple(seen.batches),
            cancelled=records.is_cancelled(job_id),
            retry_of=plan.retry_of,
            waiting_for=seen.waiting_for,
        )

    def settled_shards(self, plan: Plan) -> set[int]:
        if len(plan.shards) == 1:
            return set()  # or its job would be closed
        prefix = settled_prefix(JobId(plan.job_id))
        names = [head.key[len(prefix) :].removesuffix(".json") for head in self.store.list(prefix)]
        return {int(name) for name in names if name.isdecimal()}

    def _see(
        self, records: BucketRecords, seen: _Seen, attempt: Attempt, stage: Stage, head: ObjectHead
    ) -> None:
        is_read = seen.tickets < self.max_tickets
        seen.tickets += 1
        if is_read and stage is Stage.READY and (ready := records.find_ready(attempt)):
            seen.ready(ready, head)
        elif is_read and stage is Stage.RUNNING and (running := records.find_running(attempt)):
            seen.running(running)
        else:
            seen.count(_state(stage))
            seen.since.append(head.modified_at)


class _Seen:
    """What the tickets of one job say together."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.tickets = 0
        self.by_state: dict[str, int] = {}
        self.since: list[datetime] = []
        self.deadlines: list[datetime] = []
        self.batches: list[str] = []
        self.waiting_for: WaitingFor | None = None

    def count(self, state: ShardState, shards: int = 1) -> None:
        self.by_state[state.value] = self.by_state.get(state.value, 0) + shards

    def ready(self, ticket: ReadyTicket, head: ObjectHead) -> None:
        is_early = ticket.not_before is not None and ticket.not_before > self._now
        self.count(ShardState.WAITING if is_early or ticket.waiting_for else ShardState.READY)
        self._wait(ticket.waiting_for, head.modified_at)

    def running(self, ticket: RunningTicket) -> None:
        self.count(ShardState.RUNNING)
        self._wait(ticket.waiting_for, ticket.submitted_at)
        self.deadlines.append(ticket.deadline_at)
        if ticket.batch_id:
            self.batches.append(ticket.batch_id)

    def _wait(self, waiting_for: WaitingFor | None, since: datetime) -> None:
        self.since.append(min(since, waiting_for.since) if waiting_for else since)
        self.waiting_for = self.waiting_for or waiting_for


def _in_order(tickets: OpenTickets) -> Iterator[tuple[Attempt, Stage, ObjectHead]]:
    return (tickets.heads[shard] for shard in sorted(tickets.heads))


def _state(stage: Stage) -> ShardState:
    return ShardState(stage.value.removesuffix("/"))
