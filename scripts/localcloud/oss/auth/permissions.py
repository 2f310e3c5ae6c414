"""Who asks, and whether they may: the local OSS checks this before each operation."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.localcloud.oss import oss_refusals
from scripts.localcloud.storage_http.permissions import Authorize

# Their resource is an object; every other action is about the bucket or, without one, the account.
OBJECT_ACTIONS = frozenset(
    {"oss:AbortMultipartUpload", "oss:ListParts"}
    | {f"oss:{verb}Object" for verb in ("Delete", "Get", "Put")}
    | {f"oss:{verb}ObjectTagging" for verb in ("Delete", "Get", "Put")}
    | {f"oss:{verb}ObjectAcl" for verb in ("Get", "Put")}
)


@dataclass(frozen=True)
class Caller:
    """The owner of the key that a request is signed with."""

    access_key_id: str
    authorize: Authorize

    def may(self, action: str, bucket: str, key: str, delimiter: str = "") -> bool:
        return self.authorize(self.access_key_id, action, bucket, key, delimiter)

    def check(self, action: str, bucket: str, key: str, delimiter: str = "") -> None:
        """Return if the caller may; otherwise raise ``Refusal`` 403."""
        if not self.may(action, bucket, key, delimiter):
            raise oss_refusals.not_authorized(action)
