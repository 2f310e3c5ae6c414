"""Times as Bailian's list filters read them: Beijing local time, without a zone."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))

# https://help.aliyun.com/zh/model-studio/openai-file-interface: all four are accepted for files.
FILE_FORMATS = ("%Y%m%d%H%M%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y%m%d")
BATCH_FORMATS = ("%Y%m%d%H%M%S",)


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)


def parse_beijing_time(text: str, formats: tuple[str, ...]) -> int:
    """Seconds since 1970 of a list filter.

    Raises:
        ValueError: ``text`` has none of ``formats``.
    """
    for pattern in formats:
        with contextlib.suppress(ValueError):
            return int(datetime.strptime(text, pattern).replace(tzinfo=BEIJING).timestamp())
    raise ValueError(text)


def render_beijing_time(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
