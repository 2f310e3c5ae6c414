"""What each row may come to, by what the provider knows of it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.bucket.attempt import Attempt, JobId, parse_attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan
from shared.bucket.records.submission import Submission
from shared.pipeline.deadlines import GIVE_UP
from shared.ports.provider import BatchStatus
from tests.simulation.answers import is_misfit, other_answer_to
from tests.simulation.pipeline import Pipeline
from tests.simulation.samples import kept_replies
from tests.simulation.service import Batch

_ONE_RUN_S = 600.0
_CLOCKS_S = 600.0  # the claim is older than the batch, and clocks differ
_WITHOUT_LINE = {
    BatchStatus.COMPLETED: ("missing",),
    BatchStatus.EXPIRED: ("expired",),
    # Our own cancel of a batch that never ended counts as expired.
    BatchStatus.CANCELLED: ("cancelled", "expired"),
}


@dataclass
class Expected:
    """What one row may come to.

    Attributes:
        must: An answer stands in results that had to be read.
        answers: What the lines said that it wrote for the row.
        fits: Those of them that fit; ``must_fit``: one of these had to be read.
        differ: Two different answers stand in them.
        may: The provider wrote an answer at all.
        reasons: The statuses that are right without an answer, each with its error code if only one
            is right.
    """

    must: bool = False
    differ: bool = False
    may: bool = False
    must_fit: bool = False
    answers: set[str] = field(default_factory=set)
    fits: set[str] = field(default_factory=set)
    reasons: dict[str, str | None] = field(default_factory=dict)

    @property
    def allowed(self) -> set[str]:
        """The answers of which one must be in its row."""
        return self.fits if self.must_fit and not self.differ else self.answers


def expected_rows(pipeline: Pipeline, rounds: Sequence[Plan]) -> dict[tuple[int, str], Expected]:
    """By shard and the text that rows ask about; rows that ask the same may share that of one.

    Args:
        pipeline: The run.
        rounds: The job and its retries, in their order.
    """
    rows: dict[tuple[int, str], Expected] = defaultdict(lambda: Expected(reasons={"refused": None}))
    by_attempt = batches_by_attempt(pipeline)
    for plan in rounds:
        _add_sampled(rows, pipeline, plan)
        for attempt in sorted(by_attempt, key=lambda each: (each.shard, each.number)):
            for batch in by_attempt[attempt] if attempt.job_id == plan.job_id else ():
                _add(rows, pipeline, plan, attempt, batch)
        if _was_sent_in_vain(pipeline, plan):
            for row in rows.values():
                row.reasons = {**row.reasons, "refused": None}
        if BucketRecords(pipeline.bucket).is_cancelled(JobId(plan.job_id)):
            for row in rows.values():
                row.reasons = {**row.reasons, "cancelled": "cancelled"}
            rows.default_factory = lambda: Expected(reasons={"cancelled": "cancelled", "refused": None})
    return rows


def _was_sent_in_vain(pipeline: Pipeline, plan: Plan) -> bool:
    """Whether an attempt was refused, or could not be sent, so that there is no batch of it."""
    refused = (name for member in pipeline.members for name in member.service.refused)
    if any(f"-{plan.job_id}-" in name for name in refused):
        return True
    records = BucketRecords(pipeline.bucket)
    keys = pipeline.bucket.keys(f"jobs/{plan.job_id}/")
    sent = [records.find(key, Submission) for key in keys if key.endswith("/submission.json")]
    return any(each and each.rejected_code for each in sent)


def _add_sampled(rows: dict[tuple[int, str], Expected], pipeline: Pipeline, plan: Plan) -> None:
    """What is kept of a sample must stand there; of what is not kept, only the service knows."""
    asked = {each.custom_id: each for each in pipeline.lane.rows if each.job_id == plan.job_id}
    for custom_id, reply in kept_replies(pipeline, plan).items():
        if custom_id not in asked:  # its process died before it asked
            continue
        content = asked[custom_id].content
        row = rows[reply.shard, asked[custom_id].ask.text]
        if reply.is_unknown:
            row.reasons = {"refused": "perhaps_asked"}
            continue
        row.may = row.must = True
        row.answers.add(content)
        if not is_misfit(content, "stop", has_columns=bool(plan.answer_columns)):
            row.must_fit = True
            row.fits.add(content)


def _add(
    rows: dict[tuple[int, str], Expected], pipeline: Pipeline, plan: Plan, attempt: Attempt, batch: Batch
) -> None:
    if came_for_a_deleted_one(pipeline, attempt, batch):
        return
    was_read = had_to_be_read(pipeline, attempt, batch)
    was_whole = batch.complete_at_s <= (decided_at_s(pipeline, attempt) or 0)
    for custom_id, text in batch.texts.items():
        row, is_answered = rows[attempt.shard, text], custom_id in batch.answered
        row.may |= is_answered
        if is_answered:
            content, reason = batch.said[custom_id]
            row.answers.add(content)
            is_fit = not is_misfit(content, reason, has_columns=bool(plan.answer_columns))
            row.fits |= {content} if is_fit else set()
            row.must_fit |= is_fit and was_read and custom_id not in batch.contradicted
        row.answers |= {other_answer_to(text)} if custom_id in batch.contradicted else set()
        row.must |= is_answered and was_read
        # Once each row has an answer, nobody waits for lines that come late.
        row.differ |= custom_id in batch.contradicted and was_read and was_whole
        row.reasons = _reasons(pipeline, attempt, batch, custom_id, was_read=was_read)


def batches_by_attempt(pipeline: Pipeline) -> dict[Attempt, list[Batch]]:
    by_attempt: dict[Attempt, list[Batch]] = defaultdict(list)
    for batch in pipeline.batches:
        attempt = parse_attempt(batch.request.metadata["batchdrop"])
        if attempt:
            by_attempt[attempt].append(batch)
    return by_attempt


def unfinished_at_once(pipeline: Pipeline, model: str) -> int:
    """The most batches of the model unfinished at once, except those given up, deleted, unseen."""
    spans = []
    for attempt, batches in batches_by_attempt(pipeline).items():
        decided_s = decided_at_s(pipeline, attempt)
        for batch in batches:
            if was_withdrawn_unseen(pipeline, attempt, batch):
                continue
            if was_lost_from_sight(pipeline, attempt, batch):  # given up before it is decided
                decided_s = _submitted_at_s(pipeline, attempt)
            ends_s = min(batch.ends_s, batch.forgotten_s, math.inf if decided_s is None else decided_s)
            if batch.request.model == model:
                spans += [(batch.created_s, 1), (ends_s, -1)]
    most = now = 0
    for _, change in sorted(spans):
        now += change
        most = max(most, now)
    return most


def was_lost_from_sight(pipeline: Pipeline, attempt: Attempt, batch: Batch) -> bool:
    """Whether a call of which nobody knew created it, and no list showed it any more."""
    submission = BucketRecords(pipeline.bucket).find_submission(attempt)
    if submission is None or submission.rejected_code != "perhaps_sent":
        return False
    looked_s = _submitted_at_s(pipeline, attempt)
    listed_for = pipeline.member_of(batch.request.model).provider.profile.listed_for
    return looked_s - batch.created_s > listed_for.total_seconds() - _CLOCKS_S


def was_deleted_unseen(pipeline: Pipeline, attempt: Attempt, batch: Batch) -> bool:
    """Whether it was deleted at the provider, unseen, before its attempt was decided."""
    submission = BucketRecords(pipeline.bucket).find_submission(attempt)
    decided_s = decided_at_s(pipeline, attempt)
    is_found = submission is not None and submission.batch_id
    return not is_found and batch.forgotten_s < (math.inf if decided_s is None else decided_s)


def came_for_a_deleted_one(pipeline: Pipeline, attempt: Attempt, batch: Batch) -> bool:
    """Whether the one on record was deleted between the look that found it and this create."""
    submission = BucketRecords(pipeline.bucket).find_submission(attempt)
    if submission is None or submission.batch_id == batch.batch_id:
        return False
    on_record = (each for each in pipeline.batches if each.batch_id == submission.batch_id)
    return any(each.forgotten_s <= batch.created_s for each in on_record)


def was_withdrawn_unseen(pipeline: Pipeline, attempt: Attempt, batch: Batch) -> bool:
    """Whether its create was not answered, and what lists it was withdrawn before a look."""
    service = pipeline.member_of(batch.request.model).service
    if not service.lists_no_more(batch, pipeline.kernel.now_s):
        return False
    decided_s = decided_at_s(pipeline, attempt)
    if decided_s is not None and not service.lists_no_more(batch, decided_s):
        return False
    submission = BucketRecords(pipeline.bucket).find_submission(attempt)
    return submission is None or submission.batch_id != batch.batch_id


def was_denied(pipeline: Pipeline, attempt: Attempt, batch: Batch) -> bool:
    """Whether the provider said of a batch that had ended that it runs, and a day later again.

    It is given up at that second look.
    """
    decided_s = decided_at_s(pipeline, attempt) or 0
    denied_s = [
        decided_s - fault.at_s
        for fault in pipeline.kernel.faults.struck
        if fault.kind == "status_backwards" and fault.where == batch.batch_id and fault.at_s <= decided_s
    ]
    return bool(denied_s) and min(denied_s) < _ONE_RUN_S and max(denied_s) >= GIVE_UP.total_seconds()


def had_to_be_read(pipeline: Pipeline, attempt: Attempt, batch: Batch) -> bool:
    """Whether the batch had ended when its attempt was decided, with results soon enough."""
    if was_lost_from_sight(pipeline, attempt, batch) or was_denied(pipeline, attempt, batch):
        return False
    decided_s = decided_at_s(pipeline, attempt)
    service = pipeline.member_of(batch.request.model).service
    if was_withdrawn_unseen(pipeline, attempt, batch):
        return False
    gone_s = min(batch.forgotten_s, batch.ends_s + service.kept_for_s)
    is_there = batch.files_at_s is not None and (decided_s or 0) < gone_s
    return is_there and decided_s is not None and batch.ends_s <= decided_s


def decided_at_s(pipeline: Pipeline, attempt: Attempt) -> float | None:
    outcome = BucketRecords(pipeline.bucket).find_outcome(attempt)
    return None if outcome is None else pipeline.kernel.true_s(outcome.decided_at)


def _submitted_at_s(pipeline: Pipeline, attempt: Attempt) -> float:
    """When it was recorded what became of the attempt."""
    submission = BucketRecords(pipeline.bucket).find_submission(attempt)
    return math.inf if submission is None else pipeline.kernel.true_s(submission.submitted_at)


def _reasons(
    pipeline: Pipeline, attempt: Attempt, batch: Batch, custom_id: str, *, was_read: bool
) -> dict[str, str | None]:
    if was_lost_from_sight(pipeline, attempt, batch):
        return {"refused": "perhaps_sent"}
    decided_s = decided_at_s(pipeline, attempt)
    is_forgotten = decided_s is not None and batch.forgotten_s <= decided_s
    service = pipeline.member_of(batch.request.model).service
    # Of a withdrawn API's task nobody asks but its manifest, also if somebody has deleted it.
    is_hidden = decided_s is not None and (
        service.hides(batch, decided_s) or (is_forgotten and service.lists_no_more(batch, decided_s))
    )
    if is_hidden:
        return {"expired": None, **({"refused": None} if custom_id in batch.failed else {})}
    if batch.status is BatchStatus.FAILED and not is_forgotten:
        return {"refused": None}
    is_given_up = was_denied(pipeline, attempt, batch)
    if decided_s is None or is_forgotten or is_given_up or batch.ends_s > decided_s:
        return {"expired": "never_ended"}
    if was_read and custom_id in batch.failed:
        return {"refused": batch.failed[custom_id] or None}
    # It was read at some time before it was decided.
    told = {service.status_at(batch, at_s) for at_s in (decided_s - _ONE_RUN_S, decided_s)}
    return {status: status for each in told for status in _WITHOUT_LINE[each]}
