"""The batch providers that the settings give access to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial

from pydantic import SecretStr

from shared.ports.profile import ProviderProfile
from shared.ports.provider import BatchId, BatchProvider, BatchRequest, BatchState, ProviderFile
from shared.ports.providers import Provider, Providers
from shared.problems.exceptions import ConfigurationError
from shared.providers.ark.profile import ark_profile
from shared.providers.bailian.profile import BAILIAN
from shared.providers.tione.profile import tione_profile
from shared.runtime.settings import Settings
from shared.runtime.wiring.providers.real_time import real_times

Load = Callable[[], BatchProvider]


def _bailian(settings: Settings) -> tuple[ProviderProfile, Load]:
    return BAILIAN, partial(_load_bailian, settings)


def _load_bailian(settings: Settings) -> BatchProvider:
    # These load openai; see ``_WhenAsked``.
    from shared.providers.bailian.client import open_bailian  # noqa: PLC0415
    from shared.providers.bailian.oss_input import OssInput  # noqa: PLC0415

    oss = OssInput(settings.oss_region, settings.bucket_name) if settings.input_from == "oss" else None
    return open_bailian(settings.dashscope_base_url, _secret(settings.dashscope_api_key), oss)


def _ark(settings: Settings) -> tuple[ProviderProfile, Load]:
    return ark_profile(settings.ark_running_jobs), partial(_load_ark, settings)


def _load_ark(settings: Settings) -> BatchProvider:
    # These load tos and volcenginesdkcore; see ``_WhenAsked``.
    from shared.providers.ark.client import open_ark  # noqa: PLC0415
    from shared.stores.tos.store import open_tos_store  # noqa: PLC0415

    access_key_id, secret = _secret(settings.ark_access_key_id), _secret(settings.ark_secret_access_key)
    bucket = settings.tos_bucket or ""
    staging = open_tos_store(
        settings.tos_endpoint,
        settings.ark_region,
        bucket,
        access_key_id=access_key_id,
        secret_access_key=secret,
        proxy=settings.tos_proxy,
    )
    return open_ark(
        settings.ark_host,
        settings.ark_region,
        settings.ark_project,
        access_key_id=access_key_id,
        secret_access_key=secret,
        staging=staging,
        bucket=bucket,
        prefix=settings.tos_prefix,
        weekly_jobs=settings.ark_weekly_jobs,
    )


def _tione(settings: Settings) -> tuple[ProviderProfile, Load]:
    return tione_profile(settings.tione_running_tasks), partial(_load_tione, settings)


def _load_tione(settings: Settings) -> BatchProvider:
    # These load qcloud_cos and tencentcloud; see ``_WhenAsked``.
    from shared.providers.tione.client import open_staging, open_tione  # noqa: PLC0415
    from shared.providers.tione.task import TaskSettings  # noqa: PLC0415
    from shared.stores.cos.store import open_cos_store  # noqa: PLC0415

    secret_id, secret_key = _secret(settings.tencent_secret_id), _secret(settings.tencent_secret_key)
    region, bucket = settings.tione_region or "", settings.cos_bucket or ""
    cos_region = settings.cos_region or region
    store = open_cos_store(
        cos_region, bucket, secret_id=secret_id, secret_key=secret_key, address=settings.cos_address
    )
    return open_tione(
        settings.tione_host,
        region,
        settings.tione_api,
        secret_id=secret_id,
        secret_key=secret_key,
        staging=open_staging(store, bucket, settings.cos_prefix, cos_region),
        settings=TaskSettings(
            image=settings.tione_image or {},
            resource=settings.tione_resource or {},
            server_command=settings.tione_server_command or "",
            server_url=settings.tione_server_url,
            concurrency=settings.tione_concurrency,
        ),
    )


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""


# For each provider, its profile by the settings and what loads it.
_PROVIDERS = (_bailian, _ark, _tione)


def open_providers(settings: Settings) -> Providers:
    """Every provider that is set up; its SDK is loaded when it is asked.

    Raises:
        ConfigurationError: None is, or one is by half.
    """
    known = [provider(settings) for provider in _PROVIDERS]
    real_time = real_times(settings)
    opened = [
        Provider(profile, _WhenAsked(load), real_time.get(profile.name))
        for profile, load in known
        if _is_set_up(profile, settings)
    ]
    if not opened:
        *keys, last = (str(profile.terms["key_variable"]) for profile, _ in known)
        raise ConfigurationError(
            f"environment: {', '.join(keys)} or {last} is missing, and this function needs it"
        )
    return Providers(*opened)


def _is_set_up(profile: ProviderProfile, settings: Settings) -> bool:
    missing = [name for name in profile.needs if getattr(settings, name.lower()) is None]
    given = [name for name in profile.needs if name not in missing]
    if missing and given:
        names, reasons = ", ".join(missing), ", ".join(given)
        raise ConfigurationError(
            f"environment: {names} must be set, too, since there is {reasons}; or none of them"
        )
    return not missing


class _WhenAsked:
    """A provider, loaded with the first question to it.

    Loading an SDK takes longer than everything else together. A timer that finds nothing to poll,
    or a ticket that comes twice, never asks.
    """

    def __init__(self, load: Load) -> None:
        self._load = load

    @cached_property
    def _loaded(self) -> BatchProvider:
        return self._load()

    def submit(self, request: BatchRequest) -> BatchId:
        return self._loaded.submit(request)

    def find(self, name: str, object_key: str = "") -> BatchId | None:
        return self._loaded.find(name, object_key)

    def status(self, batch_id: BatchId) -> BatchState | None:
        return self._loaded.status(batch_id)

    def results(self, state: BatchState) -> Iterator[bytes]:
        return self._loaded.results(state)

    def cancel(self, batch_id: BatchId) -> None:
        self._loaded.cancel(batch_id)

    def clean_up(self, state: BatchState) -> None:
        self._loaded.clean_up(state)

    def unused_files(self) -> Iterator[ProviderFile]:
        return self._loaded.unused_files()

    def delete_file(self, file_id: str) -> None:
        self._loaded.delete_file(file_id)
