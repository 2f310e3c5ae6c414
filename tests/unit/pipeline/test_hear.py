"""Who says that a batch has ended is checked, and saying it again, or wrongly, changes nothing."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, batch_pointer_key, ticket_key
from shared.bucket.tickets import RunningTicket
from shared.events.callbacks import callback_path_for, verified_attempt
from shared.pipeline.hear import MAX_BATCH_IDS, HearCallback, HearMessage
from shared.providers.bailian.profile import BAILIAN
from tests.support.builders import attempt
from tests.support.fakes import START, WatchedStore

ROOT = Path(__file__).parents[3]
SECRET = b"a secret of the tests"
BATCH = "batch_5b57e198-203e-49c8-bcc3-65e997d51754"
RUNNING = RunningTicket(batch_id=BATCH, submitted_at=START, deadline_at=START + timedelta(hours=48))

READY, RUNS, FINISHED = (
    ticket_key(stage, attempt()) for stage in (Stage.READY, Stage.RUNNING, Stage.FINISHED)
)
POINTER = batch_pointer_key("bailian", BATCH)

attempts = st.builds(
    Attempt,
    st.integers(0, 16**16 - 1).map(lambda number: JobId(f"{number:016x}")),
    st.integers(1, 9_999_999),
    st.integers(0, 999_999),
)


def store_with(*stages: Stage) -> WatchedStore:
    """A bucket in which the attempt has these tickets, and the batch its pointer."""
    store = WatchedStore()
    records = BucketRecords(store)
    store.put(POINTER, str(attempt()).encode())
    if Stage.READY in stages:
        records.put_ready(attempt())
    if Stage.RUNNING in stages:
        records.put_running(attempt(), RUNNING)
    if Stage.FINISHED in stages:
        records.put_finished(attempt(), "timer")
    store.forget()
    return store


def by_callback(store: WatchedStore) -> object:
    signature = callback_path_for(attempt(), SECRET).rsplit("/", 1)[1]
    return HearCallback(store, SECRET)(str(attempt()), signature)


def by_message(store: WatchedStore) -> object:
    return HearMessage(store, [BAILIAN])(json.dumps({"data": {"task_id": BATCH}}).encode())


WAYS = [by_callback, by_message]
Way = Callable[[WatchedStore], object]


# ---- Whom it believes ----------------------------------------------------------------------------


@given(attempts, attempts)
def test_a_signature_opens_its_own_job_attempt_and_shard_and_no_other(mine: Attempt, other: Attempt) -> None:
    signature = callback_path_for(mine, SECRET).rsplit("/", 1)[1]

    assert verified_attempt(str(mine), signature, SECRET) == mine
    assert (verified_attempt(str(other), signature, SECRET) == other) is (mine == other)
    assert verified_attempt(str(mine), signature, b"another secret") is None


@pytest.mark.parametrize(
    "other",
    [
        Attempt(JobId("f" * 16), 1, 1),
        Attempt(attempt().job_id, 2, 1),
        Attempt(attempt().job_id, 1, 2),
    ],
    ids=["job", "attempt", "shard"],
)
def test_a_signature_of_something_else_costs_no_look_into_the_bucket(other: Attempt) -> None:
    store = store_with(Stage.RUNNING)
    signature = callback_path_for(other, SECRET).rsplit("/", 1)[1]

    heard = HearCallback(store, SECRET)(str(attempt()), signature)

    assert (heard, store.reads, store.writes) == (False, [], [])


@given(st.text(), st.text())
def test_any_text_is_refused_without_a_look_into_the_bucket(attempt_text: str, signature: str) -> None:
    store = WatchedStore()

    assert HearCallback(store, SECRET)(attempt_text, signature) is False
    assert HearCallback(store, SECRET)(str(attempt()), signature + "\ud800") is False
    assert (store.reads, store.writes) == ([], [])


def secret_comparisons(source: str) -> list[str]:
    """Comparisons by operator of anything that is named like a secret or a proof of one."""
    named = {"signature", "expected", "token", "given", "secret"}
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare)
        and {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} & named
    ]


def test_what_proves_something_is_compared_in_constant_time() -> None:
    for path in ("shared/events/callbacks.py", "shared/events/signed_events.py"):
        source = (ROOT / path).read_text(encoding="utf-8")
        assert "hmac.compare_digest(" in source
        assert secret_comparisons(source) == []
    assert secret_comparisons("def f(): return signature == expected") == ["signature == expected"]


def test_neither_the_secret_nor_the_signature_is_shown_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    signature = callback_path_for(attempt(), SECRET).rsplit("/", 1)[1]
    hear = HearCallback(store_with(Stage.RUNNING), SECRET)

    hear(str(attempt()), signature)
    hear(str(attempt()), "0" * 64)

    shown = repr(hear) + "".join(str(vars(record)) for record in caplog.records)
    assert [record.message for record in caplog.records] == ["notification.heard", "callback.refused"]
    assert SECRET.decode() not in shown
    assert signature not in shown


# ---- What it then does ---------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stage", [Stage.RUNNING, Stage.READY])
def test_what_is_under_way_gets_its_ticket(way: Way, stage: Stage) -> None:
    store = store_with(stage)

    heard = way(store)

    assert heard
    assert store.writes == [FINISHED]


def test_the_usual_callback_costs_one_question_and_one_write() -> None:
    store = store_with(Stage.RUNNING)

    by_callback(store)

    assert (store.reads, store.writes) == ([RUNS], [FINISHED])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stages", [(Stage.RUNNING, Stage.FINISHED), (Stage.FINISHED,), ()])
def test_a_repetition_changes_nothing(way: Way, stages: tuple[Stage, ...]) -> None:
    store = store_with(*stages)
    before = dict(store.objects)

    way(store)
    way(store)

    assert store.objects == before


@pytest.mark.parametrize("way", WAYS)
def test_what_is_settled_is_not_even_tried_to_be_written(way: Way) -> None:
    store = store_with()

    way(store)

    assert store.writes == []
    assert {key.partition("/")[0] for key in store.reads} <= {"batches", "ready", "running"}


def test_a_callback_that_meets_the_move_from_ready_to_running_is_heard() -> None:
    store = store_with(Stage.READY)

    def submit_moves_it(_what: str, key: str) -> None:
        if key == READY:  # the second question
            store.before = None
            BucketRecords(store).put_running(attempt(), RUNNING)
            store.delete(READY)
            store.writes.clear()

    store.before = submit_moves_it

    by_callback(store)

    assert store.writes == [FINISHED]


# ---- What messages may hold ----------------------------------------------------------------------

HOSTILE_IDS = [
    "batch_../../../../../../../inbox/secrets.csv",
    "../batch_5b57e198-203e-49c8-bcc3-65e997d5175",
    "batch_5b57e198-203e-49c8-bcc3-65e997d5175/",
    "batch_5b57e198%2F203e-49c8-bcc3-65e997d51754",
    "batch_5b57e198-203e-49c8-bcc3-65e997d5175\x00",
    "batch_5b57e198-203e-49c8-bcc3-65e997d5175\n",
    "batch_" + "5" * 5_000_000,
    "batch_5B57E198-203E-49C8-BCC3-65E997D51754",
    "batch_5b57e198-203e-49c8-bcc3-65e997d5175４",
    "file-batch_5b57e198-203e-49c8-bcc3-65e997d51754-x",
]


@pytest.mark.parametrize("batch_id", HOSTILE_IDS, ids=lambda text: ascii(text)[:30])
def test_an_id_of_another_form_is_no_id(batch_id: str) -> None:
    store = store_with(Stage.RUNNING)

    heard = HearMessage(store, [BAILIAN])(json.dumps({"data": {"task_id": batch_id}}).encode())

    assert (heard, store.reads, store.writes) == (0, [], [])


def nested(depth: int) -> bytes:
    return b'{"a":[' * depth + json.dumps(BATCH).encode() + b"]}" * depth


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"null",
        b"\xff\xfe\x00",
        b'{"data":{"task_id":17}}',
        b'{"data":{"task_id":["batch_",{}]}}',
        b"[" * 1_000_000,
        b"x" * 8_000_000,
    ],
    ids=lambda event: ascii(event[:20]),
)
def test_an_event_without_an_id_costs_nothing(event: bytes) -> None:
    store = store_with(Stage.RUNNING)

    assert HearMessage(store, [BAILIAN])(event) == 0
    assert (store.reads, store.writes) == ([], [])


@pytest.mark.parametrize("event", [nested(1), nested(200_000), json.dumps(nested(3).decode()).encode()])
def test_an_id_is_found_however_deep_it_is_wrapped(event: bytes) -> None:
    store = store_with(Stage.RUNNING)

    assert HearMessage(store, [BAILIAN])(event) == 1
    assert store.writes == [FINISHED]


def test_of_an_event_full_of_ids_only_so_many_are_followed(caplog: pytest.LogCaptureFixture) -> None:
    store = store_with(Stage.RUNNING)
    invented = [f"batch_{number:036x}" for number in range(10_000)]

    heard = HearMessage(store, [BAILIAN])(json.dumps([*invented, BATCH]).encode())

    assert (heard, len(store.reads), store.writes) == (0, MAX_BATCH_IDS, [])
    assert "message.cut_short" in [record.message for record in caplog.records]


def test_one_id_many_times_is_followed_once() -> None:
    store = store_with(Stage.RUNNING)

    HearMessage(store, [BAILIAN])(json.dumps([BATCH] * 10_000).encode())

    assert (store.reads, store.writes) == ([POINTER, RUNS], [FINISHED])


@pytest.mark.parametrize(
    "pointer", [b"", b"\xff\xfe", b"../../inbox/x", b"0123456789abcdef/1-00001\n", b"x" * 1_000_000]
)
def test_a_pointer_that_is_none_of_ours_leads_nowhere(pointer: bytes) -> None:
    store = store_with(Stage.RUNNING)
    store.put(POINTER, pointer)
    store.forget()

    assert by_message(store) == 0
    assert (store.reads, store.writes) == ([POINTER], [])


@given(st.binary(max_size=300))
def test_no_event_makes_it_look_outside_its_folders(event: bytes) -> None:
    store = store_with(Stage.RUNNING)

    HearMessage(store, [BAILIAN])(event + BATCH.encode() + event)

    assert {key.partition("/")[0] for key in store.reads} <= {"batches", "ready", "running"}
    assert set(store.writes) <= {FINISHED}
