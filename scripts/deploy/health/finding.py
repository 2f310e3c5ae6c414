"""What a look at an account found."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.operate.texts.said import Said


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: Of the thing: a right, a service, a key.
        problem: What is wrong; None if nothing is.
        fix: The one line that puts it right.
        is_fatal: Whether a deployment would fail.
    """

    name: str
    problem: Said | None = None
    fix: str = ""
    is_fatal: bool = True

    @property
    def stops(self) -> bool:
        return self.problem is not None and self.is_fatal
