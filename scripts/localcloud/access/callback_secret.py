"""The secret that signs callback URLs."""

from __future__ import annotations

import secrets
from pathlib import Path


def callback_secret(own_dir: Path) -> str:
    """Made once and kept: a batch that outlives a restart calls a URL that was signed before it."""
    path = own_dir / "callback-secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text()
