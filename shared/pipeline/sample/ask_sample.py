"""Asks a job's sampled rows in real time, once, and keeps what they are answered.

Five rows are a group. Whoever creates a group's claim asks it, and nobody else ever does: if that
run dies, its rows may have been charged. What it was answered is kept before the next group.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import sample_claim_key, sample_key, sample_replies_key
from shared.bucket.records.plan import Plan
from shared.formats.lines import byte_lines
from shared.money.tokens.token_meter import line_tokens
from shared.pipeline.deadlines import SAMPLE_LEASE
from shared.pipeline.replaced.newer_drop import newer_drop
from shared.pipeline.sample.choose_rows import SampledRow
from shared.pipeline.sample.make_sample import make_sample, unknown_reply
from shared.pipeline.sample.records import KeptReply, Sample, SampleClaim, SampleGroup
from shared.pipeline.sample.sample_money import SampleMoney
from shared.ports.clock import Clock
from shared.ports.real_time import MAX_REQUESTS, Asked, RealTime, Reply
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ConfigurationError, ObjectMissing, PipelineError, ProviderTrouble
from shared.results.replies.result_lines import parse_result_line

log = logging.getLogger(__name__)


class SampleUnderWay(PipelineError):
    """Another run is asking, and goes on with the job when it is through."""

    code = "sample_under_way"


class _Stop(NamedTuple):
    """Why no further group is asked, and the provider's words for it."""

    why: str = ""
    said: str = ""


@dataclass(frozen=True)
class AskSample:
    """May be repeated, run twice at once, and killed anywhere.

    Attributes:
        real_times: By provider.
        run_id: Unique to this invocation.
    """

    store: ObjectStore
    clock: Clock
    real_times: Mapping[str, RealTime]
    run_id: str

    def __call__(self, plan: Plan) -> Sample:
        """Return what the sample came to, having asked what was not asked yet.

        Raises:
            SampleUnderWay: Another run is asking, or has died of it a moment ago.
        """
        records, job_id = BucketRecords(self.store), JobId(plan.job_id)
        if plan.sample is None:
            raise ValueError(f"job {plan.job_id} has no sample")
        sample = records.find(sample_key(job_id), Sample)
        if sample is None:
            rows = self._rows(plan)
            mine = make_sample(plan, rows, list(self._groups(plan, rows)))
            # Before the record: with it the job goes on, whether or not this run lives.
            SampleMoney(self.store, self.clock, plan).settle(mine)
            sample = records.create(sample_key(job_id), mine)
            log.info("sample.ended", extra={"job_id": job_id, "answered": sample.figures.answered})
        return sample

    def _rows(self, plan: Plan) -> list[SampledRow]:
        if plan.sample is None or not plan.sample.rows:
            return []
        try:
            return [*map(SampledRow.from_line, byte_lines(self.store.read(plan.sample.rows_key)))]
        except ObjectMissing:  # it was removed, and whatever was asked of it stays kept
            return []

    def _groups(self, plan: Plan, rows: Sequence[SampledRow]) -> Iterator[SampleGroup]:
        stop = self._stop_before(plan) if rows else _Stop()
        starts = range(0, len(rows), MAX_REQUESTS)
        for number, group in enumerate((rows[start : start + MAX_REQUESTS] for start in starts), start=1):
            stop = stop if stop.why else self._is_unwanted(plan)
            ended = self._group(plan, number, group, stop)
            stop = _Stop(ended.why, ended.said)
            yield ended

    def _is_unwanted(self, plan: Plan) -> _Stop:
        if BucketRecords(self.store).is_cancelled(JobId(plan.job_id)):
            return _Stop("sample_cancelled")
        is_replaced = plan.approval is not None and newer_drop(self.store, plan) is not None
        return _Stop("sample_replaced" if is_replaced else "")

    def _stop_before(self, plan: Plan) -> _Stop:
        if plan.provider not in self.real_times:
            return _Stop("sample_no_lane")
        has_room = SampleMoney(self.store, self.clock, plan).reserve()
        return _Stop() if has_room else _Stop("sample_no_room")

    def _group(self, plan: Plan, number: int, rows: Sequence[SampledRow], stop: _Stop) -> SampleGroup:
        """Ask it, or find out what it came to."""
        records, job_id = BucketRecords(self.store), JobId(plan.job_id)
        key = sample_replies_key(job_id, number)
        found = records.find(key, SampleGroup)
        if found is not None:
            return found
        mine = SampleClaim(token=self.run_id, claimed_at=self.clock.now(), why=stop.why)
        claim = records.create(sample_claim_key(job_id, number), mine)
        if claim.why:
            ended = SampleGroup(why=claim.why, said=stop.said)
        elif claim.token == self.run_id:
            ended = self._ask(plan, rows)
        elif self.clock.now() - claim.claimed_at < SAMPLE_LEASE:
            raise SampleUnderWay(f"the sample of job {job_id} is being asked by another run")
        else:
            ended = SampleGroup(asked=len(rows), replies=tuple(map(unknown_reply, rows)))
        return records.create(key, ended)

    def _ask(self, plan: Plan, rows: Sequence[SampledRow]) -> SampleGroup:
        real_time = self.real_times[plan.provider]
        try:
            replies = real_time.answers([row.request.encode() for row in rows], plan.model)
        except (ProviderTrouble, ConfigurationError) as trouble:
            log.warning("sample.refused", extra={"job_id": plan.job_id, "reason": str(trouble)})
            return SampleGroup(asked=len(rows), why="sample_lane_down", said=trouble.facts)
        return group_of(rows, replies)


def group_of(rows: Sequence[SampledRow], replies: Sequence[Reply]) -> SampleGroup:
    """What rows that were asked together came to."""
    kept = [_kept(row, reply) for row, reply in zip(rows, replies, strict=True)]
    group = SampleGroup(asked=len(rows), replies=tuple(filter(None, kept)))
    if any(reply.asked is Asked.ANSWERED for reply in replies):
        return group
    # The next ones would most likely fare the same, and each may be charged.
    refused = parse_result_line(replies[0].line)
    said = refused.error_message if refused else ""
    return group.model_copy(update={"why": "sample_lane_down", "said": said})


def _kept(row: SampledRow, reply: Reply) -> KeptReply | None:
    """``None`` for a row that was not run."""
    if reply.asked is Asked.REFUSED:
        return None
    if reply.asked is Asked.UNKNOWN:
        return unknown_reply(row)
    answer, request = parse_result_line(reply.line), row.request.encode()
    total = (answer.total_tokens or 0) if answer else 0
    prompt = (answer.prompt_tokens or 0) if answer else 0
    return KeptReply(
        shard=row.shard,
        line=reply.line.decode(),
        estimate=round(line_tokens(request)),
        size_bytes=len(request),
        prompt=prompt,
        output=max(total - prompt, (answer.completion_tokens or 0) if answer else 0),
    )
