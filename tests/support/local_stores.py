"""A local service that keeps objects and a store over it, alike for every cloud."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import oss2
import tos
from qcloud_cos import CosConfig, CosS3Client

from scripts.localcloud.cos.local_cos import LocalCos
from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.storage_http.permissions import Authorize, allow_everything
from scripts.localcloud.tos.local_tos import LocalTos
from shared.ports.store import ObjectStore
from shared.stores.cos.store import open_cos_store
from shared.stores.oss.store import open_oss_store
from shared.stores.tos.store import open_tos_store

SECRET, TOKEN, REGION = "s3cr3t", "temp0rary", "cn-beijing"
# A bucket of COS has the account's APPID in its name.
APPID = "-1250000000"
COS_BUCKET = f"bucket{APPID}"
CREDENTIALS, TOKENS = {"key": SECRET}, {"key": TOKEN}


@dataclass(frozen=True)
class Cloud:
    """One running service.

    Attributes:
        open: A store over a bucket, with this secret and region.
        put_packed: Puts an object through the SDK that says how it is packed.
        bucket: What ``store`` calls "bucket".
    """

    local: LocalStore
    open: Callable[[str, str, str], ObjectStore]
    put_packed: Callable[[str, bytes], object]
    bucket: str = "bucket"

    def store(self, bucket: str = "bucket", secret: str = SECRET, region: str = REGION) -> ObjectStore:
        return self.open(bucket, secret, region)


def oss_bucket(oss: LocalOss) -> oss2.Bucket:
    return oss2.Bucket(
        oss2.StsAuth("key", SECRET, TOKEN, auth_version="v4"), oss.url, "bucket", region=REGION
    )


def tos_client(local: LocalTos) -> tos.TosClientV2:
    """As a program makes it that does not know that it talks to this machine."""
    host, port = local.proxy.split(":")
    return tos.TosClientV2(
        "key",
        SECRET,
        f"http://{local.endpoint}",
        REGION,
        security_token=TOKEN,
        proxy_host=host,
        proxy_port=int(port),
        dns_cache_time=0,
        max_retry_count=0,
    )


def cos_client(local: LocalCos) -> CosS3Client:
    """As a program makes it that knows COS's address."""
    host, port = local.address.split(":")
    config = CosConfig(
        Region=REGION, SecretId="key", SecretKey=SECRET, Token=TOKEN, Scheme="http", IP=host, Port=int(port)
    )
    return CosS3Client(config, retry=0)


@contextlib.contextmanager
def oss_cloud(data_dir: Path) -> Iterator[Cloud]:
    with LocalOss(data_dir, CREDENTIALS, REGION, lambda _: None, security_tokens=TOKENS) as local:
        local.storage.create_bucket("bucket")

        def open_store(bucket: str, secret: str, region: str) -> ObjectStore:
            return open_oss_store(
                local.url,
                region,
                bucket,
                access_key_id="key",
                access_key_secret=secret,
                security_token=TOKEN,
            )

        def put_packed(key: str, content: bytes) -> object:
            return oss_bucket(local).put_object(key, content, headers={"Content-Encoding": "gzip"})

        yield Cloud(local, open_store, put_packed)


@contextlib.contextmanager
def tos_cloud(data_dir: Path, authorize: Authorize = allow_everything) -> Iterator[Cloud]:
    with LocalTos(data_dir, CREDENTIALS, REGION, security_tokens=TOKENS, authorize=authorize) as local:
        local.storage.create_bucket("bucket")

        def open_store(bucket: str, secret: str, region: str) -> ObjectStore:
            return open_tos_store(
                local.endpoint,
                region,
                bucket,
                access_key_id="key",
                secret_access_key=secret,
                security_token=TOKEN,
                proxy=local.proxy,
            )

        def put_packed(key: str, content: bytes) -> object:
            return tos_client(local).put_object("bucket", key, content=content, content_encoding="gzip")

        yield Cloud(local, open_store, put_packed)


@contextlib.contextmanager
def cos_cloud(data_dir: Path, authorize: Authorize = allow_everything) -> Iterator[Cloud]:
    with LocalCos(data_dir, CREDENTIALS, REGION, security_tokens=TOKENS, authorize=authorize) as local:
        local.storage.create_bucket(COS_BUCKET)

        def open_store(bucket: str, secret: str, region: str) -> ObjectStore:
            return open_cos_store(
                region,
                f"{bucket}{APPID}",
                secret_id="key",
                secret_key=secret,
                token=TOKEN,
                address=local.address,
            )

        def put_packed(key: str, content: bytes) -> object:
            return cos_client(local).put_object(COS_BUCKET, content, key, ContentEncoding="gzip")

        yield Cloud(local, open_store, put_packed, COS_BUCKET)


CLOUDS = {"oss": oss_cloud, "tos": tos_cloud, "cos": cos_cloud}
