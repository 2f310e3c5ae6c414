"""Which bucket a command is about: the environment's, as for the functions, or a local cloud's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from scripts.localcloud.access.own_keys import keys_of_running, page_secret
from scripts.localcloud.announce import Address, deployed_on, running_cloud, running_clouds
from scripts.localcloud.ark.api.real_time_api import BASE_PATH as ARK_BASE_PATH
from scripts.localcloud.options import (
    TENCENT_REGION,
    TIONE_IMAGE,
    TIONE_RESOURCE,
    tencent_dir,
    volcengine_dir,
)
from scripts.localcloud.terminal.answerer_warnings import is_charged
from scripts.operate.texts.said import Refusal
from scripts.terminal import typed
from shared.ports.providers import Providers
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ConfigurationError
from shared.runtime.settings import Settings
from shared.runtime.wiring.providers.open_providers import open_providers
from shared.runtime.wiring.providers.profiles import PROFILES
from shared.stores.oss.store import open_oss_store

NEEDED = (
    "BUCKET_NAME",
    "OSS_ENDPOINT",
    "OSS_REGION",
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
)
PAGE = ("PAGE_URL", "PAGE_SECRET")
TOKEN = "ALIBABA_CLOUD_SECURITY_TOKEN"  # noqa: S105 (a variable's name)


@dataclass(frozen=True)
class OpenBucket:
    """A bucket that commands work on; ``folder`` is where a local cloud keeps it.

    ``providers`` are the settings by which a local cloud's own providers are reached;
    ``is_versioned`` asks whether the bucket keeps what is deleted. ``page_url`` and ``page_secret``
    make links to its page. ``local`` is the data folder of a local cloud or account.
    """

    store: ObjectStore
    name: str
    folder: Path | None = None
    providers: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_versioned: Callable[[], bool] = lambda: False
    page_url: str = ""
    page_secret: str = field(default="", repr=False)
    local: Path | None = None

    def is_charged(self, provider: str) -> bool:
        """Whether that provider takes money for what it answers here."""
        return self.local is None or is_charged(self.local, provider)


def open_bucket(env: Mapping[str, str], data_dir: Path | None) -> OpenBucket:
    """Open the bucket that is meant; no request is made yet.

    Raises:
        Refusal: There is none, or it is not clear which.
    """
    folder = data_dir.expanduser().resolve() if data_dir else None
    deployed = deployed_on(folder) if folder else {}
    variables = deployed or env
    given = {name: variables.get(name, "").strip() for name in (*NEEDED, TOKEN, *PAGE)}
    if deployed or (data_dir is None and given["BUCKET_NAME"]):
        return replace(_from_environment(given), local=folder if deployed else None)
    return _of_local_cloud(_cloud_on(data_dir) if data_dir else _only_cloud())


def open_provider_of(bucket: OpenBucket, env: Mapping[str, str], name: str) -> Providers:
    """The provider that a job was sent to, by its own settings; others may be set up badly.

    Raises:
        Refusal: There is no such provider, or its settings are missing or bad.
    """
    # What runs on this machine is not where the shell's other settings point.
    has_own = {*_needs_of(name)} <= bucket.providers.keys()
    return _opened(name, bucket.providers if has_own else env, bucket.name, "no_provider_key")


def open_provider_to_ask(env: Mapping[str, str], data_dir: Path | None, name: str) -> Providers:
    """The provider to ask about a few rows: a running local cloud's, or that of the environment.

    Raises:
        Refusal: It is not clear which, or settings are missing or bad.
    """
    try:
        local = open_bucket(env, data_dir).providers
    except Refusal as refusal:
        if refusal.code not in {"no_bucket", "missing_variables"}:
            raise
        local = {}
    return _opened(name, local or env, "-", "no_preview_key")


def _needs_of(name: str) -> Sequence[str]:
    return next((profile.needs for profile in PROFILES if profile.name == name), ())


def _opened(name: str, settings: Mapping[str, str], bucket: str, refusal: str) -> Providers:
    needs = _needs_of(name)
    own = tuple(f"{variable.partition('_')[0]}_" for variable in needs)
    given = {key: value for key, value in settings.items() if key.startswith(own)}
    missing = [variable for variable in needs if not given.get(variable, "").strip()]
    if missing or not needs:
        raise Refusal(refusal, reason=f"{name}: {', '.join(missing) or 'unknown'}")
    place = {"BUCKET_NAME": bucket, "OSS_ENDPOINT": "-", "OSS_REGION": "-"}  # not asked for
    try:
        return open_providers(Settings.from_env(place | given))
    except ConfigurationError as error:
        raise Refusal(refusal, reason=error) from error


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
    url, secret = (given[name] for name in PAGE)
    name = given["BUCKET_NAME"]
    return OpenBucket(store, name, is_versioned=store.is_versioned, page_url=url, page_secret=secret)


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
    folder = Path(address.data_dir) / address.bucket
    return OpenBucket(
        store,
        address.bucket,
        folder,
        _providers_of(address, keys.api_key),
        page_url=address.page_url,
        page_secret=page_secret(Path(address.data_dir)),
        local=Path(address.data_dir),
    )


def _providers_of(address: Address, api_key: str) -> dict[str, str]:
    settings: dict[str, str] = {}
    if address.provider_url:
        settings |= {"DASHSCOPE_BASE_URL": address.provider_url, "DASHSCOPE_API_KEY": api_key}
    if address.ark_url:
        keys = keys_of_running(volcengine_dir(Path(address.data_dir)))
        settings |= {
            "ARK_HOST": address.ark_url,
            "ARK_BASE_URL": f"{address.ark_url}{ARK_BASE_PATH}",
            "ARK_API_KEY": keys.api_key,
            "ARK_ACCESS_KEY_ID": keys.access_key_id,
            "ARK_SECRET_ACCESS_KEY": keys.access_key_secret,
            "TOS_BUCKET": address.bucket,
            "TOS_PROXY": address.tos_proxy,
        }
    if address.tione_url:
        settings |= _of_tencent(address)
    return settings


def _of_tencent(address: Address) -> dict[str, str]:
    keys = keys_of_running(tencent_dir(Path(address.data_dir)))
    return {
        "TENCENT_SECRET_ID": keys.access_key_id,
        "TENCENT_SECRET_KEY": keys.access_key_secret,
        "TIONE_HOST": address.tione_url,
        "TIONE_REGION": TENCENT_REGION,
        "TIONE_IMAGE": TIONE_IMAGE,
        "TIONE_RESOURCE": TIONE_RESOURCE,
        "COS_ADDRESS": address.cos_address,
        "COS_BUCKET": address.cos_bucket,
        "COS_REGION": TENCENT_REGION,
    }


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
        raise Refusal("several_clouds", folders=", ".join(typed(cloud.data_dir) for cloud in clouds))
    return clouds[0]
