"""``scripts/batchdrop``: write and check a recipe; see, cancel, retry and erase jobs."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from scripts.operate.access import NEEDED, OpenBucket, open_bucket, open_provider_of
from scripts.operate.jobs.commands import Commands
from scripts.operate.recipes.new_recipe import new_recipe
from scripts.operate.recipes.show_recipe import show_recipe
from scripts.operate.texts.said import Refusal, said
from scripts.terminal import Parser, say, typed_path
from shared.problems.exceptions import ConfigurationError, PipelineError

WAIT_S = 20.0
AddCommand = Callable[..., argparse.ArgumentParser]


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="scripts/batchdrop",
        description="Write and check a recipe, see what is open, cancel a job, send the unanswered rows of a "
        "closed one again, erase its data.",
        epilog=f"The bucket is that of the environment variables {', '.join(NEEDED)}, or that of the local cloud "
        "that runs from this checkout. Exit status: 0 done, or nothing to do; 1 not possible; 2 wrong usage.",
    )
    _add_data(parser, default=None)
    # Given after the command, it counts too; not given there, it changes nothing.
    data = Parser(add_help=False)
    _add_data(data, default=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    _add_recipe_commands(commands.add_parser, data)
    _add_job_commands(commands.add_parser, data)
    return parser


def _add_data(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--data",
        type=typed_path,
        metavar="DIR",
        default=default,
        help="the folder of the local cloud that is meant",
    )


def _add_recipe_commands(add: AddCommand, data: argparse.ArgumentParser) -> None:
    init = add("init", parents=[data], help="write a batch.yaml beside a table, from its columns")
    init.add_argument("file", type=typed_path, metavar="TABLE", help="a table on this machine")
    recipe = add("recipe", parents=[data], help="check a table and its recipe, without sending")
    actions = recipe.add_subparsers(dest="action", required=True, metavar="show")
    show = actions.add_parser("show", parents=[data], help="print what would be sent for the first row")
    show.add_argument(
        "file", type=typed_path, metavar="FILE", help="a table on this machine, or its batch.yaml"
    )


def _add_job_commands(add: AddCommand, data: argparse.ArgumentParser) -> None:
    job_or_file = "a job id, or a file such as inbox/a/b.csv or a/b.csv"
    status = add("status", parents=[data], help="what is open, or one job in detail")
    status.add_argument("target", nargs="?", metavar="job|file", help=job_or_file)
    cancel = add("cancel", parents=[data], help="send nothing more of a job; keep the answers that are there")
    cancel.add_argument("target", metavar="job|file", help=job_or_file)
    cancel.add_argument(
        "--wait", type=float, default=WAIT_S, metavar="S", help="seconds to wait for its end (default: 20)"
    )
    retry = add("retry", parents=[data], help="send the unanswered rows of a closed job again")
    retry.add_argument("target", metavar="job|file", help=job_or_file)
    erase = add("erase", parents=[data], help="delete all data of a closed job; keep ids, counts and usage")
    erase.add_argument("target", metavar="job|file", help=job_or_file)
    erase.add_argument("--yes", action="store_true", help="do not ask")


def main(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Carry out one command and return the exit status; errors go to standard error."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command in _WITHOUT_A_BUCKET:
            _WITHOUT_A_BUCKET[chosen.command](chosen.file, say)
        else:
            _carry_out(chosen, open_bucket(env, chosen.data), env)
    except Refusal as refusal:
        say(refusal, sys.stderr)
        return 1
    except BrokenPipeError:
        raise  # no file of ours: see below
    except OSError as error:
        say(said("file_error", reason=error), sys.stderr)
        return 1
    except PipelineError as error:
        code = "no_access" if isinstance(error, ConfigurationError) else "unreachable"
        name = env.get("BUCKET_NAME", "") if chosen.data is None else chosen.data
        say(said(code, bucket=name, reason=str(error).rstrip(".")), sys.stderr)
        return 1
    return 0


_WITHOUT_A_BUCKET = {"init": new_recipe, "recipe": show_recipe}


def _ask(about: str) -> bool:
    say(about)
    try:
        return input("输入 yes 确认 / Type yes to confirm: ").strip().lower() == "yes"
    except EOFError:  # nobody is there
        say("")
        return False


def _carry_out(chosen: argparse.Namespace, bucket: OpenBucket, env: Mapping[str, str]) -> None:
    commands = Commands(bucket, say)
    if chosen.command == "status":
        commands.status(chosen.target)
    elif chosen.command == "cancel":
        commands.cancel(chosen.target, chosen.wait)
    elif chosen.command == "erase":
        confirm = (lambda _: True) if chosen.yes else _ask
        commands.erase(chosen.target, partial(open_provider_of, bucket, env), confirm)
    else:
        commands.retry(chosen.target)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # what the services log is for operators of functions
    try:
        sys.exit(main(sys.argv[1:], os.environ))
    except BrokenPipeError:
        # The reader has seen enough (head, less). What Python would still write goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
