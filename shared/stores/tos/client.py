"""Makes the client of the ``tos`` SDK so that nothing of it reaches beyond the store."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import requests
import tos

from shared.problems.exceptions import ConfigurationError
from shared.stores.pieces.errors import CONNECT_TIMEOUT_S, READ_TIMEOUT_S

_HOST = re.compile(r"(https?://)?[A-Za-z0-9.-]+(:\d{1,5})?")
# https://www.volcengine.com/docs/6349/74820
_BUCKET = re.compile("[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_KEPT_TO_ITSELF: Mapping[str, Any] = {
    "max_retry_count": 0,  # or it repeats puts and completions after any error of the network
    "dns_cache_time": 0,  # or it replaces urllib3's connect function and starts a thread
    "enable_crc": False,  # or it computes them in Python, where crcmod has no C extension
    "connection_time": CONNECT_TIMEOUT_S,
    "socket_timeout": READ_TIMEOUT_S,
    "except100_continue_threshold": 0,  # requests never waits for the 100 that it would ask for
    # Never slow enough to be told. With 0, its calls return None and lose their errors.
    "high_latency_log_threshold": 1e-9,
}


def open_client(
    endpoint: str,
    region: str,
    bucket: str,
    *,
    access_key_id: str,
    secret_access_key: str,
    security_token: str | None,
    proxy: str | None,
) -> Any:
    """A ``tos.TosClientV2`` that repeats nothing and leaves the process as it is; makes no request.

    Raises:
        ConfigurationError: The endpoint, the bucket's name or the proxy is malformed.
    """
    if not _HOST.fullmatch(endpoint) or not _BUCKET.fullmatch(bucket):
        raise ConfigurationError(
            f"TOS: {endpoint!r} is no endpoint, or {bucket!r} no name of a bucket", "bucket_unusable"
        )
    host, port = _parse_proxy(proxy)
    # At DEBUG, the SDK logs what it signs, with the security token. Above WARNING, it prints.
    logging.getLogger("tos").setLevel(logging.WARNING)
    try:
        client = tos.TosClientV2(
            access_key_id,
            secret_access_key,
            # The SDK knows proxies for plain HTTP only; by itself it speaks HTTPS.
            f"http://{endpoint.rpartition('//')[2]}" if proxy else endpoint,
            region,
            security_token=security_token,
            proxy_host=host,
            proxy_port=port,
            **_KEPT_TO_ITSELF,
        )
    except tos.exceptions.TosClientError as error:
        raise ConfigurationError(f"TOS: {error.message}", "bucket_unusable") from error
    client.session.hooks["response"].append(_prepare)
    return client


def _parse_proxy(proxy: str | None) -> tuple[str | None, int | None]:
    if proxy is None:
        return None, None
    host, _, port = proxy.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigurationError(f"TOS: {proxy!r} is no proxy; give host:port", "bucket_unusable")
    return host, int(port)


def _prepare(answer: requests.Response, *_: Any, **__: Any) -> None:
    """Spare the SDK two answers that it misunderstands.

    A refused HEAD may declare the length of a body that it must not have: the SDK misses the body
    and never tells the status. Of a list that does not say how its keys are encoded, it says
    "url": whoever asks must see the answer itself, which requests keeps if it is read here.
    """
    if answer.request.method == "HEAD" and not answer.ok:
        answer.headers.pop("Content-Length", None)
    if "list-type=2" in (answer.request.url or ""):
        answer.content  # noqa: B018 - it is read and kept
