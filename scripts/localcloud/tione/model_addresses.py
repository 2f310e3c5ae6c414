"""Where the model server has been: a task is told once where it is, and a restart may move it."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.localcloud.servers.json_bodies import json_object_in


class ModelAddresses:
    """Every address that the model server of one folder ever had.

    Args:
        file: Where they are kept, one a line.
        now: The present one.
    """

    def __init__(self, file: Path, now: str) -> None:
        self._now = now
        self._former = {*file.read_text(encoding="utf-8").split()} if file.exists() else set()
        if now not in self._former:
            with file.open("a", encoding="utf-8") as lines:
                lines.write(f"{now}\n")

    def correct(self, inputs: Path) -> None:
        """Let each ``task.json`` below name the present address in place of a former one."""
        for file in inputs.rglob("task.json"):
            task = json_object_in(file.read_bytes()) or {}
            server = task.get("server")
            if isinstance(server, dict) and server.get("url") in self._former:
                server["url"] = self._now
                file.write_text(json.dumps(task), encoding="utf-8")
