"""What other commands need to know of a deployment, in a file that only its owner may read."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from scripts.bundle.zips import ROOT
from scripts.deploy.place import Place
from scripts.deploy.ros import Stack

FOLDER = ROOT / "batchdrop-data" / "deployed"


def written(place: Place, stack: Stack, secrets: Mapping[str, str], folder: Path = FOLDER) -> Path:
    """Write it down, for a shell to read; returns where. The keys of the account are not in it."""
    bucket = stack.parameters["BucketName"]
    told = {"BUCKET_NAME": bucket, "OSS_ENDPOINT": place.oss_endpoint, "OSS_REGION": place.region}
    if "PageUrl" in stack.outputs:
        told["PAGE_URL"] = stack.outputs["PageUrl"]
    if "PageSecret" in secrets:
        told["PAGE_SECRET"] = secrets["PageSecret"]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{bucket}.env"
    path.touch(mode=0o600)
    path.write_text(
        "".join(f"{name}={shlex.quote(value)}\n" for name, value in told.items()), encoding="utf-8"
    )
    return path
