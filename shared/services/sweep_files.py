"""Deletes the files of ours that were left at the provider, where nothing expires and 10,000 files are the end."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from shared.domain.batches import BatchId, ProviderFile
from shared.domain.keys import FILES_SWEPT, ShardAttempt, parse_batch_name
from shared.ports import BatchProvider, Clock, ObjectStore
from shared.services.bucket_records import BucketRecords
from shared.services.deadlines import ABANDONED_AFTER
from shared.services.repair_step import Candidate

log = logging.getLogger(__name__)

_BATCH_ID = re.compile(r"batch_[0-9a-f-]{8,64}")
_LAST = "~"  # after every file id


@dataclass(frozen=True)
class SweepFiles:
    """A ``RepairStep``, now and then: an upload whose batch was never created, a result that was not cleaned up.

    A file goes only if its job is this bucket's, no unfinished batch reads it, and either its attempt is decided or
    it is an input that is too old to be waiting for its batch. Everything else in the account is left alone.
    """

    store: ObjectStore
    provider: BatchProvider
    clock: Clock
    every: timedelta
    name: str = "files"

    def candidates(self) -> Iterator[Candidate]:
        swept = self.store.head(FILES_SWEPT)
        if swept and self.clock.now() - swept.modified_at < self.every:
            return
        for file in sorted(self.provider.unused_files(), key=lambda file: file.file_id):
            if _input_of(file) or _batch_of(file):
                yield Candidate(file.file_id, partial(self._repair, file))
        yield Candidate(_LAST, self._note)

    def _note(self) -> bool:
        self.store.put(FILES_SWEPT, b"")
        return False

    def _repair(self, file: ProviderFile) -> bool:
        unit = _input_of(file)
        is_left = self._is_abandoned_input(file, unit) if unit else self._is_left_result(_batch_of(file))
        if is_left:
            self.provider.delete_file(file.file_id)
            log.warning("file.swept", extra={"file_id": file.file_id, "file_name": file.name})
        return is_left

    def _is_abandoned_input(self, file: ProviderFile, unit: ShardAttempt) -> bool:
        records = BucketRecords(self.store)
        if records.find_plan(unit.job_id) is None:
            return False
        if self._is_decided(unit):
            return True
        if self.clock.now() - file.created_at < ABANDONED_AFTER:
            return False
        submission = records.find_submission(unit)
        return not (submission and submission.batch_id and self._may_read(submission.batch_id, file))

    def _may_read(self, batch_id: str, file: ProviderFile) -> bool:
        """Asked of the one batch that counts: a status that nobody knows may have kept it out of the list."""
        state = self.provider.status(BatchId(batch_id))
        if state is None:
            return True
        return not state.status.is_terminal and state.input_file in {None, file.file_id}

    def _is_left_result(self, batch_id: BatchId | None) -> bool:
        """Results are needed until they are collected, however old they are."""
        state = self.provider.status(batch_id) if batch_id else None
        unit = parse_batch_name(state.name) if state else None
        if state is None or unit is None or not state.status.is_terminal:
            return False
        return BucketRecords(self.store).find_plan(unit.job_id) is not None and self._is_decided(unit)

    def _is_decided(self, unit: ShardAttempt) -> bool:
        records = BucketRecords(self.store)
        return records.find_outcome(unit) is not None or records.find_ledger(unit.job_id) is not None


def _input_of(file: ProviderFile) -> ShardAttempt | None:
    """The attempt whose input the file is, by its name."""
    stem, dot, suffix = file.name.rpartition(".")
    return parse_batch_name(stem) if dot and suffix == "jsonl" else None


def _batch_of(file: ProviderFile) -> BatchId | None:
    """The batch whose result the file is, if its name says so, as Bailian's do."""
    found = _BATCH_ID.search(file.name)
    return BatchId(found[0]) if found else None
