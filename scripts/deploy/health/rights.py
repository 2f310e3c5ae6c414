"""Which rights deploying takes, and which of them a caller's policies give; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from scripts.localcloud.access.ram import Statement, is_allowed, parse_statement

# What these programs call themselves, beside what ROS does for them.
_ROS = (
    *(f"ros:{action}Stack" for action in ("Create", "Update", "Delete", "Get", "Preview")),
    *("ros:ListStacks", "ros:ListStackEvents", "ros:GenerateTemplatePolicy"),
)
# The system policy of each service that holds all of these:
# https://www.alibabacloud.com/help/en/ram/product-overview/services-that-work-with-ram
_SYSTEM_POLICIES = {
    "cms": "AliyunCloudMonitorFullAccess",
    "eventbridge": "AliyunEventBridgeFullAccess",
    "fc": "AliyunFCFullAccess",
    "log": "AliyunLogFullAccess",
    "mns": "AliyunMNSFullAccess",
    "oss": "AliyunOSSFullAccess",
    "ram": "AliyunRAMFullAccess",
    "rocketmq": "AliyunMQFullAccess",
    "ros": "AliyunROSFullAccess",
}


@dataclass(frozen=True)
class Right:
    """An action, and on what it is needed: ``*`` for whatever the stack makes."""

    action: str
    resource: str = "*"

    @property
    def name(self) -> str:
        """The action, and its resource if it is not everything."""
        return self.action if self.resource == "*" else f"{self.action} ({self.resource})"

    @property
    def service(self) -> str:
        return self.action.partition(":")[0]


def own_rights(bucket: str, code_bucket: str) -> list[Right]:
    """What these commands do themselves: upload zips, drop a file, look at its result."""
    on_objects = {
        f"{code_bucket}/*": ("oss:PutObject", "oss:GetObject"),
        f"{bucket}/inbox/*": ("oss:PutObject", "oss:DeleteObject"),
        f"{bucket}/results/*": ("oss:GetObject", "oss:DeleteObject"),
        f"{bucket}/rejected/*": ("oss:GetObject",),
        f"{bucket}/quotes/*": ("oss:DeleteObject",),
    }
    return [
        *(Right(action) for action in _ROS),
        *(Right("oss:GetBucketInfo", _of_oss(name)) for name in (bucket, code_bucket)),
        Right("oss:GetObject", _of_oss(f"{bucket}/board.json")),
        Right("oss:ListObjects", _of_oss(bucket)),
        Right("oss:PutBucketCors", _of_oss(bucket)),
        Right("oss:PutBucket", _of_oss(code_bucket)),
        *(Right(action, _of_oss(path)) for path, actions in on_objects.items() for action in actions),
    ]


def _of_oss(path: str) -> str:
    return f"acs:oss:*:*:{path}"


def statements_in(policies: Iterable[Mapping[str, Any]]) -> list[Statement]:
    """The statements of these documents.

    Raises:
        PolicyError: One says something that cannot be judged here, such as ``NotAction``.
    """
    return [parse_statement(each) for policy in policies for each in policy.get("Statement", [])]


def missing(
    needed: Iterable[Right], statements: Iterable[Statement], account: str, region: str
) -> list[Right]:
    """Those that no statement gives, or that one takes away.

    Args:
        needed: Each once.
        statements: Of all policies of the caller.
        account: The number of the account.
        region: Where things are made.
    """
    statements = list(statements)
    return [
        each
        for each in needed
        if not is_allowed(statements, each.action, _example(each, account, region), {})
    ]


def at_best(statements: Iterable[Statement]) -> list[Statement]:
    """What they would be if every condition held for the caller."""
    return [replace(each, conditions={}) for each in statements if each.allows or not each.conditions]


def _example(right: Right, account: str, region: str) -> str:
    """A resource for which the right must hold, without wildcards."""
    if right.resource == "*":
        return f"acs:{right.service}:{region}:{account}:batchdrop"
    return right.resource.replace("acs:oss:*:*:", f"acs:oss:{region}:{account}:").replace("*", "batchdrop")


def fix_for(right: Right, user: str) -> str:
    """The command that gives the right, and others of its service, to a RAM user."""
    policy = _SYSTEM_POLICIES.get(right.service, "AdministratorAccess")
    return f"aliyun ram AttachPolicyToUser --PolicyType System --PolicyName {policy} --UserName {user}"
