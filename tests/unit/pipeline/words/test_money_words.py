"""The words about money: a quote that waits for an approval, and a budget that is used up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.board.model import Board, HeldUp, OpenJob, held_up_by
from shared.bucket.money import Money
from shared.bucket.tickets import OVER_BUDGET, WaitingFor
from shared.pipeline.words.tell_waiting import TellWaiting
from shared.words.event import Event, EventKind, WordTicket
from shared.words.texts import word_for
from tests.support.fakes import START, FixedClock, MemoryStore

ABOUT, MOST = (Money(micros=micros, currency="CNY") for micros in (12_340_000, 80_000_000))


@pytest.mark.parametrize(
    ("cost", "at_most", "parts"),
    [
        (ABOUT, MOST, ("约 ¥12.34，最多 ¥80.00", "about ¥12.34, at most ¥80.00")),
        (ABOUT, None, ("约 ¥12.34，没有上限", "about ¥12.34, without an upper limit")),
        (None, None, ("费用未知，没有上限", "of unknown cost, without an upper limit")),
    ],
)
def test_a_quote_that_waits_says_what_it_is_about(
    cost: Money | None, at_most: Money | None, parts: tuple[str, ...]
) -> None:
    event = Event(
        id="evt_1",
        kind=EventKind.APPROVAL,
        job_id="a" * 16,
        path="a/t.csv",
        rows=3000,
        cost=cost,
        at_most=at_most,
        until=START + timedelta(days=7),
        place="quotes/a/t.csv.quote.txt",
        at=START,
    )

    word = word_for(event)

    said = "\n".join(word.lines)
    assert [part for part in (*parts, "3,000", "2026-11-28 09:00 UTC", event.place) if part not in said] == []
    assert word.type == "job.waits_for_approval"


def test_who_waits_for_a_budget_is_told_the_amounts() -> None:
    store, clock = MemoryStore(), FixedClock()
    waiting = WaitingFor(code=OVER_BUDGET, message="本月预算 ¥5.00\nThis month's budget ¥5.00", since=START)
    job = OpenJob.model_validate(
        {"job_id": "a" * 16, "source_key": "inbox/a/t.csv", "rows": 9, "shards": 1, "by_state": {}}
        | {"waiting_since": START, "waiting_for": waiting, "notify": ("email:boss",)}
    )
    held = {f"bailian {OVER_BUDGET}": HeldUp(began_at=START, seen_at=START)}

    TellWaiting(store, clock)(Board(written_at=START, open_jobs=1, more_jobs=0, jobs=(job,), held_up=held))

    (content,) = (content for key, content in store.objects.items() if key.startswith("outbox/"))
    word = word_for(WordTicket.model_validate_json(content).event)
    assert word.type == "job.over_ceiling"
    assert "9 行）在等待。本月预算 ¥5.00" in word.lines[1]
    assert "This month's budget ¥5.00" in word.lines[3]


def test_each_budget_has_a_word_of_its_own_that_counts_what_waits_for_it() -> None:
    store, clock = MemoryStore(), FixedClock()
    jobs = tuple(
        waits_for(budget, name) for budget, name in (("folder a", "1"), ("all", "2"), ("folder a", "3"))
    )
    held = held_up_by(jobs, {}, START, remembered=timedelta(days=1), are_all=True)

    TellWaiting(store, clock)(Board(written_at=START, open_jobs=3, more_jobs=0, jobs=jobs, held_up=held))

    told = [
        WordTicket.model_validate_json(content).event
        for key, content in store.objects.items()
        if key.startswith("outbox/")
    ]
    assert sorted((each.why, each.by_code, each.rows) for each in told) == [
        ("all", {OVER_BUDGET: 1}, 9),
        ("folder a", {OVER_BUDGET: 2}, 18),
    ]


def waits_for(budget: str, name: str) -> OpenJob:
    waiting = WaitingFor(code=OVER_BUDGET, message=budget, since=START, budget=budget)
    return OpenJob.model_validate(
        {"job_id": name * 16, "source_key": f"inbox/{name}.csv", "rows": 9, "shards": 1, "by_state": {}}
        | {"waiting_since": START, "waiting_for": waiting, "notify": ("email:boss",)}
    )
