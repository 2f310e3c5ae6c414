"""What the providers allow, as data beside their sources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

MIB = 1024 * 1024
MB = 1_000_000


@dataclass(frozen=True)
class ShardLimits:
    """The bounds of one batch; sizes in bytes, not characters."""

    max_requests: int
    max_bytes: int
    max_line_bytes: int
    warn_line_bytes: int
    max_custom_id_chars: int
    min_window: timedelta
    max_window: timedelta
    endpoints: frozenset[str]


CHAT = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"
TEST_ENDPOINT = "/v1/chat/ds-test"
TEST_MODEL = "batch-test-model"

# https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai (50,000 requests, 500 MB a file,
# 6 MB a line, taken as decimal, which no reading of them exceeds; the newest console page says 1 MB a line, so warn from there), custom_id <= 256 characters,
# completion_window 24h to 336h.
BAILIAN_LIMITS = ShardLimits(
    max_requests=50_000,
    max_bytes=500 * MB,
    max_line_bytes=6 * MB,
    warn_line_bytes=1 * MB,
    max_custom_id_chars=256,
    min_window=timedelta(hours=24),
    max_window=timedelta(hours=336),
    endpoints=frozenset({CHAT, EMBEDDINGS, TEST_ENDPOINT}),
)

# The same page: batch-test-model takes files of at most 100 lines and 1 MB.
BAILIAN_TEST_LIMITS = replace(
    BAILIAN_LIMITS, max_requests=100, max_bytes=1 * MB, max_line_bytes=1 * MB, warn_line_bytes=1 * MB
)


# A job's working data (``work/``) is removed when it is so old; the parameter WorkDays of template.yaml can only be more.
# Nothing is sent later than ``SEND_WITHIN`` after the plan was made: the longest window, the day of grace, the day in which a
# batch that is over it is cancelled, and two weeks in which somebody can mend what keeps a job from being collected.
WORK_KEPT = timedelta(days=180)
SEND_WITHIN = timedelta(days=150)


def bailian_limits_for(model: str) -> ShardLimits:
    return BAILIAN_TEST_LIMITS if model == TEST_MODEL else BAILIAN_LIMITS
