"""Who calls, and what they may do: an account's own key, and RAM users with their policies."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.localcloud.access.access_keys import AccessKeys
from scripts.localcloud.access.ram import Statement, is_allowed, parse_statement
from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.options import ACCOUNT_ID, REGION
from shared.providers.bailian.profile import READING_ROLE


@dataclass(frozen=True)
class User:
    """A RAM user; ``policy`` is the document of the one policy that is attached to it."""

    name: str
    access_key_id: str
    secret: str = field(repr=False)
    policy: Mapping[str, Any]

    @property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(map(parse_statement, self.policy["Statement"]))


class AccountKeys(AccessKeys):
    """The keys of an account: the owner's, those of RAM users, and those of functions.

    Attributes:
        linked_roles: Of cloud services. Bailian's is there, as once its console imported data.
    """

    def __init__(self, owners: Mapping[str, str], region: str) -> None:
        super().__init__(owners, region)
        self._users: dict[str, User] = {}
        self.linked_roles = {READING_ROLE}

    def add_user(
        self, name: str, actions: Iterable[str], conditional: Mapping[str, object] | None = None
    ) -> User:
        """A user who may do this, on everything, and nothing else.

        ``conditional`` has further actions, each with its ``Condition``.
        """
        statements: list[dict[str, object]] = [
            {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
        ]
        for action, condition in (conditional or {}).items():
            statements.append({"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition})
        policy = {"Version": "1", "Statement": statements}
        user = User(name, f"LocalUser{secrets.token_hex(8)}", secrets.token_hex(20), policy)
        self._users[user.access_key_id] = user
        self._statements[user.access_key_id] = user.statements
        self.secrets[user.access_key_id] = user.secret
        return user

    def user_of(self, access_key_id: str) -> User | None:
        """None for the account itself."""
        return self._users.get(access_key_id)

    def user_named(self, name: str) -> User:
        for user in self._users.values():
            if user.name == name:
                return user
        raise Refusal(404, "EntityNotExist.User", f"The user {name} does not exist.")

    def may(self, access_key_id: str, action: str) -> bool:
        """Whether the caller may do this somewhere; an emulated service knows no finer resource."""
        if access_key_id in self._owners:
            return True
        resource = f"acs:{action.partition(':')[0]}:{REGION}:{ACCOUNT_ID}:*"
        return is_allowed(self._statements.get(access_key_id, ()), action, resource, {})

    def check(self, access_key_id: str, action: str) -> None:
        """Raise the refusal that most services give if the caller may not do this.

        Source: https://www.alibabacloud.com/help/en/ram/troubleshoot-no-permission
        """
        if not self.may(access_key_id, action):
            said = f"You are not authorized to do this action. Action: {action}, resource: *"
            raise Refusal(403, "NoPermission", said)


class Identity:
    """What STS and RAM tell of callers; only what a program asks that wants to know its rights.

    Sources: https://help.aliyun.com/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity,
    https://help.aliyun.com/en/ram/developer-reference/api-ram-2015-05-01-listpoliciesforuser,
    https://help.aliyun.com/en/ram/developer-reference/api-ram-2015-05-01-getpolicy
    """

    def __init__(self, keys: AccountKeys) -> None:
        self._keys = keys

    def get_caller_identity(self, caller: str, _given: Mapping[str, str]) -> dict[str, Any]:
        user = self._keys.user_of(caller)
        if user is None:
            kind, arn = "Account", f"acs:ram::{ACCOUNT_ID}:root"
        else:
            kind, arn = "RAMUser", f"acs:ram::{ACCOUNT_ID}:user/{user.name}"
        return {"AccountId": ACCOUNT_ID, "Arn": arn, "IdentityType": kind, "UserId": caller}

    def list_policies_for_user(self, caller: str, given: Mapping[str, str]) -> dict[str, Any]:
        self._keys.check(caller, "ram:ListPoliciesForUser")
        name = self._keys.user_named(given["UserName"]).name
        return {"Policies": {"Policy": [{"PolicyName": name, "PolicyType": "Custom"}]}}

    def list_groups_for_user(self, caller: str, _given: Mapping[str, str]) -> dict[str, Any]:
        self._keys.check(caller, "ram:ListGroupsForUser")
        return {"Groups": {"Group": []}}

    def get_policy(self, caller: str, given: Mapping[str, str]) -> dict[str, Any]:
        self._keys.check(caller, "ram:GetPolicy")
        user = self._keys.user_named(given["PolicyName"])
        named = {"PolicyName": user.name, "PolicyType": "Custom"}
        return {"Policy": named, "DefaultPolicyVersion": {"PolicyDocument": json.dumps(user.policy)}}

    def get_role(self, caller: str, given: Mapping[str, str]) -> dict[str, Any]:
        """Of service-linked roles alone: https://help.aliyun.com/en/ram/developer-reference/api-ram-2015-05-01-getrole."""
        self._keys.check(caller, "ram:GetRole")
        name = given["RoleName"]
        if name not in self._keys.linked_roles:
            raise Refusal(404, "EntityNotExist.Role", f"The role not exists: {name}.")
        return {"Role": {"RoleName": name, "Arn": f"acs:ram::{ACCOUNT_ID}:role/{name.lower()}"}}

    def actions(self) -> Iterator[tuple[tuple[str, str], Any]]:
        """By version and name."""
        yield ("2015-04-01", "GetCallerIdentity"), self.get_caller_identity
        yield ("2015-05-01", "ListPoliciesForUser"), self.list_policies_for_user
        yield ("2015-05-01", "ListGroupsForUser"), self.list_groups_for_user
        yield ("2015-05-01", "GetPolicy"), self.get_policy
        yield ("2015-05-01", "GetRole"), self.get_role
