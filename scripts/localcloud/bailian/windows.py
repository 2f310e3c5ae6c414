"""The completion window as the wire writes it: whole hours or days."""

from __future__ import annotations

import re
from datetime import timedelta

from shared.adapters.bailian_profile import BAILIAN_LIMITS

_WINDOW = re.compile(r"([1-9]\d{0,3})([hd])")


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
