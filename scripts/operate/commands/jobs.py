"""The commands about jobs, on the bucket that is meant."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import click
from click.shell_completion import CompletionItem

from scripts.operate.access import open_provider_of
from scripts.operate.door.parameters import Door, command
from scripts.operate.jobs.approve import approve as approve_quote
from scripts.operate.jobs.commands import Commands
from scripts.operate.jobs.find_jobs import names_of_open_jobs
from scripts.operate.jobs.follow_board import follow_board
from scripts.operate.run.run_table import follow_jobs
from scripts.operate.texts.said import Refusal
from scripts.terminal import say
from shared.problems.exceptions import PipelineError

WAIT_S = 20.0


def _open_files(context: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem[str]]:
    """Files of open jobs, for the shell to complete; none if no bucket can be read."""
    try:
        names = names_of_open_jobs(context.ensure_object(Door).open_bucket())
    except (Refusal, PipelineError):
        return []
    return [CompletionItem(name) for name in names if name.startswith(typed)]


_target = click.argument("target", metavar="JOB|FILE", shell_complete=_open_files)


@command(
    "status",
    "What is open; or one JOB by its id, or FILE: inbox/a/b.csv, a/b.csv, or the path that run was given.",
)
@click.argument("target", required=False, metavar="[JOB|FILE]", shell_complete=_open_files)
@click.option("--follow", is_flag=True, help="Show it until nothing is open, or until this job has ended.")
def status(door: Door, target: str | None, *, follow: bool) -> int | None:
    if follow and target:
        return follow_jobs(door.open_bucket(), door.reply, _commands(door).find(target))
    if follow:
        follow_board(door.open_bucket(), door.reply)
    else:
        commands = _commands(door)
        jobs = commands.status(target)
        door.reply.show(jobs=jobs, **({} if target else {"budget": commands.budget()}))
    return None


@command("cancel", "Send nothing more of a job; keep the answers that are there.", goes_on=True)
@_target
@click.option(
    "--wait", type=float, default=WAIT_S, metavar="S", show_default=True, help="Seconds to wait for its end."
)
def cancel(door: Door, target: str, wait: float) -> None:
    door.reply.show(job_id=_commands(door).cancel(target, wait))


@command("retry", "Send the unanswered rows of a closed job again.", goes_on=True)
@_target
def retry(door: Door, target: str) -> None:
    door.reply.show(job_id=_commands(door).retry(target))


@command("approve", "Approve the quote of a job that waits for it, so that it is sent.", goes_on=True)
@_target
@click.option("--digest", metavar="NUMBER", help="Approve the quote of this number, without being asked.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def approve(door: Door, target: str, digest: str | None, *, yes: bool) -> None:
    job_id = approve_quote(_commands(door), target, digest, _confirm(door, is_sure=yes))
    door.reply.show(job_id=job_id)


@command("erase", "Delete all data of a closed job; keep ids, counts and usage.", goes_on=True)
@_target
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(door: Door, target: str, *, yes: bool) -> None:
    provider_of = partial(open_provider_of, door.open_bucket(), door.env)
    door.reply.show(job_id=_commands(door).erase(target, provider_of, _confirm(door, is_sure=yes)))


def _commands(door: Door) -> Commands:
    return Commands(door.open_bucket(), door.reply.tell)


def _confirm(door: Door, *, is_sure: bool) -> Callable[[str], bool]:
    if is_sure or door.reply.is_json:  # a program cannot be asked; without --yes it is refused
        return lambda _: is_sure

    def ask(about: str) -> bool:
        say(about)
        return bool(door.reply.agrees())

    return ask
