"""The object store of one invocation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from shared.ports.signed_access import SignedAccess
from shared.ports.store import ObjectStore
from shared.runtime.context import FcContext
from shared.runtime.settings import Settings
from shared.stores.oss.signed_access import open_oss_signed_access
from shared.stores.oss.store import open_oss_store

Opened = TypeVar("Opened")


def open_store(settings: Settings, context: FcContext) -> ObjectStore:
    """The bucket, with this invocation's credentials: keep it no longer than the invocation.

    Raises:
        ConfigurationError: The invocation has no credentials.
    """
    return _opened(open_oss_store, settings.oss_endpoint, settings, context)


def open_signed_access(settings: Settings, context: FcContext) -> SignedAccess:
    """What browsers may do with the bucket, with this invocation's credentials while they last.

    Raises:
        ConfigurationError: The invocation has no credentials.
    """
    endpoint = settings.oss_public_endpoint or settings.oss_endpoint
    return _opened(open_oss_signed_access, endpoint, settings, context)


def _opened(
    open_bucket: Callable[..., Opened], endpoint: str, settings: Settings, context: FcContext
) -> Opened:
    credentials = context.credentials
    token = credentials.security_token
    return open_bucket(
        endpoint=endpoint,
        region=settings.oss_region,
        bucket=settings.bucket_name,
        access_key_id=credentials.access_key_id,
        access_key_secret=credentials.access_key_secret.get_secret_value(),
        security_token=token.get_secret_value() if token else None,
    )
