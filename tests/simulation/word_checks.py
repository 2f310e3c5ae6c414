"""What must be true of the words of a run: none is lost, and none tells what is not so."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX, awaited_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import rejection_keys_for
from shared.pipeline.deadlines import WORD_GIVEN_UP
from shared.words.event import EventKind, Told, event_id_for
from tests.simulation.approvals import was_out
from tests.simulation.people import DroppedFile
from tests.simulation.pipeline import TIMEOUT_S, Pipeline
from tests.simulation.words import Chat, Heard

# What may repeat a word, or keep it from being noted that it was told.
_REPEATS = {"kill", "slow", "store_fails", "store_fails_after", "own_conflict", "channel_fails_after"}
# A job that waits so long was told, whatever was late or lost.
_WAITS_FOR_LONG_S = 12 * 3600.0
_WAITING = (EventKind.WAITING.value, EventKind.OVER_CEILING.value)
# By then its last try may have been: the next is up to two back-offs and a tick later.
_GIVEN_UP_S = WORD_GIVEN_UP.total_seconds() - 4 * 3600.0


def word_failures(pipeline: Pipeline, files: Sequence[DroppedFile]) -> list[str]:
    chats = pipeline.words.chats.values()
    return [
        *(said for chat in chats for heard in chat.heard for said in _untrue(pipeline, heard)),
        *(said for chat in chats for said in _lost(pipeline, chat)),
        *(said for chat in chats for said in _refusals_lost(pipeline, chat, files)),
        *(said for chat in chats for said in _waiting_lost(pipeline, chat)),
        *(said for chat in chats for said in _repeated(pipeline, chat)),
    ]


def _untrue(pipeline: Pipeline, heard: Heard) -> Iterator[str]:
    """It was so when it was told, or not longer than one run of ``notify`` before."""
    word, kind = heard.word, EventKind(heard.word.data["kind"])
    ledger = Ledger.model_validate_json(heard.ledger) if heard.ledger else None
    if kind in (EventKind.DONE, EventKind.FAILED_ROWS):
        yield from _untrue_end(pipeline, heard, kind, ledger)
    elif not _was_just_so(heard, _was_so_until_s(pipeline, heard, kind, ledger)):
        yield f"{word.id} tells {kind.value} of {word.data['path']} ({word.data['job_id']}), which it is not"


def _was_so_until_s(pipeline: Pipeline, heard: Heard, kind: EventKind, ledger: Ledger | None) -> float:
    """Infinite or the time of the word, if it is so still."""
    removed_s = pipeline.bucket.removed_s
    if kind is EventKind.REFUSED:
        place = str(heard.word.data["place"])
        return heard.at_s if heard.has_report else removed_s.get(place, 0.0)
    if kind is EventKind.APPROVAL:
        return removed_s.get(awaited_key(JobId(str(heard.word.data["job_id"]))), math.inf)
    return pipeline.kernel.true_s(ledger.closed_at) if ledger else heard.at_s


def _untrue_end(pipeline: Pipeline, heard: Heard, kind: EventKind, ledger: Ledger | None) -> Iterator[str]:
    word = heard.word
    erased_s = pipeline.kernel.true_s(ledger.erased_at) if ledger and ledger.erased_at else heard.at_s
    if ledger is None or not _was_just_so(heard, erased_s):
        yield f"{word.id} tells that {word.data['job_id']} is done, which is open or erased"
    elif word.data["by_status"] != ledger.by_status or word.data["rows"] != ledger.rows_out:
        yield f"{word.id} tells {word.data['by_status']}, and the ledger {ledger.by_status}"
    elif (kind is EventKind.DONE) != (ledger.by_status.keys() == {"answered"}):
        yield f"{word.id} is {kind.value}, and the ledger has {ledger.by_status}"


def _was_just_so(heard: Heard, until_s: float) -> bool:
    return heard.at_s - until_s <= TIMEOUT_S["notify"]


def _lost(pipeline: Pipeline, chat: Chat) -> Iterator[str]:
    """Of every job that ended, each channel of its plan was told, unless it is erased."""
    records = BucketRecords(pipeline.bucket)
    for key in pipeline.bucket.keys("jobs/"):
        job = key.split("/")[1]
        plan = records.find(key, Plan) if key.endswith("/plan.json") else None
        ledger = records.find_ledger(JobId(job)) if plan else None
        if plan is None or ledger is None or ledger.erased_at:
            continue
        if pipeline.words.by_folder and not plan.notify:
            yield f"job {job} was planned without those whom the folder names"
        if chat.name in plan.notify:
            kinds = (EventKind.DONE, EventKind.FAILED_ROWS)
            yield from _untold(pipeline, chat, job, {event_id_for(kind, job) for kind in kinds})


def _untold(pipeline: Pipeline, chat: Chat, job: str, ids: set[str]) -> Iterator[str]:
    heard = [each for each in chat.heard if each.word.id in ids]
    notes = (f"jobs/{job}/told/{each}/{chat.name.replace(':', '-')}" for each in ids)
    records = BucketRecords(pipeline.bucket)
    told = next((note for each in notes if (note := records.find(each, Told))), None)
    if told is None:
        yield f"{chat.name} was not told how {job} ended"
    elif told.given_up and chat.dead_until_s < _GIVEN_UP_S:
        yield f"{chat.name} takes words, but that {job} ended was given up"
    elif not told.given_up and not heard:
        yield f"that {chat.name} was told how {job} ended is noted, but it was not"


def _refusals_lost(pipeline: Pipeline, chat: Chat, files: Sequence[DroppedFile]) -> Iterator[str]:
    """Of what stands refused in the end, it was told. A recipe that was moved may name nobody."""
    if not pipeline.words.by_folder or chat.dead_until_s:
        return
    paths = {each.word.data["path"] for each in chat.heard if each.word.data["kind"] == "refused"}
    for key in dict.fromkeys(file.key for file in files):
        is_refused = rejection_keys_for(key)[1] in pipeline.bucket.objects
        if is_refused and not pipeline.bucket.became_a_job(key) and key.removeprefix(INBOX) not in paths:
            yield f"{chat.name} was not told that {key} was refused"


def _waiting_lost(pipeline: Pipeline, chat: Chat) -> Iterator[str]:
    waits = {each.word.id for each in chat.heard if each.word.data["kind"] in _WAITING}
    if len(waits) > len(pipeline.words.began):
        yield f"{chat.name} was told {len(waits)} times that work waits, which began {len(pipeline.words.began)} times"
    codes = {code for each in chat.heard if each.word.data["kind"] in _WAITING for code in _codes(each)}
    if was_out(pipeline):
        return
    # The word is put when the first job begins to wait for the same; others may come days later.
    began_s: dict[str, float] = defaultdict(lambda: math.inf)
    for (_, code, _), (first_s, _) in pipeline.words.waited.items():
        began_s[code] = min(began_s[code], first_s)
    for (job, code, _), (first_s, last_s) in pipeline.words.waited.items():
        is_given_up = began_s[code] + _GIVEN_UP_S < chat.dead_until_s
        is_long = last_s - first_s > max(_WAITS_FOR_LONG_S, chat.dead_until_s)
        if is_long and code not in codes and not is_given_up:
            yield f"{chat.name} was not told that {job} waits ({code})"


def _codes(heard: Heard) -> list[str]:
    codes = heard.word.data["by_code"]
    return list(codes) if isinstance(codes, dict) else []


def _repeated(pipeline: Pipeline, chat: Chat) -> Iterator[str]:
    """Where nothing is killed or refused, each word comes once, however often its event does."""
    if {fault.kind for fault in pipeline.kernel.faults.struck} & _REPEATS:
        return
    for word_id, times in Counter(each.word.id for each in chat.heard).items():
        if times > 1:
            yield f"{chat.name} was told {word_id} {times} times"
