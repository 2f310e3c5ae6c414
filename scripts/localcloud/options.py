"""What can be chosen about a local cloud, on the command line and in tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

REPOSITORY = Path(__file__).resolve().parents[2]
REGION = "cn-beijing"
BAILIAN_URL = "https://dashscope.aliyuncs.com/compatible-mode/v1"

# How soon the timer acts on a laptop, where nobody waits for a minute to pass. As in the template, a claim
# outlives its function (submit is killed at its timeout) by the time that a new batch needs to be listed: none here.
# InboxSweepAfterS stays the template's: sooner than validate's timeout, a large file would be validated twice.
LOCAL_PARAMETERS = {
    "ClaimLeaseS": "60",
    "ReadyOverdueS": "5",
    "PollAfterS": "5",
    "FinishedOverdueS": "5",
    "ResultsLateS": "5",
    "FilesSweepS": "60",
}


@dataclasses.dataclass(frozen=True)
class CloudOptions:
    """How a local cloud is set up.

    Attributes:
        data_dir: Buckets are its folders; everything else is under ``.localcloud`` in it.
        provider: ``local`` answers on this machine, ``bailian`` is the real service and costs money.
        base_url: Of the real Bailian.
        upstream: An OpenAI-compatible server that answers the rows instead of the built-in test answers.
        batch_delay_s: How long a local batch takes at least, so that there is progress to see.
        timer_interval_s: How often timers fire, whatever the template says.
        duplicates: How often each event is delivered.
        workers: How many instances of each function may run.
        parameters: Template parameters that differ from the local defaults.
    """

    data_dir: Path
    bucket: str = "batchdrop"
    provider: Literal["local", "bailian"] = "local"
    api_key: str = dataclasses.field(default="sk-local", repr=False)
    base_url: str = BAILIAN_URL
    upstream: str | None = None
    upstream_api_key: str | None = dataclasses.field(default=None, repr=False)
    upstream_model: str | None = None
    concurrency: int = 2
    batch_delay_s: float = 0.0
    timer_interval_s: float = 2.0
    scan_interval_s: float = 0.5
    duplicates: int = 1
    workers: int = 2
    use_rocketmq: bool = True
    oss_port: int = 0
    gateway_port: int = 0
    parameters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    template: Path = REPOSITORY / "template.yaml"

    def template_parameters(self) -> dict[str, str]:
        """The parameters that do not depend on where the local servers listen."""
        return {
            **LOCAL_PARAMETERS,
            "BucketName": self.bucket,
            "CodeBucket": "local",
            "DashScopeApiKey": self.api_key,
            "UseRocketMQ": "true" if self.use_rocketmq else "false",
            "RocketMQInstanceId": "rmq-local",
            "ALIYUN::Region": REGION,
            **self.parameters,
        }
