"""The command that runs the local cloud."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.options import DEFAULT_DATA
from scripts.localcloud.terminal.command import CannotStart, run_cloud
from scripts.localcloud.terminal.command_line import PARAMETERS, cloud_options
from scripts.operate.door.parameters import Door, command
from scripts.operate.texts.said import Refusal
from shared.runtime.logs import configure_logging


@command(
    "cloud",
    "Run Batchdrop on this machine until Ctrl-C. Drop files into its inbox/, find answers in results/.",
)
def cloud(door: Door, **chosen: Any) -> None:
    logging.disable(logging.NOTSET)  # unlike other commands, it tells what it does
    configure_logging("WARNING")  # the functions log to their own files
    on_start = partial(_started, door) if door.reply.is_json else None
    try:
        run_cloud(cloud_options(chosen, door.data or DEFAULT_DATA, door.env), on_start)
    except CannotStart as error:
        raise Refusal("cloud_cannot_start", *str(error).split("\n")) from None


cloud.params += PARAMETERS


def _started(door: Door, cloud: LocalCloud) -> None:
    folders = {name: str(cloud.bucket_dir / name) for name in ("inbox", "results", "rejected")}
    door.reply.event(
        event="started", **folders, page=f"{cloud.gateway.url}/", oss=cloud.oss.url, logs=str(cloud.logs_dir)
    )
