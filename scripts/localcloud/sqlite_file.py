"""Opens the SQLite file in which a local service remembers what it is asked."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def open_sqlite(file: Path, schema: str) -> sqlite3.Connection:
    """A connection for any thread; only its owner may read the file, and what lies beside it.

    A crash of the machine may lose a test service's last moments; a crash of the process may not.
    """
    file.touch(mode=0o600)
    file.chmod(0o600)
    database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")
    database.executescript(schema)
    return database
