"""What must be true after every run, against what the provider knows."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import AGAIN, APPROVE, BOARD, INBOX_MARK, OPEN, OUTBOX, WAITING, Stage, record_key
from shared.bucket.keys import WORK as WORKING
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import rejection_keys_for
from shared.bucket.slot_keys import slots_prefix
from shared.bucket.uploads import upload_key
from shared.pipeline.deadlines import CLOCK_ERROR, INBOX_SWEEP_AFTER
from shared.pipeline.quota.slots import free_slots
from shared.pipeline.validate.validate_file import MAX_STARTS
from shared.providers.bailian.profile import TEST_MODEL
from shared.results.columns import CODES_OF_ANSWERS
from tests.simulation.answers import NAMES, columns_in, is_misfit
from tests.simulation.approvals import approval_failures, replaced_failures, retried_failures
from tests.simulation.bills import bill_failures
from tests.simulation.boards import board_failures
from tests.simulation.ceilings import money_failures
from tests.simulation.expected import (
    Expected,
    batches_by_attempt,
    came_for_a_deleted_one,
    decided_at_s,
    expected_rows,
    had_to_be_read,
    unfinished_at_once,
    was_deleted_unseen,
    was_lost_from_sight,
    was_withdrawn_unseen,
)
from tests.simulation.installations import MODELS
from tests.simulation.lending import asked_in_two_shards, shard_that_asks
from tests.simulation.people import BAD, DroppedFile
from tests.simulation.pipeline import DOWN_FOR_S, RETRIES, TIMEOUT_S, WORK, Pipeline
from tests.simulation.reuse import borrowed_rows, reuse_failures
from tests.simulation.samples import sample_failures
from tests.simulation.service import Batch
from tests.simulation.tables import result_rows
from tests.simulation.word_checks import word_failures
from tests.support.functions import BUCKET_NAME

# Texts of rows that are left out.
NEVER_SENT = {"", BAD}
# Of a row whose batch expired before its time, as far as its provider tells that.
_BROKEN_OFF = "broken_off"
# Where one provider is down: so soon after its end is a batch of the other decided.
_SOON_S = 24 * 3600.0
# By the timer's next run that finds something new, however old what they name.
_MADE_ANEW = {BOARD, INBOX_MARK}


def failures(pipeline: Pipeline, files: Sequence[DroppedFile]) -> list[str]:
    """Every broken promise of a run that came to its end, in words."""
    return [
        *pipeline.surprises,
        *sorted(pipeline.bucket.forbidden),
        *(f"the record {key} was overwritten" for key in pipeline.bucket.overwritten),
        *(f"{key} was written before its result" for key in pipeline.bucket.unbacked),
        *_results(pipeline, files),
        *_refusals(pipeline, files),
        *_bills(pipeline),
        *_sendings(pipeline),
        *_active(pipeline),
        *_premature(pipeline),
        *_punctuality(pipeline),
        *_quotas(pipeline),
        *_money(pipeline),
        *approval_failures(pipeline),
        *replaced_failures(pipeline),
        *retried_failures(pipeline),
        *reuse_failures(pipeline, [plan for plan, _ in _jobs(pipeline)]),
        *_samples(pipeline),
        *_leftovers(pipeline),
        *_loops(pipeline),
        *board_failures(pipeline),
        *word_failures(pipeline, files),
    ]


def is_settled(pipeline: Pipeline, files: Sequence[DroppedFile]) -> bool:
    """Whether every drop has its end, no ticket is left, and the timer has swept the files."""
    if any(map(pipeline.bucket.keys, WORK)) or any(_files_left(pipeline)):
        return False
    return all(ledger for _, ledger in _jobs(pipeline)) and all(
        pipeline.bucket.is_answered(file.key) for file in _newest(files)
    )


def _was_given_up(pipeline: Pipeline, file: DroppedFile) -> bool:
    """Whether so many of its validations did not end well that it was refused, with a report."""
    died = pipeline.unfinished[file.key] >= MAX_STARTS
    return died and pipeline.bucket.objects.get(rejection_keys_for(file.key)[0]) is not None


def _newest(files: Sequence[DroppedFile]) -> Sequence[DroppedFile]:
    """The last version of each file: an earlier one may have been replaced unseen."""
    return list({file.key: file for file in files}.values())


def _jobs(pipeline: Pipeline) -> list[tuple[Plan, Ledger | None]]:
    records = BucketRecords(pipeline.bucket)
    keys = [key for key in pipeline.bucket.keys("jobs/") if key.endswith("/plan.json")]
    jobs = [JobId(key.split("/")[1]) for key in keys]
    return [(plan, records.find_ledger(job)) for job in jobs if (plan := records.find_plan(job))]


def _is_of(plan: Plan, file: DroppedFile) -> bool:
    return plan.source.etag == file.etag  # no two files have the same rows; an erased plan has no key


def _results(pipeline: Pipeline, files: Sequence[DroppedFile]) -> Iterator[str]:
    """Each row is in the result once, in order, with its columns and its answer or reason."""
    jobs = _jobs(pipeline)
    yield from (
        f"job {plan.job_id} of {plan.source.key} is not closed" for plan, ledger in jobs if ledger is None
    )
    for file in dict.fromkeys(files):
        firsts = [plan for plan, _ in jobs if plan.retry_of is None and _is_of(plan, file)]
        is_newest = file in _newest(files)
        if not firsts and is_newest and not _was_given_up(pipeline, file):
            yield f"{file.key} became no job"
        if len(firsts) > _most_jobs(pipeline, files.count(file)):
            yield f"{file.key} was dropped {files.count(file)} times and became {len(firsts)} jobs"
        under_one = max(Counter(plan.source.recipe_etag for plan in firsts).values(), default=0)
        if under_one > 1:
            yield f"{file.key} became {under_one} jobs under one recipe"
        firsts.sort(key=lambda plan: plan.source.dropped_at)
        for first in firsts:
            rounds = [plan for plan, _ in jobs if plan.origin_id == first.job_id]
            rounds.sort(key=lambda plan: plan.retries)
            # Dropped again under another recipe and given up, it has a job, but not of that drop.
            is_answered = pipeline.bucket.became_a_job(file.key) or not _was_given_up(pipeline, file)
            is_last = is_newest and is_answered and first is firsts[-1]
            yield from _rounds(pipeline, file, rounds, is_newest=is_last)
            if len(firsts) == 1 and [each.key for each in set(files)].count(file.key) == 1:
                others = {text for each in files if each.key != file.key for _, text in each.rows}
                yield from _named_though_erased(pipeline, file, rounds, others)


def _refusals(pipeline: Pipeline, files: Sequence[DroppedFile]) -> Iterator[str]:
    """In the end no mistake is left, and what was refused was dropped again: no report says any.

    Except one that a killed run wrote last, or whose removal it did not come to; nor do four that
    failed, each at something else.
    """
    struck = {fault.where for fault in pipeline.kernel.faults.struck if fault.kind in ("kill", "slow")}
    for file in _newest(files):
        reports = rejection_keys_for(file.key)
        report = reports[1]
        excuses = {f"delete {report}", *(f"create {each}" for each in reports)}
        is_excused = not struck.isdisjoint(excuses) or _was_given_up(pipeline, file)
        is_excused = is_excused or pipeline.unfinished[file.key] > RETRIES
        if report in pipeline.bucket.objects and not is_excused:
            what = "the job that it became" if pipeline.bucket.became_a_job(file.key) else "what is right"
            yield f"{report} stands beside {what}"


def _most_jobs(pipeline: Pipeline, drops: int) -> int:
    """One drop is one job, whatever becomes of its recipe meanwhile."""
    return drops if any(fault.kind == "recipe_edited" for fault in pipeline.kernel.faults.struck) else 1


def _rounds(
    pipeline: Pipeline, file: DroppedFile, rounds: Sequence[Plan], *, is_newest: bool
) -> Iterator[str]:
    ledger = BucketRecords(pipeline.bucket).find_ledger(JobId(rounds[-1].job_id))
    planned_key = rounds[-1].result_key
    if ledger and ledger.erased_at:
        if ledger.is_being_erased:
            yield f"job {ledger.job_id} of {file.key} is erased by half"
        yield from _unerased(
            pipeline, file, rounds, pipeline.kernel.true_s(ledger.erased_at), is_newest=is_newest
        )
    elif ledger and (is_newest or ledger.result_key != planned_key):
        where = f"job {ledger.job_id} of {file.key}"
        key = planned_key if is_newest else ledger.result_key
        yield from (f"{where}: {said}" for said in _result(pipeline, file, rounds, ledger, key))


def _unerased(
    pipeline: Pipeline, file: DroppedFile, rounds: Sequence[Plan], erased_s: float, *, is_newest: bool
) -> Iterator[str]:
    """Of an erased job nothing is left but records; what was dropped again later is another's."""
    bucket = pipeline.bucket
    left = [key for plan in rounds for key in bucket.keys(f"{WORKING}{plan.job_id}/")]
    if is_newest and _was_looked_at(pipeline, file, erased_s):
        left += [file.key]
    yield from (
        f"{key} is left of the erased job {rounds[0].job_id}"
        for key in left
        if bucket.written_s(key) <= erased_s
    )


