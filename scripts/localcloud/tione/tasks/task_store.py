"""The local TI-ONE's memory: one SQLite file for the tasks, and a folder for each container."""

from __future__ import annotations

import shutil
from pathlib import Path

from scripts.localcloud.actions.job_memory import JobMemory
from scripts.localcloud.tione.tasks.task import TERMINAL, Task
from scripts.localcloud.tione.tasks.task_faults import TaskFault

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, family TEXT, phase TEXT, json TEXT, fault TEXT);
CREATE INDEX IF NOT EXISTS jobs_by_phase ON jobs (phase);
"""


class TaskStore(JobMemory[Task, TaskFault]):
    """Tasks, those that are deleted, too."""

    def __init__(self, directory: Path) -> None:
        self._work = directory / "work"
        self._work.mkdir(parents=True, exist_ok=True)
        super().__init__(directory / "tione.sqlite3", _SCHEMA, Task, TaskFault, TERMINAL)
        for folder in self._work.iterdir():
            self.forget_work(folder.name)  # of a task whose end was killed

    def folder_of(self, task_id: str) -> Path:
        """What its container sees of its disk, until the output is published."""
        return self._work / task_id

    def forget_work(self, task_id: str) -> None:
        """Unless its container runs, or its output is still to be published."""
        task = self.job(task_id)
        if task is None or (task.is_terminal and task.is_published):
            shutil.rmtree(self.folder_of(task_id), ignore_errors=True)
