from __future__ import annotations

from datetime import timedelta

import pytest
from fastcrc import crc64

from shared.bucket.keys import Stage, attempt_key, record_key, ticket_key
from shared.bucket.records.marks import Claim
from shared.bucket.records.submission import SubmissionKind
from shared.pipeline.quota.claim_slot import NotNow
from shared.pipeline.quota.claims import Claims
from shared.pipeline.quota.slots import Slots, holder_of
from shared.pipeline.submit.close_unsent import CloseUnsent
from shared.pipeline.submit.decision import CANCELLED
from shared.problems.exceptions import OutcomeUnknown, ProviderRejected, TransientError
from shared.providers.bailian.profile import BAILIAN, TEST_MODEL
from tests.support.builders import JOB, attempt
from tests.support.functions import LEASE
from tests.support.pipeline import Pipeline

POOL = BAILIAN.pool_for(TEST_MODEL)


@pytest.fixture
def job() -> Pipeline:
    job = Pipeline()
    job.functions.callback_url_for = lambda each: f"https://example.test/{each}"
    return job


def test_a_ticket_becomes_one_batch_a_pointer_and_a_running_ticket(job: Pipeline) -> None:

    said = job.submit(attempt())

    assert said == "submitted"
    assert job.store.keys("ready/") == []
    assert job.store.keys("running/") == [ticket_key(Stage.RUNNING, attempt())]
    assert job.store.get(f"batches/bailian/{job.provider.last.batch_id}") == str(attempt()).encode()
    assert b"".join(job.provider.last.request.open_lines()).count(b"\n") == 3
    assert job.provider.last.request.callback_url == f"https://example.test/{attempt()}"


def test_the_provider_is_told_the_size_and_the_checksum_of_the_requests(job: Pipeline) -> None:
    job.submit(attempt())

    request = job.provider.last.request
    lines = b"".join(request.open_lines())
    assert (request.size_bytes, request.crc64) == (len(lines), crc64.xz(lines))


def test_the_provider_hears_the_job_and_not_the_name_of_its_file(job: Pipeline) -> None:
    job.submit(attempt())

    request = job.provider.last.request
    heard = f"{request.name} {request.description} {request.metadata} {request.callback_url}"
    assert request.description == f"{JOB} 1/1"
    assert job.plan.source.key.rpartition("/")[2] not in heard


def test_the_same_ticket_delivered_again_creates_no_second_batch(job: Pipeline) -> None:
    job.submit(attempt())
    job.records.put_ready(attempt())

    job.submit(attempt())

    assert len(job.provider.submissions) == 1
    assert job.store.keys("ready/") == []


def test_a_young_claim_of_somebody_else_is_left_alone(job: Pipeline) -> None:
    job.store.put(attempt_key(attempt(), "claim-1"), b"{}")
    job.clock.advance(LEASE - timedelta(seconds=1))

    said = job.submit(attempt())

    assert said == "claimed"
    assert job.provider.submissions == []
    assert job.store.keys("ready/") == [ticket_key(Stage.READY, attempt())]


def test_what_another_has_claimed_meanwhile_is_not_closed(job: Pipeline) -> None:
    seen = Claims.of(job.store, attempt())
    job.store.put(attempt_key(attempt(), "claim-1"), b"{}")
    close = CloseUnsent(job.store, job.clock)

    said = close.with_a_claim(job.plan, BAILIAN.pool_for(job.plan.model), seen, CANCELLED)

    assert said is NotNow.CLAIMED
    assert job.records.find_submission(attempt()) is None


def test_an_interrupted_create_is_found_and_adopted_after_the_lease(job: Pipeline) -> None:
    job.provider.fail_next("submit", OutcomeUnknown("cut"), after=True)
    with pytest.raises(OutcomeUnknown):
        job.submit(attempt())
    job.clock.advance(LEASE)

    said = job.submit(attempt())

    assert said == "submitted"
    assert len(job.provider.submissions) == 1
    submission = job.records.find_submission(attempt())
    assert submission is not None
    assert submission.batch_id == job.provider.last.batch_id


@pytest.mark.parametrize(
    ("is_created", "days", "code"),
    [
        (True, 28, ""),
        (False, 28, ""),
        (True, 30, "perhaps_sent"),
        (False, 30, "perhaps_sent"),
        (True, 160, "perhaps_sent"),
    ],
)
def test_what_an_interrupted_call_may_have_sent_is_not_sent_again_once_no_list_shows_it(
    job: Pipeline, is_created: bool, days: int, code: str
) -> None:
    job.provider.fail_next("submit", OutcomeUnknown("cut"), after=is_created)
    with pytest.raises(OutcomeUnknown):
        job.submit(attempt())
    if is_created and timedelta(days=days) > BAILIAN.listed_for:
        job.provider.hide(job.provider.last.batch_id)
    job.clock.advance(timedelta(days=days))

    job.submit(attempt())

    submission = job.records.find_submission(attempt())
    assert submission is not None
    assert submission.rejected_code == code
    assert len(job.provider.submissions) == (1 if is_created or not code else 0)


