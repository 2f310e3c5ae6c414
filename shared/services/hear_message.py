"""Follows the batch ids of a message to our own shards and puts their ``finished/`` tickets."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.domain.errors import ObjectMissing
from shared.domain.keys import batch_pointer_key, parse_shard_attempt
from shared.domain.notifications import find_batch_ids
from shared.ports import ObjectStore
from shared.services.bucket_records import BucketRecords

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HearMessage:
    """A message proves nothing: an id counts only if our own pointer leads from it to a shard of ours."""

    store: ObjectStore
    provider_name: str = "bailian"

    def __call__(self, event: bytes) -> int:
        """Return how many tickets were put. Messages about other people's batches are usual on a shared bus."""
        heard = 0
        for batch_id in find_batch_ids(event):
            try:
                pointer = self.store.get(batch_pointer_key(self.provider_name, batch_id))
            except ObjectMissing:
                # Another pipeline's batch, or ours a moment before its pointer is written: then the timer polls it.
                log.info("message.unknown_batch", extra={"batch_id": batch_id})
                continue
            unit = parse_shard_attempt(pointer.decode())
            if unit:
                BucketRecords(self.store).put_finished(unit, heard_from="message")
                heard += 1
        return heard