def _was_looked_at(pipeline: Pipeline, file: DroppedFile, before_s: float) -> bool:
    """Whether this drop of the file was known for one of a job by then; else it is not touched."""
    head = pipeline.bucket.find_head(file.key)
    if head is None:
        return False
    return (
        pipeline.bucket.written_s(upload_key(BUCKET_NAME, file.key, head.etag, head.modified_at)) <= before_s
    )


def _named_though_erased(
    pipeline: Pipeline, file: DroppedFile, rounds: Sequence[Plan], others: Collection[str]
) -> Iterator[str]:
    """Nothing names the file of an erased job or has its rows, but for the file dropped again.

    ``others`` are texts of rows that other files have, too.
    """
    ledger = BucketRecords(pipeline.bucket).find_ledger(JobId(rounds[-1].job_id))
    if ledger is None or ledger.erased_at is None:
        return
    erased_s = pipeline.kernel.true_s(ledger.erased_at)
    own = (text for _, text in file.rows if text not in NEVER_SENT | {*others})
    # ``a.jsonl`` is not ``a.jsonl.gz``, which stays.
    said = re.compile("|".join([rf"{re.escape(file.key)}(?!\.gz)", *map(re.escape, own)]).encode())
    jobs = [plan.job_id for plan, _ in _jobs(pipeline)]
    for key, content in pipeline.bucket.objects.items():
        # A validation under another recipe, of which no job came, may have been alive.
        is_stray = key.startswith(WORKING) and key.split("/")[1] not in jobs
        until_s = erased_s - (INBOX_SWEEP_AFTER + CLOCK_ERROR).total_seconds() * is_stray
        is_older = pipeline.bucket.written_s(key) <= until_s and key not in _MADE_ANEW
        if key == file.key:
            is_older = is_older and _was_looked_at(pipeline, file, erased_s)
        if "unmatched" in key and rounds[0].job_id not in key:
            continue  # another job's: the provider mixed this one's rows into its output
        if is_older and said.search(content):
            yield f"{key} names what was erased with {rounds[0].job_id}"


