"""The command that makes the shell complete the others."""

from __future__ import annotations

import click

from scripts.localcloud.options import REPOSITORY
from scripts.operate.door.parameters import Door, command


@command(
    "completion", 'Print what makes the shell complete commands: eval "$(scripts/batchdrop completion bash)".'
)
@click.argument("shell", type=click.Choice(["bash", "zsh"]))
def completion(door: Door, shell: str) -> None:
    from scripts.operate.door.completion import script_for  # noqa: PLC0415 - it needs the table of commands

    script = script_for(shell, str(REPOSITORY / "scripts" / "batchdrop"))
    door.reply.tell(script)
    door.reply.show(script=script)
