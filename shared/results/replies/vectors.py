"""Reads embeddings: all vectors in the order of the texts, each as an array of numbers."""

from __future__ import annotations

import binascii
import sys
from array import array
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.results.replies.parts import VECTOR_KEYS, in_order, is_nothing, unknown_in

_FLOAT_BYTES = 4


class Vectors(NamedTuple):
    """What ``data`` holds: one vector alone, or all as a list, and what is beside them."""

    content: Any
    more: dict[str, Any]


def vectors_in(body: Mapping[str, Any]) -> list[Any] | None:
    """The items of ``data``, or ``None`` of what is no embedding, whatever else it may be."""
    data = body.get("data")
    if isinstance(data, dict) and "embedding" in data:
        data = [data]
    return data if isinstance(data, list) and (data or "choices" not in body) else None


def read_vectors(data: list[Any]) -> Vectors:
    items = [item if isinstance(item, dict) else {"embedding": item} for item in in_order(data)]
    found = [_numbers(item.get("embedding")) for item in items]
    more = [unknown_in(item, VECTOR_KEYS) for item in items]
    if len(items) == 1:
        return Vectors(found[0], more[0])
    content = None if all(map(is_nothing, found)) else found
    beside = [{"index": index, **each} for index, each in enumerate(more) if each]
    return Vectors(content, {"data": beside} if beside else {})


def _numbers(vector: Any) -> Any:
    """A vector that came as base64, which is that of its 32-bit floats in little endian."""
    if not isinstance(vector, str):
        return vector
    try:
        content = b64decode(vector, validate=True)
    except (binascii.Error, ValueError):
        return vector
    if not content or len(content) % _FLOAT_BYTES:
        return vector
    numbers = array("f", content)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
