"""A balance that many may change at once, exact in any interleaving, in a store without a lock.

To change it is to create its next generation, if absent: of several writers one succeeds, and the
others look again. The highest generation is never deleted, so the numbers only grow: a writer so
late that its generation has been deleted finds a higher one after creating it, and looks again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.money import Balance
from shared.ports.store import ObjectStore
from shared.problems.exceptions import TransientError

# Each time another writer was faster. So many in one invocation's time are a sign of something
# else; its event comes again.
_TRIES = 50


@dataclass(frozen=True)
class Balances:
    """All generations of one balance, below ``prefix``."""

    store: ObjectStore
    prefix: str

    @property
    def standing(self) -> Balance:
        """As it is at this moment."""
        return self.change(lambda balance: balance)

    def change(self, change: Callable[[Balance], Balance]) -> Balance:
        """Let a change stand, and return the balance in which it does.

        Args:
            change: Makes the balance after it; the same one if it stands in it already, or there is
                nothing to do. It is called for each try.
        """
        for _ in range(_TRIES):
            generation, standing = self._highest()
            if standing is None:
                continue  # another writer has just replaced it
            changed = change(standing)
            if changed == standing:
                # A late writer may have created this number again once it was deleted, and that is
                # what was read. A number that is still the highest was never deleted.
                if max(self._generations(), default=0) == generation:
                    return standing
                continue
            mine = generation + 1
            if self.store.put_if_absent(self._key(mine), changed.to_bytes()) and self._is_highest(mine):
                return changed
        raise TransientError(f"{self.prefix}: others change it all the time")

    def _highest(self) -> tuple[int, Balance | None]:
        """The balance that counts and its number; of one that was never changed, 0."""
        generations = self._generations()
        if not generations:
            return 0, Balance()
        key = self._key(max(generations))
        return max(generations), BucketRecords(self.store).find(key, Balance)

    def _is_highest(self, mine: int) -> bool:
        """Whether the one that was just created counts; then older ones are deleted.

        If there is a higher one, it may have been made of this one, or this one came too late. What
        stands in the higher one tells, so the caller looks at that.
        """
        generations = self._generations()
        if any(each > mine for each in generations):
            self.store.delete(self._key(mine))
            return False
        for each in generations:
            if each < mine:
                self.store.delete(self._key(each))
        return True

    def _generations(self) -> list[int]:
        names = (head.key.removeprefix(self.prefix) for head in self.store.list(self.prefix))
        return [int(name) for name in names if name.isdecimal()]

    def _key(self, generation: int) -> str:
        return f"{self.prefix}{generation:08d}"
