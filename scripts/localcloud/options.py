"""What can be chosen about a local cloud, on the command line and in tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from scripts.localcloud.answers.upstream import Upstream

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_DATA = REPOSITORY / "batchdrop-data" / "local"
REGION = "cn-beijing"
ACCOUNT_ID = "1000000000000000"  # made up, in the shape of a real one
TENCENT_REGION = "ap-beijing"
# What a person would have made; here containers are processes beside one model server.
TIONE_IMAGE = "local.tencentcloudcr.com/batch/model-server:1"
TIONE_RESOURCE = '{"InstanceType": "TI.GN10.2XLARGE40.POST"}'
PROVIDERS = ("bailian", "ark", "tione")
# The template's model is one of Bailian's. Local services answer by any name.
_MODEL_OF = {
    "ark": {"DefaultModel": "doubao-seed-2-1-pro-260628"},
    "tione": {"DefaultModel": "Qwen3-8B"},
}
BAILIAN_URL = "https://dashscope.aliyuncs.com/compatible-mode/v1"

# How soon the timer acts, where not as the template says. A number must not be shorter than what it
# waits for: FinishedOverdueS stays longer than collect may run, InboxSweepAfterS longer than
# validate may be silent, or a large shard would be collected twice, a large file validated twice.
_LOCAL = {"ReadyOverdueS": "5", "PollAfterS": "5", "ResultsLateS": "5", "FilesSweepS": "60"}
PACE: dict[str, dict[str, str]] = {
    # ClaimLeaseS is shorter than submit's timeout, so that a shard whose submit was stopped by
    # Ctrl-C goes on soon. A claim that is taken over too early costs nothing here: of two local
    # batches one is cancelled, and a local batch is listed at once.
    "local": {**_LOCAL, "ClaimLeaseS": "60"},
    # Not so with an upstream: of two batches both would ask it for rows, at its price.
    "upstream": _LOCAL,
    # Its makers advise one poll a minute. The rest is the template's, or rows could be paid twice.
    "bailian": {"PollAfterS": "60"},
}


def volcengine_dir(data_dir: Path) -> Path:
    """The second cloud's own data folder inside that of the first."""
    return data_dir / ".localcloud" / "volcengine"


def tencent_dir(data_dir: Path) -> Path:
    """That of the third cloud."""
    return data_dir / ".localcloud" / "tencent"


@dataclasses.dataclass(frozen=True)
class CloudOptions:
    """How a local cloud is set up.

    Attributes:
        data_dir: Buckets are its folders; everything else is under ``.localcloud`` in it.
        real: The service that is asked itself, at its price, instead of the one on this machine.
        providers: Those that recipes may name, of ``PROVIDERS``; the first is for recipes that name
            none. All but ``bailian`` are on this machine in any case.
        api_key: Bailian's; without one, the local Bailian takes the folder's own.
        base_url: Of the real Bailian.
        upstream: An OpenAI-compatible server that answers the rows instead of the test answers.
        batch_delay_s: How long a local batch takes at least, so that there is progress to see.
        timer_interval_s: How often timers fire, whatever the template says.
        duplicates: How often each event is delivered.
        workers: How many instances of each function may run.
        parameters: Template parameters that differ from ``PACE`` and the template.
    """

    data_dir: Path
    bucket: str = "batchdrop"
    real: Literal["bailian"] | None = None
    providers: tuple[str, ...] = ("bailian",)
    api_key: str | None = dataclasses.field(default=None, repr=False)
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
    oss_port: int = 0
    gateway_port: int = 0
    parameters: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def answerer(self) -> Upstream | None:
        """What answers the rows of local services, if it is a server of the user's."""
        if not self.upstream:
            return None
        return Upstream(self.upstream, self.upstream_api_key, self.upstream_model)

    def answered_by(self) -> str:
        """Who answers, as the page's setting has it."""
        if self.upstream:
            where = urlsplit(self.upstream).netloc.rpartition("@")[2]  # a password is nobody's business
            return f"server:{self.upstream_model} ({where})" if self.upstream_model else f"server:{where}"
        made_up = [each for each in self.providers if each != self.real]
        return f"test:{','.join(made_up)}" if made_up and self.real else "test" if made_up else ""

    def template_parameters(self) -> dict[str, str]:
        """The parameters that do not depend on where the local servers listen."""
        return {
            **PACE[self.real or ("upstream" if self.upstream else "local")],
            "BucketName": self.bucket,
            "DefaultProvider": self.providers[0],
            **_MODEL_OF.get(self.providers[0], {}),
            "AnsweredBy": self.answered_by(),
            "CodeBucket": "local",
            "UseRocketMQ": "true",
            "RocketMQInstanceId": "rmq-local",
            "ALIYUN::Region": REGION,
            **self.parameters,
        }
