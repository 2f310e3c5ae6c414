"""Reads embeddings: all vectors in the order of the texts, each as an array of numbers.

Other forms than OpenAI's are those of Ollama, DashScope, Cohere and text-embeddings-inference:
https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings
https://help.aliyun.com/zh/model-studio/text-embedding-synchronous-api
https://docs.cohere.com/reference/embed
https://huggingface.github.io/text-embeddings-inference/
"""

from __future__ import annotations

import binascii
import sys
from array import array
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.results.replies.forms.other_forms import reports_error, tokens_in
from shared.results.replies.forms.parts import (
    VECTOR_KEYS,
    gathered,
    in_order,
    is_nothing,
    mapping,
    unknown_in,
)

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


def vectors_in_openai_form(body: Any) -> dict[str, Any] | None:
    """The body with ``data``; ``None`` if it reports an error, or holds what may be no vectors."""
    found, beside = _found_in(body)
    items = _items_in(found)
    if not items or reports_error(beside):
        return None
    usage = {**tokens_in(beside), **mapping(beside.get("usage"))}
    if isinstance(beside.get("usage"), dict):
        del beside["usage"]
    return gathered(ours={"data": items, **({"usage": usage} if usage else {})}, body=beside)


def _found_in(body: Any) -> tuple[Any, dict[str, Any]]:
    """What may be vectors, and all that stands beside it."""
    if not isinstance(body, dict):
        # A list of whole numbers may be anything.
        return None if _is_vector(body) and {*map(type, body)} == {int} else body, {}
    inner = mapping(body.get("output"))
    outer = {name: value for name, value in body.items() if not inner or name != "output"}
    key = next((each for each in _VECTORS_KEYS if each in (inner or outer)), "")
    beside = gathered(body=outer, output=inner)
    return beside.pop(key, None), beside


_VECTORS_KEYS = ("embeddings", "embedding")


def _items_in(found: Any) -> list[Any]:
    if isinstance(found, dict) and len(found) == 1:  # Cohere's, by the type of their numbers
        (found,) = found.values()
    vectors = [found] if _is_vector(found) else found
    if not isinstance(vectors, list):
        return []
    items = [_item(each) for each in vectors]
    return items if all(_is_vector(each.get("embedding")) for each in items) else []


def _item(vector: Any) -> dict[str, Any]:
    if not isinstance(vector, dict):
        return {"embedding": vector}
    index = {"index": vector["text_index"]} if "text_index" in vector else {}
    return {**{key: each for key, each in vector.items() if key != "text_index"}, **index}


def _is_vector(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(each) in {int, float} for each in value)


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
