"""Processes that a test starts; they end with their block, also where the test fails in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]


@contextmanager
def started(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process whose output is text in a pipe, unless the options of ``Popen`` say otherwise.

    At the end of the block it is killed with all that it has started in its session. If the block
    fails, what they said and nobody has read is shown with the failure.
    """
    usual: dict[str, Any] = {"cwd": ROOT, "stdout": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, **(usual | options)) as process:
        try:
            yield process
        except BaseException:
            _kill(process)
            for stream in (process.stdout, process.stderr):
                _show(stream)
            raise
        finally:
            _kill(process)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """The first line that has the text in it; fail if the process ends without one."""
    heard = []
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
        heard.append(line)
    raise AssertionError(f"it ended without saying {text!r}, but this:\n{''.join(heard)}")


def _kill(process: subprocess.Popen[Any]) -> None:
    """Not it alone: what it has started may hold its pipes, and whoever reads them would wait."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _show(stream: IO[Any] | None) -> None:
    if stream and not stream.closed:
        said = stream.read()
        sys.stderr.write(said if isinstance(said, str) else said.decode(errors="replace"))
