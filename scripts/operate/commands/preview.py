"""The command that has a few rows answered at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from shutil import get_terminal_size

import click

from scripts.localcloud.terminal.answerer_warnings import warnings_of_running
from scripts.operate.access import open_provider_to_ask
from scripts.operate.door.parameters import RECIPE, Door, TypedPath, command
from scripts.operate.door.reply import DONE, HAS_FAILED_ROWS
from scripts.operate.recipes.preview_table import preview_table
from scripts.operate.recipes.preview_view import preview_facts, preview_lines
from scripts.operate.texts.said import Refusal
from shared.ports.providers import Providers
from shared.recipes.recipe import MOST_SAMPLED

_ROWS = 5


@command("preview", "Have a few rows of TABLE answered at once, at the price of single calls.")
@click.argument("file", type=TypedPath(), metavar="TABLE")
@click.option(
    "--rows",
    type=click.IntRange(1, MOST_SAMPLED),
    default=_ROWS,
    show_default=True,
    help="How many, spread over the lengths of all.",
)
@RECIPE
def preview(door: Door, file: Path, rows: int, recipe: Path | None) -> int:
    warnings = [*_warnings(door)]
    tell, is_made_up = door.reply.tell, bool(warnings)

    def provider_of(name: str) -> Providers:
        providers = open_provider_to_ask(door.env, door.data, name)
        door.if_interrupted = "" if is_made_up else "perhaps_charged"
        return providers

    shown = preview_table(file, rows, provider_of, tell, recipe=recipe, is_made_up=is_made_up)
    width = get_terminal_size().columns if door.reply.is_watched else None
    for line in preview_lines(shown, width):
        door.reply.tell(line)
    for warning in warnings:
        door.reply.tell(warning)
    door.reply.show(**preview_facts(shown))
    return DONE if all(row.answered.answer for row in shown.rows) and not shown.trouble else HAS_FAILED_ROWS


def _warnings(door: Door) -> Iterable[str]:
    """Of a local cloud that answered; without one, no bucket is needed."""
    try:
        folder = door.open_bucket().folder
    except Refusal:
        return ()
    return warnings_of_running(folder.parent) if folder else ()
