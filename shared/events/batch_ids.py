"""Finds the batches that a message is about, however it is wrapped."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.ports.provider import BatchId


def find_batch_ids(
    event: bytes, patterns: Mapping[str, re.Pattern[bytes]], at_most: int
) -> list[tuple[str, BatchId]]:
    """The batch ids in the message, each once, and no more than ``at_most`` of them.

    It may be one CloudEvent, an array of them, a RocketMQ envelope whose body is a CloudEvent as a
    string, or RawData. No field is documented for the id, so it is found by its form wherever it
    stands. Nothing is parsed, so depth, types and encoding do not matter. What is found are claims,
    not facts: follow our own pointers.

    Args:
        event: The message as it came.
        patterns: How the ids look, by provider.
        at_most: Of all providers together.
    """
    found: dict[tuple[str, bytes], None] = {}
    for provider, pattern in patterns.items():
        for match in pattern.finditer(event):
            found[provider, match[0]] = None
            if len(found) == at_most:
                break
        if len(found) == at_most:
            break
    return [(provider, BatchId(each.decode())) for provider, each in found]
