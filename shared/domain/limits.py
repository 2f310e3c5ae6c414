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


def bailian_limits_for(model: str) -> ShardLimits:
    return BAILIAN_TEST_LIMITS if model == TEST_MODEL else BAILIAN_LIMITS


@dataclass(frozen=True)
class ProviderQuotas:
    """What one account may have at a time, and how often it may ask; sizes in bytes."""

    unfinished_batches: int
    creates_per_minute: int
    queries_per_minute: int
    lists_per_minute: int
    list_page: int
    uploads_per_second: int
    file_calls_per_second: int
    max_files: int
    max_file_bytes: int


# The batch page above: creating, querying and cancelling 1,000 a minute each, listing 100 a minute with at most 100 a page,
# 1,000 unfinished batches for the main account. https://help.aliyun.com/zh/model-studio/openai-file-interface: 10,000 files
# or 100 GB, 3 uploads a second, and 10 a second of all other calls together.
BAILIAN_QUOTAS = ProviderQuotas(
    unfinished_batches=1000,
    creates_per_minute=1000,
    queries_per_minute=1000,
    lists_per_minute=100,
    list_page=100,
    uploads_per_second=3,
    file_calls_per_second=10,
    max_files=10_000,
    max_file_bytes=100 * 1000 * MB,
)
# The same page: two batches of batch-test-model at once.
BAILIAN_TEST_QUOTAS = replace(BAILIAN_QUOTAS, unfinished_batches=2)


@dataclass(frozen=True)
class SlotPool:
    """So many batches may be unfinished at once; ``name`` is a folder under ``slots/`` and ``waiting/``."""

    name: str
    slots: int


_TEST_POOL = SlotPool("bailian-test", BAILIAN_TEST_QUOTAS.unfinished_batches)
# The test model's batches count for the account, too.
_POOL = SlotPool("bailian", BAILIAN_QUOTAS.unfinished_batches - _TEST_POOL.slots)
POOLS = (_POOL, _TEST_POOL)


def pool_for(model: str) -> SlotPool:
    """Where a batch of this model takes its slot."""
    return _TEST_POOL if model == TEST_MODEL else _POOL
