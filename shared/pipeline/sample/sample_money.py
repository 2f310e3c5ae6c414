"""Keeps a sample under its job's ceilings: reserved before a row is asked, spent by its replies."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.base import Record
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import record_key
from shared.bucket.records.plan import Plan
from shared.money.worst_case import Charged
from shared.pipeline.quota.ceilings import Ceilings
from shared.pipeline.sample.records import Sample
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore


class SampleRoom(Record):
    """Whether the sample fits under the ceilings; the first run to say so decides for all."""

    has_room: bool


@dataclass(frozen=True)
class SampleMoney:
    """Of a job without a ceiling nothing is looked at. Every step may be repeated, and by several.

    It is reserved under the name of the first attempt of the first shard with sampled rows, which
    is never sent.
    """

    store: ObjectStore
    clock: Clock
    plan: Plan

    def reserve(self) -> bool:
        """Whether the sample may be asked: the most that it may cost is reserved then."""
        if not self.plan.ceilings:
            return True
        records, key = BucketRecords(self.store), record_key(JobId(self.plan.job_id), "sample/room.json")
        room = records.find(key, SampleRoom)
        if room is None:
            needed = self.plan.sample.at_most if self.plan.sample else None
            has_room = needed is not None and self._ceilings.reserve_alike(self._unit, needed)
            room = records.create(key, SampleRoom(has_room=has_room))
        if not room.has_room:
            self._ceilings.give_back_alike(self._unit)
        return room.has_room

    def settle(self, sample: Sample) -> None:
        if not self.plan.ceilings or self.plan.sample is None or not self.plan.sample.shards:
            return
        if BucketRecords(self.store).find_outcome(self._unit) is None:
            self._ceilings.settle_alike(self._unit, Charged(sample.known, sample.perhaps))
        else:  # it was settled before, and a late run may have reserved once more
            self._ceilings.give_back_alike(self._unit)

    @property
    def _ceilings(self) -> Ceilings:
        return Ceilings(self.store, self.clock, self.plan)

    @property
    def _unit(self) -> Attempt:
        shard = self.plan.sample.shards[0] if self.plan.sample else 1
        return Attempt(JobId(self.plan.job_id), 1, shard)
