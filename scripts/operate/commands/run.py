"""The command that takes a table through Batchdrop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from scripts.localcloud.announce import announced, deployed_on, running_cloud
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.data_lock import DataDirGone
from scripts.localcloud.interruptions import interruptions_of
from scripts.localcloud.options import DEFAULT_DATA, CloudOptions
from scripts.localcloud.terminal.answerer_warnings import (
    answerer_warnings,
    other_answerer,
    warnings_of_running,
)
from scripts.localcloud.terminal.command import CannotStart, started, stop
from scripts.localcloud.terminal.command_line import PARAMETERS, cloud_options
from scripts.operate.access import OpenBucket, open_bucket
from scripts.operate.door.parameters import RECIPE, Door, TypedPath, command
from scripts.operate.recipes.local_folder import require_file
from scripts.operate.run.follow import CLOUD_S, LOCAL_S, Follow
from scripts.operate.run.run_table import RunTable
from scripts.operate.texts.said import Refusal, said
from scripts.terminal import named


@command(
    "run",
    "Answer the table FILE: drop it, show how far it is, then where the result is and its first rows.",
    goes_on=True,
)
@click.argument("file", type=TypedPath())
@RECIPE
@click.option(
    "--out", type=TypedPath(), metavar="PATH", help="Save the result here, too, in place of what is there."
)
def run(door: Door, file: Path, recipe: Path | None, out: Path | None, **answerer: str | None) -> int:
    require_file(file)
    if out and out.resolve() == file.resolve():
        raise click.UsageError("--out 不能是表格本身 / --out must not be the table itself")
    try:
        with _runner(door, answerer) as run_table:
            return run_table(file, recipe, out)
    except (CannotStart, DataDirGone) as error:
        raise Refusal("cloud_cannot_start", *str(error).split("\n")) from None


# Who answers, if a cloud is started for this.
run.params += [each for each in PARAMETERS if each.name in {"real", "upstream", "upstream_model"}]


@contextmanager
def _runner(door: Door, answerer: Mapping[str, str | None]) -> Iterator[RunTable]:
    """On the bucket that is meant; if none is, on a local cloud that runs for so long."""
    if bucket := _running_bucket(door):
        if any(answerer.values()):
            raise Refusal("answerer_is_running", bucket=bucket.name)
        _tell_where(door, bucket)
        follow = Follow(door.reply, LOCAL_S if bucket.folder else CLOUD_S)
        if bucket.folder:
            follow = replace(follow, interrupted=partial(interruptions_of, bucket.page_url))
        yield RunTable(bucket, door.reply, follow)
        return
    usual = click.Command("cloud", params=[*PARAMETERS]).make_context("cloud", []).params
    options = cloud_options({**usual, **answerer}, door.data or DEFAULT_DATA, door.env)
    if before := other_answerer(options):
        raise Refusal("answered_otherwise", folder=options.data_dir, before=before)
    door.reply.tell(said("starting_cloud", folder=options.data_dir))
    with _cloud(options, door.reply.tell) as cloud:
        for warning in answerer_warnings(options):
            door.reply.tell(warning)
        follow = Follow(
            door.reply, check=cloud.check_folders, interrupted=lambda: cloud.interruptions.reasons
        )
        yield RunTable(open_bucket({}, options.data_dir), door.reply, follow)


@contextmanager
def _cloud(options: CloudOptions, tell: Callable[[str], None]) -> Iterator[LocalCloud]:
    with ExitStack() as running:
        cloud = started(options)
        running.callback(stop, cloud, tell)
        running.enter_context(cloud.lock.told_once())
        running.enter_context(announced(cloud))
        yield cloud


def _tell_where(door: Door, bucket: OpenBucket) -> None:
    """Another bucket than last time may be meant, in which nothing is answered yet."""
    door.reply.tell(said("run_drops_into", bucket=named(str(bucket.folder or bucket.name))))
    folder = bucket.folder.parent if bucket.folder else door.data
    for warning in warnings_of_running(folder) if folder else ():
        door.reply.tell(warning)


def _running_bucket(door: Door) -> OpenBucket | None:
    folder = door.data.expanduser().resolve() if door.data else None
    if folder and not (running_cloud(folder) or deployed_on(folder)):
        return None
    try:
        return door.open_bucket()
    except Refusal as refusal:
        if refusal.code == "no_bucket":
            return None
        raise
