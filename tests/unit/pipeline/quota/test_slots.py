from __future__ import annotations

import itertools

import pytest

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.slot_keys import Slot, parse_slot
from shared.pipeline.quota.slots import Slots, free_slots, holder_of
from shared.ports.profile import SlotPool
from shared.providers.bailian.profile import BAILIAN, TEST_MODEL, UNFINISHED_BATCHES
from tests.support.fakes import MemoryStore

POOL = SlotPool("one", 1)


def attempt(number: int) -> Attempt:
    return Attempt(JobId(f"{number:016x}"), 1, 1)


def slot(generation: int) -> Slot:
    return Slot(POOL.name, 1, generation)


def generations(store: MemoryStore) -> list[str]:
    return [key.rsplit("-", 1)[1] for key in sorted(store.objects)]


def test_the_account_and_the_test_model_have_slots_of_their_own_and_together_no_more_than_the_account() -> (
    None
):
    assert BAILIAN.pool_for(TEST_MODEL).slots == 2
    assert UNFINISHED_BATCHES == 1000
    assert BAILIAN.pool_for("qwen-flash") != BAILIAN.pool_for(TEST_MODEL)
    assert sum(pool.slots for pool in BAILIAN.pools) == UNFINISHED_BATCHES


def test_a_key_is_a_slot_or_nothing() -> None:
    a_slot = Slot("bailian", 12, 345)

    assert parse_slot(a_slot.key) == (a_slot, False)
    assert parse_slot(a_slot.free_key) == (a_slot, True)
    assert parse_slot("slots/bailian/notes.txt") is None


@pytest.mark.parametrize(
    ("keys", "free"),
    [
        ([], [1]),
        ([slot(1).key], []),
        ([slot(1).key, slot(1).free_key], [2]),
        ([slot(1).free_key, slot(2).key], []),
        ([slot(7).key, slot(6).free_key], []),
        ([slot(7).key, slot(7).free_key, slot(8).key, slot(8).free_key], [9]),
        ([slot(5).free_key], [1]),
        (["slots/one/notes.txt"], [1]),
        ([Slot("one", 2, 1).key], [1]),
    ],
)
def test_the_highest_generation_decides_whether_a_slot_is_free(keys: list[str], free: list[int]) -> None:
    assert [each.generation for each in free_slots(POOL, keys)] == free


def test_of_two_that_take_the_same_slot_one_gets_it() -> None:
    slots = Slots(MemoryStore())

    assert slots.take(slot(1), holder_of(attempt(1), 1))
    assert not slots.take(slot(1), holder_of(attempt(2), 1))
    assert slots.take(slot(1), holder_of(attempt(1), 1)), "the holder asks again"


def test_a_freed_slot_is_taken_with_the_next_generation_and_what_is_older_goes() -> None:
    store = MemoryStore()
    slots = Slots(store)
    slots.take(slot(1), holder_of(attempt(1), 1))
    slots.give_back(slot(1), holder_of(attempt(1), 1))

    (free,) = slots.free(POOL)
    assert slots.take(free, holder_of(attempt(2), 1))

    assert generations(store) == ["000002"]
    assert list(slots.free(POOL)) == []


def test_who_comes_so_late_that_its_generation_has_been_deleted_gets_nothing() -> None:
    store = MemoryStore()
    slots = Slots(store)
    (seen,) = slots.free(POOL)  # and now another two come and one goes
    slots.take(slot(1), holder_of(attempt(1), 1))
    slots.give_back(slot(1), holder_of(attempt(1), 1))
    slots.take(slot(2), holder_of(attempt(2), 1))

    assert not slots.take(seen, holder_of(attempt(3), 1))

    assert generations(store) == ["000002"]


@pytest.mark.parametrize(("first", "second"), list(itertools.product(range(1, 9), repeat=2)))
def test_whatever_comes_between_any_two_calls_at_most_one_holds_the_slot(first: int, second: int) -> None:
    """One takes and frees. Before these of its calls, others take, free and take, uninterrupted."""
    store = MemoryStore()
    slots = Slots(store)
    calls = itertools.count(1)
    holding: set[int] = set()
    most = 0

    def visit(number: int, *, leaves: bool) -> None:
        nonlocal most
        for free in slots.free(POOL):
            if slots.take(free, holder_of(attempt(number), 1)):
                holding.add(number)
                most = max(most, len(holding))
                if leaves:
                    holding.discard(number)
                    slots.give_back(free, holder_of(attempt(number), 1))

    def others_come(_what: str, _key: str) -> None:
        call = next(calls)
        if call == first:
            visit(2, leaves=True)
        if call == second:
            visit(3, leaves=first % 2 == 0)

    store.before = others_come
    visit(1, leaves=True)

    assert most == 1
