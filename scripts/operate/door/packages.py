"""Packages that only some commands need; each lock is installed by the first of these."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

from scripts.localcloud.options import REPOSITORY
from scripts.operate.door.reply import Reply
from scripts.operate.texts.said import said

_LOCKS = REPOSITORY / "scripts"


def install_once(lock_name: str, reply: Reply, code: str) -> None:
    """Install what a lock pins, once for each content of it; say so by the text of ``code``.

    Raises:
        subprocess.CalledProcessError: pip could not.
    """
    lock, stamp = _LOCKS / lock_name, Path(sys.prefix, lock_name)
    if _is_same(lock, stamp):
        return
    reply.tell(said(code))
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"]
    # Nothing of pip's belongs among the lines for programs.
    subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", str(lock)], check=True, stdout=sys.stderr)
    stamp.write_bytes(lock.read_bytes())
    importlib.invalidate_caches()  # what is imported next was not there when this program started


def is_for_development() -> bool:
    """Whether the packages are installed by which this project is developed."""
    return _is_same(_LOCKS / "dev.lock", Path(sys.prefix, "installed.lock"))


def _is_same(lock: Path, stamp: Path) -> bool:
    return stamp.exists() and stamp.read_bytes() == lock.read_bytes()