def _result(
    pipeline: Pipeline, file: DroppedFile, rounds: Sequence[Plan], ledger: Ledger, key: str
) -> Iterator[str]:
    content = pipeline.bucket.objects.get(key)
    if content is None:
        yield f"{key} is not there"
        return
    rows = result_rows(key, content)
    names = ("id", "text") if file.is_table else ("custom_id",)
    own = [tuple(row.get(name, "").removeprefix("'") for name in names) for row in rows]
    if own != [row[: len(names)] for row in file.rows]:
        yield f"rows {own} are not {file.rows}"
        return
    borrowed = borrowed_rows(pipeline, rounds[0])
    expected = expected_rows(pipeline, rounds)
    expected.update(borrowed)
    statuses = [_status(row) for row in rows]
    shards = [shard.shard for shard in rounds[0].shards for _ in range(shard.rows)]
    asking = shard_that_asks(pipeline, rounds[0])
    for (name, text), shard, row, status in zip(file.rows, shards, rows, statuses, strict=True):
        said = _row(row, status, text, expected[asking(shard, text), text])
        yield from (f"row {name} {each}" for each in said)
        if file.has_columns:
            yield from (f"row {name} {each}" for each in _columns(row, status))
    yield from _counts(file, ledger, [row["error_code"] for row in rows], statuses)
    if rounds[0].until_fits:
        places = zip(shards, (text for _, text in file.rows), rows, statuses, strict=True)
        own = [
            row
            for shard, text, row, status in places
            if status == "answered" and (shard, text) not in borrowed
        ]
        yield from _tries(rounds[-1], ledger, own)


