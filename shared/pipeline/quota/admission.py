"""Admits shards to the provider when its quota has room. Those that must wait are in ``waiting/``.

The slots alone keep the quota. The order here is only fair, so slightly old listings do no harm.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zlib import crc32

from shared.bucket.attempt import Attempt, JobId, parse_attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import WAITING, Stage
from shared.bucket.slot_keys import Slot, waiting_key, waiting_prefix
from shared.pipeline.quota.fair_order import fair_order
from shared.pipeline.quota.slots import Slots
from shared.ports.clock import Clock
from shared.ports.profile import SlotPool
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)

# The next batch that ends, or the timer, admits the rest.
_ADMITTED_AT_ONCE = 100


@dataclass
class WaitingLists:
    """Who waits, by pool, for the repairs of one run of the timer.

    It is listed once, when the first of them asks. Who came since is seen by the next run, and
    whoever acts on one that has left finds no ticket, or puts one more.
    """

    store: ObjectStore
    pools: Iterable[SlotPool]

    @cached_property
    def by_pool(self) -> list[tuple[SlotPool, dict[Attempt, datetime]]]:
        """The pools for which shards wait, in the order of their folders; which, and since when."""
        waiting: dict[str, dict[Attempt, datetime]] = defaultdict(dict)
        for head in self.store.list(WAITING):
            pool, _, unit = head.key.removeprefix(WAITING).partition("/")
            if attempt := parse_attempt(unit):
                waiting[pool][attempt] = head.modified_at
        pools = (pool for pool in self.pools if pool.name in waiting)
        return [
            (pool, waiting[pool.name]) for pool in sorted(pools, key=lambda pool: waiting_prefix(pool.name))
        ]


@dataclass(frozen=True)
class Admission:
    """Who may take a slot now, and who is called next. Every step may be repeated."""

    store: ObjectStore
    clock: Clock

    def choose(self, pool: SlotPool, attempt: Attempt) -> Slot | None:
        """A free slot to try; or ``None``, and the shard is put into ``waiting/``.

        The choice depends on the shard, so that concurrent calls rarely try the same slot.
        """
        free = Slots(self.store).free(pool)
        if free and self._is_turn(pool, attempt, len(free)):
            return free[crc32(str(attempt).encode()) % len(free)]
        self.wait(pool, attempt)
        return None

    def wait(self, pool: SlotPool, attempt: Attempt) -> None:
        """Put the shard on the list; one that is there keeps its place."""
        self.store.put_if_absent(waiting_key(pool.name, attempt), b"")

    def leave(self, pool: SlotPool, attempt: Attempt) -> None:
        """Take the shard off the list."""
        self.store.delete(waiting_key(pool.name, attempt))

    def waiting(self, pool: SlotPool) -> dict[Attempt, datetime]:
        """Who waits, since when."""
        prefix = waiting_prefix(pool.name)
        listed = ((parse_attempt(head.key[len(prefix) :]), head) for head in self.store.list(prefix))
        return {attempt: head.modified_at for attempt, head in listed if attempt}

    def admit_next(self, pool: SlotPool) -> int:
        """``admit`` those who wait at this moment."""
        return self.admit(pool, self.waiting(pool))

    def admit(self, pool: SlotPool, waiting: Mapping[Attempt, datetime]) -> int:
        """Put the tickets of as many shards as there are free slots; return how many.

        The order is fair.
        """
        room = min(len(Slots(self.store).free(pool)), _ADMITTED_AT_ONCE) if waiting else 0
        admitted = 0
        for attempt in self._in_order(waiting) if room else ():
            admitted += self._bring_up(pool, attempt)
            if admitted == room:
                break
        if admitted:
            log.info(
                "shards.admitted", extra={"pool": pool.name, "shards": admitted, "waiting": len(waiting)}
            )
        return admitted

    def _bring_up(self, pool: SlotPool, attempt: Attempt) -> bool:
        records = BucketRecords(self.store)
        ticket = records.find_ready(attempt)
        if ticket is None or (ticket.not_before and ticket.not_before > self.clock.now()):
            # Submitted meanwhile; or put off for another reason, and back on the list after that.
            self.leave(pool, attempt)
            return False
        records.put_back(attempt, ticket)
        return True

    def _is_turn(self, pool: SlotPool, attempt: Attempt, free: int) -> bool:
        waiting = self.waiting(pool)
        waiting.setdefault(attempt, self.clock.now())
        return len(waiting) <= free or attempt in self._in_order(waiting)[:free]

    def _in_order(self, waiting: Mapping[Attempt, datetime]) -> list[Attempt]:
        in_flight: Counter[JobId] = Counter()
        for head in self.store.list(Stage.RUNNING.value):
            attempt = parse_attempt(head.key.removeprefix(Stage.RUNNING.value))
            if attempt:
                in_flight[attempt.job_id] += 1
        return fair_order(waiting, in_flight)
