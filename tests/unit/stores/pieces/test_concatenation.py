from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from shared.ports.store import ObjectHead
from shared.problems.exceptions import ObjectMissing
from shared.stores.pieces.concatenation import PartBounds, PartPlan, join
from shared.stores.pieces.writer import COPIES_AT_ONCE, PieceWriter
from tests.support.fakes import MemoryStore
from tests.support.waiting import PATIENCE_S

BOUNDS = PartBounds(min_part_bytes=10, max_copy_bytes=100, buffer_bytes=1000)


class Joined:
    """A target whose parts are copied as ``before_copy`` lets them."""

    def __init__(self, store: MemoryStore, before_copy: Callable[[str], object]) -> None:
        self.store = store
        self.before_copy = before_copy
        self.parts: dict[int, bytes] = {}
        self.content: bytes | None = None
        self.is_aborted = False

    def put(self, content: bytes) -> bool:
        self.content = content
        return True

    def begin(self) -> Joined:
        return self

    def send(self, number: int, part: bytes) -> None:
        self.parts[number] = part

    def copy(self, number: int, source: ObjectHead, first: int, last: int) -> None:
        self.before_copy(source.key)
        self.parts[number] = self.store.get(source.key)[first : last + 1]

    def complete(self) -> bool:
        self.content = b"".join(self.parts[number] for number in sorted(self.parts))
        return True

    def abort(self) -> None:
        self.is_aborted = True

    def join(self, keys: list[str]) -> None:
        def read(step: PartPlan) -> bytes:
            return self.store.get(step.source.key)[step.first : step.last + 1]

        join(self.store, keys, PieceWriter(self, 1000), BOUNDS, read)


def filled(parts: int) -> tuple[MemoryStore, list[str]]:
    store = MemoryStore()
    keys = [f"part-{number:03d}" for number in range(parts)]
    for number, key in enumerate(keys):
        store.put(key, bytes([number]) * (20 + number))
    return store, keys


def test_parts_are_copied_side_by_side_and_stand_in_their_order() -> None:
    store, keys = filled(3 * COPIES_AT_ONCE)
    meet = threading.Barrier(COPIES_AT_ONCE, timeout=PATIENCE_S)
    target = Joined(store, lambda _key: meet.wait())

    target.join(keys)

    assert target.content == b"".join(map(store.get, keys))


@pytest.mark.parametrize("gone", [0, 11, 39])
def test_a_part_that_is_removed_while_others_are_copied_ends_it_and_nothing_is_written(gone: int) -> None:
    store, keys = filled(40)

    def remove(key: str) -> None:
        if key == keys[gone]:
            store.delete(key)

    target = Joined(store, remove)
    with pytest.raises(ObjectMissing):
        target.join(keys)

    assert target.content is None
    assert target.is_aborted
    assert not [each for each in threading.enumerate() if each.name.startswith(("part-sender", "heads"))]


def test_a_part_that_is_not_there_is_named_before_anything_begins() -> None:
    store, keys = filled(12)
    store.delete(keys[7])
    target = Joined(store, lambda _key: None)

    with pytest.raises(ObjectMissing, match=keys[7]):
        target.join(keys)

    assert target.parts == {}
