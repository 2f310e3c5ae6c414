"""The names of further files of a result, which must not be those of another file's result."""

from __future__ import annotations

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import plain_result_key_for, superseded_result_key_for
from shared.ports.store import ObjectStore


class SideKeys:
    """Claims names for one dropped file, whose versions share them as they share its result's."""

    def __init__(self, store: ObjectStore, plan: Plan) -> None:
        self._store = store
        self._source_key = plan.source.key
        self._job_id = plan.origin_id

    def claim(self, wanted: str) -> str:
        """The key, or one of the job's own if a file such as ``a.2.xlsx`` was there before."""
        is_mine = BucketRecords(self._store).claim_name(plain_result_key_for(wanted), self._source_key)
        return wanted if is_mine else self._other(wanted)

    def claimed(self, wanted: str) -> str | None:
        """What ``claim`` would give again; ``None`` if nobody has claimed the name."""
        is_mine = BucketRecords(self._store).owns_name(plain_result_key_for(wanted), self._source_key)
        if is_mine is None:
            return None
        return wanted if is_mine else self._other(wanted)

    def is_left(self, wanted: str) -> bool:
        """Whether an earlier version of the file wrote what ``claim`` would name."""
        key = self.claimed(wanted)
        return key is not None and self._store.head(key) is not None

    def _other(self, wanted: str) -> str:
        return superseded_result_key_for(wanted, self._job_id)


def file_name(key: str) -> str:
    return key.rpartition("/")[2]
