"""Finds the recipe that applies to an inbox file: in its folder, or in the nearest one above."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from shared.bucket.result_names import recipe_candidates
from shared.inputs.inbox_keys import KeyRole, is_near_recipe, is_yaml_name, key_role_for
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
    """Where there seems to be none, it is looked for once more.

    A recipe that is moved or renamed meanwhile may be missed: one place is asked before it is
    there, the other after it has gone. So it is none that was in the last place a moment ago.
    """
    places = list(recipe_candidates(source_key))
    return _look_for_recipe(store, places) or _look_for_recipe(store, places[:-1])


def _look_for_recipe(store: ObjectStore, places: Iterable[str]) -> FoundRecipe | None:
    for key in places:
        while (head := store.head(key)) is not None:
            if head.size_bytes > _MAX_READ_BYTES:
                return FoundRecipe(key, head.etag, b"#" * _MAX_READ_BYTES)
            try:
                return FoundRecipe(key, head.etag, b"".join(store.read(key, etag=head.etag)))
            except ObjectMissing:
                continue  # edited or removed since
    return None


# Of each folder: a request, and more names than anybody gives to recipes.
_LOOKED_AT = 1000
_FIRST_LETTERS = ("B", "b")


def find_misnamed_recipe(store: ObjectStore, source_key: str, recipe_key: str | None) -> str | None:
    """The name of what was probably meant as the table's recipe.

    Args:
        store: The bucket.
        source_key: The table's.
        recipe_key: The recipe that was found; only folders nearer to the table are looked into,
            and only for names that end as those of YAML do. Without a recipe, any YAML in the
            table's own folder is one, whatever its name.
    """
    *parents, _ = source_key.split("/")
    if recipe_key is None and (name := _find_yaml(store, "/".join(parents) + "/")):
        return name
    for depth in range(len(parents), 0, -1):
        folder = "/".join(parents[:depth]) + "/"
        if recipe_key and recipe_key.rpartition("/")[0] + "/" == folder:
            return None
        for letter in _FIRST_LETTERS:
            for head in islice(store.list(folder + letter), _LOOKED_AT):
                name = head.key.removeprefix(folder)
                if "/" not in name and is_near_recipe(name, only_yaml=recipe_key is not None):
                    return name
    return None


def _find_yaml(store: ObjectStore, folder: str) -> str | None:
    for head in islice(store.list(folder), _LOOKED_AT):
        name = head.key.removeprefix(folder)
        if "/" not in name and key_role_for(head.key) is KeyRole.INPUT and is_yaml_name(name):
            return name
    return None
