"""What must be true of each job's bill, against what the provider counted of its rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.bucket.attempt import Attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.records.usage import AttemptBill, Tokens
from tests.simulation.answers import told_of
from tests.simulation.expected import came_for_a_deleted_one, decided_at_s, had_to_be_read
from tests.simulation.pipeline import Pipeline
from tests.simulation.samples import sample_tokens
from tests.simulation.service import Batch

_KINDS = ("prompt", "completion", "total", "thinking", "cached")


@dataclass
class _Counted:
    """The tokens that were told in lines that had to be read, and those in all that there were."""

    least: Tokens = field(default_factory=Tokens)
    most: Tokens = field(default_factory=Tokens)


def bill_failures(
    pipeline: Pipeline,
    jobs: Sequence[tuple[Plan, Ledger | None]],
    batches: Mapping[Attempt, Sequence[Batch]],
) -> Iterator[str]:
    """Each attempt is billed what was told of it, at the price of its kinds, and nothing else."""
    counted: dict[tuple[str, int], _Counted] = defaultdict(_Counted)
    for attempt, mine in batches.items():
        for batch in mine:
            _count(counted[attempt.job_id, attempt.number], pipeline, attempt, batch)
    ledgers = {plan.job_id: ledger for plan, ledger in jobs if ledger}
    for plan, ledger in jobs:
        if ledger is None:
            continue
        where = f"the bill of {plan.job_id}"
        own = {
            each.attempt: each
            for each in ledger.attempts
            if each.retries == plan.retries and not each.in_real_time
        }
        yield from (f"{where} says of its sample {said}" for said in _sampled(pipeline, plan, ledger))
        sent = {number for job_id, number in counted if job_id == plan.job_id}
        for number in sorted(sent | own.keys()):
            bill = own.get(number) or AttemptBill(retries=plan.retries, attempt=number, tokens=Tokens())
            for said in _compared(plan, bill, counted[plan.job_id, number]):
                yield f"{where} says of attempt {number} {said}"
        before = ledgers[plan.retry_of].attempts if plan.retry_of else ()
        yield from (f"{where} {said}" for said in _summed(ledger, before))


def _count(counted: _Counted, pipeline: Pipeline, attempt: Attempt, batch: Batch) -> None:
    submission = BucketRecords(pipeline.bucket).find_submission(attempt)
    if submission is None or submission.batch_id != batch.batch_id:
        return  # nobody read it
    is_whole = max(batch.complete_at_s, batch.output_at_s) <= (decided_at_s(pipeline, attempt) or 0)
    must = had_to_be_read(pipeline, attempt, batch) and is_whole
    must &= not came_for_a_deleted_one(pipeline, attempt, batch)
    for custom_id in batch.answered:
        tokens = Tokens(**told_of(batch.asks[custom_id]))
        counted.most += tokens
        if custom_id in batch.contradicted:  # both of its answers may count
            counted.most += tokens
        if must:
            counted.least += tokens


def _sampled(pipeline: Pipeline, plan: Plan, ledger: Ledger) -> Iterator[str]:
    """All that was kept of it had to be read; what was erased, nobody knows any more."""
    mine = [each for each in ledger.attempts if each.in_real_time and each.retries == plan.retries]
    if ledger.erased_at is not None or plan.retry_of:
        return
    tokens = sample_tokens(pipeline, plan)
    bill = mine[0] if mine else AttemptBill(retries=plan.retries, attempt=1, tokens=Tokens())
    yield from _compared(plan, bill, _Counted(tokens, tokens))


def _compared(plan: Plan, bill: AttemptBill, counted: _Counted) -> Iterator[str]:
    least, most = counted.least, counted.most
    for kind in _KINDS:
        said, bounds = getattr(bill.tokens, kind), (getattr(least, kind), getattr(most, kind))
        if not bounds[0] <= said <= bounds[1]:
            yield f"{said} tokens as {kind}, not {bounds}"
    if bill.cost is None:
        return
    costs = [_cost(plan, each, in_real_time=bill.in_real_time) for each in (least, most)]
    if not costs[0] <= bill.cost.micros <= costs[1]:
        yield f"that it cost {bill.cost.micros}, not {costs[0]} to {costs[1]}"


def _cost(plan: Plan, tokens: Tokens, *, in_real_time: bool) -> int:
    """In millionths. Requests are short here, and thoughts cost what answers do."""
    assert plan.quote is not None
    assert plan.quote.price is not None
    tier = plan.quote.price.tiers[0]
    rates = tier.real_time if in_real_time else tier.batch or tier.real_time
    cached = rates.input if rates.cached is None else rates.cached
    parts = ((tokens.prompt - tokens.cached) * rates.input, tokens.cached * cached)
    return -(-(sum(parts) + tokens.completion * rates.output) // 1_000_000)


def _summed(ledger: Ledger, before: Sequence[AttemptBill]) -> Iterator[str]:
    if tuple(ledger.attempts[: len(before)]) != tuple(before):
        yield f"begins with {ledger.attempts}, not with {before} of the job that it retries"
    if ledger.tokens != sum((each.tokens for each in ledger.attempts), Tokens()):
        yield f"has {ledger.tokens}, which its attempts {ledger.attempts} do not add up to"
    costs = [each.cost.micros for each in ledger.attempts if each.cost]
    if ledger.bill and ledger.bill.cost.micros != sum(costs):
        yield f"is {ledger.bill.cost.micros}, but its attempts cost {costs}"
