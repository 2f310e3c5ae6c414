"""The command that has a few rows answered at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import click

from scripts.localcloud.terminal.answerer_warnings import warnings_of_running
from scripts.operate.access import open_provider_to_ask
from scripts.operate.door.parameters import Door, TypedPath, command
from scripts.operate.door.reply import DONE, HAS_FAILED_ROWS
from scripts.operate.recipes.preview_table import preview_table
from scripts.operate.texts.said import Refusal
from shared.ports.real_time import MAX_REQUESTS


@command("preview", "Have the first rows of TABLE answered at once, at the price of single calls.")
@click.argument("file", type=TypedPath(), metavar="TABLE")
@click.option(
    "--rows", type=click.IntRange(1, MAX_REQUESTS), default=MAX_REQUESTS, show_default=True, help="How many."
)
def preview(door: Door, file: Path, rows: int) -> int:
    provider_of = partial(open_provider_to_ask, door.env, door.data)
    warnings = [*_warnings(door)]
    shown = preview_table(file, rows, provider_of, door.reply.tell, is_made_up=bool(warnings))
    for warning in warnings:
        door.reply.tell(warning)
    door.reply.show(rows=shown)
    return DONE if all(row["answer"] for row in shown) else HAS_FAILED_ROWS


def _warnings(door: Door) -> Iterable[str]:
    """Of a local cloud that answered; without one, no bucket is needed."""
    try:
        folder = door.open_bucket().folder
    except Refusal:
        return ()
    return warnings_of_running(folder.parent) if folder else ()
