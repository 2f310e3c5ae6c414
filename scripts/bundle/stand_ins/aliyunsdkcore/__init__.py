"""Stands in for aliyun-python-sdk-core, which oss2 imports for keys kept in Alibaba Cloud's KMS."""

from __future__ import annotations


class LeftOut:
    """Refuses whatever is asked of it, so that a use is noticed where it is made."""

    def __getattr__(self, name: str) -> object:
        raise NotImplementedError(
            f"{name}: client-side encryption with KMS is not part of this function's zip"
        )


client = LeftOut()
