"""Which rights ROS needs to make, change and delete a resource: it acts with its caller's rights.

As in the section "RAM actions" of each type's page, reduced to what every template of that type
needs: https://help.aliyun.com/zh/ros/developer-reference/api-ros-2019-09-10-generatetemplatepolicy
tells them for a template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Needed:
    """What each step takes; ``read`` is part of all of them."""

    create: tuple[str, ...]
    update: tuple[str, ...]
    delete: tuple[str, ...]
    read: tuple[str, ...] = ()

    def for_step(self, step: str) -> tuple[str, ...]:
        """``step`` is Create, Update or Delete."""
        return (*self.read, *getattr(self, step.lower()))


_BUCKET_SETTINGS = (
    "oss:PutBucketCors",
    "oss:PutBucketAcl",
    "oss:PutBucketEncryption",
    "oss:PutBucketLifecycle",
    "oss:PutBucketPolicy",
    "oss:PutBucketPublicAccessBlock",
)
NEEDED: Mapping[str, Needed] = {
    "ALIYUN::OSS::Bucket": Needed(
        ("oss:PutBucket", *_BUCKET_SETTINGS), _BUCKET_SETTINGS, ("oss:DeleteBucket",), ("oss:GetBucketInfo",)
    ),
    "ALIYUN::SLS::Project": Needed(
        ("log:CreateProject",), ("log:UpdateProject",), ("log:DeleteProject",), ("log:GetProject",)
    ),
    "ALIYUN::SLS::Logstore": Needed(
        ("log:CreateLogStore",), ("log:UpdateLogStore",), ("log:DeleteLogStore",), ("log:GetLogStore",)
    ),
    "ALIYUN::SLS::Index": Needed(
        ("log:CreateIndex",), ("log:UpdateIndex",), ("log:DeleteIndex",), ("log:GetIndex",)
    ),
    "ALIYUN::SLS::Alert": Needed(
        ("log:CreateAlert",), ("log:UpdateAlert",), ("log:DeleteAlert",), ("log:GetAlert",)
    ),
    "ALIYUN::MNS::Queue": Needed(
        ("mns:CreateQueue",), ("mns:SetQueueAttributes",), ("mns:DeleteQueue",), ("mns:GetQueueAttributes",)
    ),
    "ALIYUN::RAM::Role": Needed(
        ("ram:CreateRole", "ram:CreatePolicy", "ram:AttachPolicyToRole"),
        ("ram:UpdateRole", "ram:CreatePolicyVersion", "ram:DeletePolicyVersion"),
        ("ram:DetachPolicyFromRole", "ram:DeletePolicy", "ram:DeleteRole"),
        ("ram:GetRole",),
    ),
    "ALIYUN::FC3::Function": Needed(
        ("fc:CreateFunction", "ram:PassRole"),
        ("fc:UpdateFunction", "ram:PassRole"),
        ("fc:DeleteFunction",),
        ("fc:GetFunction",),
    ),
    "ALIYUN::FC3::Trigger": Needed(
        ("fc:CreateTrigger", "ram:PassRole"),
        ("fc:UpdateTrigger", "ram:PassRole"),
        ("fc:DeleteTrigger",),
        ("fc:GetTrigger",),
    ),
    "ALIYUN::FC3::AsyncInvokeConfig": Needed(
        ("fc:PutAsyncInvokeConfig",), ("fc:PutAsyncInvokeConfig",), ("fc:DeleteAsyncInvokeConfig",)
    ),
    "ALIYUN::FC3::ConcurrencyConfig": Needed(
        ("fc:PutConcurrencyConfig",), ("fc:PutConcurrencyConfig",), ("fc:DeleteConcurrencyConfig",)
    ),
    "ALIYUN::FC3::CustomDomain": Needed(
        ("fc:CreateCustomDomain",),
        ("fc:UpdateCustomDomain",),
        ("fc:DeleteCustomDomain",),
        ("fc:GetCustomDomain",),
    ),
    "ALIYUN::CMS::ResourceMetricRule": Needed(
        ("cms:PutResourceMetricRule",),
        ("cms:PutResourceMetricRule",),
        ("cms:DeleteMetricRules",),
        ("cms:DescribeMetricRuleList",),
    ),
    "ALIYUN::EventBridge::Rule": Needed(
        ("eventbridge:CreateRule",), ("eventbridge:UpdateRule",), ("eventbridge:DeleteRule",)
    ),
    "ALIYUN::ROCKETMQ5::Topic": Needed(
        ("rocketmq:CreateTopic",), ("rocketmq:UpdateTopic",), ("rocketmq:DeleteTopic",)
    ),
    "ALIYUN::ROCKETMQ5::ConsumerGroup": Needed(
        ("rocketmq:CreateConsumerGroup",),
        ("rocketmq:UpdateConsumerGroup",),
        ("rocketmq:DeleteConsumerGroup",),
    ),
}


def needed_for(kind: str, step: str) -> tuple[str, ...]:
    """The rights for one step with a resource; of types that are not known here, none."""
    return NEEDED[kind].for_step(step) if kind in NEEDED else ()


def needed_by(kinds: Iterable[str], steps: Iterable[str]) -> list[str]:
    """The rights for these steps with resources of all these types, each once."""
    steps = list(steps)
    return sorted({action for kind in {*kinds} for step in steps for action in needed_for(kind, step)})
