"""Lets shards to the provider as its quota has room: in ``waiting/`` stand those that must wait, in order of arrival.

What keeps the quota is the slots alone; the order here is only fairness, so it may be computed from listings that are
moments old.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from shared.bucket.attempt import JobId, ShardAttempt, parse_shard_attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Slot, Stage, waiting_key, waiting_prefix
from shared.pipeline.quota.fair_order import fair_order
from shared.pipeline.quota.slots import Slots
from shared.ports.clock import Clock
from shared.ports.profile import SlotPool
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)

# The rest is admitted by the next batch that ends, or by the timer within its interval.
_ADMITTED_AT_ONCE = 100


@dataclass(frozen=True)
class Admission:
    """Who may take a slot now, and who is called next. Every step may be repeated."""

    store: ObjectStore
    clock: Clock

    def choose(self, pool: SlotPool, unit: ShardAttempt) -> Slot | None:
        """A free slot to try to take, or ``None`` if the shard has to wait; then it stands in ``waiting/``.

        Which one depends on the shard, so that many at once rarely try the same.
        """
        free = Slots(self.store).free(pool)
        if free and self._is_turn(pool, unit, len(free)):
            return free[crc32(str(unit).encode()) % len(free)]
        self.wait(pool, unit)
        return None

    def wait(self, pool: SlotPool, unit: ShardAttempt) -> None:
        """Put the shard on the list, unless it is there: its place is that of its arrival."""
        self.store.put_if_absent(waiting_key(pool.name, unit), b"")

    def leave(self, pool: SlotPool, unit: ShardAttempt) -> None:
        """Take the shard off the list."""
        self.store.delete(waiting_key(pool.name, unit))

    def waiting(self, pool: SlotPool) -> dict[ShardAttempt, datetime]:
        """Who waits, since when."""
        prefix = waiting_prefix(pool.name)
        listed = ((parse_shard_attempt(head.key[len(prefix) :]), head) for head in self.store.list(prefix))
        return {unit: head.modified_at for unit, head in listed if unit}

    def admit_next(self, pool: SlotPool) -> int:
        """Bring up the tickets of as many shards as there are free slots, in fair order; how many they were."""
        waiting = self.waiting(pool)
        room = min(len(Slots(self.store).free(pool)), _ADMITTED_AT_ONCE) if waiting else 0
        admitted = 0
        for unit in self._in_order(waiting) if room else ():
            admitted += self._bring_up(pool, unit)
            if admitted == room:
                break
        if admitted:
            log.info(
                "shards.admitted", extra={"pool": pool.name, "shards": admitted, "waiting": len(waiting)}
            )
        return admitted

    def _bring_up(self, pool: SlotPool, unit: ShardAttempt) -> bool:
        records = BucketRecords(self.store)
        ticket = records.find_ready(unit)
        if ticket is None or (ticket.not_before and ticket.not_before > self.clock.now()):
            # Submitted meanwhile, or put off for another reason, and then its turn comes when it is back.
            self.leave(pool, unit)
            return False
        records.put_back(unit, ticket)
        return True

    def _is_turn(self, pool: SlotPool, unit: ShardAttempt, free: int) -> bool:
        waiting = self.waiting(pool)
        waiting.setdefault(unit, self.clock.now())
        return len(waiting) <= free or unit in self._in_order(waiting)[:free]

    def _in_order(self, waiting: Mapping[ShardAttempt, datetime]) -> list[ShardAttempt]:
        in_flight: Counter[JobId] = Counter()
        for head in self.store.list(Stage.RUNNING.value):
            unit = parse_shard_attempt(head.key.removeprefix(Stage.RUNNING.value))
            if unit:
                in_flight[unit.job_id] += 1
        return fair_order(waiting, in_flight)
