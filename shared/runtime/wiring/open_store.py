"""The object store of one invocation."""

from __future__ import annotations

from typing import Any

from shared.ports.signed_access import SignedAccess
from shared.runtime.context import FcContext
from shared.runtime.settings import Settings
from shared.stores.oss.signed_access import OssSignedAccess
from shared.stores.oss.store import OssStore, open_oss_bucket


def open_store(settings: Settings, context: FcContext) -> OssStore:
    """The bucket, with this invocation's credentials: keep it no longer than the invocation.

    Raises:
        ConfigurationError: The invocation has no credentials.
    """
    return OssStore(_opened(settings.oss_endpoint, settings, context))


def open_signed_access(settings: Settings, context: FcContext) -> SignedAccess:
    """What browsers may do with the bucket, with this invocation's credentials while they last.

    Raises:
        ConfigurationError: The invocation has no credentials.
    """
    endpoint = settings.oss_public_endpoint or settings.oss_endpoint
    return OssSignedAccess(_opened(endpoint, settings, context), settings.oss_region)


def _opened(endpoint: str, settings: Settings, context: FcContext) -> Any:
    credentials = context.credentials
    token = credentials.security_token
    return open_oss_bucket(
        endpoint,
        settings.oss_region,
        settings.bucket_name,
        access_key_id=credentials.access_key_id,
        access_key_secret=credentials.access_key_secret.get_secret_value(),
        security_token=token.get_secret_value() if token else None,
    )
