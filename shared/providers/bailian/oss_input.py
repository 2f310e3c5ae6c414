"""Requests that Bailian reads from the bucket itself: nothing is uploaded to its file store.

Sources: https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai (the name),
https://help.aliyun.com/zh/model-studio/bailian-service-linked-role (who reads, and what)
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.problems.exceptions import PipelineError, ProviderRejected, ProviderTrouble
from shared.providers.bailian.errors import REMEDIES
from shared.providers.bailian.troubles import IN_OSS, OSS_NOT_READABLE, PERMISSION_MISSING, is_about_oss


@dataclass(frozen=True)
class OssInput:
    """The bucket that holds the requests; its region is written as in ``cn-beijing``."""

    region: str
    bucket: str

    def name_of(self, object_key: str) -> str:
        """What a batch has for its input's id. The same object has the same name each time."""
        return f"{IN_OSS}{self.region}:{self.bucket}/{object_key}"


def explained(refusal: PipelineError) -> PipelineError:
    """What a refusal of such a batch means: the rows are not to blame for a bucket that is closed.

    Nobody has published how Bailian says so; its words decide.
    """
    is_denied = isinstance(refusal, ProviderTrouble) and refusal.trouble == PERMISSION_MISSING
    said = refusal.facts if isinstance(refusal, ProviderTrouble) else str(refusal)
    if (is_denied or isinstance(refusal, ProviderRejected)) and is_about_oss(said):
        return ProviderTrouble(said, OSS_NOT_READABLE, remedy=REMEDIES[OSS_NOT_READABLE])
    return refusal
