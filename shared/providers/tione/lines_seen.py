"""What went by of a file of lines: its hash and how many, and whether a line is whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator


def is_whole(line: bytes) -> bool:
    """Whether nothing of it is missing but its line feed, of a line that may be paid for."""
    if line.endswith(b"\n"):
        return True
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


class Seen:
    """Hash and lines of what went by; ours all end with a line feed."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.lines = 0

    def add(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self.lines += chunk.count(b"\n")

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def each_of(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.add(chunk)
            yield chunk
