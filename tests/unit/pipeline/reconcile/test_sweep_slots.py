from __future__ import annotations

from datetime import timedelta

from shared.bucket.attempt import Attempt
from shared.bucket.keys import SLOTS, WAITING
from shared.pipeline.quota.admission import Admission
from shared.pipeline.quota.slots import Slots
from shared.providers.bailian.profile import BAILIAN, TEST_MODEL
from tests.support.builders import attempt
from tests.support.functions import LEASE
from tests.support.pipeline import Pipeline

POOL = BAILIAN.pool_for(TEST_MODEL)
OLD = timedelta(minutes=25)
# It chooses the same slot as the first shard where both are free.
OF_THE_SAME_SLOT = 2
OTHERS = 3, 4


class Bench(Pipeline):
    """A job of four shards for the pool of two slots.

    The claimant of the first one sleeps over its lease before it takes the only free slot. When it
    wakes, another invocation has submitted that shard in the other slot, and it was collected.
    """

    def __init__(self) -> None:
        super().__init__(shards=[["a"], ["b"], ["c"], ["d"]], model=TEST_MODEL)
        self.submit(attempt(shard=OF_THE_SAME_SLOT))
        self.store.before = self._sleep
        self.submit(attempt())
        self.store.before = None

    def _sleep(self, call: str, key: str) -> None:
        if call == "create" and key.startswith(SLOTS):
            self.store.before = None
            self.clock.advance(LEASE)
            self._collected(attempt(shard=OF_THE_SAME_SLOT))
            self.submit(attempt())
            self._collected(attempt())

    def _collected(self, mine: Attempt) -> None:
        self.provider.answer_all(self.provider.last.batch_id)
        self.records.put_finished(mine, "test")
        self.collect(mine)

    def free(self) -> int:
        return len(Slots(self.store).free(POOL))

    def submit_the_others(self) -> list[str]:
        return [self.submit(attempt(shard=shard)) for shard in OTHERS]


def test_the_slot_of_a_claimant_that_slept_over_its_lease_is_freed_for_those_that_wait() -> None:
    bench = Bench()
    leaked = bench.free()
    first = bench.submit_the_others()

    repairs = bench.tick(OLD)
    then = bench.submit_the_others()

    assert (leaked, first) == (1, ["submitted", "waiting"])
    assert (repairs["slots"], then) == (1, ["gone", "submitted"])
    assert bench.free() == 0


def test_the_slots_of_running_batches_are_kept_however_long_they_run() -> None:
    bench = Bench()
    bench.submit_the_others()
    bench.tick(OLD)
    bench.submit_the_others()
    bench.records.put_ready(attempt(2, OTHERS[0]))
    Admission(bench.store, bench.clock).wait(POOL, attempt(2, OTHERS[0]))

    repairs = [bench.tick(OLD) for _ in range(3)]

    assert not any("slots" in each for each in repairs)
    assert bench.free() == 0


def test_the_slot_of_a_claimant_that_may_still_be_creating_its_batch_is_kept() -> None:
    bench = Bench()
    bench.submit_the_others()

    assert "slots" not in bench.tick(timedelta(minutes=1))


def test_no_slot_is_looked_at_while_nobody_waits_for_one() -> None:
    bench = Bench()
    calls: list[str] = []
    bench.store.before = lambda call, key: calls.append(f"{call} {key}")

    bench.tick(OLD)

    assert [each for each in calls if SLOTS in each] == []


def test_the_list_of_those_that_wait_is_read_once_in_a_run() -> None:
    bench = Bench()
    bench.submit_the_others()
    listed: list[str] = []
    bench.store.before = lambda call, key: listed.append(key) if call == "list" else None

    bench.tick(OLD)

    assert [key for key in listed if key.startswith(WAITING)] == [WAITING]
