"""Recognises names of parameters that are nearly those of a provider."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

from shared.problems.problem import Problem

NEARLY = 0.8


def misspelt(names: Iterable[str], known: Collection[str]) -> Iterator[Problem]:
    """Names that are nearly known ones; what is like none may be a parameter of tomorrow."""
    for name in sorted({*names}.difference(known)):
        written = name.lower().replace("-", "_")[:100]
        if meant := get_close_matches(written, sorted(known), n=1, cutoff=NEARLY):
            field, values = f"parameters.{name}", {"nearest": meant[0]}
            yield Problem("unknown_parameter", field=field, found=name, values=values)
