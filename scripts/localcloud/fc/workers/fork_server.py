"""Starts instances by forking a process that has loaded what they import, where Linux can.

A start takes milliseconds then, not most of a second of work, for which people wait.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from io import FileIO
from pathlib import Path

from scripts.bundle.contents import STAND_INS_FOLDER
from scripts.localcloud.options import REPOSITORY

LAUNCHER = Path(__file__).with_name("launch.py")
# What any program needs. The rest of the person's environment stays out of the functions.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
_MAX_ANSWER_BYTES = 64


def inherited() -> dict[str, str]:
    """What a function's environment begins with."""
    own = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {
        **own,
        "PYTHONUNBUFFERED": "1",  # a killed worker's last words still reach the log
        # Each zip holds these, too: without what they stand for, oss2 loads in half the time.
        "PYTHONPATH": str(STAND_INS_FOLDER),
    }


@cache
def can_fork() -> bool:
    """Whether the kernel has what it takes, which Linux has since 5.3."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return sys.platform == "linux"


class ForkServer:
    """Forks instances. Thread-safe; whatever it forked ends with ``stop``."""

    def __init__(self) -> None:
        # All is done in one thread. The kernel kills the process with the thread that started it,
        # and no Ctrl-C comes between an order and its answer.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fork-server")
        self._process: subprocess.Popen[bytes] | None = None
        self._thread.submit(self._start)

    def fork(
        self, name: str, arguments: list[str], directory: Path, environment: Mapping[str, str]
    ) -> Forked:
        """Start an instance of the custom runtime with these arguments.

        Raises:
            OSError: There is no process to fork, or not any more.
            RuntimeError: It was stopped.
        """
        order = {
            "name": name,
            "arguments": arguments,
            "directory": str(directory),
            "environment": dict(environment),
        }
        return self._thread.submit(self._fork, order).result()

    def returncode(self, pid: int) -> int:
        """Of an instance that has ended; as ``Popen.returncode``, but only once."""
        try:
            return self._thread.submit(self._order, {"ended": pid}, []).result()
        except (OSError, RuntimeError):  # it went with the process that it was forked from
            return -signal.SIGKILL

    def stop(self) -> None:
        self._thread.submit(self._stop)
        self._thread.shutdown(wait=True)

    def _fork(self, order: Mapping[str, object]) -> Forked:
        self._start()
        output, its_output = os.pipe()
        stdout = FileIO(output)
        try:
            return Forked(self, self._pid_of(order, its_output), stdout)
        except BaseException:  # Ctrl-C, too: nobody else knows of the pipe
            stdout.close()
            raise
        finally:
            os.close(its_output)

    def _pid_of(self, order: Mapping[str, object], output: int) -> int:
        pid = self._order(order, [output])
        if pid < 0:
            raise OSError("the system allows no further process")
        return pid

    def _order(self, order: Mapping[str, object], outputs: list[int]) -> int:
        socket.send_fds(self._orders, [json.dumps(order).encode()], outputs)
        if not (answer := self._orders.recv(_MAX_ANSWER_BYTES)):
            raise ConnectionResetError("the process that instances are forked from has ended")
        return int(answer)

    def _start(self) -> None:
        """Start the process, if it does not run."""
        if self._process and self._process.poll() is None:
            return
        self._stop()
        self._orders, its_orders = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = (sys.executable, "-m", "scripts.localcloud.fc.workers.forking", str(its_orders.fileno()))
        with its_orders:
            self._process = subprocess.Popen(
                (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *command),
                cwd=REPOSITORY,
                env=inherited(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(its_orders.fileno(),),
                start_new_session=True,  # Ctrl-C in the terminal is for the parent to handle
            )

    def _stop(self) -> None:
        if self._process:
            self._orders.close()
            self._process.kill()
            self._process.wait()


class Forked:
    """An instance, with what ``subprocess.Popen`` has of it."""

    def __init__(self, server: ForkServer, pid: int, stdout: FileIO) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._server = server
        self._descriptor = os.pidfd_open(pid)
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Block until it has ended. Raises ``subprocess.TimeoutExpired``."""
        with self._lock:
            if self.returncode is None:
                ended = select.poll()
                ended.register(self._descriptor, select.POLLIN)
                if not ended.poll(None if timeout is None else timeout * 1000):
                    raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
                self.returncode = self._server.returncode(self.pid)
                os.close(self._descriptor)
            return self.returncode


class Shared:
    """One fork server for all pools of this process, from the first to the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._server: ForkServer | None = None

    def borrow(self) -> ForkServer:
        with self._lock:
            self._users += 1
            self._server = self._server or ForkServer()
            return self._server

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Keep it, if there can be one, also while no pool needs it."""
        if not can_fork():
            yield
            return
        self.borrow()
        try:
            yield
        finally:
            self.give_back()

    def give_back(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users and self._server:
                self._server.stop()
                self._server = None


SHARED = Shared()
