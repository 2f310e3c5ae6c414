"""Follows the batch ids of a message to our own shards and puts their ``finished/`` tickets."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.batches import BatchId
from shared.domain.errors import ObjectMissing
from shared.domain.keys import ShardAttempt, batch_pointer_key, parse_shard_attempt
from shared.domain.notifications import find_batch_ids
from shared.domain.provider_profile import ProviderProfile
from shared.ports import ObjectStore
from shared.services.hear_notification import HearNotification

log = logging.getLogger(__name__)

# Three small requests each; of these many the function's time-out of 60 s does not notice. The timer polls the rest.
MAX_BATCH_IDS = 500


@dataclass(frozen=True)
class HearMessage:
    """A message proves nothing: an id counts only if our own pointer leads from it to a shard of ours.

    Attributes:
        max_batch_ids: How many different ids of one event are followed; whoever sends it may have invented them.
    """

    store: ObjectStore
    profiles: Iterable[ProviderProfile]
    max_batch_ids: int = MAX_BATCH_IDS

    def __call__(self, event: bytes) -> int:
        """Return how many tickets were put. Messages about other people's batches are usual on a shared bus."""
        patterns = {profile.name: profile.batch_id for profile in self.profiles}
        batch_ids = find_batch_ids(event, patterns, self.max_batch_ids)
        if len(batch_ids) == self.max_batch_ids:
            log.warning("message.cut_short", extra={"batch_ids": len(batch_ids), "size_bytes": len(event)})
        units = (self._unit_of(*each) for each in batch_ids)
        return sum(HearNotification(self.store)(unit, "message") for unit in units if unit)

    def _unit_of(self, provider: str, batch_id: BatchId) -> ShardAttempt | None:
        try:
            pointer = self.store.get(batch_pointer_key(provider, batch_id))
        except ObjectMissing:
            # Another pipeline's batch, or ours a moment before its pointer is written: then the timer polls it.
            log.info("message.unknown_batch", extra={"batch_id": batch_id})
            return None
        return parse_shard_attempt(pointer.decode(errors="replace"))
