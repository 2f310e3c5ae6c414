"""What the shell completes: https://click.palletsprojects.com/en/stable/shell-completion/."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from click.shell_completion import get_completion_class, shell_complete

from scripts.operate.door.commands import batchdrop
from scripts.operate.door.parameters import Door
from scripts.operate.door.reply import Reply

VARIABLE = "_BATCHDROP_COMPLETE"
SHELLS = ("bash", "zsh")
_NAME = "batchdrop"  # shells find what is typed with a path by its last part


def script_for(shell: str, program: str) -> str:
    """What the shell is to run at its start; ``program`` is where the launcher is.

    Raises:
        ValueError: Of a shell that is none of ``SHELLS``.
    """
    made = get_completion_class(shell)
    if made is None or shell not in SHELLS:
        raise ValueError(shell)
    source = made(batchdrop, {}, _NAME, VARIABLE).source()
    # The launcher need not be on the PATH.
    source = re.sub(r".*\$\+commands\[.*\n", "", source)
    # A ~/.zshrc need not have started zsh's completion.
    start = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }"
    source = source.replace("    compdef ", f"    {start}\n    compdef ")
    return source.replace(f"{shell}_complete {_NAME}", f"{shell}_complete {shlex.quote(program)}")


def complete(env: Mapping[str, str]) -> int:
    """Answer the shell, which has put what was typed into the environment."""
    door = Door(env, Reply(is_json=True))
    return shell_complete(batchdrop, {"obj": door}, _NAME, VARIABLE, env[VARIABLE])
