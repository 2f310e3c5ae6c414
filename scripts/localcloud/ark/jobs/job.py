"""What the local Ark remembers of a job, and how its answers show it.

https://www.volcengine.com/docs/82379/1339609
"""

from __future__ import annotations

import secrets
import string
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from scripts.localcloud.actions.forms import Frozen
from scripts.localcloud.actions.job_memory import KeptJob

Phase = Literal["Queued", "Initializing", "Running", "Terminating", "Completed", "Failed", "Terminated"]
TERMINAL: frozenset[str] = frozenset({"Completed", "Failed", "Terminated"})
CREATED_BY = {"Key": "sys:ark:createdBy", "Value": "IAMUser/2100000000/local"}
_BEIJING = timezone(timedelta(hours=8))
_SUFFIX = string.ascii_lowercase + string.digits


class Location(Frozen):
    """An object, or the folder of several."""

    bucket_name: str
    object_key: str

    @property
    def place(self) -> tuple[str, str]:
        return self.bucket_name, self.object_key


class Tag(Frozen):
    """A label of the user's."""

    key: str
    value: str = ""


class Job(KeptJob):
    """One job; times are in epoch seconds.

    Attributes:
        succeeded: Rows with an answer.
        failed: Rows with an error.
        is_published: Whether its files lie in the bucket.
        was_resumed: Whether it ended before, and goes on.
        is_deleted: It is shown no more, but counts as one that was created.
    """

    id: str
    name: str
    description: str = ""
    project_name: str = "default"
    model_reference: dict[str, Any]
    input_file: Location
    output_dir: Location
    error_file: Location | None = None
    window_days: int
    tags: tuple[Tag, ...] = ()
    phase: Phase = "Queued"
    phase_at: int
    message: str = ""
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    created_at: int
    updated_at: int
    expires_at: int
    is_published: bool = False
    was_resumed: bool = False
    is_deleted: bool = False

    @property
    def is_terminal(self) -> bool:
        return self.phase in TERMINAL

    def shown(self, *, is_alone: bool, counts_failed: bool = True) -> dict[str, Any]:
        """What the list shows of it, or with ``is_alone`` a get."""
        completed = self.succeeded + (self.failed if counts_failed else 0)
        shown: dict[str, Any] = {
            "Id": self.id,
            "Name": self.name,
            "Description": self.description,
            "ProjectName": self.project_name,
            "Status": {"Phase": self.phase, "PhaseTime": _time(self.phase_at), "Message": self.message},
            "RequestCounts": {"Total": self.total, "Completed": completed, "Failed": self.failed},
            "ModelReference": self.model_reference,
            "InputFileTosLocation": self.input_file.model_dump(by_alias=True),
            "OutputDirTosLocation": self.output_dir.model_dump(by_alias=True),
            # As read back; it is created with "2d".
            "CompletionWindow": f"{self.window_days} days",
            "Tags": [CREATED_BY, *(tag.model_dump(by_alias=True) for tag in self.tags)],
            "CreateTime": _time(self.created_at),
            "UpdateTime": _time(self.updated_at),
            "ExpireTime": _time(self.expires_at),
        }
        if is_alone and self.error_file:
            shown["ErrorFileTosLocation"] = self.error_file.model_dump(by_alias=True)
        return shown


def new_job_id(at: int) -> str:
    suffix = "".join(secrets.choice(_SUFFIX) for _ in range(5))
    return f"bi-{datetime.fromtimestamp(at, _BEIJING):%Y%m%d%H%M%S}-{suffix}"


def _time(at: int) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
