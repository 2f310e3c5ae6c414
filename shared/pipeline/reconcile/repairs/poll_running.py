"""Asks the provider about running batches, no more often than it advises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, ticket_key
from shared.bucket.tickets import RunningTicket
from shared.pipeline.account_problems import waiting_for
from shared.pipeline.deadlines import POLL_DOUBLINGS
from shared.pipeline.reconcile.step import Candidate, overdue_tickets
from shared.pipeline.waiting import asked_of_provider, keep_running
from shared.ports.clock import Clock
from shared.ports.provider import BatchId, BatchState, BatchStatus
from shared.ports.providers import Provider, Providers
from shared.ports.store import ObjectHead, ObjectStore
from shared.problems.exceptions import ProviderRejected, ProviderTrouble, QuotaReached

_OVERDUE = BatchState(BatchId(""), BatchStatus.EXPIRED, "overdue")


@dataclass(frozen=True)
class PollRunning:
    """A ``RepairStep`` for one provider's batches.

    A batch that has ended, or is past its deadline, gets its ``finished/`` ticket. Each poll
    rewrites the ``running/`` ticket, so that the ticket's time is that of the last poll.
    """

    store: ObjectStore
    provider: Provider
    clock: Clock
    poll_after: timedelta
    providers: Providers
    asked: list[Attempt] = field(default_factory=list)
    cancelled: dict[JobId, bool] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"running {self.provider.profile.name}"

    def candidates(self) -> Iterator[Candidate]:
        return overdue_tickets(self.store, self.clock, Stage.RUNNING, self.poll_after, self._poll)

    def _poll(self, attempt: Attempt, head: ObjectHead) -> bool:
        records = BucketRecords(self.store)
        ticket = self._find_ours(attempt)
        if ticket is None:
            return False
        if self.clock.now() - head.modified_at < self._poll_interval(ticket):
            return False
        if ticket_key(Stage.FINISHED, attempt) in self._finished:
            return False  # collect is at it, or RepairFinished will put the ticket again
        self.asked.append(attempt)
        # In one run of the timer, which is a minute; the other half of the allowance is collect's.
        if len(self.asked) > self.provider.profile.queries_per_minute // 2:
            raise QuotaReached(
                "This run has asked about as many batches as it may; the next one goes on here."
            )
        try:
            state = self._state_of(ticket)
        except (ProviderTrouble, ProviderRejected) as refusal:
            reason = waiting_for(refusal, self.clock.now(), self.provider.profile.terms)
            keep_running(self.store, attempt, reason)
            raise
        self._note_poll(attempt, ticket, state)
        has_ended = state is not None and state.status.is_terminal
        if has_ended:
            records.put_finished(attempt, heard_from="timer")
        elif self._is_cancelled(attempt.job_id):
            # It was told once, but may not have heard.
            with asked_of_provider():
                self.provider.batches.cancel(BatchId(ticket.batch_id))
        return has_ended and self.provider.profile.announces_ends

    # Once in a run, not for each of hundreds of shards: what comes meanwhile, the next poll sees.

    @cached_property
    def _finished(self) -> frozenset[str]:
        return frozenset(head.key for head in self.store.list(Stage.FINISHED.value))

    def _is_cancelled(self, job_id: JobId) -> bool:
        if job_id not in self.cancelled:
            self.cancelled[job_id] = BucketRecords(self.store).is_cancelled(job_id)
        return self.cancelled[job_id]

    def _find_ours(self, attempt: Attempt) -> RunningTicket | None:
        """The ticket of a batch at this provider.

        At one that is not set up, nobody polls it: then its ticket says once that it waits.
        """
        ticket = BucketRecords(self.store).find_running(attempt)
        if ticket is None or ticket.provider == self.provider.profile.name:
            return ticket
        if ticket.waiting_for is None:
            try:
                self.providers.of(ticket.provider)
            except ProviderTrouble as trouble:
                keep_running(self.store, attempt, waiting_for(trouble, self.clock.now(), {}))
        return None

    def _poll_interval(self, ticket: RunningTicket) -> timedelta:
        """Providers advise to ask no more than once a minute, and to back off."""
        return self.poll_after * (1 << min(ticket.polls, POLL_DOUBLINGS))

    def _state_of(self, ticket: RunningTicket) -> BatchState | None:
        """What the provider says, which does not matter of a batch past its deadline."""
        if self.clock.now() >= ticket.deadline_at:
            return _OVERDUE
        with asked_of_provider():
            return self.provider.batches.status(BatchId(ticket.batch_id))

    def _note_poll(self, attempt: Attempt, ticket: RunningTicket, state: BatchState | None) -> None:
        """Also if it has ended: collect may have to wait for its results, or for its cancelling.

        The next poll must not come sooner then.
        """
        if state is not None and state.trouble and not state.status.is_terminal:
            trouble = ProviderTrouble(state.problems[0].message, state.trouble)
            reason = waiting_for(trouble, self.clock.now(), self.provider.profile.terms)
            keep_running(self.store, attempt, reason)
        else:
            changes = {"polls": ticket.polls + 1, "waiting_for": None} | self._counts_in(state)
            BucketRecords(self.store).put_running(attempt, ticket.model_copy(update=changes))

    def _counts_in(self, state: BatchState | None) -> dict[str, object]:
        """For people: how many rows are done. What was told before stands if nothing is told."""
        if state is None or state.requests_completed is None:
            return {}
        return {
            "completed": state.requests_completed,
            "failed": state.requests_failed,
            "counted_at": self.clock.now(),
        }
