from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.batches import BatchId, BatchRequest
from shared.domain.errors import OutcomeUnknown, ProviderRejected, TransientError
from shared.domain.keys import Stage, attempt_key, ticket_key
from shared.services.bucket_records import BucketRecords
from shared.services.submit_shard import SubmitShard
from tests.builders import plan_job, unit
from tests.fake_provider import only
from tests.fakes import FixedClock, MemoryStore

LEASE = timedelta(minutes=20)


class CountingProvider:
    """Creates batches, or fails as told; only what SubmitShard uses."""

    def __init__(self, *failures: Exception | None, creates_when_failing: bool = False) -> None:
        self.requests: list[BatchRequest] = []
        self.cancelled: list[str] = []
        self._failures = list(failures)
        self._creates_when_failing = creates_when_failing

    def submit(self, request: BatchRequest) -> BatchId:
        failure = self._failures.pop(0) if self._failures else None
        if failure is None or self._creates_when_failing:
            self.requests.append(request)
        if failure:
            raise failure
        return BatchId(f"batch_{len(self.requests)}")

    def find(self, name: str) -> BatchId | None:
        found = [index for index, request in enumerate(self.requests, 1) if request.name == name]
        return BatchId(f"batch_{found[-1]}") if found else None

    def cancel(self, batch_id: BatchId) -> None:
        self.cancelled.append(batch_id)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store(clock: FixedClock) -> MemoryStore:
    return MemoryStore(clock)


def submitter(store: MemoryStore, clock: FixedClock, provider: CountingProvider) -> SubmitShard:
    return SubmitShard(
        store, only(provider), clock, LEASE, "token", lambda each: f"https://example.test/{each}"
    )


def keys(store: MemoryStore, prefix: str) -> list[str]:
    return [head.key for head in store.list(prefix)]


def test_a_ticket_becomes_one_batch_a_pointer_and_a_running_ticket(
    store: MemoryStore, clock: FixedClock
) -> None:
    plan_job(store, clock)
    provider = CountingProvider()

    said = submitter(store, clock, provider)(unit())

    assert said == "submitted"
    assert keys(store, "ready/") == []
    assert keys(store, "running/") == [ticket_key(Stage.RUNNING, unit())]
    assert store.get("batches/bailian/batch_1") == str(unit()).encode()
    assert b"".join(provider.requests[0].open_lines()).count(b"\n") == 3
    assert provider.requests[0].callback_url == f"https://example.test/{unit()}"


def test_the_same_ticket_delivered_again_creates_no_second_batch(
    store: MemoryStore, clock: FixedClock
) -> None:
    plan_job(store, clock)
    provider = CountingProvider()
    submit = submitter(store, clock, provider)
    submit(unit())
    BucketRecords(store).put_ready(unit())

    submit(unit())

    assert len(provider.requests) == 1
    assert keys(store, "ready/") == []


def test_a_young_claim_of_somebody_else_is_left_alone(store: MemoryStore, clock: FixedClock) -> None:
    plan_job(store, clock)
    store.put(attempt_key(unit(), "claim-1"), b"{}")
    provider = CountingProvider()
    clock.advance(LEASE - timedelta(seconds=1))

    said = submitter(store, clock, provider)(unit())

    assert said == "claimed"
    assert provider.requests == []
    assert keys(store, "ready/") == [ticket_key(Stage.READY, unit())]


class RacingStore(MemoryStore):
    """Another instance puts its claim between our look and our own claim."""

    def put_if_absent(self, key: str, content: bytes) -> bool:
        if key.endswith("/claim-1"):
            super().put_if_absent(key, b"{}")
        return super().put_if_absent(key, content)


def test_of_two_instances_at_once_only_the_one_with_the_claim_creates_a_batch(clock: FixedClock) -> None:
    store = RacingStore(clock)
    plan_job(store, clock)
    provider = CountingProvider()

    said = submitter(store, clock, provider)(unit())

    assert said == "claimed"
    assert provider.requests == []


def test_an_interrupted_create_is_found_and_adopted_after_the_lease(
    store: MemoryStore, clock: FixedClock
) -> None:
    plan_job(store, clock)
    provider = CountingProvider(OutcomeUnknown("cut"), creates_when_failing=True)
    submit = submitter(store, clock, provider)
    with pytest.raises(OutcomeUnknown):
        submit(unit())
    clock.advance(LEASE)

    said = submit(unit())

    assert said == "submitted"
    assert len(provider.requests) == 1
    submission = BucketRecords(store).find_submission(unit())
    assert submission is not None
    assert submission.batch_id == "batch_1"


def test_a_create_that_never_arrived_is_made_anew_after_the_lease(
    store: MemoryStore, clock: FixedClock
) -> None:
    plan_job(store, clock)
    provider = CountingProvider(OutcomeUnknown("cut"))
    submit = submitter(store, clock, provider)
    with pytest.raises(OutcomeUnknown):
        submit(unit())
    clock.advance(LEASE)

    submit(unit())

    assert len(provider.requests) == 1
    assert keys(store, attempt_key(unit(), "claim-")) == [attempt_key(unit(), f"claim-{n}") for n in (1, 2)]


def test_a_refusal_that_created_nothing_can_be_tried_again_at_once(
    store: MemoryStore, clock: FixedClock
) -> None:
    plan_job(store, clock)
    provider = CountingProvider(TransientError("upload: 503"))
    submit = submitter(store, clock, provider)
    with pytest.raises(TransientError):
        submit(unit())

    said = submit(unit())

    assert said == "submitted"
    assert len(provider.requests) == 1


def test_a_final_refusal_is_left_to_the_timer_with_its_reason(store: MemoryStore, clock: FixedClock) -> None:
    plan_job(store, clock)
    provider = CountingProvider(
        ProviderRejected("no such model", provider_code="model_not_found", status=400)
    )

    submitter(store, clock, provider)(unit())

    submission = BucketRecords(store).find_submission(unit())
    assert submission is not None
    assert (submission.batch_id, submission.rejected_code) == (None, "model_not_found")
    ticket = BucketRecords(store).find_running(unit())
    assert ticket is not None
    assert ticket.deadline_at == clock.now()
    assert keys(store, "ready/") == keys(store, "finished/") == []


def test_a_ticket_waits_until_its_time(store: MemoryStore, clock: FixedClock) -> None:
    plan_job(store, clock)
    BucketRecords(store).put_ready(unit(), clock.now() + timedelta(minutes=5))
    provider = CountingProvider()
    submit = submitter(store, clock, provider)

    early = submit(unit())
    clock.advance(timedelta(minutes=5))
    late = submit(unit())

    assert (early, late) == ("waiting", "submitted")


def test_a_ticket_of_no_job_is_removed(store: MemoryStore, clock: FixedClock) -> None:
    BucketRecords(store).put_ready(unit())

    said = submitter(store, clock, CountingProvider())(unit())

    assert said == "unknown"
    assert keys(store, "ready/") == []
