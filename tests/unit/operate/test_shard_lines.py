"""What ``status`` says of a shard's attempts that became no batch."""

from __future__ import annotations

import pytest

from scripts.operate.jobs.shards import shard_lines
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import attempt_key
from shared.bucket.records.outcome import Outcome
from shared.bucket.records.submission import Submission, SubmissionKind
from tests.support.builders import attempt, plan_job
from tests.support.fakes import FixedClock, MemoryStore


@pytest.mark.parametrize(
    ("code", "counts"),
    [
        ("replaced", "2 已回答 answered, 1 被拒绝 refused, 2 未发送 not sent"),
        ("over_ceiling", "2 已回答 answered, 1 被拒绝 refused, 2 未发送 not sent"),
        ("perhaps_sent", "2 已回答 answered, 3 被拒绝 refused"),
    ],
)
def test_only_what_was_surely_not_sent_is_called_so(code: str, counts: str) -> None:
    store, clock = MemoryStore(), FixedClock()
    plan, records = plan_job(store, clock, (("a", "b", "c", "d", "e"),)), BucketRecords(store)

    def put(number: int, became: SubmissionKind, **outcome: object) -> None:
        mine = attempt(number)
        sent = Submission.without_batch(became, plan, mine, clock.now(), code=code)
        records.create(attempt_key(mine, "submission.json"), sent)
        values = {"batch_status": "completed", "decided_at": clock.now(), **outcome}
        records.create(attempt_key(mine, "outcome.json"), Outcome.model_validate(values))

    before = {"answered": 2, "refused": 1}
    put(1, SubmissionKind.BATCH, kind="resend", batch_id="batch_1", settled=3, resent=2, by_status=before)
    put(2, SubmissionKind.REFUSED, kind="final", batch_id=None, settled=5, by_status={**before, "refused": 3})

    first, second = [each.strip() for each in shard_lines(records, plan) if "attempt" in each]

    assert "2 已回答 answered, 1 被拒绝 refused, 重新发送 2 行" in first
    assert second == f"第 2 次 attempt 2: 没有批次 no batch [{code}], 累计 in all {counts}"


def test_the_answers_of_the_earlier_job_are_called_so_in_a_retry() -> None:
    store, clock = MemoryStore(), FixedClock()
    plan, records = plan_job(store, clock, (("a", "b"),)), BucketRecords(store)
    mine = attempt(1)
    sent = Submission.without_batch(SubmissionKind.KEPT, plan, mine, clock.now(), code="kept")
    records.create(attempt_key(mine, "submission.json"), sent)
    kept = Outcome(
        kind="resend",
        batch_id=None,
        batch_status="kept",
        decided_at=clock.now(),
        settled=1,
        resent=1,
        by_status={"answered": 1},
    )
    records.create(attempt_key(mine, "outcome.json"), kept)

    (line,) = [each.strip() for each in shard_lines(records, plan) if "attempt 1" in each]

    said = "来自之前的任务 from the earlier job, 1 已回答 answered, 重新发送 1 行 sent again"
    assert line == f"第 1 次 attempt 1: {said}"
