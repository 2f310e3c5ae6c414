"""The names of further files of a result, which must not be those of another file's result."""

from __future__ import annotations

from shared.bucket.keys import name_claim_key
from shared.bucket.records import Plan
from shared.bucket.result_names import plain_result_key_for, superseded_result_key_for
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing


class SideKeys:
    """Claims names for one dropped file, whose versions share them as they share its result's."""

    def __init__(self, store: ObjectStore, plan: Plan) -> None:
        self._store = store
        self._owner = plan.source.key.encode()
        self._job_id = plan.origin_id

    def claim(self, wanted: str) -> str:
        """The key, or one of the job's own if a file such as ``a.2.xlsx`` was there before."""
        claim = name_claim_key(plain_result_key_for(wanted))
        is_mine = self._store.put_if_absent(claim, self._owner) or self._store.get(claim) == self._owner
        return wanted if is_mine else self._other(wanted)

    def is_left(self, wanted: str) -> bool:
        """Whether an earlier version of the file wrote what ``claim`` would name."""
        try:
            owner = self._store.get(name_claim_key(plain_result_key_for(wanted)))
        except ObjectMissing:
            return False
        key = wanted if owner == self._owner else self._other(wanted)
        return self._store.head(key) is not None

    def _other(self, wanted: str) -> str:
        return superseded_result_key_for(wanted, self._job_id)


def file_name(key: str) -> str:
    return key.rpartition("/")[2]
