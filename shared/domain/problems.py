"""What is wrong with an uploaded file, as values: collected while scanning, rendered at the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Problem:
    """One finding. ``line`` counts from 1 and counts blank lines; ``None`` is the file as a whole.

    ``found`` quotes the input (rendered with at most 80 characters), ``values`` fills the further
    placeholders of the code's message in ``shared/domain/messages.py``.
    """

    code: str
    line: int | None = None
    field: str | None = None
    found: str | None = None
    values: Mapping[str, str | int] = dataclasses.field(default_factory=dict)
