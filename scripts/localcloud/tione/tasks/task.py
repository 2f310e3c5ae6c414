"""What the local TI-ONE remembers of a task, whichever family of actions created it."""

from __future__ import annotations

import secrets
import string
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from pydantic import Field

from scripts.localcloud.actions.forms import Frozen
from scripts.localcloud.actions.job_memory import KeptJob

Family = Literal["batch", "training"]
INIT, STARTING, RUNNING, STOPPING = "INIT", "STARTING", "RUNNING", "STOPPING"
SUCCEED, FAILED, STOPPED = "SUCCEED", "FAILED", "STOPPED"
# In them a stop is refused.
NOT_STARTED = frozenset({INIT, STARTING})
TERMINAL = frozenset({SUCCEED, FAILED, STOPPED})
# Its pages name times without a zone; those of a console are China's.
_CHINA = timezone(timedelta(hours=8))
_SUFFIX = string.ascii_lowercase + string.digits


class CosPath(Frozen):
    """A folder in COS, as ``CosPathInfo`` names it; ``Paths`` has one."""

    bucket: str
    region: str
    paths: tuple[str, ...]

    @property
    def folder(self) -> tuple[str, str]:
        """Bucket and prefix, which ends with a slash."""
        return self.bucket, f"{self.paths[0].strip('/')}/"


class DataConfig(Frozen):
    """A folder that the container sees, or leaves its files in."""

    mapping_path: str = ""
    data_source_type: str
    cos_source: CosPath = Field(alias="COSSource")


class Task(KeptJob):
    """One task; times are in epoch seconds.

    Attributes:
        family: Of the actions that know it; those of the other do not.
        phase: Its ``Status`` in the words of batch tasks.
        reason: Its ``FailureReason``.
        command: What its container runs.
        details: What its creation said that only describing it repeats.
        looks: How often it was described or to be stopped before it ran.
        is_published: Whether its output has been copied to COS.
        is_deleted: It is known no more.
    """

    family: Family
    name: str
    command: str
    code: CosPath | None
    inputs: tuple[DataConfig, ...]
    output: CosPath
    callback_url: str = ""
    tags: tuple[Any, ...] = ()
    details: dict[str, Any]
    reason: str = ""
    created_at: int
    started_at: int | None = None
    ended_at: int | None = None
    looks: int = 0
    is_published: bool = False
    is_deleted: bool = False

    @property
    def is_terminal(self) -> bool:
        return self.phase in TERMINAL


def new_task_id(family: Family) -> str:
    digits = "".join(secrets.choice(_SUFFIX) for _ in range(16))
    return f"{'batch' if family == 'batch' else 'train'}-{digits}"


def wire_time(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, _CHINA).strftime("%Y-%m-%d %H:%M:%S")
