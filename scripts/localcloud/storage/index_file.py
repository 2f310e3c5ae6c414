"""The SQLite file of the index: its tables, and how it is opened and repaired."""

from __future__ import annotations

import sqlite3
from pathlib import Path

# Keys are BLOBs: they sort by their UTF-8 bytes, as OSS lists them, and may hold any character.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key BLOB NOT NULL, file TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, modified_s INTEGER NOT NULL, etag TEXT NOT NULL, crc64 TEXT NOT NULL,
    object_type TEXT NOT NULL, content_type TEXT NOT NULL, user_meta TEXT NOT NULL,
    PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
    upload_id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, initiated_s INTEGER NOT NULL,
    content_type TEXT NOT NULL, user_meta TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts (
    upload_id TEXT NOT NULL REFERENCES uploads ON DELETE CASCADE, number INTEGER NOT NULL, file TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, modified_s INTEGER NOT NULL, etag TEXT NOT NULL, crc64 TEXT NOT NULL,
    PRIMARY KEY (upload_id, number));
CREATE TABLE IF NOT EXISTS buckets (bucket TEXT PRIMARY KEY, properties TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS undelivered (id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL);
"""


def open_index_file(file: Path) -> sqlite3.Connection:
    try:
        return _connect(file)
    except sqlite3.DatabaseError:
        # The objects are the files: set a damaged index aside and build it again from them.
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        file.replace(file.with_suffix(".damaged"))
        return _connect(file)


def _connect(file: Path) -> sqlite3.Connection:
    # The storage's lock serialises the threads; isolation_level None leaves transactions to us.
    connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.executescript(_SCHEMA)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection
