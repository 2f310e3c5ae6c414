"""What a provider allows; the numbers are in its profile."""

from __future__ import annotations

from dataclasses import dataclass
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


# OpenAI's paths, which all providers of its form share.
CHAT = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"


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


@dataclass(frozen=True)
class SlotPool:
    """So many batches may be unfinished at once; ``name`` is a folder under ``slots/`` and ``waiting/``."""

    name: str
    slots: int
