"""The local cloud's access keys, the person's and the functions'.

A function's key may do what the function's role allows.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scripts.localcloud.access.ram import Statement, is_allowed
from scripts.localcloud.options import ACCOUNT_ID
from scripts.localcloud.oss.auth.permissions import OBJECT_ACTIONS


@dataclass(frozen=True)
class TemporaryKey:
    """What Function Compute hands to a function that has a role."""

    access_key_id: str
    secret: str = field(repr=False)
    security_token: str = field(repr=False)


class AccessKeys:
    """Knows every key and what its owner may do. Keys may be issued while others are in use.

    Attributes:
        secrets: By access key id.
        security_tokens: By access key id, for the temporary ones.
    """

    def __init__(self, owners: Mapping[str, str], region: str) -> None:
        self.secrets = dict(owners)
        self.security_tokens: dict[str, str] = {}
        self._owners = frozenset(owners)
        self._region = region
        self._statements: dict[str, tuple[Statement, ...]] = {}

    def issue(self, function: str, statements: Iterable[Statement]) -> TemporaryKey:
        """A new key for a function, which replaces an earlier one."""
        key = TemporaryKey(f"LocalCloud-{function}", secrets.token_hex(16), secrets.token_hex(32))
        self._statements[key.access_key_id] = tuple(statements)
        self.security_tokens[key.access_key_id] = key.security_token
        self.secrets[key.access_key_id] = key.secret
        return key

    def authorize(
        self, access_key_id: str, action: str, bucket: str, key: str, /, delimiter: str = ""
    ) -> bool:
        """Whether the key's owner may do this.

        ``key`` is the object's key, or the prefix that is listed.
        """
        if access_key_id in self._owners:
            return True
        path = f"{bucket}/{key}" if action in OBJECT_ACTIONS else bucket
        # Documented for listing objects only.
        listed = {"oss:Prefix": key, "oss:Delimiter": delimiter}
        context = listed if action == "oss:ListObjects" else {}
        resource = f"acs:oss:{self._region}:{ACCOUNT_ID}:{path}"
        return is_allowed(self._statements.get(access_key_id, ()), action, resource, context)
