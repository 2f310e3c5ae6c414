"""The runner as a code package in COS, under the hash of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.providers.tione.runner import runner

_FILES = ("start.sh", "runner.py")


@cache
def runner_files() -> Mapping[str, bytes]:
    folder = Path(runner.__file__).parent
    return {name: (folder / name).read_bytes() for name in _FILES}


@cache
def runner_hash() -> str:
    """Of names and contents, so that another version never takes the place of one that runs."""
    digest = hashlib.sha256()
    for name, content in runner_files().items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:32]
