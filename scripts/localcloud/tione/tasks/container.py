"""The container of a task: a process with four folders of its own, and nobody's secrets."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from scripts.localcloud.actions.objects import Objects
from scripts.localcloud.fc.workers.fork_server import LAUNCHER
from scripts.localcloud.tione.tasks.task import CosPath, Task

# https://cloud.tencent.com/document/product/851/77377
MOUNT = "/opt/ml"


class Container:
    """Runs the start command of a task, in whose text ``/opt/ml`` is its folder ``ml``.

    The thread that starts it must outlive it: for Linux that is its parent, with which it dies.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = folder / "ml"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def inputs(self) -> Path:
        return self._root / "input" / "data"

    @property
    def output(self) -> Path:
        return self._root / "output"

    def fill(self, task: Task, objects: Objects) -> None:
        """Fetch what it sees; an earlier try leaves nothing behind."""
        shutil.rmtree(self._root, ignore_errors=True)
        for each in (self.inputs, self.output, self._root / "code", self._root / "model"):
            each.mkdir(parents=True)
        for config in task.inputs:
            _fetch(config.cos_source, self._mounted_at(config.mapping_path), objects)
        if task.code:
            _fetch(task.code, self._root / "code", objects)

    def _mounted_at(self, path: str) -> Path:
        """Batch tasks name none; training tasks name the place itself."""
        return self._root / path.removeprefix(MOUNT).strip("/") if path.startswith(MOUNT) else self.inputs

    def start(self, command: str) -> None:
        told = command.replace(MOUNT, shlex.quote(str(self._root)))
        # Unlike other shells, bash gives its place, and so SIGTERM, to a command that stands alone.
        shell: tuple[str, ...] = (shutil.which("bash") or "sh", "-c", told)
        if sys.platform == "linux":
            shell = (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *shell)
        # The python that a container has is whichever comes first.
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                shell,
                cwd=self._root,
                env={"PATH": path, "HOME": str(self._root), "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def exit_code(self) -> int | None:
        """``None`` while it runs."""
        return self._process.poll() if self._process else None

    def terminate(self) -> None:
        """Ask its first process to end, as container runtimes do."""
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def end(self) -> None:
        """Whatever of it still runs is killed."""
        if self._process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _fetch(path: CosPath, folder: Path, objects: Objects) -> None:
    bucket, prefix = path.folder
    for key in objects.under(bucket, prefix):
        file = (folder / key.removeprefix(prefix)).resolve()
        if not file.is_relative_to(folder.resolve()):
            continue
        if key.endswith("/"):
            file.mkdir(parents=True, exist_ok=True)
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        objects.fetch(bucket, key, file)
