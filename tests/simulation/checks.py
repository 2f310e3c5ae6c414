"""What must be true after every run, against what the provider knows."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from shared.domain.keys import (
    AGAIN,
    OPEN,
    JobId,
    ShardAttempt,
    Stage,
    parse_shard_attempt,
    rejection_keys_for,
)
from shared.domain.records import Ledger, Plan
from shared.services.bucket_records import BucketRecords
from shared.services.validate_file import MAX_STARTS
from tests.simulation.people import DroppedFile
from tests.simulation.pipeline import WORK, Pipeline
from tests.simulation.service import Batch, answer_to

_STATUSES = frozenset({"answered", "refused", "expired", "missing", "cancelled"})


def failures(pipeline: Pipeline, files: Sequence[DroppedFile]) -> list[str]:
    """Every broken promise of a run that came to its end, in words."""
    return [
        *_surprises(pipeline),
        *_results(pipeline, files),
        *_bills(pipeline),
        *_leftovers(pipeline),
        *_loops(pipeline),
    ]


def is_settled(pipeline: Pipeline, files: Sequence[DroppedFile]) -> bool:
    """Whether every file has come to its end and no ticket is left."""
    if any(pipeline.bucket.keys(prefix) for prefix in WORK):
        return False
    jobs = _jobs(pipeline)
    return all(
        any(_is_of(plan, file) and ledger for plan, ledger in jobs) or _was_given_up(pipeline, file)
        for file in _newest(files)
    )


def _was_given_up(pipeline: Pipeline, file: DroppedFile) -> bool:
    """Whether so many of its validations were killed that the file was refused, with a report that says so."""
    struck = Counter(fault.kind for fault in pipeline.kernel.faults.struck)
    died = struck["kill"] + struck["slow"] >= MAX_STARTS
    return died and pipeline.bucket.content(rejection_keys_for(file.key)[0]) is not None


def _newest(files: Sequence[DroppedFile]) -> Sequence[DroppedFile]:
    """The last version of each file: an earlier one may have been replaced before anybody saw it."""
    return list({file.key: file for file in files}.values())


def _jobs(pipeline: Pipeline) -> list[tuple[Plan, Ledger | None]]:
    records = BucketRecords(pipeline.bucket)
    keys = [key for key in pipeline.bucket.keys("jobs/") if key.endswith("/plan.json")]
    jobs = [JobId(key.split("/")[1]) for key in keys]
    return [(plan, records.find_ledger(job)) for job in jobs if (plan := records.find_plan(job))]


def _is_of(plan: Plan, file: DroppedFile) -> bool:
    return plan.source.key == file.key and plan.rows == len(file.rows)


def _surprises(pipeline: Pipeline) -> Iterator[str]:
    yield from pipeline.surprises
    yield from (f"the record {key} was overwritten" for key in pipeline.bucket.overwritten)


def _results(pipeline: Pipeline, files: Sequence[DroppedFile]) -> Iterator[str]:
    """Each row is in the result once, in order, with its own columns and the right answer or a reason."""
    jobs = _jobs(pipeline)
    for file in files:
        found = [(plan, ledger) for plan, ledger in jobs if _is_of(plan, file)]
        is_newest = file in _newest(files)
        if len(found) != 1 and (found or (is_newest and not _was_given_up(pipeline, file))):
            yield f"{file.key} became {len(found)} jobs"
        for plan, ledger in found:
            if ledger is None:
                yield f"job {plan.job_id} of {file.key} is not closed"
            elif is_newest or ledger.result_key != plan.result_key:
                yield from _result(pipeline, file, plan, ledger)


def _result(pipeline: Pipeline, file: DroppedFile, plan: Plan, ledger: Ledger) -> Iterator[str]:
    where = f"job {plan.job_id} of {file.key}"
    content = pipeline.bucket.content(ledger.result_key)
    if content is None:
        yield f"{where}: {ledger.result_key} is not there"
        return
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    if not file.is_table:
        own = [(row["custom_id"],) for row in rows]
        expected: list[tuple[str, ...]] = [(name,) for name, _ in file.rows]
    else:
        own = [(row["id"], row["text"].removeprefix("'")) for row in rows]
        expected = list(file.rows)
    if own != expected:
        yield f"{where}: rows {own} are not {expected}"
        return
    statuses = Counter[str]()
    must, may = _answered(pipeline, plan)
    for (name, text), row in zip(file.rows, rows, strict=True):
        status = row["status"] if file.is_table else ("answered" if not row["error_code"] else "")
        statuses[status] += 1
        yield from (
            f"{where}, row {name}: {said}" for said in _row(row, status, text, text in must, text in may)
        )
    if not ledger.adds_up or ledger.rows_in != len(file.rows) or ledger.rows_out != len(file.rows):
        yield f"{where}: the ledger does not add up: {ledger}"
    if file.is_table and ledger.by_status != dict(statuses):
        yield f"{where}: the ledger counts {ledger.by_status}, the result {dict(statuses)}"


def _row(row: dict[str, str], status: str, text: str, must: bool, may: bool) -> Iterator[str]:
    is_answered = status == "answered"
    if is_answered and not may:
        yield "is answered, but never was"
    elif must and not is_answered:
        yield f"was answered, but is {status or row['error_code']}"
    elif is_answered and row["content"].removeprefix("'") != answer_to(text):
        yield f"has the answer {row['content']!r}"
    elif not is_answered and (not row["error_code"] or status not in _STATUSES | {""}):
        yield f"has no reason, but the status {status!r}"


def _answered(pipeline: Pipeline, plan: Plan) -> tuple[set[str], set[str]]:
    """The texts of the job that must have an answer, and those that may have one.

    Must: it stood in a result that could be read when its attempt was decided. May: the provider ever wrote it.
    """
    must, may = set(), set()
    for unit, batches in _batches(pipeline).items():
        if unit.job_id != plan.job_id:
            continue
        for batch in batches:
            texts = {batch.lines[custom_id] for custom_id in batch.answered}
            may |= texts
            if _was_readable(pipeline, unit, batch):
                must |= texts
    return must, may


def _was_readable(pipeline: Pipeline, unit: ShardAttempt, batch: Batch) -> bool:
    """Whether all of the batch's results could be read when its attempt was decided."""
    outcome = BucketRecords(pipeline.bucket).find_outcome(unit)
    if outcome is None or outcome.batch_id != batch.batch_id or batch.files_at_s is None:
        return False
    return max(batch.files_at_s, batch.complete_at_s) <= (outcome.decided_at - pipeline.start).total_seconds()


