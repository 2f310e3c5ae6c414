"""Lets programs of this checkout find the local clouds that run: a small file beside the data, and a list of those."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.localcloud.data_lock import is_locked
from scripts.localcloud.options import REGION, REPOSITORY

if TYPE_CHECKING:
    from scripts.localcloud.cloud import LocalCloud

ANNOUNCED = REPOSITORY / "batchdrop-data" / ".running"


@dataclass(frozen=True)
class Address:
    """Where a local cloud's bucket is. Its keys are in the source, and open nothing else."""

    data_dir: str
    endpoint: str
    region: str
    bucket: str


@contextlib.contextmanager
def announced(cloud: LocalCloud, announcements: Path = ANNOUNCED) -> Iterator[None]:
    """Announce a cloud that has started until the block ends. What a killed one leaves behind means nothing."""
    data_dir = cloud.options.data_dir.resolve()
    address = Address(str(data_dir), cloud.oss.url, REGION, cloud.options.bucket)
    paths = [_address_path(data_dir), announcements / f"{os.getpid()}.json"]
    for path in paths:
        with contextlib.suppress(OSError):  # a checkout may be read-only; then --data finds the cloud
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(asdict(address), ensure_ascii=False, indent=1), encoding="utf-8")
    try:
        yield
    finally:
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def running_clouds(announcements: Path = ANNOUNCED) -> list[Address]:
    """Every announced cloud of this checkout that runs."""
    found = [_read(path) for path in sorted(announcements.glob("*.json"))]
    return [address for address in found if address and running_cloud(Path(address.data_dir)) == address]


def running_cloud(data_dir: Path) -> Address | None:
    """The cloud that runs on this directory."""
    return _read(_address_path(data_dir)) if is_locked(data_dir) else None


def _address_path(data_dir: Path) -> Path:
    return data_dir / ".localcloud" / "address.json"


def _read(path: Path) -> Address | None:
    try:
        return Address(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
