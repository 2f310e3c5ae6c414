"""Turns a ``ready/`` ticket into one batch, and only one, whatever crashes or repeats.

``shared/README.md`` describes the protocol.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, attempt_key
from shared.bucket.money import Money
from shared.bucket.records.plan import Plan
from shared.bucket.records.submission import Submission, SubmissionKind
from shared.bucket.tickets import ReadyTicket
from shared.pipeline.deadlines import DEADLINE_GRACE
from shared.pipeline.quota.admission import Admission
from shared.pipeline.quota.ceilings import Ceilings
from shared.pipeline.quota.claim_slot import ClaimSlot, HeldSlot, NotNow
from shared.pipeline.quota.claims import Claims
from shared.pipeline.quota.slots import Slots
from shared.pipeline.quota.stack_ceiling import under_stack
from shared.pipeline.submit.announce import announce
from shared.pipeline.submit.approval import not_approved, replaced_meanwhile
from shared.pipeline.submit.close_unsent import CloseUnsent
from shared.pipeline.submit.decision import CANCELLED, Adopt, Close, Decision, Wait, decide
from shared.pipeline.submit.find_request import find_request
from shared.pipeline.submit.put_off import put_off
from shared.pipeline.submit.reserve_money import ReserveMoney
from shared.pipeline.submit.send_deadline import requests_removed, too_late_to_send
from shared.pipeline.waiting import asked_of_provider
from shared.ports.clock import Clock
from shared.ports.provider import BatchId, BatchRequest
from shared.ports.providers import Provider, Providers
from shared.ports.store import ObjectStore
from shared.problems.exceptions import (
    CeilingReached,
    OutcomeUnknown,
    PipelineError,
    ProviderRejected,
    ProviderTrouble,
    QuotaReached,
    TransientError,
)

log = logging.getLogger(__name__)


class SubmitResult(str, Enum):
    """What was done for one ticket, in one word for the log."""

    SUBMITTED = "submitted"
    CLAIMED = NotNow.CLAIMED.value
    WAITING = NotNow.WAITING.value
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SubmitShard:
    """Submit the shard that a ticket names. Any number of concurrent calls may name the same one.

    Attributes:
        claim_lease: How long a claim is respected. It must be longer than the function's time-out
            plus the time until a new batch is in the provider's list, or two may be created.
        callback_url_for: The URL that the provider calls at the end, or ``None`` where there is no
            public endpoint.
        month_budget: What the stack allows all files in a month.
    """

    store: ObjectStore
    providers: Providers
    clock: Clock
    claim_lease: timedelta
    callback_url_for: Callable[[Attempt], str | None]
    month_budget: Money | None = None

    def __call__(self, attempt: Attempt) -> SubmitResult:
        records = BucketRecords(self.store)
        ticket = records.find_ready(attempt)
        if ticket is None:
            return SubmitResult.GONE
        if ticket.not_before is not None and ticket.not_before > self.clock.now():
            # Also for a cancelled job: every ticket that is put back starts this function again.
            # Cancelling puts a ticket without such a time.
            return SubmitResult.WAITING
        plan = records.find_plan(attempt.job_id)
        if plan is None or plan.shard(attempt.shard) is None:
            log.warning("ticket.unknown", extra={"attempt": str(attempt)})
            records.drop_ticket(Stage.READY, attempt)
            return SubmitResult.UNKNOWN
        submission: Submission | NotNow | None = records.find_submission(attempt)
        if submission is None:
            plan = under_stack(plan, self.month_budget)
            try:
                submission = self._submit(plan, attempt, ticket)
            except (QuotaReached, ProviderTrouble) as refusal:  # nothing is held
                submission = self._put_off(plan, attempt, ticket, refusal)
        if isinstance(submission, NotNow):
            return SubmitResult(submission.value)
        announce(self.store, self.providers, attempt, submission)
        return SubmitResult.SUBMITTED

    def _submit(self, plan: Plan, attempt: Attempt, ticket: ReadyTicket) -> Submission | NotNow:
        """Decide, then act on it."""
        provider = self.providers.of(plan.provider)
        pool = provider.profile.pool_for(plan.model)
        claims = Claims.of(self.store, attempt)
        decision = self._decide(plan, provider, claims, ticket)
        if isinstance(decision, Wait):
            # Leave the queue: until the claim expires, this shard would be offered the slot every
            # minute and block the others.
            Admission(self.store, self.clock).leave(pool, attempt)
            return NotNow.CLAIMED
        if isinstance(decision, Adopt):
            log.info("batch.adopted", extra={"attempt": str(attempt), "batch_id": decision.batch_id})
            return self._record(plan, attempt, decision.batch_id)
        # No claimant before this one created a batch.
        Slots(self.store).give_back_all(claims.last_alone())
        if isinstance(decision, Close):
            return self._close.with_a_claim(plan, pool, claims, decision)
        held = ClaimSlot(self.store, self.clock)(pool, claims)
        if held is NotNow.WAITING:
            # One that slept for longer than its lease may have taken the last slot since.
            Slots(self.store).give_back_all(claims)
        return held if isinstance(held, NotNow) else self._create(plan, provider, ticket, held)

    def _decide(self, plan: Plan, provider: Provider, claims: Claims, ticket: ReadyTicket) -> Decision:
        def find_reason() -> Close | Wait | None:
            listed_for = provider.profile.listed_for
            reason = too_late_to_send(plan, claims, listed_for, self.clock.now())
            reason = reason or (CANCELLED if self._is_cancelled(claims.attempt) else None)
            reason = reason or replaced_meanwhile(BucketRecords(self.store), plan, ticket)
            return reason or not_approved(BucketRecords(self.store), self.clock, plan)

        return decide(
            is_claimed=claims.is_held(self.clock.now(), self.claim_lease),
            is_sent=plan.is_sent(claims.attempt),
            find_batch=lambda: self._earlier_batch(plan, provider, claims),
            find_reason=find_reason,
        )

    def _earlier_batch(self, plan: Plan, provider: Provider, claims: Claims) -> BatchId | None:
        """What an earlier claimant may have created before it died."""
        if not claims.unreleased:
            return None
        try:
            with asked_of_provider():
                return provider.batches.find(claims.attempt.batch_name, plan.requests_key(claims.attempt))
        except (ProviderTrouble, ProviderRejected) as refusal:
            last_claimed_at = claims.claimed_at[claims.unreleased[-1]]
            if self.clock.now() - last_claimed_at > provider.profile.listed_for:
                return None  # it is listed no longer
            if isinstance(refusal, ProviderTrouble):
                raise
            raise ProviderTrouble(str(refusal)) from refusal

    def _create(
        self, plan: Plan, provider: Provider, ticket: ReadyTicket, held: HeldSlot
    ) -> Submission | NotNow:
        attempt = held.attempt
        try:
            request = self._request(plan, attempt)
            if not isinstance(request, Close):
                request = (
                    ReserveMoney(self.store, self.clock, self.month_budget)(plan, held, request) or request
                )
            if isinstance(request, Close):
                return self._close.with_a_slot(plan, held, request)
            with asked_of_provider():
                batch_id = provider.batches.submit(request)
        except OutcomeUnknown:
            # The batch may exist: keep claim and slot. After the lease, the next call looks for it.
            raise
        except (QuotaReached, ProviderTrouble, CeilingReached) as refusal:
            # The ticket first: once the claim is released, another call may submit and drop it.
            not_now = self._put_off(plan, attempt, ticket, refusal)
            self._give_back(plan, held)
            return not_now
        except TransientError:
            self._give_back(plan, held)
            raise
        except ProviderRejected as error:
            log.warning(
                "batch.rejected", extra={"attempt": str(attempt), "provider_code": error.provider_code}
            )
            code = error.provider_code or error.code
            return self._close.with_a_slot(plan, held, Close(SubmissionKind.REFUSED, code, str(error)))
        log.info("batch.created", extra={"attempt": str(attempt), "batch_id": batch_id})
        return self._record(plan, attempt, batch_id)

    def _give_back(self, plan: Plan, held: HeldSlot) -> None:
        """The money first: of a released claim the next claimant may reserve its own."""
        Ceilings(self.store, self.clock, plan).give_back(held.attempt, held.claim)
        ClaimSlot(self.store, self.clock).give_back(held)

    def _put_off(self, plan: Plan, attempt: Attempt, ticket: ReadyTicket, refusal: PipelineError) -> NotNow:
        """Let the ticket wait. Its event starts this function again, which finds it too early."""
        terms = self.providers.terms_of(plan.provider)
        later = put_off(ticket, refusal, self.clock.now(), terms, self.month_budget)
        log.warning(
            "submit.put_off",
            extra={
                "attempt": str(attempt),
                "code": later.waiting_for.code if later.waiting_for else refusal.code,
                "reason": str(refusal),
                "not_before": str(later.not_before),
            },
        )
        BucketRecords(self.store).put_back(attempt, later)
        return NotNow.WAITING

    @property
    def _close(self) -> CloseUnsent:
        return CloseUnsent(self.store, self.clock)

    def _is_cancelled(self, attempt: Attempt) -> bool:
        return BucketRecords(self.store).is_cancelled(attempt.job_id)

    def _request(self, plan: Plan, attempt: Attempt) -> BatchRequest | Close:
        """What to send, or why not.

        It is asked as late as possible, and under the claim: any earlier batch has been looked for.
        """
        request = find_request(self.store, plan, attempt, self.callback_url_for)
        if request is None:
            return requests_removed()
        return CANCELLED if self._is_cancelled(attempt) else request

    def _record(self, plan: Plan, attempt: Attempt, batch_id: BatchId) -> Submission:
        now = self.clock.now()
        mine = Submission(
            kind=SubmissionKind.BATCH,
            provider=plan.provider,
            batch_id=batch_id,
            batch_name=attempt.batch_name,
            submitted_at=now,
            deadline_at=now + plan.completion_window + DEADLINE_GRACE,
        )
        standing = BucketRecords(self.store).create(attempt_key(attempt, "submission.json"), mine)
        if standing.batch_id != batch_id:
            log.error("batch.superfluous", extra={"attempt": str(attempt), "batch_id": batch_id})
            self.providers.of(plan.provider).batches.cancel(batch_id)
        return standing
