"""Remembers which channels do not answer, so that their words do not hold up those of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from shared.pipeline.deadlines import CHANNEL_RESTS
from shared.problems.exceptions import ChannelRefused


@dataclass(frozen=True)
class SilentChannels:
    """Of one instance of ``notify``; what it turns away, the timer puts again like all others."""

    _until: dict[str, datetime] = field(default_factory=dict)

    def add(self, channel: str, now: datetime) -> None:
        self._until[channel] = now + CHANNEL_RESTS

    def check(self, channel: str, now: datetime) -> None:
        """Raise ``ChannelRefused`` if the channel did not answer a moment ago."""
        if channel in self._until and now < self._until[channel]:
            raise ChannelRefused("it did not answer a moment ago")
