"""Makes the client of COS's SDK so that it repeats nothing, follows nothing and logs nothing."""

from __future__ import annotations

import logging
import re
from typing import Any

import requests
from qcloud_cos import CosClientError, CosConfig, CosS3Client

from shared.problems.exceptions import ConfigurationError
from shared.stores.cos.errors import ElsewhereError
from shared.stores.pieces.errors import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, UNUSABLE

# https://cloud.tencent.com/document/product/436/13312
_BUCKET = re.compile(r"[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?-\d{5,15}")
_REGION = re.compile("[a-z]+(-[a-z0-9]+)+")


def open_client(
    region: str, bucket: str, *, secret_id: str, secret_key: str, token: str | None, address: str | None
) -> Any:
    """A ``CosS3Client`` with connections of its own; makes no request.

    Raises:
        ConfigurationError: The region, the bucket's name, the keys or the address are malformed.
    """
    if not _BUCKET.fullmatch(bucket):
        raise ConfigurationError(
            f"COS: {bucket!r} is no name of a bucket with the APPID at its end, as in name-1250000000",
            UNUSABLE,
        )
    if not _REGION.fullmatch(region):
        raise ConfigurationError(f"COS: {region!r} is no region, such as ap-shanghai", UNUSABLE)
    # At DEBUG and INFO it logs headers and what it signs, with the token; at ERROR, whole answers,
    # which may quote the same. All of it is in the exceptions.
    logging.getLogger("qcloud_cos").setLevel(logging.CRITICAL)
    host, port = _parse_address(address)
    try:
        config = CosConfig(
            Region=region,
            SecretId=secret_id,
            SecretKey=secret_key,
            Token=token,
            Scheme="http" if address else "https",
            Timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
            IP=host,
            Port=port,
        )
    except CosClientError as error:
        raise ConfigurationError(f"COS: {error}", UNUSABLE) from error
    session = requests.Session()  # or all clients share one
    session.hooks["response"].append(_follow_nothing)
    return CosS3Client(config, retry=0, session=session)


def _parse_address(address: str | None) -> tuple[str | None, int | None]:
    if address is None:
        return None, None
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigurationError(f"COS: {address!r} is no address; give host:port", UNUSABLE)
    return host, int(port)


def _follow_nothing(answer: requests.Response, *_: Any, **__: Any) -> None:
    if 300 <= answer.status_code < 400:
        answer.close()
        raise ElsewhereError(
            f"{answer.status_code}: COS names another address; check the bucket's name and region"
        )
