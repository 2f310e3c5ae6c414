"""How many tokens an answer can have at most, by what a request says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue


@dataclass(frozen=True)
class OutputBound:
    """The most output tokens of one request; ``None`` where nothing bounds them.

    Attributes:
        answer: Of the answer itself.
        thinking: Of what the model thinks before it; 0 if it does not.
        write: The lines of ``parameters`` that would bound what nothing bounds.
    """

    answer: int | None
    thinking: int | None
    write: tuple[str, ...] = ()

    @property
    def tokens(self) -> int | None:
        """Both together."""
        return None if self.answer is None or self.thinking is None else self.answer + self.thinking


NO_OUTPUT = OutputBound(0, 0)
"""Of embeddings."""


def count_in(parameters: Mapping[str, JsonValue], *names: str) -> int | None:
    """The first of these parameters that is a whole number, also ``9.0``, and not negative."""
    values = (parameters.get(name) for name in names)
    whole = (int(each) for each in values if type(each) is int or (type(each) is float and each.is_integer()))
    return next((each for each in whole if each >= 0), None)


def answers_in(parameters: Mapping[str, JsonValue]) -> int:
    """How many answers each request asks for."""
    return max(count_in(parameters, "n") or 1, 1)
