"""Adds up what the provider counted of each row."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Sequence

from shared.bucket.money import TokenCounts
from shared.bucket.records.usage import Tokens
from shared.results.columns import Answer, RowStatus
from shared.results.replies.token_details import details_in

_INPUT, _OUTPUT, _THINKING, _CACHED = range(4)
_ANY = sys.maxsize


class UsageCount:
    """The tokens of all answers of one attempt.

    Attributes:
        uncounted: Answers of which no tokens are told.

    Args:
        tiers: The longest request of each tier of the price, ascending; empty without a price.
            The last one holds for what is longer, too.
    """

    def __init__(self, tiers: Sequence[int | None] = ()) -> None:
        self._bounds = [each for each in tiers[:-1] if each is not None]
        self._by_tier = [[0, 0, 0, 0] for _ in (tiers or (None,))]
        self._has_price = bool(tiers)
        self._total = self._thinking = 0
        self.uncounted = 0
        # Up to this length, requests without any detail need no more than ``add_plain``.
        self.plain_up_to = self._bounds[0] if self._bounds else _ANY

    def add_plain(self, prompt: int, completion: int, total: int) -> None:
        """Add replies together that are no longer than ``plain_up_to`` each, and have no detail."""
        tier = self._by_tier[0]
        tier[_INPUT] += prompt
        tier[_OUTPUT] += completion
        self._total += total

    def add(
        self, prompt: int, completion: int, total: int, thinking: int, cached: int, *, is_thought: bool
    ) -> None:
        """Add one reply; no detail can be more than what it is a part of.

        If the model thought, the price of that holds for its answer, too. Some servers count what
        was thought in the total alone.
        """
        if total > prompt + completion:
            completion, is_thought = total - prompt, True
        if cached:
            cached = min(cached, prompt)
        if thinking:
            thinking, is_thought = min(thinking, completion), True
        tier = self._by_tier[bisect_left(self._bounds, prompt)]
        tier[_INPUT] += prompt - cached
        tier[_CACHED] += cached
        tier[_THINKING if is_thought else _OUTPUT] += completion
        self._total += total
        self._thinking += thinking

    def add_answer(self, answer: Answer) -> None:
        """Add one reply as it was read."""
        prompt, completion, total = (
            max(each or 0, 0)
            for each in (answer.prompt_tokens, answer.completion_tokens, answer.total_tokens)
        )
        if answer.prompt_tokens is None:  # as of vectors, of which some servers tell the total alone
            prompt = max(total - completion, 0)
        thinking, cached = details_in(answer.usage)
        self.add(prompt, completion, total, thinking, cached, is_thought=bool(answer.reasoning_content))
        if not (answer.total_tokens or answer.prompt_tokens) and answer.status is RowStatus.ANSWERED:
            self.uncounted += 1

    @property
    def tokens(self) -> Tokens:
        input_tokens, output, thought, cached = map(sum, zip(*self._by_tier, strict=True))
        return Tokens(
            prompt=input_tokens + cached,
            completion=output + thought,
            total=self._total,
            thinking=self._thinking,
            cached=cached,
        )

    @property
    def charged(self) -> tuple[TokenCounts, ...]:
        """The same by how it is charged, for each tier; empty without a price."""
        if not self._has_price:
            return ()
        return tuple(
            TokenCounts(
                input=each[_INPUT], output=each[_OUTPUT], thinking=each[_THINKING], cached=each[_CACHED]
            )
            for each in self._by_tier
        )
