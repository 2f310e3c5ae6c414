"""What is wrong with an uploaded file, as values: collected while scanning, rendered at the end."""

from __future__ import annotations

import dataclasses
import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Bilingual(NamedTuple):
    """A value that reads differently in each language."""

    zh: str
    en: str


Values = Mapping[str, str | int | Bilingual]

FULLY_REPORTED = 100
"""How many problems a report shows in full; others are only counted, to bound the memory."""

_KEPT_CHARS = 1000
_LISTED_LINES = 5


@dataclasses.dataclass(frozen=True)
class Problem:
    """One finding. ``line`` counts from 1, blank lines included; ``None`` is the whole file.

    ``found`` quotes the input (at most 80 characters are shown). ``values`` fills the other
    placeholders of the code's message. ``file`` names the file if it is not the dropped one, such
    as ``batch.yaml``.
    """

    code: str
    line: int | None = None
    field: str | None = None
    found: str | None = None
    values: Values = dataclasses.field(default_factory=dict)
    file: str | None = None

    def __post_init__(self) -> None:
        # Problems are kept while the file streams by, and may quote megabytes of it.
        for name in ("field", "found"):
            text = getattr(self, name)
            if text is not None and len(text) > _KEPT_CHARS:
                object.__setattr__(self, name, text[:_KEPT_CHARS])
        if any(isinstance(value, str) and len(value) > _KEPT_CHARS for value in self.values.values()):
            kept = {
                key: value[:_KEPT_CHARS] if isinstance(value, str) else value
                for key, value in self.values.items()
            }
            object.__setattr__(self, "values", kept)


@dataclasses.dataclass
class Repeated:
    """Problems that differ only in their line.

    Attributes:
        lines: The first of them, in the order of the file.
    """

    problem: Problem
    lines: list[int]
    count: int = 0

    def add(self, line: int | None, count: int = 1) -> None:
        self.count += count
        if line is not None and len(self.lines) < _LISTED_LINES:
            self.lines.append(line)


class ProblemList:
    """Problems as they are found: the first hundred in full; ``total`` counts all."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self._first: list[Problem] = []
        self._repeated: dict[object, Repeated] = {}
        self._by_code: Counter[str] = Counter()
        self.total = 0
        self.extend(problems)

    def add(self, problem: Problem) -> None:
        self._by_code[problem.code] += 1
        self.total += 1
        if len(self._first) < FULLY_REPORTED:
            self._first.append(problem)
        alike = self._alike(problem)
        if alike:
            alike.add(problem.line)

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem)

    def absorb(self, other: ProblemList) -> None:
        """Add another list's problems, including those that it only counted."""
        self._by_code.update(other._by_code)  # of its own kind
        self.total += other.total
        self._first.extend(other._first[: FULLY_REPORTED - len(self._first)])
        for each in other.repeated:
            alike = self._alike(each.problem)
            if alike:
                for line in each.lines:
                    alike.add(line, 0)
                alike.count += each.count

    def _alike(self, problem: Problem) -> Repeated | None:
        """What is known of such problems; ``None`` if there are too many kinds."""
        key = (problem.code, problem.field, problem.found, problem.file, *sorted(problem.values.items()))
        if key not in self._repeated and len(self._repeated) < FULLY_REPORTED:
            self._repeated[key] = Repeated(problem, [])
        return self._repeated.get(key)

    @property
    def repeated(self) -> tuple[Repeated, ...]:
        """The first hundred that are not alike, each with how often it was found."""
        return tuple(self._repeated.values())

    @property
    def first(self) -> tuple[Problem, ...]:
        return tuple(self._first)

    @property
    def by_code(self) -> dict[str, int]:
        """How often each code was found, the most frequent first."""
        return dict(self._by_code.most_common())


def nearest(name: str, known: Sequence[str]) -> str:
    """The known name most similar to a misspelt one; ``""`` if none is known."""
    # The time to compare grows with the product of the lengths; no name is that long.
    matches = difflib.get_close_matches(name[:100], [text[:100] for text in known[:1000]], n=1, cutoff=0.0)
    return matches[0] if matches else ""