def test_a_call_that_surely_sent_nothing_keeps_no_shard_from_being_sent(job: Pipeline) -> None:
    job.provider.fail_next("submit", TransientError("no upload"))
    with pytest.raises(TransientError):
        job.submit(attempt())
    job.clock.advance(timedelta(days=60))

    job.submit(attempt())

    assert len(job.provider.submissions) == 1


def test_a_create_that_never_arrived_is_made_again_after_the_lease(job: Pipeline) -> None:
    job.provider.fail_next("submit", OutcomeUnknown("cut"))
    with pytest.raises(OutcomeUnknown):
        job.submit(attempt())
    job.clock.advance(LEASE)

    job.submit(attempt())

    assert len(job.provider.submissions) == 1
    assert job.store.keys(attempt_key(attempt(), "claim-")) == [
        attempt_key(attempt(), f"claim-{n}") for n in (1, 2)
    ]


def test_after_many_tries_that_died_the_next_looks_for_the_slot_of_the_last_alone() -> None:
    job = Pipeline(model=TEST_MODEL)
    for _ in range(20):
        job.provider.fail_next("submit", OutcomeUnknown("cut"))
        with pytest.raises(OutcomeUnknown):
            job.submit(attempt())
        job.clock.advance(LEASE)
    read: list[str] = []
    job.store.before = lambda _what, key: read.append(key) if "/claim-" in key else None

    job.submit(attempt())

    claims = [attempt_key(attempt(), f"claim-{number}") for number in (20, 21)]
    assert [key for key in read if key != attempt_key(attempt(), "claim-")] == claims
    assert len(Slots(job.store).free(POOL)) == POOL.slots - 1


def test_a_slot_that_a_sleeper_took_too_late_is_found_where_no_other_is_free() -> None:
    job = Pipeline(model=TEST_MODEL)
    for _ in range(2):
        job.provider.fail_next("submit", OutcomeUnknown("cut"))
        with pytest.raises(OutcomeUnknown):
            job.submit(attempt())
        job.clock.advance(LEASE)
    Slots(job.store).give_back_all(Claims.of(job.store, attempt()))
    for number, slot in enumerate(Slots(job.store).free(POOL)):
        assert Slots(job.store).take(slot, holder_of(attempt(shard=number + 1), 1))
        if number == 0:
            claim = Claim(claimed_at=job.clock.now(), slot=slot.key)
            job.store.put(attempt_key(attempt(), "claim-1"), claim.to_bytes())
    job.clock.advance(2 * LEASE)

    said = [job.submit(attempt()) for _ in range(2)]

    assert said == ["waiting", "submitted"]


def test_a_refusal_that_created_nothing_can_be_tried_again_at_once(job: Pipeline) -> None:
    job.provider.fail_next("submit", TransientError("upload: 503"))
    with pytest.raises(TransientError):
        job.submit(attempt())

    said = job.submit(attempt())

    assert said == "submitted"
    assert len(job.provider.submissions) == 1


def test_a_final_refusal_is_left_to_the_timer_with_its_reason(job: Pipeline) -> None:
    refusal = ProviderRejected("no such model", provider_code="model_not_found", status=400)
    job.provider.fail_next("submit", refusal)

    job.submit(attempt())

    submission = job.records.find_submission(attempt())
    assert submission is not None
    assert (submission.batch_id, submission.rejected_code) == (None, "model_not_found")
    assert submission.kind is SubmissionKind.REFUSED
    ticket = job.records.find_running(attempt())
    assert ticket is not None
    assert ticket.deadline_at == job.clock.now()
    assert job.store.keys("ready/") == job.store.keys("finished/") == []


def test_a_ticket_waits_until_its_time(job: Pipeline) -> None:
    job.records.put_ready(attempt(), job.clock.now() + timedelta(minutes=5))

    early = job.submit(attempt())
    job.clock.advance(timedelta(minutes=5))
    late = job.submit(attempt())

    assert (early, late) == ("waiting", "submitted")


def test_a_ticket_of_no_job_is_removed(job: Pipeline) -> None:
    job.store.delete(record_key(JOB, "plan.json"))
    job.records.put_ready(attempt())

    said = job.submit(attempt())

    assert said == "unknown"
    assert job.store.keys("ready/") == []


def test_a_first_attempt_of_a_retry_is_never_sent_even_without_its_submission(job: Pipeline) -> None:
    plan = job.plan.model_copy(update={"retry_of": "f" * 16})
    job.store.put(record_key(JOB, "plan.json"), plan.to_bytes())

    job.submit(attempt())

    assert job.provider.submissions == []
    submission = job.records.find_submission(attempt())
    assert submission is not None
    assert submission.kind is SubmissionKind.KEPT
    assert job.store.keys("ready/") == []