def _batches(pipeline: Pipeline) -> dict[ShardAttempt, list[Batch]]:
    by_unit: dict[ShardAttempt, list[Batch]] = defaultdict(list)
    for batch in pipeline.service.batches.values():
        unit = parse_shard_attempt(batch.request.metadata["batchdrop"])
        if unit:
            by_unit[unit].append(batch)
    return by_unit


def _bills(pipeline: Pipeline) -> Iterator[str]:
    """No shard has two batches in an attempt, and what was answered was never sent again."""
    answered: dict[tuple[str, int], set[str]] = defaultdict(set)
    for unit, batches in sorted(_batches(pipeline).items(), key=lambda each: each[0].attempt):
        if len(batches) > 1:
            yield f"{unit} has {len(batches)} batches"
        known = answered[unit.job_id, unit.shard]
        for batch in batches:
            again = known & batch.lines.keys()
            if again:
                yield f"{unit} sends {sorted(again)} again, which were answered"
            if _was_readable(pipeline, unit, batch):
                known.update(batch.answered)


def _leftovers(pipeline: Pipeline) -> Iterator[str]:
    for prefix in (*(stage.value for stage in Stage), AGAIN, OPEN):
        yield from (f"{key} is left" for key in pipeline.bucket.keys(prefix))
    # A batch that was given up because it never ended may write its files when nobody waits for them any more.
    endless = {
        each.result_file for each in pipeline.service.batches.values() if each.ends_s > pipeline.kernel.now_s
    }
    for file_id, name in pipeline.service.files.items():
        if file_id not in endless:
            yield f"the provider's file {name!r} ({file_id}) is left"


def _loops(pipeline: Pipeline) -> Iterator[str]:
    """Invocations other than the timer's are bounded by the shards and the faults."""
    units = len(_batches(pipeline))
    count = sum(number for name, number in pipeline.invocations.items() if name != "reconcile")
    most = 20 + 12 * units + 8 * len(pipeline.kernel.faults.struck) + 2 * sum(pipeline.repairs.values())
    if count > most:
        yield f"{count} invocations for {units} sendings of shards and {len(pipeline.kernel.faults.struck)} faults"
