"""The local COS as one thing to start and stop."""

from __future__ import annotations

from scripts.localcloud.cos.cos_service import CosService
from scripts.localcloud.cos.oddities import Oddity
from scripts.localcloud.cos.signatures import Signatures
from scripts.localcloud.storage_http.hosted.local import HostedStore


class LocalCos(HostedStore[Oddity]):
    """A client sends ``Host: bucket.cos.ap-shanghai.myqcloud.com`` to its ``address``.

    A bucket is not found by the host name of another region.
    """

    # The SDK's; https://cloud.tencent.com/document/product/436/7750
    min_part_bytes = 1024 * 1024
    signatures = Signatures
    service = CosService
