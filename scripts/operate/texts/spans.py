"""How long something takes, in words."""

from __future__ import annotations

from scripts.operate.texts.text import Text
from shared.board.model import Estimate

# The longest first.
_UNITS = {86_400: Text("天", "d"), 3600: Text("小时", "h"), 60: Text("分钟", "min"), 1: Text("秒", "s")}


def span(seconds: int) -> Text:
    """In the largest unit of which it is two or more."""
    length_s = next((each for each in _UNITS if seconds >= 2 * each), 1)
    zh, en = _UNITS[length_s]
    count = round(seconds / length_s)
    return Text(f"{count} {zh}", f"{count} {en}")


def usual(estimate: Estimate) -> Text:
    """How long jobs like one took."""
    typical, slow = span(estimate.typical_s), span(estimate.slow_s)
    return Text(
        f"这里的类似任务一般需要 {typical.zh}，较慢时 {slow.zh}（最近 {estimate.jobs} 个）",
        f"usually {typical.en} here, {slow.en} if slow (the last {estimate.jobs} jobs like it)",
    )
