"""Which bucket a command is about: the environment's, as for the functions, or a local cloud's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.access.own_keys import keys_of_running
from scripts.localcloud.announce import Address, running_cloud, running_clouds
from scripts.operate.texts import Refusal
from shared.ports.store import ObjectStore
from shared.stores.oss.store import open_oss_store

NEEDED = (
    "BUCKET_NAME",
    "OSS_ENDPOINT",
    "OSS_REGION",
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
)
TOKEN = "ALIBABA_CLOUD_SECURITY_TOKEN"  # noqa: S105 (a variable's name)


@dataclass(frozen=True)
class OpenBucket:
    """A bucket that commands work on; ``folder`` is where a local cloud keeps it."""

    store: ObjectStore
    name: str
    folder: Path | None = None


def open_bucket(env: Mapping[str, str], data_dir: Path | None) -> OpenBucket:
    """Open the bucket that is meant; no request is made yet.

    Raises:
        Refusal: There is none, or it is not clear which.
    """
    given = {name: env.get(name, "").strip() for name in (*NEEDED, TOKEN)}
    if data_dir is None and given["BUCKET_NAME"]:
        return _from_environment(given)
    return _of_local_cloud(_cloud_on(data_dir) if data_dir else _only_cloud())


def _from_environment(given: Mapping[str, str]) -> OpenBucket:
    if missing := [name for name in NEEDED if not given[name]]:
        raise Refusal("missing_variables", variables=", ".join(missing))
    store = open_oss_store(
        given["OSS_ENDPOINT"],
        given["OSS_REGION"],
        given["BUCKET_NAME"],
        access_key_id=given["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=given["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        security_token=given[TOKEN] or None,
    )
    return OpenBucket(store, given["BUCKET_NAME"])


def _of_local_cloud(address: Address) -> OpenBucket:
    keys = keys_of_running(Path(address.data_dir))
    store = open_oss_store(
        address.endpoint,
        address.region,
        address.bucket,
        access_key_id=keys.access_key_id,
        access_key_secret=keys.access_key_secret,
        security_token=None,
    )
    return OpenBucket(store, address.bucket, Path(address.data_dir) / address.bucket)


def _cloud_on(data_dir: Path) -> Address:
    folder = data_dir.expanduser().resolve()
    address = running_cloud(folder)
    if address is None:
        raise Refusal("no_cloud_there", folder=folder)
    return address


def _only_cloud() -> Address:
    clouds = running_clouds()
    if not clouds:
        raise Refusal("no_bucket", variables=", ".join(NEEDED))
    if len(clouds) > 1:
        raise Refusal("several_clouds", folders=", ".join(cloud.data_dir for cloud in clouds))
    return clouds[0]
