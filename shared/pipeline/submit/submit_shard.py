"""Turns a ``ready/`` ticket into one batch, and only one, whatever crashes or repeats (DESIGN §5)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, attempt_key, batch_pointer_key
from shared.bucket.records import CANCELLED_CODE, Claim, Plan, Submission
from shared.bucket.tickets import ReadyTicket
from shared.pipeline.account_problems import waiting_for
from shared.pipeline.deadlines import DEADLINE_GRACE
from shared.pipeline.quota.admission import Admission
from shared.pipeline.quota.claim_slot import CLAIMED, WAITING, ClaimSlot, HeldSlot
from shared.pipeline.quota.claims import Claims, claim_key
from shared.pipeline.quota.slots import Slots, holder_of
from shared.pipeline.submit.send_deadline import too_late_to_send
from shared.pipeline.waiting import asked_of_provider, backed_off
from shared.ports.clock import Clock
from shared.ports.profile import SlotPool
from shared.ports.provider import BatchId, BatchRequest
from shared.ports.providers import Provider, Providers
from shared.ports.store import ObjectStore
from shared.problems.errors import (
    ConfigurationError,
    OutcomeUnknown,
    PipelineError,
    ProviderRejected,
    ProviderTrouble,
    QuotaReached,
    TransientError,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SubmitShard:
    """Submit the shard that a ticket names. Safe to call any number of times, concurrently, for the same ticket.

    Attributes:
        claim_lease: How long a claim is respected. Longer than the function's time-out plus the time that a new
            batch needs to appear in the provider's list, or two batches may be created.
        token: Unique to this invocation, also among retries of the same event.
        callback_url_for: The URL that the provider calls at the end, or ``None`` where there is no public endpoint.
    """

    store: ObjectStore
    providers: Providers
    clock: Clock
    claim_lease: timedelta
    token: str
    callback_url_for: Callable[[Attempt], str | None]

    def __call__(self, attempt: Attempt) -> str:
        """Do what is to be done for this ticket and say what that was, in one word for the log."""
        records = BucketRecords(self.store)
        ticket = records.find_ready(attempt)
        if ticket is None:
            return "gone"
        if ticket.not_before is not None and ticket.not_before > self.clock.now():
            # Also for a cancelled job, whose canceller puts the ticket anew: what this puts off would start it again.
            return WAITING
        plan = records.find_plan(attempt.job_id)
        if plan is None or plan.shard(attempt.shard) is None:
            log.warning("ticket.unknown", extra={"attempt": str(attempt)})
            records.drop_ticket(Stage.READY, attempt)
            return "unknown"
        submission = records.find_submission(attempt)
        if submission is None:
            try:
                submitted = self._submit(plan, attempt, ticket)
            except (QuotaReached, ProviderTrouble) as refusal:
                return self._put_off(plan, attempt, ticket, refusal)
            if isinstance(submitted, str):
                return submitted
            submission = submitted
        self._announce(records, attempt, submission)
        return "submitted"

    def _submit(self, plan: Plan, attempt: Attempt, ticket: ReadyTicket) -> Submission | str:
        """Create the batch, or adopt one that an interrupted call created; a word if neither is for now.

        Raises:
            QuotaReached, ProviderTrouble: While looking for an earlier batch; nothing is held.
        """
        provider = self.providers.of(plan.provider)
        pool = provider.profile.pool_for(plan.model)
        claims = Claims.of(self.store, attempt)
        if claims.is_held(self.clock.now(), self.claim_lease):
            # Were it called for its turn by the minute, until the claim can be taken over, others would wait for it.
            Admission(self.store, self.clock).leave(pool, attempt)
            return CLAIMED
        found = self._earlier_batch(provider, claims)
        if found:
            log.info("batch.adopted", extra={"attempt": str(attempt), "batch_id": found})
            return self._record(plan, attempt, found)
        Slots(self.store).give_back_all(claims)
        reason = too_late_to_send(self.store, plan, attempt, self.clock.now())
        if reason is None and BucketRecords(self.store).is_cancelled(attempt.job_id):
            reason = _cancelled()
        if reason:
            return self._close_unsent(plan, pool, claims, reason)
        held = ClaimSlot(self.store, self.clock, self.token)(pool, claims)
        return held if isinstance(held, str) else self._create(plan, provider, ticket, held)

    def _earlier_batch(self, provider: Provider, claims: Claims) -> BatchId | None:
        """What an earlier claimant may have created before it died."""
        if not claims.unreleased:
            return None
        with asked_of_provider():
            return provider.batches.find(claims.attempt.batch_name)

    def _create(
        self, plan: Plan, provider: Provider, ticket: ReadyTicket, held: HeldSlot
    ) -> Submission | str:
        attempt, give_back = held.attempt, ClaimSlot(self.store, self.clock, self.token).give_back
        try:
            request = self._request(plan, attempt)
            # As late as can be, and under the claim: whoever created a batch before was looked for.
            if BucketRecords(self.store).is_cancelled(attempt.job_id):
                return self._record_unsent(plan, held, _cancelled())
            with asked_of_provider():
                batch_id = provider.batches.submit(request)
        except OutcomeUnknown:
            # The batch may exist: claim and slot stay, and after the lease somebody looks before creating another.
            raise
        except (QuotaReached, ProviderTrouble) as refusal:
            # The ticket first: once the claim is given back, another invocation may submit it and drop the ticket.
            said = self._put_off(plan, attempt, ticket, refusal)
            give_back(held)
            return said
        except TransientError:
            give_back(held)
            raise
        except ProviderRejected as error:
            log.warning(
                "batch.rejected", extra={"attempt": str(attempt), "provider_code": error.provider_code}
            )
            return self._record_unsent(plan, held, error)
        log.info("batch.created", extra={"attempt": str(attempt), "batch_id": batch_id})
        return self._record(plan, attempt, batch_id)

    def _close_unsent(
        self, plan: Plan, pool: SlotPool, claims: Claims, reason: ProviderRejected
    ) -> Submission | str:
        """What is not sent waits for no slot; it is closed under a claim all the same, beside which nobody creates."""
        attempt = claims.attempt
        claim = Claim(token=self.token, claimed_at=self.clock.now())
        if not self.store.put_if_absent(claim_key(attempt, claims.following), claim.to_bytes()):
            return CLAIMED
        Admission(self.store, self.clock).leave(pool, attempt)
        return self._record(plan, attempt, None, reason)

    def _record_unsent(self, plan: Plan, held: HeldSlot, reason: ProviderRejected) -> Submission:
        submission = self._record(plan, held.attempt, None, reason)
        Slots(self.store).give_back(held.slot, holder_of(held.attempt, held.claim))
        return submission

    def _put_off(self, plan: Plan, attempt: Attempt, ticket: ReadyTicket, refusal: PipelineError) -> str:
        """Let the ticket wait for better times. Its event starts this function again, which finds that it is too early."""
        now = self.clock.now()
        reason = None
        if isinstance(refusal, ConfigurationError):
            reason = waiting_for(refusal, now, self.providers.terms_of(plan.provider))
        later = backed_off(ticket, now, reason)
        log.warning(
            "submit.put_off",
            extra={
                "attempt": str(attempt),
                "code": reason.code if reason else refusal.code,
                "reason": str(refusal),
                "not_before": str(later.not_before),
            },
        )
        BucketRecords(self.store).put_back(attempt, later)
        return WAITING

    def _request(self, plan: Plan, attempt: Attempt) -> BatchRequest:
        key = plan.requests_key(attempt)
        head = self.store.head(key)
        return BatchRequest(
            name=attempt.batch_name,
            object_key=key,
            size_bytes=head.size_bytes if head else 0,
            open_lines=lambda: self.store.read(key),
            endpoint=plan.endpoint,
            model=plan.model,
            completion_window=plan.completion_window,
            description=f"{plan.source.key} {attempt.shard}/{len(plan.shards)}",
            callback_url=self.callback_url_for(attempt),
            metadata={"batchdrop": str(attempt)},
        )

    def _record(
        self,
        plan: Plan,
        attempt: Attempt,
        batch_id: BatchId | None,
        rejected: ProviderRejected | None = None,
    ) -> Submission:
        now = self.clock.now()
        mine = Submission(
            provider=plan.provider,
            batch_id=batch_id,
            batch_name=attempt.batch_name,
            submitted_at=now,
            deadline_at=now if rejected else now + plan.completion_window + DEADLINE_GRACE,
            rejected_code=rejected.provider_code or rejected.code if rejected else "",
            rejected_message=str(rejected) if rejected else "",
        )
        standing = BucketRecords(self.store).create(attempt_key(attempt, "submission.json"), mine)
        if batch_id and standing.batch_id != batch_id:
            log.error("batch.superfluous", extra={"attempt": str(attempt), "batch_id": batch_id})
            self.providers.of(plan.provider).batches.cancel(batch_id)
        return standing

    def _announce(self, records: BucketRecords, attempt: Attempt, submission: Submission) -> None:
        """Put what follows from the submission; every step may be repeated."""
        if submission.batch_id is not None:
            self.store.put(batch_pointer_key(submission.provider, submission.batch_id), str(attempt).encode())
        if records.find_outcome(attempt) is None:
            # A refused submission is over its deadline from the start, so the timer hands it to collect. Were it
            # put into finished/ here, submit and collect could start each other without end.
            records.put_running(attempt, submission.running_ticket())
            # A cancellation that looked for running shards before this ticket was there is seen here; a later one sees
            # the ticket. Told to the provider here, since writing finished/ is not for submit.
            if submission.batch_id is not None and records.is_cancelled(attempt.job_id):
                self.providers.of(submission.provider).batches.cancel(BatchId(submission.batch_id))
        records.drop_ticket(Stage.READY, attempt)


def _cancelled() -> ProviderRejected:
    return ProviderRejected("The job was cancelled before this was sent.", provider_code=CANCELLED_CODE)
