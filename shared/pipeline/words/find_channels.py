"""Finds out who is to be told of a file: its recipe says so, or the nearest ``notify.yaml``."""

from __future__ import annotations

from collections.abc import Sequence

from shared.bucket.result_names import notify_candidates
from shared.pipeline.validate.recipe.find_recipe import find_recipe
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing, UserInputError
from shared.recipes.notify_file import notify_in_recipe, parse_notify_file
from shared.recipes.recipe_text import MAX_RECIPE_BYTES


def channels_for(store: ObjectStore, source_key: str, of_recipe: Sequence[str] | None) -> tuple[str, ...]:
    """``kind:name`` of each.

    Args:
        store: The bucket.
        source_key: The dropped file's.
        of_recipe: What its recipe says, which may be nobody; ``None`` if it says nothing.
    """
    if of_recipe is not None:
        return tuple(of_recipe)
    for key in notify_candidates(source_key):
        channels = _find_channels(store, key)
        if channels is not None:
            return tuple(channels)
    return ()


def channels_of_refused(store: ObjectStore, source_key: str) -> tuple[str, ...]:
    """The same for a file that became no job, perhaps because its recipe is wrong."""
    found = find_recipe(store, source_key)
    return channels_for(store, source_key, notify_in_recipe(found.content) if found else None)


def read_notify_file(store: ObjectStore, key: str) -> list[str]:
    """What it says; of one that is too large no more is read than shows that.

    Raises:
        ObjectMissing: It is not there.
        UserInputError: It is wrong.
    """
    content = b""
    for chunk in store.read(key):
        content += chunk
        if len(content) > MAX_RECIPE_BYTES:
            break
    return parse_notify_file(content)


def _find_channels(store: ObjectStore, key: str) -> Sequence[str] | None:
    try:
        return read_notify_file(store, key)
    except ObjectMissing:
        return None
    except UserInputError:
        return ()  # its own report says what is wrong with it
