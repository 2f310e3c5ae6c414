"""Batch input that lies in OSS: named as ``oss:REGION:BUCKET/PATH``, or by an object's URL.

Sources: https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai,
https://help.aliyun.com/zh/model-studio/bailian-service-linked-role
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests

from scripts.localcloud.access.own_keys import OwnKeys
from scripts.localcloud.bailian.api.refusals import ApiError
from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.oss.operations.tag_operations import bucket_tags
from scripts.localcloud.servers.local_server import OWN_NAME
from shared.providers.bailian.profile import BAILIAN_LIMITS, BUCKET_TAG

_SIGNED_FOR_S = 600
_TIMEOUT_S = 60
_CHUNK_BYTES = 256 * 1024
_NAMED = re.compile("oss:([^:/]+):([^:/]+)/(.+)", re.DOTALL)
_CODE = re.compile("<Code>([^<]*)</Code>")


class OssInput:
    """Reads what lies in the local OSS, and asks no other host.

    ``keys`` open the objects that are named, as the service's role does in the cloud: none in a
    bucket without its tag. A URL opens its object by itself.
    """

    def __init__(self, oss: LocalOss, keys: OwnKeys) -> None:
        self._oss = oss
        self._keys = keys

    def chunks(self, name: str) -> Iterator[bytes]:
        url = self._signed(name) if name.startswith("oss:") else name
        host, port = urlsplit(url).netloc, urlsplit(self._oss.url).port
        if not url.startswith("http://") or not OWN_NAME.fullmatch(host) or not host.endswith(f":{port}"):
            raise _refused("The local Bailian asks no host but the local OSS.")
        # Not every system knows bucket.oss.localhost.
        here = self._oss.url + url.removeprefix(f"http://{host}")
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(
                here, headers={"Host": host}, timeout=_TIMEOUT_S, stream=True, allow_redirects=False
            )
            if answer.status_code != 200:
                code = _CODE.search(answer.text)
                raise _refused(f"OSS answered {answer.status_code} {code[1] if code else ''}".rstrip())
            yield from answer.iter_content(_CHUNK_BYTES)

    def _signed(self, name: str) -> str:
        found = _NAMED.fullmatch(name)
        if found is None or "/" not in found[3]:
            raise _refused("Write oss:REGION:BUCKET/FOLDER/FILE. No file in the bucket's root is read.")
        # A fifth of the local cloud's start, and few name their input so.
        import oss2  # noqa: PLC0415

        region, bucket, key = found.groups()
        if region != self._oss.storage.region:
            raise _refused(f"The local OSS has one region, {self._oss.storage.region}.")
        self._check_tag(bucket)
        try:
            auth = oss2.make_auth(self._keys.access_key_id, self._keys.access_key_secret, oss2.AUTH_VERSION_4)
            signer = oss2.Bucket(auth, self._oss.url, bucket, region=region)
        except oss2.exceptions.ClientError as error:
            raise _refused(str(error)) from None
        return str(signer.sign_url("GET", key, _SIGNED_FOR_S))

    def _check_tag(self, bucket: str) -> None:
        name, value = BUCKET_TAG
        storage = self._oss.storage
        if bucket in storage.buckets() and bucket_tags(storage, bucket).get(name) != value:
            raise _refused(f"AccessDenied: the bucket {bucket} has no tag {name}={value}.")


@contextmanager
def input_from_oss(oss: OssInput | None, name: str, folder: Path) -> Iterator[Path | None]:
    """A copy in ``folder``, as long as the block takes; nothing if ``name`` is a file's id.

    Raises:
        ApiError: It cannot be read.
    """
    if not name.startswith(("oss:", "http://", "https://")):
        yield None
        return
    if oss is None:
        raise _refused("There is no local OSS.")
    with tempfile.NamedTemporaryFile(dir=folder) as copy:
        for chunk in oss.chunks(name):
            copy.write(chunk)
            if copy.tell() > BAILIAN_LIMITS.max_bytes:  # as validation will say
                break
        copy.flush()
        yield Path(copy.name)


def _refused(reason: str) -> ApiError:
    return ApiError(400, f"The input file cannot be read from OSS. {reason}", param="input_file_id")
