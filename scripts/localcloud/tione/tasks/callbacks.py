"""The calls that tell of a task's end (https://cloud.tencent.com/document/product/851/84292)."""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import Any

import requests

from scripts.localcloud.answers.caller_threads import CallerThreads
from scripts.localcloud.tione.tasks.task import STOPPED, SUCCEED, Family, Task, new_task_id
from scripts.localcloud.tione.tasks.task_faults import TaskFault

log = logging.getLogger(__name__)

PROJECTS: dict[Family, str] = {"batch": "predict", "training": "training"}
HEARD = {"code": 0, "message": "success"}
_TIMEOUT_S = 10
_RUN_FAILED = 10002


class Callbacks:
    """Tells a task's end at most twice, unsigned: again if another answer comes than ``HEARD``.

    Attributes:
        answers: What receivers have answered, oldest first, or why there was no answer.
    """

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._threads = CallerThreads(2, "callback")
        self.answers: list[object] = []

    def close(self) -> None:
        self._threads.close()

    def tell(self, task: Task, fault: TaskFault) -> None:
        if task.callback_url and fault.callbacks:
            self._threads.submit(partial(self._tell, task, fault))

    def forge(self, task: Task, times: int) -> None:
        """Somebody who knows the address, and no more."""
        told = {**_told(task), "id": new_task_id(task.family), "code": 0}
        for _ in range(times if task.callback_url else 0):
            self._threads.submit(partial(self._post, task.callback_url, told))

    def _tell(self, task: Task, fault: TaskFault) -> None:
        self._stopping.wait(fault.callback_delay_s)
        for call in range(2):
            is_heard = self._post(task.callback_url, _told(task)) is None
            if is_heard and call + 1 >= fault.callbacks:
                return

    def _post(self, url: str, told: dict[str, Any]) -> str | None:
        """What is wrong with the answer, if anything is."""
        try:
            response = requests.post(url, json=told, timeout=_TIMEOUT_S, allow_redirects=False)
            said = response.json()
        except (requests.RequestException, ValueError) as error:
            said = type(error).__name__
        self.answers.append(said)
        if said == HEARD:
            return None
        log.info("callback.not_heard", extra={"task_id": told["id"]})
        return str(said)


def _told(task: Task) -> dict[str, Any]:
    is_good = task.phase in {SUCCEED, STOPPED}
    took_s = (task.ended_at or task.created_at) - (task.started_at or task.created_at)
    return {
        "code": 0 if is_good else _RUN_FAILED,
        "message": "success" if is_good else task.reason,
        "id": task.id,
        "appName": "tione",
        "projectName": PROJECTS[task.family],
        "taskName": "Stop" if task.phase == STOPPED else "Start",
        "totalTime": took_s,
        "responseTime": 0,
    }
