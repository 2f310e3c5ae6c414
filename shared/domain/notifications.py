"""Finds the batches that a message is about, however it is wrapped."""

from __future__ import annotations

import re

from shared.domain.batches import BatchId

# One CloudEvent, an array of them, a RocketMQ envelope whose body is a CloudEvent as a string, RawData: Bailian
# documents no field for the id, so it is found by its form wherever it stands. The form is also what makes an id safe
# as part of a key: no slash, no dot, no percent sign, nothing that a path could be made of.
_BATCH_ID = re.compile(rb"(?<![0-9A-Za-z_-])batch_[0-9a-f-]{36}(?![0-9A-Za-z_-])")


def find_batch_ids(event: bytes, at_most: int) -> list[BatchId]:
    """The batch ids in the message, each once, in order of appearance, and no more than ``at_most`` of them.

    Claims, not facts: follow our own pointers. Nothing is parsed, so depth, types and encoding do not matter.
    """
    found: dict[bytes, None] = {}
    for match in _BATCH_ID.finditer(event):
        found[match[0]] = None
        if len(found) == at_most:
            break
    return [BatchId(each.decode()) for each in found]
