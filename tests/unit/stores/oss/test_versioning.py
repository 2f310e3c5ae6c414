"""A bucket's versioning is told by those who write to it, and by those who ask."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from fastcrc import crc64

from shared.stores.oss.store import OssStore


class Bucket:
    """Answers each put as a bucket with or without versioning does."""

    bucket_name = "drop"

    def __init__(self, version: str | None = None, status: str | None = None) -> None:
        self._version = version
        self._status = status

    def get_bucket_versioning(self) -> SimpleNamespace:
        return SimpleNamespace(status=self._status)

    def put_object(self, _key: str, content: bytes, headers: Any = None) -> SimpleNamespace:
        return SimpleNamespace(crc=crc64.xz(content), versionid=self._version)


def create(store: OssStore) -> None:
    assert store.put_if_absent("jobs/a", b"x")


def create_from_a_stream(store: OssStore) -> None:
    with store.open_writer("jobs/a", if_absent=True) as writer:
        writer.write(b"x")
        assert writer.commit()


@pytest.mark.parametrize("write", [create, create_from_a_stream])
@pytest.mark.parametrize(
    ("version", "is_told"), [("CAEQNhiBgMDJgZCA0BYiIDc4", True), ("null", True), (None, False)]
)
def test_a_bucket_with_versioning_is_told(
    caplog: pytest.LogCaptureFixture, write: Any, version: str | None, is_told: bool
) -> None:
    write(OssStore(Bucket(version)))

    told = [record.levelname for record in caplog.records if record.message == "bucket.versioned"]
    assert told == (["ERROR"] if is_told else [])


def test_what_may_be_overwritten_needs_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    OssStore(Bucket("CAEQNhiBgMDJgZCA0BYiIDc4")).put("open/a", b"x")

    assert caplog.records == []


@pytest.mark.parametrize(("status", "is_versioned"), [("Enabled", True), ("Suspended", True), (None, False)])
def test_whoever_asks_hears_of_versioning_that_is_or_was_on(status: str | None, is_versioned: bool) -> None:
    assert OssStore(Bucket(status=status)).is_versioned() is is_versioned
