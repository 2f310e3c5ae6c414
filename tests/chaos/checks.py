"""Each promise, checked against the provider's own books; a check yields what is broken."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

from tests.chaos.dropped import DroppedFile, Row
from tests.chaos.evidence import Evidence
from tests.simulation.tables import result_rows

# Between the drop of a wrong file and its report: the timer finds a lost upload after three seconds
# and ten ticks at most, and killed validations are started again, twice, after a wait.
MAX_TICKS = 60

Check = Callable[[Evidence], Iterator[str]]


def broken_promises(evidence: Evidence) -> list[str]:
    return [f"{name}: {said}" for name, check in CHECKS.items() for said in check(evidence)]


def every_row_comes_back(evidence: Evidence) -> Iterator[str]:
    """Once, in order, with its own cells, and with its own answer or a reason."""
    for file in evidence.files:
        rows = _result(file, evidence)
        if rows is None:
            continue
        own = [[found.get(name) for name in row.cells] for row, found in zip(file.rows, rows, strict=False)]
        if len(rows) != len(file.rows) or own != [list(row.cells.values()) for row in file.rows]:
            yield f"{file.key}: its rows came back as {len(rows)} others, or in another order"
            continue
        for row, found in zip(file.rows, rows, strict=True):
            yield from (f"{file.key}: {said}" for said in _row(row, found))
        yield from _ledger(file, evidence.ledgers.get(file.report_key, {}))


def _result(file: DroppedFile, evidence: Evidence) -> list[dict[str, str]] | None:
    """The rows that came back; of a result that cannot be read, none."""
    content = evidence.results.get(file.result_key)
    try:
        return None if content is None else result_rows(file.result_key, content)
    except (ValueError, KeyError, StopIteration):
        return []


def _row(row: Row, found: Mapping[str, str]) -> Iterator[str]:
    if _is_answered(found):
        if not row.prompt or found.get("content") != row.answer:
            yield f"row {row.cells} has the answer {found.get('content')!r}, not {row.answer!r}"
    elif not found.get("error_code"):
        yield f"row {row.cells} has neither an answer nor a reason"


def _is_answered(found: Mapping[str, str]) -> bool:
    """Results of request lines have a status code instead of a status."""
    if "status" in found:
        return found["status"] == "answered"
    return found.get("status_code") == "200" and not found.get("error_code")


def _ledger(file: DroppedFile, ledger: Mapping[str, object]) -> Iterator[str]:
    if not ledger.get("adds_up") or ledger.get("rows_in") != len(file.rows):
        yield f"{file.key}: its ledger does not add up"


def no_row_is_paid_twice(evidence: Evidence) -> Iterator[str]:
    """No row is sent again once it was answered, and no attempt has two batches."""
    answered_in: dict[str, str] = {}
    for batch in evidence.batches:
        for prompt in batch.asked:
            if prompt in answered_in:
                yield f"row {prompt!r} was answered in {answered_in[prompt]} and sent again as {batch.name}"
        answered_in |= dict.fromkeys(batch.answered, batch.name)
    names = Counter(batch.name for batch in evidence.batches if batch.is_ours)
    yield from (f"{count} batches are named {name}" for name, count in names.items() if count > 1)
    yield from _sendings(evidence)


def _sendings(evidence: Evidence) -> Iterator[str]:
    """What was dropped is sent, at most as often as its recipe allows, and nothing else."""
    sent = Counter(prompt for batch in evidence.batches if batch.is_ours for prompt in batch.asked)
    for file in evidence.files:
        # A killed command is repeated; if its retry has closed by then, that asks for another.
        most = file.attempts * (1 + evidence.retries.get(file.key, 0))
        for row in file.rows:
            if row.prompt and sent.pop(row.prompt, 0) > most:
                yield f"{file.key}: row {row.prompt!r} was sent more than {most} times"
    yield from (f"row {prompt!r} was sent, which nobody dropped" for prompt in sent)
    for batch in evidence.batches:
        if batch.is_ours and not batch.asked:
            yield f"batch {batch.name} asks nothing"


def no_paid_answer_is_lost(evidence: Evidence) -> Iterator[str]:
    """Every answer in the provider's books stands in the result, and no other does."""
    paid = defaultdict[str, set[str]](set)
    for batch in evidence.batches:
        for prompt, answer in batch.answered.items():
            paid[prompt].add(answer)
    for file in evidence.files:
        for row, found in zip(file.rows, _result(file, evidence) or (), strict=False):
            answers, shown = paid[row.prompt], {found.get("content")} if _is_answered(found) else set()
            if answers and not answers & shown:
                yield f"{file.key}: row {row.cells} was answered, but its result is {dict(found)}"
            elif shown - answers:
                yield f"{file.key}: row {row.cells} is answered, but never was by the provider"


def everything_ends(evidence: Evidence) -> Iterator[str]:
    for file in evidence.files:
        is_there = file.key in evidence.told if file.says else file.result_key in evidence.results
        if not is_there:
            yield f"{file.key} has no end"
    yield from (f"batch {batch.name} has not ended" for batch in evidence.batches if not batch.has_ended)
    yield from (f"{what} is left" for what in evidence.left)


def wrong_files_are_explained(evidence: Evidence) -> Iterator[str]:
    """In both languages, soon."""
    for file in evidence.files:
        told = evidence.told.get(file.key)
        if not file.says:
            if told:
                yield f"{file.key} is right and was refused: {told.text}"
        elif told:
            yield from (
                f"{file.key}: its report lacks {said!r}" for said in file.says if said not in told.text
            )
            if told.ticks > MAX_TICKS:
                yield f"{file.key}: its report took {told.ticks} ticks of the timer"


def nobody_outside_is_believed(evidence: Evidence) -> Iterator[str]:
    for attack in evidence.attacks:
        if attack.status < 400:
            yield f"{attack.kind} about {attack.about} was answered {attack.status}"


def memory_stays_within_its_limit(evidence: Evidence) -> Iterator[str]:
    for memory in evidence.memory.values():
        if memory.peak_bytes > memory.limit_bytes:
            yield f"{memory.function} had {memory.peak_bytes:,} bytes of {memory.limit_bytes:,}"


def nothing_of_ours_starts_a_job(evidence: Evidence) -> Iterator[str]:
    """Each job is of a dropped file, and what belongs to others is left alone."""
    keys = {file.key for file in evidence.files}
    for job_id, key in evidence.sources.items():
        if key not in keys:
            yield f"job {job_id} was made of {key}, which nobody dropped"
    yield from (f"{what}, which is not ours, is gone" for what in evidence.missing)


CHECKS: dict[str, Check] = {
    "P1": every_row_comes_back,
    "P2": no_row_is_paid_twice,
    "P3": no_paid_answer_is_lost,
    "P4": everything_ends,
    "P5": wrong_files_are_explained,
    "P6": nobody_outside_is_believed,
    "P7": memory_stays_within_its_limit,
    "P8": nothing_of_ours_starts_a_job,
}
