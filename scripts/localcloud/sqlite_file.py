"""What a local service remembers, in one SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path


class SqliteMemory:
    """Safe to use from any thread, and nothing is lost at a restart.

    Hold ``lock`` to look and change in one step. Only its owner may read the file, and what lies
    beside it. A crash of the machine may lose a test service's last moments; a crash of the process
    may not.
    """

    def __init__(self, file: Path, schema: str) -> None:
        self.lock = threading.RLock()
        file.touch(mode=0o600)
        file.chmod(0o600)
        self._database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(schema)

    def close(self) -> None:
        with self.lock:
            self._database.close()

    def _execute(self, statement: str, values: tuple[object, ...]) -> list[tuple[str, ...]]:
        with self.lock:
            return self._database.execute(statement, values).fetchall()
