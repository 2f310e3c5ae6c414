"""Times as on the wire: Beijing local time without a zone, windows of whole hours or days."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime, timedelta, timezone

from shared.providers.bailian.profile import BAILIAN_LIMITS

BEIJING = timezone(timedelta(hours=8))

# https://help.aliyun.com/zh/model-studio/openai-file-interface: all four are accepted for files.
FILE_FORMATS = ("%Y%m%d%H%M%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y%m%d")
BATCH_FORMATS = ("%Y%m%d%H%M%S",)

_WINDOW = re.compile(r"([1-9]\d{0,3})([hd])")


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


def window_of(text: str) -> timedelta:
    """The span that ``24h`` or ``14d`` stands for.

    Raises:
        ValueError: It is no window, or outside the service's bounds.
    """
    match = _WINDOW.fullmatch(text)
    if not match:
        raise ValueError(text)
    number, unit = int(match.group(1)), match.group(2)
    window = timedelta(hours=number) if unit == "h" else timedelta(days=number)
    if not BAILIAN_LIMITS.min_window <= window <= BAILIAN_LIMITS.max_window:
        raise ValueError(text)
    return window
