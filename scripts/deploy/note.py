"""What other commands need to know of a deployment, in a file that only its owner may read."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from scripts.deploy.place import Place
from scripts.operate.access import open_bucket
from scripts.operate.links.links import Links
from shared.runtime.system_clock import SystemClock

_LINK_DAYS = 30


class Note:
    """The variables of one bucket's deployment, for a shell to read.

    The page's secret is nowhere else: ROS shows it to nobody.
    """

    def __init__(self, place: Place, bucket: str) -> None:
        self._place = place
        self._bucket = bucket
        self.path = place.notes / f"{bucket}.env"

    def read(self) -> dict[str, str]:
        """The variables by name; none of a bucket that nothing was noted of."""
        if not self.path.exists():
            return {}
        lines = shlex.split(self.path.read_text(encoding="utf-8"))
        return dict(line.split("=", 1) for line in lines)

    def with_known(self, own: Mapping[str, str]) -> dict[str, str]:
        """These new secrets, but in place of the page's the one that is noted: links stay good."""
        secret = self.read().get("PAGE_SECRET")
        return {**own, "PageSecret": secret} if secret and "PageSecret" in own else {**own}

    def add(self, secrets: Mapping[str, str], outputs: Mapping[str, str]) -> dict[str, str]:
        """Write down what is known now beside what was; returns all of it.

        Keys are written only of an account on this machine, which are good for nothing else.
        """
        place = self._place
        told = {"BUCKET_NAME": self._bucket, "OSS_ENDPOINT": place.oss_endpoint, "OSS_REGION": place.region}
        if place.control:
            told |= _keys(place)
        if secrets.get("PageSecret"):
            told["PAGE_SECRET"] = secrets["PageSecret"]
        if "PageUrl" in outputs:
            told["PAGE_URL"] = outputs["PageUrl"]
        told = {**self.read(), **told}
        self._write("".join(f"{name}={shlex.quote(value)}\n" for name, value in told.items()))
        return told

    def forget(self) -> None:
        """For a bucket that is gone: with it went which links are withdrawn."""
        self.path.unlink(missing_ok=True)

    def _write(self, text: str) -> None:
        """All of it or nothing, and for its owner alone from the beginning."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent)  # 0600
        os.close(handle)
        draft = Path(name)
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(self.path)
        except BaseException:
            draft.unlink(missing_ok=True)  # or why it failed would be hidden
            raise


def operators_link(place: Place, told: Mapping[str, str]) -> str | None:
    """A link that shows the operator all folders; None without a page."""
    if "PAGE_URL" not in told or "PAGE_SECRET" not in told:
        return None
    links = Links(open_bucket({**told, **_keys(place)}, None), SystemClock())
    return links.make("", timedelta(days=_LINK_DAYS), is_operator=True).url


def _keys(place: Place) -> dict[str, str]:
    return {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": place.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": place.access_key_secret,
    }
