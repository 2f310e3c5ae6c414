"""Becomes another command, which the kernel kills with its parent.

Run by path as ``launch.py PARENT_PID COMMAND…``. It is a program of its own and imports nothing of
the project: a ``preexec_fn`` may deadlock in a parent with threads
(https://docs.python.org/3/library/subprocess.html#subprocess.Popen).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; survives execve, see prctl(2)


def die_with_parent(parent_pid: int) -> None:
    """From now on the kernel kills this process with the thread of the parent that made it."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # the parent died before the line above
        sys.exit(1)


def main() -> None:
    parent_pid, *command = sys.argv[1:]
    die_with_parent(int(parent_pid))
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
