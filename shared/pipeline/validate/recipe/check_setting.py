"""Checks what says how files are run, a recipe or a ``notify.yaml``: it starts no job itself."""

from __future__ import annotations

from shared.inputs.inbox_keys import KeyRole
from shared.pipeline.validate.recipe.find_recipe import find_recipe
from shared.pipeline.validate.recipe.read_recipe import read_recipe
from shared.pipeline.words.find_channels import read_notify_file
from shared.ports.choice import ProviderChoice
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing


def check_setting(store: ObjectStore, key: str, role: KeyRole, providers: ProviderChoice) -> None:
    """Of one that is not there any more, nothing is said.

    Raises:
        UserInputError: With every problem found.
    """
    if role is KeyRole.RECIPE:
        found = find_recipe(store, key)
        if found:
            read_recipe(found, providers)
        return
    try:
        read_notify_file(store, key)
    except ObjectMissing:
        return
