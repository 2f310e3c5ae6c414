"""Lets programs of this checkout find the local clouds that run.

Each cloud writes a small file beside its data, and one into a list of all clouds.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.localcloud.data_lock import is_locked
from scripts.localcloud.options import REGION, REPOSITORY

if TYPE_CHECKING:
    from scripts.localcloud.cloud import LocalCloud

ANNOUNCED = REPOSITORY / "batchdrop-data" / ".running"


@dataclass(frozen=True)
class Address:
    """Where a local cloud's bucket and provider are.

    Its keys lie in the folder, for its owner alone.
    """

    data_dir: str
    endpoint: str
    region: str
    bucket: str
    provider_url: str = ""  # of the local Bailian, if there is one
    ark_url: str = ""  # of the local Ark, if there is one
    tos_proxy: str = ""  # the door of its TOS, whose bucket has the same name
    tione_url: str = ""  # of the local TI-ONE, if there is one
    cos_address: str = ""  # the door of its COS
    cos_bucket: str = ""
    page_url: str = ""


@contextlib.contextmanager
def announced(cloud: LocalCloud, announcements: Path = ANNOUNCED) -> Iterator[None]:
    """Announce a started cloud until the block ends. What a killed one leaves means nothing.

    The list has one file a folder, so a cloud that is started again after a kill replaces its own.
    """
    data_dir = cloud.options.data_dir.resolve()
    provider_url = cloud.bailian.base_url if cloud.bailian else ""
    page_url = f"{cloud.gateway.url}/"
    address = Address(
        str(data_dir), cloud.oss.url, REGION, cloud.options.bucket, provider_url, page_url=page_url
    )
    if volcengine := cloud.volcengine:
        address = replace(address, ark_url=volcengine.ark.url, tos_proxy=volcengine.tos.proxy)
    if tencent := cloud.tencent:
        address = replace(
            address,
            tione_url=tencent.tione.url,
            cos_address=tencent.cos.address,
            cos_bucket=tencent.bucket,
        )
    paths = [_address_path(data_dir), announcements / f"{_name(data_dir)}.json"]
    for path in paths:
        # A checkout may be read-only; then --data finds the cloud.
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(asdict(address), ensure_ascii=False, indent=1), encoding="utf-8")
    try:
        yield
    finally:
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def running_clouds(announcements: Path = ANNOUNCED) -> list[Address]:
    """Every announced cloud of this checkout that runs, each folder once.

    The list only says where to look. Whether a cloud runs there, and where it listens, is what its
    own folder says: a file in the list may be older than the cloud, or its folder may be gone.
    """
    listed = [address for path in announcements.glob("*.json") if (address := _read(path))]
    folders = sorted({Path(address.data_dir).resolve() for address in listed})
    return [address for folder in folders if (address := running_cloud(folder))]


def running_cloud(data_dir: Path) -> Address | None:
    """The cloud that runs on this directory."""
    return _read(_address_path(data_dir)) if is_locked(data_dir) else None


def _address_path(data_dir: Path) -> Path:
    return data_dir / ".localcloud" / "address.json"


def _name(data_dir: Path) -> str:
    return hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]


def _read(path: Path) -> Address | None:
    try:
        return Address(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def deployed_folder(data_dir: Path) -> Path:
    """Where ``scripts/deploy/note.py`` writes what was deployed into a local account."""
    return data_dir / ".localcloud" / "deployed"


def deployed_on(data_dir: Path) -> dict[str, str]:
    """The variables of the one bucket that was deployed into the local account that runs there."""
    notes = [*deployed_folder(data_dir).glob("*.env")] if is_locked(data_dir) else []
    if len(notes) != 1:
        return {}
    return dict(line.split("=", 1) for line in shlex.split(notes[0].read_text(encoding="utf-8")))