def _counts(
    file: DroppedFile, ledger: Ledger, codes: Sequence[str], statuses: Sequence[str]
) -> Iterator[str]:
    """The ledger counts what the result holds."""
    if not ledger.adds_up or not ledger.rows_in == ledger.rows_out == len(file.rows):
        yield f"the ledger does not add up: {ledger}"
    if file.is_table and ledger.by_status != Counter(statuses):
        yield f"the ledger counts {ledger.by_status}, the result {Counter(statuses)}"
    odd = Counter(code for code, status in zip(codes, statuses, strict=True) if code and status == "answered")
    if ledger.unread_answers != odd:
        yield f"the ledger counts {ledger.unread_answers} of the odd answers {odd}"


def _tries(plan: Plan, ledger: Ledger, rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """Each answer of its own says at which try it came; the ledger counts those that fit by it."""
    fitted: Counter[str] = Counter()
    for row in rows:
        content, reason = row["content"].removeprefix("'"), row["finish_reason"]
        is_misfit_now = is_misfit(content, reason, has_columns=bool(plan.answer_columns))
        number = int(float(row["attempt"] or 0))
        asked = int(float(row["attempts"] or 0))
        if not 1 <= number <= asked <= plan.attempts + plan.until_fits:
            yield f"{content!r} is said to be of try {row['attempt']!r} of {row['attempts']!r}"
        if asked > number and not is_misfit_now:
            yield f"{content!r} fits, but its row was asked {asked} times"
        if not is_misfit_now and row["error_code"] != "answers_differ":
            fitted[str(number)] += 1
    if ledger.fitted != fitted:
        yield f"the ledger counts {ledger.fitted} of the fitting answers {fitted}"


def _status(row: dict[str, str]) -> str:
    """Results of request lines have no such column; some of their error codes are ours."""
    if "status" in row:
        return row["status"]
    code = row["error_code"]
    if code in {"never_ended", _BROKEN_OFF}:
        return "expired"
    if code in CODES_OF_ANSWERS:
        return "answered"
    return code if code in {"missing", "expired", "cancelled"} else "refused"


def _row(row: dict[str, str], status: str, text: str, expected: Expected) -> Iterator[str]:
    code = row["error_code"]
    told = "expired" if code == _BROKEN_OFF else code
    if text in NEVER_SENT and status != "refused":
        yield f"is {status}, but is a bad row"
    if status == "answered":
        if not expected.may:
            yield "is answered, but never was"
        elif row["content"].removeprefix("'") not in expected.allowed:
            yield f"has the answer {row['content']!r}, not one of {expected.allowed}"
        elif expected.differ and code != "answers_differ":
            yield f"does not say that its answers differ, but {code!r}"
    elif expected.must:
        yield f"was answered, but is {status}"
    elif status not in expected.reasons or not code or expected.reasons[status] not in {None, code, told}:
        yield f"is {status} because of {code!r}, not {expected.reasons}"


def _columns(row: dict[str, str], status: str) -> Iterator[str]:
    """The recipe's columns hold what the answer's JSON says; the row tells if it is odd."""
    cells, code = columns_in(row["content"].removeprefix("'")) if status == "answered" else ({}, "")
    for name in NAMES:
        value: str | None = row.get(name)
        if value is None or value.removeprefix("'") != cells.get(name, ""):  # a row that is short has none
            yield f"has {value!r} in {name}, though it is {status} with {row['content']!r}"
    if status == "answered" and row["error_code"] not in {code, "answers_differ"}:
        yield f"says {row['error_code']!r} of the answer {row['content']!r}"


def _bills(pipeline: Pipeline) -> Iterator[str]:
    """No shard has two batches in an attempt; no answered row was sent again, by retries either."""
    answered: dict[tuple[str, int], set[str]] = defaultdict(set)
    misfits: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    by_attempt = batches_by_attempt(pipeline)
    for plan, _ in sorted(_jobs(pipeline), key=lambda job: job[0].retries):
        mine = [attempt for attempt in by_attempt if attempt.job_id == plan.job_id]
        for attempt in sorted(mine, key=lambda each: (each.number, each.shard)):
            known = answered[plan.origin_id, attempt.shard]
            batches = [
                each
                for each in _not_forgotten(by_attempt[attempt])
                if not was_withdrawn_unseen(pipeline, attempt, each)
                and not came_for_a_deleted_one(pipeline, attempt, each)
            ]
            if len(batches) > 1:
                yield f"{attempt} has {len(batches)} batches"
            for batch in batches:
                is_known = _is_recorded(pipeline, attempt, batch) or was_deleted_unseen(
                    pipeline, attempt, batch
                )
                if not is_known and not was_lost_from_sight(pipeline, attempt, batch):
                    yield f"{attempt} has the batch {batch.batch_id}, of which its submission does not say"
                again = known & set(batch.texts.values())
                if again:
                    yield f"{attempt} sends {sorted(again)} again, which were answered"
                if had_to_be_read(pipeline, attempt, batch):
                    known.update(_for_good(pipeline, plan, batch, misfits[plan.job_id, attempt.shard]))


def _for_good(pipeline: Pipeline, plan: Plan, batch: Batch, misfits: Counter[str]) -> Iterator[str]:
    """The texts that are not asked again. Of a row with two answers, nobody may have seen both."""
    # An erased plan has its columns no longer.
    has_columns = pipeline.member_of(batch.request.model).service.has_columns
    for custom_id in batch.answered:
        text = batch.texts[custom_id]
        misfits[text] += 1
        does_fit = not is_misfit(*batch.said[custom_id], has_columns=has_columns)
        is_unsure = custom_id in batch.contradicted and plan.until_fits
        if misfits[text] > plan.until_fits or (does_fit and not is_unsure):
            yield text


def _not_forgotten(batches: Sequence[Batch]) -> Sequence[Batch]:
    """Without those that somebody deleted at the provider before the next was created."""
    created_s = [batch.created_s for batch in batches[1:]]
    pairs = zip(batches, [*created_s, math.inf], strict=True)
    return [batch for batch, next_s in pairs if batch.forgotten_s > next_s or next_s == math.inf]


def _sendings(pipeline: Pipeline) -> Iterator[str]:
    """Each batch asks something, nothing twice; none is one too many or after a cancellation."""
    records = BucketRecords(pipeline.bucket)
    for plan, _ in _jobs(pipeline):
        yield from asked_in_two_shards(pipeline, plan)
        spent: Counter[int] = Counter()
        cancelled_s = pipeline.bucket.written_s(record_key(JobId(plan.job_id), "cancel.json"))
        for attempt, batches in batches_by_attempt(pipeline).items():
            if attempt.job_id != plan.job_id:
                continue
            outcome = records.find_outcome(attempt)
            spent[attempt.shard] += outcome is None or outcome.kind != "requeue"
            for batch in batches:
                if NEVER_SENT & set(batch.texts.values()):
                    yield f"{attempt} sends a bad row"
                if len(set(batch.texts.values())) < max(len(batch.texts), 1):
                    yield f"{attempt} has a batch without rows, or that asks the same twice"
                if batch.created_s > cancelled_s + TIMEOUT_S["submit"]:
                    yield f"{attempt} was sent {batch.created_s - cancelled_s:.0f} s after it was cancelled"
        allowed = plan.attempts + plan.until_fits - (plan.retry_of is not None)
        yield from (
            f"shard {shard} of {plan.job_id} was sent {sent} times, not {allowed}"
            for shard, sent in spent.items()
            if sent > allowed
        )


def _is_recorded(pipeline: Pipeline, attempt: Attempt, batch: Batch) -> bool:
    submission = BucketRecords(pipeline.bucket).find_submission(attempt)
    return submission is not None and submission.batch_id == batch.batch_id


def _money(pipeline: Pipeline) -> Iterator[str]:
    batches = {attempt: [*_not_forgotten(each)] for attempt, each in batches_by_attempt(pipeline).items()}
    jobs = _jobs(pipeline)
    yield from money_failures(pipeline, [plan for plan, _ in jobs], batches)
    yield from bill_failures(pipeline, jobs, batches_by_attempt(pipeline))


def _samples(pipeline: Pipeline) -> Iterator[str]:
    yield from sample_failures(pipeline, [plan for plan, _ in _jobs(pipeline)], batches_by_attempt(pipeline))


def _quotas(pipeline: Pipeline) -> Iterator[str]:
    for member in pipeline.members:
        model = MODELS.get(member.name, TEST_MODEL)
        most = unfinished_at_once(pipeline, model)
        if most > member.provider.profile.pool_for(model).slots:
            yield f"{most} batches of {model} were unfinished at once"


def _active(pipeline: Pipeline) -> Iterator[str]:
    """No attempt has two active batches, whatever became of the first."""
    for attempt, batches in batches_by_attempt(pipeline).items():
        mine = sorted(batches, key=lambda each: each.created_s)
        for first, second in pairwise(mine):
            is_seen = not was_withdrawn_unseen(pipeline, attempt, first)
            if is_seen and second.created_s < min(first.ends_s, first.forgotten_s):
                yield f"{attempt} had two active batches, {first.batch_id} and {second.batch_id}"


def _premature(pipeline: Pipeline) -> Iterator[str]:
    """No attempt is decided while its batch may still write answers in time."""
    records = BucketRecords(pipeline.bucket)
    for attempt, batches in batches_by_attempt(pipeline).items():
        decided_s = decided_at_s(pipeline, attempt)
        if decided_s is None or records.is_cancelled(attempt.job_id):
            continue
        for batch in batches:
            time_s = batch.request.completion_window.total_seconds()
            until_s = min(batch.ends_s, batch.forgotten_s, batch.created_s + time_s)
            if decided_s < until_s - CLOCK_ERROR.total_seconds() and _is_recorded(pipeline, attempt, batch):
                yield f"{attempt} was decided {(batch.ends_s - decided_s) / 3600:.1f} h before its end"


def _punctuality(pipeline: Pipeline) -> Iterator[str]:
    """While one provider refuses everything, the other's batches are soon decided."""
    if pipeline.down is None:
        return
    down = pipeline.down.service
    told_wrongly = [
        fault
        for fault in pipeline.kernel.faults.struck
        if fault.kind in ("status_backwards", "phase_unknown")
    ]
    for attempt, batches in batches_by_attempt(pipeline).items():
        decided_s = decided_at_s(pipeline, attempt)
        for batch in batches:
            is_excused = (
                batch.batch_id in down.batches
                or batch.forgotten_s < math.inf
                or pipeline.member_of(batch.request.model).service.hides(batch, decided_s or 0)
                or any(each.where == batch.batch_id and each.at_s >= batch.ends_s for each in told_wrongly)
            )
            if not is_excused and decided_s is not None and decided_s - batch.ends_s > _SOON_S:
                yield f"{attempt} was decided {(decided_s - batch.ends_s) / 3600:.0f} h after its end"


def _leftovers(pipeline: Pipeline) -> Iterator[str]:
    for prefix in (*(stage.value for stage in Stage), AGAIN, APPROVE, OPEN, WAITING, OUTBOX):
        yield from (f"{key} is left" for key in pipeline.bucket.keys(prefix))
    for pool in (pool for member in pipeline.members for pool in member.provider.profile.pools):
        taken = pool.slots - len(free_slots(pool, pipeline.bucket.keys(slots_prefix(pool.name))))
        if taken:
            yield f"{taken} slots of {pool.name} are not free"
    yield from _files_left(pipeline)


def _files_left(pipeline: Pipeline) -> Iterator[str]:
    # A batch that was given up because it never ended may write its files later; of a batch that
    # somebody deleted nobody can know them.
    batches, now_s = pipeline.batches, pipeline.kernel.now_s
    endless = {
        file_id
        for each in batches
        if each.ends_s > now_s or each.forgotten_s <= now_s
        for file_id in each.result_files
    }
    left = {file_id: name for member in pipeline.members for file_id, name in member.service.left.items()}
    for file_id, name in left.items():
        if file_id not in endless:
            yield f"the provider's file {name!r} ({file_id}) is left"


def _loops(pipeline: Pipeline) -> Iterator[str]:
    """Invocations other than the timer's are bounded by the shards and the faults."""
    attempts, faults = len(batches_by_attempt(pipeline)), len(pipeline.kernel.faults.struck)
    repairs = sum(pipeline.repairs.values())
    count = sum(number for name, number in pipeline.invocations.items() if name != "reconcile")
    # A provider that is down is asked once an hour for the output of each batch that has ended.
    looks = attempts * int(DOWN_FOR_S / 3600) if pipeline.down else 0
    if count > 20 + 12 * attempts + 8 * faults + 2 * repairs + looks:
        yield f"{count} invocations for {attempts} sendings of shards, {faults} faults and {repairs} repairs"
