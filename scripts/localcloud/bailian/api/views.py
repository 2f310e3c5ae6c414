"""Batches as calls show them: faults may bend what a client sees."""

from __future__ import annotations

import threading
from collections import Counter

from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.files_and_batches import Batch
from scripts.localcloud.bailian.service_faults import BatchFault


class BatchViews:
    """Counts the looks at each batch, since some faults last for a number of looks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._gets: Counter[str] = Counter()
        self._finished_gets: Counter[str] = Counter()
        self._lists: Counter[str] = Counter()

    def shown_alone(self, batch: Batch) -> dict[str, object] | None:
        """What GET shows, or ``None`` if it does not know the batch yet."""
        fault = self._database.fault_of(batch.id)
        look = self._count(self._gets, batch)
        if look <= fault.unseen_gets:
            return None
        if fault.odd_status and look - fault.unseen_gets <= fault.odd_status_gets:
            return _unfinished(batch) | {"status": fault.odd_status}
        return self._finished(batch, fault)

    def shown_in_list(self, batch: Batch) -> dict[str, object] | None:
        fault = self._database.fault_of(batch.id)
        if self._count(self._lists, batch) <= fault.unlisted_lists:
            return None
        return batch.model_dump()

    def _finished(self, batch: Batch, fault: BatchFault) -> dict[str, object]:
        if batch.is_terminal and self._count(self._finished_gets, batch) <= fault.late_output_gets:
            return batch.model_dump() | {"output_file_id": None, "error_file_id": None}
        return batch.model_dump()

    def _count(self, looks: Counter[str], batch: Batch) -> int:
        with self._lock:
            looks[batch.id] += 1
            return looks[batch.id]


def _unfinished(batch: Batch) -> dict[str, object]:
    ends = ("completed_at", "finalizing_at", "failed_at", "expired_at", "cancelled_at", "cancelling_at")
    return batch.model_dump() | dict.fromkeys((*ends, "output_file_id", "error_file_id", "errors"))
