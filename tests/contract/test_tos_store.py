"""What is TOS's alone in the store over it: its refusals, lists, versions, and the SDK's habits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.localcloud.tos.local_tos import LocalTos
from scripts.localcloud.tos.oddities import Oddity
from shared.problems.exceptions import ObjectMissing
from shared.stores.tos.store import TosStore, open_tos_store
from tests.support.local_stores import REGION, SECRET, TOKEN, tos_cloud
from tests.support.writing import of_fifty_writers

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tos(tmp_path: Path) -> Iterator[LocalTos]:
    with tos_cloud(tmp_path) as cloud:
        assert isinstance(cloud.local, LocalTos)
        yield cloud.local


def store_at(local: LocalTos) -> TosStore:
    return open_tos_store(
        local.endpoint,
        REGION,
        "bucket",
        access_key_id="key",
        secret_access_key=SECRET,
        security_token=TOKEN,
        proxy=local.proxy,
    )


@pytest.mark.parametrize(
    "oddities", [[Oddity.OPERATION_ABORTED], [Oddity.TAKEN_WITHOUT_EC], list(Oddity)], ids=len
)
def test_of_fifty_writers_one_wins_however_odd_tos_is(tos: LocalTos, oddities: list[Oddity]) -> None:
    tos.oddities.update(oddities)
    store = store_at(tos)

    won = of_fifty_writers(store, "claim")

    assert won.count(True) == 1
    assert store.get("claim") == bytes([won.index(True)])


@pytest.mark.parametrize("size_bytes", [3, 6 * 1024 * 1024])
@pytest.mark.parametrize("content", [b"1", b"2"])
def test_a_taken_key_is_taken_whether_tos_gives_an_ec_or_not(
    tos: LocalTos, size_bytes: int, content: bytes
) -> None:
    tos.oddities.add(Oddity.TAKEN_WITHOUT_EC)
    store = store_at(tos)
    store.put("k", b"1" * size_bytes)

    with store.open_writer("k", if_absent=True) as writer:
        writer.write(content * size_bytes)
        assert not writer.commit()

    assert store.get("k") == b"1" * size_bytes


def test_a_missing_object_is_missed_by_a_read_and_deleted_already(tos: LocalTos) -> None:
    tos.oddities.add(Oddity.NOTHING_TO_DELETE)
    store = store_at(tos)

    assert store.head("k") is None
    store.delete("k")
    with pytest.raises(ObjectMissing):
        store.get("k")


@pytest.mark.parametrize("is_encoded", [False, True])
def test_a_list_is_decoded_only_if_it_says_that_it_is_encoded(tos: LocalTos, is_encoded: bool) -> None:
    keys = ["100%", "100%25", "a b", "a+b", "中文/文件.csv"]
    if is_encoded:
        tos.oddities.add(Oddity.ENCODED_LISTS)
    store = store_at(tos)
    for key in keys:
        store.put(key, b"")

    assert [head.key for head in store.list("")] == sorted(keys, key=str.encode)


def test_a_list_out_of_order_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def page(*_: Any, **__: Any) -> SimpleNamespace:
        at = SimpleNamespace(astimezone=lambda _: None)
        entries = [SimpleNamespace(key=key, size=1, etag="e", last_modified=at) for key in ("b", "a")]
        answer = SimpleNamespace(json=dict)
        return SimpleNamespace(contents=entries, is_truncated=False, resp=SimpleNamespace(resp=answer))

    store = TosStore(SimpleNamespace(list_objects_type2=page), "bucket")

    assert [head.key for head in store.list("")] == ["b", "a"]
    assert [record.message for record in caplog.records] == ["bucket.list_out_of_order"]


def test_a_head_that_declares_a_body_is_survived(tos: LocalTos) -> None:
    tos.oddities.add(Oddity.HEAD_WITH_LENGTH)
    store = store_at(tos)

    assert store.head("k") is None
    store.put("k", b"x")
    assert store.head("k") is not None


def test_an_etag_that_is_no_md5_is_compared_when_the_answer_comes() -> None:
    asked: list[str | None] = []

    def get_object(_bucket: str, _key: str, *, if_match: str | None, **_: Any) -> SimpleNamespace:
        asked.append(if_match)
        chunks = iter([b"x", b""])
        return SimpleNamespace(
            read=lambda _: next(chunks),
            etag="Opaque",
            content_length=1,
            hash_crc64_ecma=None,
            content=SimpleNamespace(resp=SimpleNamespace(close=lambda: None)),
        )

    store = TosStore(SimpleNamespace(get_object=get_object), "bucket")

    assert b"".join(store.read("k", etag="OPAQUE")) == b"x"
    with pytest.raises(ObjectMissing):
        list(store.read("k", etag="OTHER"))
    assert asked == [None, None]
