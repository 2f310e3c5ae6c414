"""The keys that open a local cloud to the person at this machine: random, one set a data folder."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class OwnKeys:
    """What OSS tools and OpenAI SDKs need for this folder's cloud, and for no other."""

    access_key_id: str
    access_key_secret: str = field(repr=False)
    api_key: str = field(repr=False)


# Of a cloud that runs since before keys were random.
FORMER_KEYS = OwnKeys("LocalCloudKeyId", "LocalCloudKeySecret", "sk-local")


def own_keys(data_dir: Path) -> OwnKeys:
    """The folder's keys, made with its first cloud."""
    return _parse(kept_secret(_path(data_dir), _made))


def keys_of_running(data_dir: Path) -> OwnKeys:
    """The keys of the cloud that runs there.

    Raises:
        PermissionError: It is somebody else's.
    """
    path = _path(data_dir)
    return _parse(path.read_text(encoding="utf-8")) if path.exists() else FORMER_KEYS


def callback_secret(data_dir: Path) -> str:
    """What signs callback URLs.

    Made once and kept: a batch that outlives a restart calls a URL that was signed before it.
    """
    return kept_secret(data_dir / ".localcloud" / "callback-secret", lambda: secrets.token_hex(32))


def page_secret(data_dir: Path) -> str:
    """What signs links to the page, which stay good when the cloud is started again."""
    return kept_secret(data_dir / ".localcloud" / "page-secret", lambda: secrets.token_hex(32))


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """A file's text, which is made if need be; only its owner may read it."""
    if not path.exists() or not path.stat().st_size:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(make(), encoding="utf-8")
        draft.replace(path)  # a killed start leaves a whole secret or none
    return path.read_text(encoding="utf-8")


def _path(data_dir: Path) -> Path:
    return data_dir / ".localcloud" / "keys.json"


def _made() -> str:
    keys = OwnKeys(f"Local{secrets.token_hex(8)}", secrets.token_hex(20), f"sk-local-{secrets.token_hex(20)}")
    return json.dumps(asdict(keys), indent=1)


def _parse(text: str) -> OwnKeys:
    return OwnKeys(**json.loads(text))
