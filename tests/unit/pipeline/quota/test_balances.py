from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable

import pytest

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.money import Balance, Reservation
from shared.pipeline.quota.balances import Balances
from shared.problems.exceptions import TransientError
from tests.support.fakes import Hook, Killed, MemoryStore

PREFIX = "money/all/2026-11-CNY/"
CALLS = range(5)  # list, get, create, list, delete


class LosesAnswers(MemoryStore):
    """Says of the first objects that they were there, though they were created."""

    def __init__(self, lost: int) -> None:
        super().__init__()
        self.left = lost

    def put_if_absent(self, key: str, content: bytes) -> bool:
        is_new = super().put_if_absent(key, content)
        self.left -= 1
        return is_new and self.left < 0


class NeverFirst(MemoryStore):
    def put_if_absent(self, _key: str, _content: bytes) -> bool:
        return False


def spend(standing: Balance, micros: int = 10) -> Balance:
    return standing.model_copy(update={"spent": standing.spent + micros})


def reserve(standing: Balance) -> Balance:
    return standing.model_copy(update={"reserved": {"mine": Reservation(claim=1, micros=100)}})


def standing_in(store: MemoryStore) -> Balance:
    found = BucketRecords(store).find(max(store.keys(PREFIX)), Balance)
    assert found
    return found


def at_call(number: int, act: Callable[[], object]) -> Hook:
    """Act once, before the call of that number."""
    numbers = itertools.count()

    def before(_what: str, _key: str) -> None:
        if next(numbers) == number:
            act()

    return before


def test_a_change_stands_and_older_generations_go() -> None:
    store = MemoryStore()

    for _ in range(3):
        Balances(store, PREFIX).change(spend)

    assert standing_in(store).spent == 30
    assert store.keys(PREFIX) == [f"{PREFIX}00000003"]


def test_what_changes_nothing_writes_nothing() -> None:
    store = MemoryStore()

    Balances(store, PREFIX).change(lambda standing: standing)

    assert store.keys(PREFIX) == []


@pytest.mark.parametrize("others", [1, 3])
@pytest.mark.parametrize("number", CALLS)
def test_no_change_is_lost_whatever_others_do_between_two_calls(number: int, others: int) -> None:
    store = MemoryStore()
    Balances(store, PREFIX).change(spend)

    def meanwhile() -> None:
        store.before = None
        for _ in range(others):  # three: what was the next generation has come and gone
            Balances(store, PREFIX).change(spend)

    store.before = at_call(number, meanwhile)
    Balances(store, PREFIX).change(reserve)

    was_undisturbed, store.before = store.before is not None, None
    assert standing_in(store).spent == (10 if was_undisturbed else 10 + 10 * others)
    assert standing_in(store).reserved.keys() == {"mine"}


def test_a_number_that_a_late_writer_created_again_is_not_believed() -> None:
    store, name = MemoryStore(), f"{PREFIX}00000001"
    Balances(store, PREFIX).change(reserve)

    def meanwhile() -> None:
        store.before = None
        Balances(store, PREFIX).change(spend)  # the second generation, which deletes the first
        assert store.put_if_absent(name, Balance().to_bytes())  # by a writer that had found nothing

    store.before = at_call(1, meanwhile)  # between listing and reading
    Balances(store, PREFIX).change(lambda standing: standing.without("mine"))

    assert standing_in(store) == Balance(spent=10, made_by=standing_in(store).made_by)


def test_a_create_whose_answer_was_lost_is_not_done_again() -> None:
    store = LosesAnswers(1)

    Balances(store, PREFIX).change(reserve)

    assert store.keys(PREFIX) == [f"{PREFIX}00000001"]
    assert standing_in(store).reserved.keys() == {"mine"}


def test_who_is_never_first_lets_its_event_come_again() -> None:
    with pytest.raises(TransientError):
        Balances(NeverFirst(), PREFIX).change(spend)


@pytest.mark.parametrize("number", CALLS)
def test_a_process_that_dies_leaves_a_balance_that_counts(number: int) -> None:
    store = MemoryStore()
    Balances(store, PREFIX).change(spend)

    def die() -> None:
        raise Killed

    store.before = at_call(number, die)
    with contextlib.suppress(Killed):
        Balances(store, PREFIX).change(reserve)
    store.before = None
    Balances(store, PREFIX).change(spend)

    assert standing_in(store).spent == 20
    assert len(store.keys(PREFIX)) == 1
