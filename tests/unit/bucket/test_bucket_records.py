from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import settled_key
from shared.bucket.records.outcome import SettledShard
from shared.bucket.records.usage import Tokens
from shared.ports.store import ObjectHead
from tests.support.builders import JOB
from tests.support.fakes import MemoryStore


class LaggingStore(MemoryStore):
    """Lists nothing of what was written, as COS may do for a while."""

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        self._call("list", prefix)
        return iter(())


def settled(shard: int) -> SettledShard:
    return SettledShard(
        shard=shard, attempt=1, part_key="p", rows=1, by_status={}, tokens=Tokens(), batches=()
    )


@pytest.mark.parametrize("kind", [MemoryStore, LaggingStore])
def test_shards_that_are_not_settled_are_found_also_where_lists_lag(kind: type[MemoryStore]) -> None:
    records = BucketRecords(kind())
    for shard in (1, 2, 4):
        records.create(settled_key(JOB, shard), settled(shard))

    assert list(records.unsettled(JOB, range(1, 7))) == [3, 5, 6]
    assert list(records.unsettled(JOB, [1])) == []
    assert list(records.unsettled(JOB, [])) == []


def test_one_listing_tells_of_all_shards_and_of_none_it_takes_none() -> None:
    calls: list[str] = []
    store = MemoryStore()
    records = BucketRecords(store)
    for shard in range(1, 31):
        records.create(settled_key(JOB, shard), settled(shard))
    store.before = lambda what, _key: calls.append(what)

    assert list(records.unsettled(JOB, range(1, 31))) == []
    assert list(records.unsettled(JOB, ())) == []

    assert calls == ["list"]
