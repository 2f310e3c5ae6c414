"""Finds the batches that a message is about, however it is wrapped."""

from __future__ import annotations

import re

from shared.domain.batches import BatchId

# One CloudEvent, an array of them, a RocketMQ envelope whose body is a CloudEvent as a string, RawData: Bailian
# documents no field for the id, so it is found by its form wherever it stands.
_BATCH_ID = re.compile(rb"(?<![0-9A-Za-z_-])batch_[0-9a-f-]{36}(?![0-9A-Za-z_-])")


def find_batch_ids(event: bytes) -> list[BatchId]:
    """Every batch id in the message, each once, in order of appearance. Claims, not facts: follow our own pointers."""
    return [BatchId(each.decode()) for each in dict.fromkeys(_BATCH_ID.findall(event))]
