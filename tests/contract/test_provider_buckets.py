"""What people are told if a provider's bucket cannot be used: which setting to correct."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud.cos.local_cos import LocalCos
from scripts.localcloud.storage.properties import put_bucket
from scripts.localcloud.storage.storage import utc_now
from scripts.localcloud.storage_http.hosted.local import HostedStore
from scripts.localcloud.tos.local_tos import LocalTos
from shared.pipeline.account_problems import waiting_for
from shared.pipeline.waiting import asked_of_provider
from shared.ports.profile import ProviderProfile
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ProviderTrouble
from shared.providers.ark.profile import ARK
from shared.providers.tione.client import open_staging, open_tione
from shared.providers.tione.profile import TIONE
from shared.providers.tione.task import TaskSettings
from shared.stores.cos.store import open_cos_store
from shared.stores.tos.store import open_tos_store
from tests.support.ark import ark_request, open_adapter
from tests.support.fakes import START
from tests.support.local_tione import tione_request

NOWHERE = "http://127.0.0.1:9"  # no provider is asked: the input is staged first
BUCKET, REGION = "acme-1250000000", "cn-beijing"
GIVEN = {"key_id": "id", "secret": "secret", "bucket": BUCKET, "region": REGION}
SECRETS = {"id": "secret", "no-rights": "secret"}


@dataclass(frozen=True)
class Place:
    """A provider's bucket, as its settings name it.

    Attributes:
        open: From the values of ``GIVEN``.
        submit: Has the provider use the store.
    """

    local: HostedStore[Any]
    profile: ProviderProfile
    open: Callable[..., ObjectStore]
    submit: Callable[[ObjectStore], object]

    def told(self, then: Callable[[], object] | None = None, **changes: str) -> str:
        """What a shard's ticket says; ``then`` happens when the bucket has already been used."""
        with pytest.raises(ProviderTrouble) as trouble, asked_of_provider():
            store = self.open(**(GIVEN | changes))
            if then:
                store.put("batchdrop/before", b"")
                then()
            self.submit(store)
        reason = waiting_for(trouble.value, START, self.profile.terms)
        assert reason.code in reason.message
        return f"{reason.code}: {reason.message}"


def authorize(key_id: str, _action: str, _bucket: str, _key: str) -> bool:
    return key_id == "id"


@contextmanager
def ark(data_dir: Path) -> Iterator[Place]:
    with LocalTos(data_dir, dict(SECRETS), REGION, authorize=authorize) as local:

        def open_store(
            key_id: str, secret: str, bucket: str, region: str, endpoint: str = local.endpoint
        ) -> ObjectStore:
            return open_tos_store(
                endpoint,
                region,
                bucket,
                access_key_id=key_id,
                secret_access_key=secret,
                proxy=local.proxy,
            )

        def submit(store: ObjectStore) -> object:
            return open_adapter(NOWHERE, store).submit(ark_request("job"))

        yield Place(local, ARK, open_store, submit)


@contextmanager
def tione(data_dir: Path) -> Iterator[Place]:
    with LocalCos(data_dir, dict(SECRETS), REGION, authorize=authorize) as local:

        def open_store(key_id: str, secret: str, bucket: str, region: str) -> ObjectStore:
            return open_cos_store(region, bucket, secret_id=key_id, secret_key=secret, address=local.address)

        def submit(store: ObjectStore) -> object:
            staging = open_staging(store, BUCKET, "batchdrop/", REGION)
            settings = TaskSettings(image={}, resource={}, server_url=NOWHERE)
            keys = {"secret_id": "id", "secret_key": "secret"}
            provider = open_tione(NOWHERE, REGION, "batch", staging=staging, settings=settings, **keys)
            return provider.submit(tione_request("job"))

        yield Place(local, TIONE, open_store, submit)


PLACES = {"ark": ark, "tione": tione}


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with PLACES[request.param](tmp_path) as opened:
        opened.local.storage.create_bucket(BUCKET)
        yield opened


@pytest.mark.parametrize(
    ("place", "changes", "code", "named"),
    [
        ("ark", {"key_id": "unknown"}, "access_key_refused", "ARK_ACCESS_KEY_ID"),
        ("ark", {"secret": "another"}, "access_key_refused", "ARK_ACCESS_KEY_ID"),
        ("ark", {"key_id": "no-rights"}, "bucket_forbidden", "TOS_BUCKET"),
        ("ark", {"bucket": "acme-betch"}, "bucket_missing", "TOS_BUCKET"),
        ("ark", {"bucket": "No Name"}, "bucket_unusable", "TOS_BUCKET"),
        ("ark", {"region": "cn-shanghai"}, "bucket_unusable", "ARK_REGION"),
        ("ark", {"endpoint": "http://tos-cn-shanghai.volces.com"}, "bucket_unusable", "TOS_ENDPOINT"),
        ("ark", {"endpoint": "http://oss-cn-beijing.aliyuncs.com"}, "bucket_unusable", "TOS_ENDPOINT"),
        ("ark", {"endpoint": "tos cn-beijing"}, "bucket_unusable", "TOS_ENDPOINT"),
        ("tione", {"key_id": "unknown"}, "access_key_refused", "TENCENT_SECRET_ID"),
        ("tione", {"secret": "another"}, "access_key_refused", "TENCENT_SECRET_ID"),
        ("tione", {"key_id": "no-rights"}, "bucket_forbidden", "COS_BUCKET"),
        ("tione", {"bucket": "acme-betch-1250000000"}, "bucket_missing", "COS_BUCKET"),
        ("tione", {"bucket": "acme"}, "bucket_unusable", "COS_BUCKET"),
        ("tione", {"region": "ap-shanghai"}, "bucket_missing", "COS_REGION"),
        ("tione", {"region": "Shanghai"}, "bucket_unusable", "COS_REGION"),
    ],
    indirect=["place"],
)
def test_a_wrong_setting_is_named(place: Place, changes: dict[str, str], code: str, named: str) -> None:
    message = place.told(**changes)

    assert message.startswith(f"{code}: ")
    assert message.count(named) >= 2  # in both languages


def _lose(local: HostedStore[Any]) -> None:
    local.storage.delete(BUCKET, "batchdrop/before", "", "")
    local.storage.delete_bucket(BUCKET)


def _skew(local: HostedStore[Any]) -> None:
    object.__setattr__(local._signatures, "now", lambda: utc_now() - timedelta(hours=1))


def _revoke(local: HostedStore[Any]) -> None:
    credentials: Any = local._signatures.credentials  # type: ignore[attr-defined]
    credentials["id"] = "changed"


@pytest.mark.parametrize("place", PLACES, indirect=True)
@pytest.mark.parametrize(
    ("mishap", "code"),
    [(_lose, "bucket_missing"), (_skew, "clock_wrong"), (_revoke, "access_key_refused")],
)
def test_so_is_what_happens_to_a_bucket_in_use(
    place: Place, mishap: Callable[[HostedStore[Any]], None], code: str
) -> None:
    assert place.told(lambda: mishap(place.local)).startswith(f"{code}: ")


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_versions_are_named(place: Place) -> None:
    put_bucket(place.local.storage, BUCKET, {"versioning": "Enabled"})

    assert place.told().startswith("bucket_versioned: ")
