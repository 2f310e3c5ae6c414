"""Keeps a second local cloud out of a data directory while one runs there."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class DataDirInUse(Exception):
    """Another local cloud runs on this directory."""


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the directory, which is made if need be.

    The kernel releases the lock when the process ends in any way; the file that stays means
    nothing. Workers do not hold the lock, since Python closes its files in the programs it starts.

    Raises:
        DataDirInUse: Another process, or another local cloud of this one, holds it.
    """
    path = data_dir / ".localcloud" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read(20).decode("ascii", "replace").strip() or "unknown"
            message = f"another local cloud runs on {data_dir} (process {holder}); stop it, or choose another directory"
            raise DataDirInUse(message) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n".encode())
        yield


def is_locked(data_dir: Path) -> bool:
    """Whether a local cloud runs on this directory."""
    try:
        with (data_dir / ".localcloud" / "lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
