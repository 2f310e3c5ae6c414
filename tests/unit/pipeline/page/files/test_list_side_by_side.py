"""A listing in pieces has what a listing in one has, whatever came or went since the last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from shared.pipeline.page.files.list_side_by_side import SideBySide
from shared.ports.store import ObjectHead
from tests.support.fakes import MemoryStore

KEYS = st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3), max_size=12)


@given(KEYS, KEYS, st.integers(1, 4), st.integers(1, 20))
def test_it_lists_every_key_once_and_in_order(
    before: set[str], now: set[str], piece: int, at_most: int
) -> None:
    store, side_by_side = MemoryStore(), SideBySide(piece)
    for keys in (before, now):
        for key in set(store.keys("")) - keys:
            store.delete(key)
        for key in keys:
            store.put(key, b"")

        listed = [head.key for head in side_by_side(store, "", at_most)]

        assert listed == sorted(keys, key=str.encode)[:at_most]


def test_the_pages_of_a_second_listing_do_not_wait_for_each_other() -> None:
    store, side_by_side = MemoryStore(), SideBySide()
    for number in range(2_000):
        store.put(f"a/{number:04}", b"")
    asked = Counter[str]()
    store.before = lambda what, _: asked.update([what])

    for _ in range(2):
        assert len(side_by_side(store, "a/", 10_000)) == 2_000

    assert asked == {"list": 1 + 3}


def test_a_listing_that_is_cut_takes_no_more_than_what_it_has() -> None:
    store, side_by_side = MemoryStore(), SideBySide()
    for number in range(6_000):
        store.put(f"a/{number:04}", b"")
    seen: list[str] = []
    listing = store.list

    def counted(prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        for head in listing(prefix, after=after):
            seen.append(head.key)
            yield head

    store.list = counted  # type: ignore[method-assign]
    for _ in range(2):
        seen.clear()
        assert len(side_by_side(store, "a/", 2_001)) == 2_001
    assert len(seen) <= 2_001 + len(range(0, 2_001, 900))  # each piece sees the first of the next
