"""The port of a cloud's service that answers single requests at once, for a few rows to look at."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Protocol

MAX_REQUESTS = 5


class Asked(str, Enum):
    """What became of a request that was asked."""

    ANSWERED = "answered"
    REFUSED = "refused"  # before any model ran: it is free, and may be asked again
    UNKNOWN = "unknown"  # no answer came, and it may have been run and charged


class Reply(NamedTuple):
    """What one request came to; ``line`` says it as a line of a batch's results does."""

    line: bytes
    asked: Asked


class RealTime(Protocol):
    """Answers at once what a batch would answer later, at the price of single requests."""

    def answers(self, requests: Sequence[bytes], model: str) -> list[Reply]:
        """One reply for each request line, in their order, within 50 seconds; none is asked twice.

        A row that is refused, or gets no answer in time, has a line that says so.

        Args:
            requests: At most ``MAX_REQUESTS``, as they stand in a shard.
            model: What answers them all, as a plan names it; not every line does.

        Raises:
            ProviderTrouble: Somebody must act: key, money, address. All of them were refused.
        """
