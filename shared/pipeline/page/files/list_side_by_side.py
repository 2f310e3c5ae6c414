"""Lists a prefix in pieces at once: a store tells each page only with the one before."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice

from shared.ports.store import ObjectHead, ObjectStore

# The requests for one file wait for each other, those of several need not.
AT_ONCE = 8
# Of more prefixes than there are likely to be links, it forgets all and begins again.
_MAX_KNOWN = 100


@dataclass(frozen=True)
class SideBySide:
    """Remembers where the last listing of each prefix could have been cut.

    The pieces lie end to end, so whatever has come or gone meanwhile is listed, too.

    Attributes:
        piece_keys: A page holds 1,000: a piece may grow by some before it takes a second page.
    """

    piece_keys: int = 900
    _cuts: dict[str, list[str]] = field(default_factory=dict)

    def __call__(self, store: ObjectStore, prefix: str, at_most: int) -> list[ObjectHead]:
        """The first so many objects, in the order of their keys."""
        cuts = self._cuts.get(prefix, [])
        # Nothing else ends the last piece, and its pages do wait for each other.
        room = max(at_most - len(cuts) * self.piece_keys, 1)

        def piece(bounds: tuple[str, str]) -> list[ObjectHead]:
            return list(islice(_between(store, prefix, *bounds), at_most if bounds[1] else room))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            pieces = list(pool.map(piece, zip(["", *cuts], [*cuts, ""], strict=True)))
        heads = list(chain.from_iterable(pieces))[:at_most]
        if len(pieces[-1]) == room and len(heads) < at_most:  # objects before it have gone
            heads += islice(store.list(prefix, after=heads[-1].key), at_most - len(heads))
        if len(self._cuts) >= _MAX_KNOWN:
            self._cuts.clear()
        self._cuts[prefix] = [head.key for head in heads[self.piece_keys - 1 : -1 : self.piece_keys]]
        return heads


def _between(store: ObjectStore, prefix: str, after: str, last: str) -> Iterator[ObjectHead]:
    """What comes behind ``after`` up to ``last``; without a last one, to the end."""
    for head in store.list(prefix, after=after):
        if last and head.key > last:
            return
        yield head
