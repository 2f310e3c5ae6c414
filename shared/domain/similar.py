"""Which of the known names a misspelt one may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def nearest(name: str, known: Sequence[str]) -> str:
    """The most similar of ``known``, however far; ``""`` if there is none."""
    # The comparison takes time that grows with the product of the lengths; a name is never that long.
    matches = difflib.get_close_matches(name[:100], [text[:100] for text in known[:1000]], n=1, cutoff=0.0)
    return matches[0] if matches else ""
