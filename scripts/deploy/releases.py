"""Releases in the code bucket: the zips of one build, their template, and what was there before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

import oss2
import yaml
from fastcrc import crc64

from scripts.bundle.bytecode import find_interpreter
from scripts.bundle.libraries import Target
from scripts.bundle.zips import ROOT, Built, build, runtimes
from scripts.deploy.place import Place
from shared import VERSION

_TEMPLATE, _NOTE, _TESTED = "template.yaml", "release.json", "tested.json"
_TIMEOUT_S = (10, 600)


@dataclass(frozen=True)
class Release:
    """What one deployment consists of.

    Attributes:
        previous: The prefix of the one before it.
        parameters: Those of the stack that are no secrets.
    """

    prefix: str
    version: str
    digest: str
    previous: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Package:
    """Zips and template of this checkout; the same sources give the same digest."""

    template: str
    zips: tuple[Built, ...]
    digest: str

    def visible(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """The template's parameters with these values or their defaults, without secrets."""
        declared: Mapping[str, Any] = yaml.safe_load(self.template)["Parameters"]
        values = {name: parameters.get(name, spec.get("Default")) for name, spec in declared.items()}
        return {
            name: str(value)
            for name, value in values.items()
            if value is not None and not declared[name].get("NoEcho")
        }


def built(tell: Callable[[str], object]) -> Package:
    """Build every function that the template names, and tell of each.

    Raises:
        BuildError: As ``scripts/build``.
    """
    text = (ROOT / _TEMPLATE).read_text(encoding="utf-8")
    digest = hashlib.sha256(text.encode())
    zips = []
    for function, python in runtimes(ROOT / _TEMPLATE).items():
        zips.append(zipped := _zip(function, python))
        digest.update(zipped.path.read_bytes())
        tell(f"  {_shown(zipped)}")
    return Package(text, tuple(zips), digest.hexdigest())


@cache
def _zip(function: str, python: str) -> Built:
    """Once a process: it takes seconds, and a minute where nothing was built before."""
    target, out = Target.function_compute(python), ROOT / "dist"
    return build(function, target, root=ROOT, out=out, interpreter=find_interpreter(python))


def _shown(zipped: Built) -> str:
    return f"{zipped.path.name:<14} {zipped.zip_bytes / 1e6:5.1f} MB"


def release_of(
    package: Package, stack: str, previous: str, parameters: Mapping[str, str], now: datetime
) -> Release:
    """A new release of this package, after another one.

    ROS changes a function only if a property of it changes, so no prefix is used twice.
    """
    prefix = f"batchdrop/{stack}/{now:%Y%m%dT%H%M%SZ}-{package.digest[:8]}/"
    return Release(prefix, VERSION, package.digest, previous, package.visible(parameters))


class CodeBucket:
    """The bucket that Function Compute takes the zips from, by its owner's key."""

    def __init__(self, place: Place, name: str) -> None:
        self.name = name
        self._bucket = open_bucket(place, name)

    def make(self) -> bool:
        """Make the bucket if there is none, for its owner alone; returns whether it was made."""
        try:
            self._bucket.get_bucket_info()
        except oss2.exceptions.NoSuchBucket:
            self._bucket.create_bucket(oss2.BUCKET_ACL_PRIVATE)
            return True
        return False

    def upload(self, package: Package, release: Release, tell: Callable[[str], object]) -> None:
        """Put a release under its prefix, the note last: what has one is whole."""
        for zipped in package.zips:
            former, key = (f"{each}{zipped.path.name}" for each in (release.previous, release.prefix))
            if release.previous and self._holds(former, zipped):
                self._bucket.copy_object(self.name, former, key)
                tell(f"  {_shown(zipped)}  未变 unchanged")
            else:
                self._bucket.put_object_from_file(key, str(zipped.path))
                tell(f"  {_shown(zipped)}")
        self._bucket.put_object(f"{release.prefix}{_TEMPLATE}", package.template.encode())
        self._bucket.put_object(f"{release.prefix}{_NOTE}", json.dumps(asdict(release), indent=1).encode())

    def _holds(self, key: str, zipped: Built) -> bool:
        """Whether this very zip lies there: OSS tells the checksum of every object, copied or put.

        https://help.aliyun.com/zh/oss/developer-reference/common-response-headers
        """
        try:
            head = self._bucket.head_object(key)
        except oss2.exceptions.NotFound:
            return False
        checksum = crc64.xz(zipped.path.read_bytes())
        return (head.content_length, head.server_crc) == (zipped.zip_bytes, checksum)

    def find(self, prefix: str) -> Release | None:
        """A release; None of a prefix that this program did not upload."""
        try:
            note: Mapping[str, Any] = json.loads(self._bucket.get_object(f"{prefix}{_NOTE}").read())
        except (oss2.exceptions.NoSuchKey, oss2.exceptions.NoSuchBucket):
            return None
        # A later version may know more of a release.
        return Release(**{field.name: note[field.name] for field in fields(Release)})

    def note_tested(self, release: Release) -> None:
        """Write down that a release has answered."""
        self._bucket.put_object(f"{release.prefix}{_TESTED}", b"{}")

    def is_tested(self, release: Release) -> bool:
        return bool(self._bucket.object_exists(f"{release.prefix}{_TESTED}"))

    def template_of(self, release: Release) -> str:
        text: str = self._bucket.get_object(f"{release.prefix}{_TEMPLATE}").read().decode()
        return text


def open_bucket(place: Place, name: str) -> oss2.Bucket:
    """A bucket by the caller's own key; makes no request yet."""
    credentials = oss2.StaticCredentialsProvider(
        place.access_key_id, place.access_key_secret, place.security_token or None
    )
    return oss2.Bucket(
        oss2.ProviderAuthV4(credentials),
        place.oss_endpoint,
        name,
        region=place.region,
        connect_timeout=_TIMEOUT_S,
        enable_crc=False,  # oss2's own check does 12 MB/s where crcmod has no C extension
    )


def reason_of(error: oss2.exceptions.OssError) -> str:
    """What OSS says; of a request that reached nothing only which kind it was."""
    return f"{error.code}: {error.message}" if error.code else error.message or type(error).__name__


def is_passing(error: oss2.exceptions.OssError) -> bool:
    """Whether the same request may go well soon."""
    return bool(error.status == oss2.exceptions.OSS_REQUEST_ERROR_STATUS or error.status >= 500)
