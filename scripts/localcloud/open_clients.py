"""Clients of a running local cloud, with the rights of the person at this machine."""

from __future__ import annotations

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.options import REGION
from shared.ports.provider import BatchProvider
from shared.ports.store import ObjectStore


def store_of(cloud: LocalCloud) -> ObjectStore:
    """Its bucket."""
    # This loads oss2, which the cloud itself starts without.
    from shared.stores.oss.store import open_oss_store  # noqa: PLC0415

    return open_oss_store(
        cloud.oss.url,
        REGION,
        cloud.options.bucket,
        access_key_id=cloud.keys.access_key_id,
        access_key_secret=cloud.keys.access_key_secret,
        security_token=None,
    )


def provider_of(cloud: LocalCloud) -> BatchProvider:
    """Its Bailian, or the real one."""
    # And this openai, which loads for longer than all the rest.
    from shared.providers.bailian.client import open_bailian  # noqa: PLC0415

    base_url = cloud.bailian.base_url if cloud.bailian else cloud.options.base_url
    return open_bailian(base_url, cloud.api_key)
