"""What the clouds' signatures have in common: known keys, limits in time, and a chain of keys."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# https://help.aliyun.com/en/oss/user-guide/0002-00000504 and
# https://www.volcengine.com/docs/6349/74874: a request may be at most 15 minutes off.
MAX_CLOCK_SKEW = timedelta(minutes=15)
# URLs live for at most seven days, says TOS's SDK, and of OSS
# https://help.aliyun.com/en/oss/developer-reference/add-signatures-to-urls
MAX_EXPIRY_S = 604_800


@dataclass(frozen=True)
class KnownKeys:
    """The keys of a store's callers, and the time at which it looks at a signature.

    Attributes:
        credentials: Secret by access key id.
        security_tokens: By access key id. A key that is named here is temporary, and good only with
            its token.
        now: An aware UTC time.
    """

    credentials: Mapping[str, str]
    region: str
    now: Callable[[], datetime]
    security_tokens: Mapping[str, str] = field(default_factory=dict)

    def is_skewed(self, signed_at: datetime) -> bool:
        return abs(self.now() - signed_at) > MAX_CLOCK_SKEW


def scoped_signature(canonical: bytes, key: str, algorithm: str, date: str, scope: str) -> str:
    """Lower-case hex HMAC-SHA256 over the hash of a request, by a key derived for its scope.

    Args:
        canonical: What is signed of the request.
        key: The secret, after what the cloud puts before it.
        algorithm: The cloud's name for it.
        date: As it stands in its header.
        scope: Day, region, service and a last word, with slashes between.
    """
    to_sign = f"{algorithm}\n{date}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}"
    return hmac.digest(derived_key(key, scope), to_sign.encode(), "sha256").hex()


def derived_key(key: str, scope: str) -> bytes:
    """What signs within a scope; the arguments are those of ``scoped_signature``."""
    derived = key.encode()
    for step in scope.split("/"):
        derived = hmac.digest(derived, step.encode(), "sha256")
    return derived


def unsigned_headers(headers: Iterable[str], signed: Iterable[str], prefix: str) -> list[str]:
    """Those that would let a stranger read more than the signer meant, if he added them.

    Args:
        headers: All names, in lower case.
        signed: The names of those that were signed.
        prefix: Of the names of those that say what is copied.
    """
    added = set(headers) - set(signed)
    return sorted(name for name in added if name == "host" or name.startswith(prefix))
