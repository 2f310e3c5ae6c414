"""Keeps a second local cloud out of a data directory while one runs there."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

# How often whoever holds a directory looks whether it is still there.
LOOK_S = 0.25


class DataDirUnusable(Exception):
    """No local cloud can run on this directory: it is none, or cannot be written to."""


class DataDirInUse(DataDirUnusable):
    """Another local cloud runs on this directory."""


class DataDirGone(Exception):
    """A directory of a running cloud was deleted or moved; another may have taken its place."""

    def __init__(self, gone: Path) -> None:
        super().__init__(
            f"文件夹 {gone} 被删除、移走或替换了，本地云因此停止。可以重新启动它；不在了的文件夹会重新建立。\n"
            f"The folder {gone} was deleted, moved or replaced, so the local cloud stops. "
            "You can start it again; a folder that is gone is made again."
        )


class DataLock:
    """A held data directory."""

    def __init__(self, data_dir: Path, descriptor: int) -> None:
        self._data_dir = data_dir
        self._descriptor = descriptor

    def check(self) -> None:
        """Raise ``DataDirGone`` if what was locked is not there any more."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if os.path.samestat(_lock_file(self._data_dir).stat(), os.fstat(self._descriptor)):
                return
        private = _lock_file(self._data_dir).parent
        raise DataDirGone(private if self._data_dir.exists() else self._data_dir)

    @contextlib.contextmanager
    def told_once(self) -> Iterator[None]:
        """Of what breaks once the directory is gone, tell only that it is, until the end."""
        show = threading.excepthook

        def show_defects(broken: threading.ExceptHookArgs) -> None:
            with contextlib.suppress(DataDirGone):
                self.check()
                show(broken)

        threading.excepthook = show_defects
        try:
            yield
        except DataDirGone:
            logging.disable(logging.CRITICAL)
            raise


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[DataLock]:
    """Hold the directory, which is made if need be, and keep its private part private.

    The kernel releases the locks when the process ends in any way; a file that stays means nothing.
    Workers do not hold them, since Python closes its files in the programs it starts.

    Raises:
        DataDirInUse: Another process, or another local cloud of this one, holds it.
        DataDirUnusable: There can be no such directory, or nothing can be written into it.
    """
    with ExitStack() as held:
        # The lock in the directory goes with it when it is deleted or moved; this one stays.
        path_lock = _path_lock_file(data_dir)
        with contextlib.suppress(OSError):  # somebody else's file, or a link: the other lock is there
            _lock(path_lock, data_dir, held)
            held.callback(path_lock.unlink, missing_ok=True)
        try:
            lock = _lock(_private_lock_file(data_dir), data_dir, held)
        except OSError as error:
            message = (
                f"文件夹 {data_dir} 不能使用（{error.strerror}）。--data 必须是可以写入的文件夹，请换一个。\n"
                f"The folder {data_dir} cannot be used ({error.strerror}). --data must be a folder that can be written to; "
                "choose another."
            )
            raise DataDirUnusable(message) from error
        yield DataLock(data_dir, lock)


def is_locked(data_dir: Path) -> bool:
    """Whether a local cloud runs on this directory."""
    try:
        with _lock_file(data_dir).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _private_lock_file(data_dir: Path) -> Path:
    """The lock within the directory, in a folder that is its user's alone."""
    lock_file = _lock_file(data_dir)
    lock_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):  # a file system without permissions
        lock_file.parent.chmod(0o700)
    return lock_file


def _lock(path: Path, data_dir: Path, held: ExitStack) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    held.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "?"
        message = (
            f"文件夹 {data_dir} 上已有本地云在运行（进程 {holder}）。请先停止它，或换一个文件夹。\n"
            f"Another local cloud runs on {data_dir} (process {holder}). Stop it, or choose another folder."
        )
        raise DataDirInUse(message) from error
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def _lock_file(data_dir: Path) -> Path:
    return data_dir / ".localcloud" / "lock"


def _path_lock_file(data_dir: Path) -> Path:
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir(), f"batchdrop-{os.getuid()}-{name}.lock")
