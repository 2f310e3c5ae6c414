"""``scripts/batchdrop``: everything that people do with Batchdrop at a terminal."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence

if __name__ == "__main__":
    # The imports take a moment, in which Ctrl-C should not show where they are.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import click

from scripts.operate.door.commands import batchdrop
from scripts.operate.door.completion import complete
from scripts.operate.door.mistakes import in_chinese
from scripts.operate.door.parameters import Door
from scripts.operate.door.reply import DONE, INTERRUPTED, NOT_READ, Reply
from scripts.operate.texts.said import Refusal, said
from shared.problems.exceptions import ConfigurationError, PipelineError

PROGRAM = "scripts/batchdrop"


def main(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Carry out one command and return the exit status; errors go to standard error."""
    reply = Reply(is_json="--json" in arguments)
    door = Door(env, reply)
    try:
        with batchdrop.make_context(PROGRAM, list(arguments), obj=door) as context:
            return reply.end(batchdrop.invoke(context) or DONE)
    except click.exceptions.Exit as exit_:  # after --help
        return exit_.exit_code
    except click.UsageError as mistake:
        return _misused(reply, mistake)
    except KeyboardInterrupt:
        return reply.fail(said("interrupted"), *_how_on(door), exit_code=INTERRUPTED)
    except (Refusal, OSError, PipelineError) as error:
        return _failed(error, door)


def _misused(reply: Reply, mistake: click.UsageError) -> int:
    told = mistake.format_message()
    if isinstance(mistake, click.exceptions.NoArgsIsHelpError):
        return reply.misused("", told)
    usage = f"{mistake.ctx.get_usage()}\n" if mistake.ctx else ""
    return reply.misused(in_chinese(mistake), told, usage)


def _failed(error: Exception, door: Door) -> int:
    if isinstance(error, Refusal):
        return door.reply.refuse(error)
    if isinstance(error, BrokenPipeError):
        raise error  # no file of ours: see below
    if isinstance(error, OSError):
        return door.reply.fail(said("file_error", reason=error))
    code = "no_access" if isinstance(error, ConfigurationError) else "unreachable"
    name = door.env.get("BUCKET_NAME", "") if door.data is None else door.data
    return door.reply.fail(said(code, bucket=name, reason=str(error).rstrip(".")), *_how_on(door))


def _how_on(door: Door) -> list[str]:
    return [said(door.if_interrupted)] if door.if_interrupted else []


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # what the services log is for operators of functions
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(
            complete(os.environ) if "_BATCHDROP_COMPLETE" in os.environ else main(sys.argv[1:], os.environ)
        )
    except BrokenPipeError:
        # The reader has seen enough (head, less). What Python would still write goes nowhere.
        # How the command ended was not read: this is what a shell shows of SIGPIPE, 128 + 13.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(NOT_READ)
