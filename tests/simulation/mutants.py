"""Ways to break the code on purpose: the simulation must find every one of them, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One broken line; ``apply`` breaks it for as long as its context lasts."""

    name: str
    apply: Callable[[], AbstractContextManager[object]]

    @contextmanager
    def applied(self) -> Iterator[None]:
        with self.apply():
            yield


MUTANTS: tuple[Mutant, ...] = ()
