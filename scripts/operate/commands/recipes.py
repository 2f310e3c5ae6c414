"""The commands about recipes; they need no bucket."""

from __future__ import annotations

from pathlib import Path

import click

from scripts.operate.door.parameters import RECIPE, Door, TypedPath, command
from scripts.operate.recipes.new_recipe import new_recipe
from scripts.operate.recipes.show_recipe import show_recipe


@command("init", "Write a batch.yaml beside TABLE, from its columns.")
@click.argument("file", type=TypedPath(), metavar="TABLE")
def init(door: Door, file: Path) -> None:
    new_recipe(file, door.reply.tell)
    door.reply.show(recipe=str(file.parent / "batch.yaml"))


@click.group("recipe", help="Check a table and its recipe, without sending.")
def recipe() -> None:
    pass


@command("show", "Print what would be sent for the first row of FILE, a table or its batch.yaml.")
@click.argument("file", type=TypedPath())
@RECIPE
def show(door: Door, file: Path, recipe: Path | None) -> None:
    door.reply.show(**show_recipe(file, door.reply.tell, recipe))


recipe.add_command(show)
