"""Finds the batches that a message is about, however it is wrapped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice, zip_longest

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
        at_most: Of all providers together; each in turn gives one, so that invented ids of one
            provider leave room for those of the others.
    """
    each_in_turn = zip_longest(*(_ids_of(provider, form, event) for provider, form in patterns.items()))
    return list(islice((found for turn in each_in_turn for found in turn if found), at_most))


def _ids_of(provider: str, form: re.Pattern[bytes], event: bytes) -> Iterator[tuple[str, BatchId]]:
    seen: set[bytes] = set()
    for match in form.finditer(event):
        if match[0] not in seen:
            seen.add(match[0])
            yield provider, BatchId(match[0].decode())
