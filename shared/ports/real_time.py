"""The port of a cloud's service that answers single requests at once, for a few rows to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

MAX_REQUESTS = 5


class RealTime(Protocol):
    """Answers at once what a batch would answer later, at the price of single requests."""

    def answers(self, requests: Sequence[bytes]) -> list[bytes]:
        """One result line for each request line, in their order, within 50 seconds.

        A row that is refused, or gets no answer in time, has a line that says so.

        Args:
            requests: At most ``MAX_REQUESTS``, as they stand in a shard.

        Raises:
            ProviderTrouble: Somebody must act: key, money, address.
        """
