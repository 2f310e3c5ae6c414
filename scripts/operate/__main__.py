"""``scripts/batchdrop``: see what is open, cancel a job, retry a closed job's unanswered rows."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence

from scripts.operate.access import NEEDED, OpenBucket, open_bucket
from scripts.operate.commands import Commands
from scripts.operate.texts import Refusal, said
from scripts.terminal import typed_folder
from shared.problems.exceptions import ConfigurationError, PipelineError

WAIT_S = 20.0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/batchdrop",
        description="See what is open, cancel a job, send the unanswered rows of a closed one again.",
        epilog=f"The bucket is that of the environment variables {', '.join(NEEDED)}, or that of the local cloud "
        "that runs from this checkout. Exit status: 0 done, or nothing to do; 1 not possible; 2 wrong usage.",
    )
    parser.add_argument(
        "--data", type=typed_folder, metavar="DIR", help="the folder of the local cloud that is meant"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    job_or_file = "a job id, or a file such as inbox/a/b.csv or a/b.csv"
    status = commands.add_parser("status", help="what is open, or one job in detail")
    status.add_argument("target", nargs="?", metavar="job|file", help=job_or_file)
    cancel = commands.add_parser("cancel", help="send nothing more of a job; keep the answers that are there")
    cancel.add_argument("target", metavar="job|file", help=job_or_file)
    cancel.add_argument(
        "--wait", type=float, default=WAIT_S, metavar="S", help="seconds to wait for its end (default: 20)"
    )
    retry = commands.add_parser("retry", help="send the unanswered rows of a closed job again")
    retry.add_argument("target", metavar="job|file", help=job_or_file)
    return parser


def main(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Carry out one command and return the exit status; errors go to standard error."""
    chosen = _parser().parse_args(arguments)
    try:
        bucket = open_bucket(env, chosen.data)
        _carry_out(chosen, bucket)
    except Refusal as refusal:
        print(refusal, file=sys.stderr, flush=True)
        return 1
    except PipelineError as error:
        code = "no_access" if isinstance(error, ConfigurationError) else "unreachable"
        name = env.get("BUCKET_NAME", "") if chosen.data is None else chosen.data
        print(said(code, bucket=name, reason=error), file=sys.stderr, flush=True)
        return 1
    return 0


def _carry_out(chosen: argparse.Namespace, bucket: OpenBucket) -> None:
    commands = Commands(bucket, lambda line: print(line, flush=True))
    if chosen.command == "status":
        commands.status(chosen.target)
    elif chosen.command == "cancel":
        commands.cancel(chosen.target, chosen.wait)
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
