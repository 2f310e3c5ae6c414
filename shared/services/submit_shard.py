"""Turns a ``ready/`` ticket into one batch, and only one, whatever crashes or repeats (DESIGN §5)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.batches import BatchId, BatchRequest
from shared.domain.errors import ConfigurationError, OutcomeUnknown, ProviderRejected, TransientError
from shared.domain.keys import ShardAttempt, Stage, attempt_key, batch_pointer_key
from shared.domain.records import CANCELLED_CODE, Claim, Plan, Submission
from shared.ports import BatchProvider, Clock, ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.why_not_send import why_not_send

log = logging.getLogger(__name__)

# A batch that is a day over its completion window is asked for, cancelled and settled with what it has.
DEADLINE_GRACE = timedelta(hours=24)


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
    provider: BatchProvider
    clock: Clock
    claim_lease: timedelta
    token: str
    callback_url_for: Callable[[ShardAttempt], str | None]

    def __call__(self, unit: ShardAttempt) -> str:
        """Do what is to be done for this ticket and say what that was, in one word for the log."""
        records = BucketRecords(self.store)
        ticket = records.find_ready(unit)
        if ticket is None:
            return "gone"
        is_early = ticket.not_before is not None and ticket.not_before > self.clock.now()
        if is_early and not records.is_cancelled(unit.job_id):
            return "waiting"
        plan = records.find_plan(unit.job_id)
        if plan is None or plan.shard(unit.shard) is None:
            log.warning("ticket.unknown", extra={"unit": str(unit)})
            records.drop_ticket(Stage.READY, unit)
            return "unknown"
        submission = records.find_submission(unit) or self._submit(plan, unit)
        if submission is None:
            return "claimed"
        self._announce(records, unit, submission)
        return "submitted"

    def _submit(self, plan: Plan, unit: ShardAttempt) -> Submission | None:
        """Create the batch, or adopt one that an interrupted call created; ``None`` if somebody else is at it."""
        number, has_predecessor = self._next_claim(unit)
        if number is None:
            return None
        if has_predecessor and (found := self.provider.find(unit.batch_name)):
            log.info("batch.adopted", extra={"unit": str(unit), "batch_id": found})
            return self._record(plan, unit, found)
        if refusal := why_not_send(self.store, plan, unit, self.clock.now()):
            return self._record(plan, unit, None, refusal)
        claim = Claim(token=self.token, claimed_at=self.clock.now())
        if not self.store.put_if_absent(attempt_key(unit, f"claim-{number}"), claim.to_bytes()):
            return None
        try:
            batch_id = self._create(plan, unit)
        except OutcomeUnknown:
            # The batch may exist: the claim stays, and after the lease somebody looks before creating another.
            raise
        except (TransientError, ConfigurationError):
            self.store.put_if_absent(attempt_key(unit, f"claim-{number}.released"), claim.to_bytes())
            raise
        except ProviderRejected as error:
            log.warning("batch.rejected", extra={"unit": str(unit), "provider_code": error.provider_code})
            return self._record(plan, unit, None, error)
        log.info("batch.created", extra={"unit": str(unit), "batch_id": batch_id})
        return self._record(plan, unit, batch_id)

    def _create(self, plan: Plan, unit: ShardAttempt) -> BatchId:
        """Create the batch, under the claim.

        Raises:
            ProviderRejected: Also if the job was cancelled, which is asked as late as can be.
        """
        request = self._request(plan, unit)
        if BucketRecords(self.store).is_cancelled(unit.job_id):
            raise ProviderRejected(
                "The job was cancelled before this was sent.", provider_code=CANCELLED_CODE
            )
        return self.provider.submit(request)

    def _next_claim(self, unit: ShardAttempt) -> tuple[int | None, bool]:
        """The number of the claim to create, and whether an earlier claimant may have made a batch.

        ``None`` while a claim younger than the lease stands.
        """
        claimed_at: dict[int, datetime] = {}
        released: set[int] = set()
        prefix = attempt_key(unit, "claim-")
        for head in self.store.list(prefix):
            number, _, suffix = head.key[len(prefix) :].partition(".")
            if suffix:
                released.add(int(number))
            else:
                claimed_at[int(number)] = head.modified_at
        if not claimed_at:
            return 1, False
        last = max(claimed_at)
        if last not in released and self.clock.now() - claimed_at[last] < self.claim_lease:
            return None, True
        return last + 1, any(number not in released for number in claimed_at)

    def _request(self, plan: Plan, unit: ShardAttempt) -> BatchRequest:
        key = plan.requests_key(unit)
        head = self.store.head(key)
        return BatchRequest(
            name=unit.batch_name,
            object_key=key,
            size_bytes=head.size_bytes if head else 0,
            open_lines=lambda: self.store.read(key),
            endpoint=plan.endpoint,
            model=plan.model,
            completion_window=plan.completion_window,
            description=f"{plan.source.key} {unit.shard}/{len(plan.shards)}",
            callback_url=self.callback_url_for(unit),
            metadata={"batchdrop": str(unit)},
        )

    def _record(
        self,
        plan: Plan,
        unit: ShardAttempt,
        batch_id: BatchId | None,
        rejected: ProviderRejected | None = None,
    ) -> Submission:
        now = self.clock.now()
        mine = Submission(
            batch_id=batch_id,
            batch_name=unit.batch_name,
            submitted_at=now,
            deadline_at=now if rejected else now + plan.completion_window + DEADLINE_GRACE,
            rejected_code=rejected.provider_code or rejected.code if rejected else "",
            rejected_message=str(rejected) if rejected else "",
        )
        standing = BucketRecords(self.store).create(attempt_key(unit, "submission.json"), mine)
        if batch_id and standing.batch_id != batch_id:
            log.error("batch.superfluous", extra={"unit": str(unit), "batch_id": batch_id})
            self.provider.cancel(batch_id)
        return standing

    def _announce(self, records: BucketRecords, unit: ShardAttempt, submission: Submission) -> None:
        """Put what follows from the submission; every step may be repeated."""
        if submission.batch_id is not None:
            self.store.put(batch_pointer_key("bailian", submission.batch_id), str(unit).encode())
        if records.find_outcome(unit) is None:
            # A refused submission is over its deadline from the start, so the timer hands it to collect. Were it
            # put into finished/ here, submit and collect could start each other without end.
            records.put_running(unit, submission.running_ticket())
            # A cancellation that looked for running shards before this ticket was there is seen here; a later one sees
            # the ticket. Told to the provider here, since writing finished/ is not for submit.
            if submission.batch_id is not None and records.is_cancelled(unit.job_id):
                self.provider.cancel(BatchId(submission.batch_id))
        records.drop_ticket(Stage.READY, unit)
