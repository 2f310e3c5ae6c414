"""What people are told if Ark's bucket cannot be used: which setting to correct, or what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud.storage.properties import put_bucket
from scripts.localcloud.tos.local_tos import LocalTos
from scripts.localcloud.tos.signatures import Signatures
from shared.pipeline.account_problems import waiting_for
from shared.pipeline.waiting import asked_of_provider
from shared.problems.exceptions import ProviderTrouble
from shared.providers.ark.profile import ARK
from shared.stores.tos.store import open_tos_store
from tests.support.ark import BUCKET, KEY_ID, REGION, SECRET, ark_request, open_adapter
from tests.support.fakes import START

ARK_ADDRESS = "http://127.0.0.1:9"  # it is not asked: the input is staged first


@pytest.fixture
def tos(tmp_path: Path) -> Iterator[LocalTos]:
    def authorize(key_id: str, _action: str, _bucket: str, _key: str) -> bool:
        return key_id == KEY_ID

    with LocalTos(tmp_path, {KEY_ID: SECRET, "AKLTno-rights": SECRET}, REGION, authorize=authorize) as tos:
        tos.storage.create_bucket(BUCKET)
        yield tos


def told(tos: LocalTos, then: Callable[[], object] | None = None, **changes: str) -> str:
    """What a shard's ticket says; ``then`` happens when the bucket has already been used."""
    values = {
        "endpoint": f"http://tos-{REGION}.volces.com",
        "region": REGION,
        "bucket": BUCKET,
        "access_key_id": KEY_ID,
        "secret_access_key": SECRET,
    }
    with pytest.raises(ProviderTrouble) as trouble, asked_of_provider():
        store = open_tos_store(**(values | changes), proxy=tos.proxy)
        if then:
            store.put("batchdrop/before", b"")
            then()
        open_adapter(ARK_ADDRESS, store).submit(ark_request("job"))
    reason = waiting_for(trouble.value, START, ARK.terms)
    assert reason.code in reason.message
    return f"{reason.code}: {reason.message}"


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"access_key_id": "AKLTunknown"}, "access_key_refused", "ARK_ACCESS_KEY_ID"),
        ({"secret_access_key": "another"}, "access_key_refused", "ARK_ACCESS_KEY_ID"),
        ({"access_key_id": "AKLTno-rights"}, "bucket_forbidden", "TOS_BUCKET"),
        ({"bucket": "acme-betch"}, "bucket_missing", "TOS_BUCKET"),
        ({"bucket": "No Name"}, "bucket_unusable", "TOS_BUCKET"),
        ({"region": "cn-shanghai"}, "bucket_unusable", "ARK_REGION"),
        ({"endpoint": "http://tos-cn-shanghai.volces.com"}, "bucket_unusable", "TOS_ENDPOINT"),
        ({"endpoint": "http://oss-cn-beijing.aliyuncs.com"}, "bucket_unusable", "TOS_ENDPOINT"),
        ({"endpoint": "tos cn-beijing"}, "bucket_unusable", "TOS_ENDPOINT"),
    ],
)
def test_a_wrong_setting_is_named(tos: LocalTos, changes: dict[str, str], code: str, named: str) -> None:
    message = told(tos, **changes)

    assert message.startswith(f"{code}: ")
    assert message.count(named) >= 2  # in both languages


def _lose(tos: LocalTos, _: pytest.MonkeyPatch) -> None:
    tos.storage.delete(BUCKET, "batchdrop/before", "", "")
    tos.storage.delete_bucket(BUCKET)


def _skew(_: LocalTos, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Signatures, "is_skewed", lambda *_: True)


def _revoke(tos: LocalTos, _: pytest.MonkeyPatch) -> None:
    credentials: Any = tos._signatures.credentials
    credentials[KEY_ID] = "changed"


@pytest.mark.parametrize(
    ("mishap", "code"),
    [(_lose, "bucket_missing"), (_skew, "clock_wrong"), (_revoke, "access_key_refused")],
)
def test_so_is_what_happens_to_a_bucket_in_use(
    tos: LocalTos,
    monkeypatch: pytest.MonkeyPatch,
    mishap: Callable[[LocalTos, pytest.MonkeyPatch], None],
    code: str,
) -> None:
    assert told(tos, lambda: mishap(tos, monkeypatch)).startswith(f"{code}: ")


def test_versions_are_named(tos: LocalTos) -> None:
    put_bucket(tos.storage, BUCKET, {"versioning": "Enabled"})

    assert told(tos).startswith("bucket_versioned: ")
