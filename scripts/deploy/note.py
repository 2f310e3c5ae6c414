"""What other commands need to know of a deployment, in a file that only its owner may read."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from scripts.bundle.zips import ROOT
from scripts.deploy.place import Place
from scripts.deploy.ros import Stack
from scripts.operate.access import open_bucket
from scripts.operate.links.links import Links
from shared.runtime.system_clock import SystemClock

FOLDER = ROOT / "batchdrop-data" / "deployed"
_LINK_DAYS = 30


def variables(place: Place, stack: Stack, secrets: Mapping[str, str]) -> dict[str, str]:
    """By name; the keys of the account are not among them."""
    bucket = stack.parameters["BucketName"]
    told = {"BUCKET_NAME": bucket, "OSS_ENDPOINT": place.oss_endpoint, "OSS_REGION": place.region}
    if "PageUrl" in stack.outputs and secrets.get("PageSecret"):
        told |= {"PAGE_URL": stack.outputs["PageUrl"], "PAGE_SECRET": secrets["PageSecret"]}
    return told


def written(told: Mapping[str, str]) -> Path:
    """Write variables down, for a shell to read; returns where."""
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = FOLDER / f"{told['BUCKET_NAME']}.env"
    path.touch(mode=0o600)
    path.write_text(
        "".join(f"{name}={shlex.quote(value)}\n" for name, value in told.items()), encoding="utf-8"
    )
    return path


def operators_link(place: Place, told: Mapping[str, str]) -> str | None:
    """A link that shows the operator all folders; None without a page."""
    if "PAGE_URL" not in told:
        return None
    keys = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": place.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": place.access_key_secret,
    }
    links = Links(open_bucket({**told, **keys}, None), SystemClock())
    return links.make("", timedelta(days=_LINK_DAYS), is_operator=True).url
