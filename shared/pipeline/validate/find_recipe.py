"""Finds the recipe that applies to an inbox file: in its folder, or in the nearest one above."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.result_names import recipe_candidates
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing


@dataclass(frozen=True)
class FoundRecipe:
    """A recipe's bytes at one version; they may still be wrong."""

    key: str
    etag: str
    content: bytes


# The parser refuses a recipe of more bytes, so a larger file is not even read.
_MAX_READ_BYTES = 1024 * 1024


def find_recipe(store: ObjectStore, source_key: str) -> FoundRecipe | None:
    for key in recipe_candidates(source_key):
        head = store.head(key)
        if head is None:
            continue
        try:
            content = store.get(key) if head.size_bytes <= _MAX_READ_BYTES else b"#" * _MAX_READ_BYTES
        except ObjectMissing:
            continue
        return FoundRecipe(key, head.etag, content)
    return None
