"""Deletes what we left at the provider, where no file expires and 10,000 are the limit."""

from __future__ import annotations

import logging
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from shared.bucket.attempt import Attempt, parse_batch_name
from shared.bucket.bucket_records import BucketRecords
from shared.pipeline.deadlines import ABANDONED_AFTER
from shared.pipeline.reconcile.step import Candidate
from shared.ports.clock import Clock
from shared.ports.provider import ProviderFile
from shared.ports.providers import Provider
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)

_LAST = "~"  # after every file id


@dataclass(frozen=True)
class SweepFiles:
    """A ``RepairStep`` for one provider, which runs only every few hours.

    It finds uploads whose batch was never created, and results that were not cleaned up. A file is
    deleted only if its job is this bucket's and no unfinished batch reads it. Its attempt must also
    be decided, unless it is an input that has no batch, is too old to be waiting for one, and
    ``submit``, which may use it again, has no ticket. All else in the account is left alone.

    Attributes:
        swept: By provider, when its files were last swept; kept by the timer's cursor.
    """

    store: ObjectStore
    provider: Provider
    clock: Clock
    every: timedelta
    swept: MutableMapping[str, datetime]

    @property
    def name(self) -> str:
        return f"files {self.provider.profile.name}"

    def candidates(self) -> Iterator[Candidate]:
        swept_at = self.swept.get(self.provider.profile.name)
        if swept_at and self.clock.now() - swept_at < self.every:
            return
        for file in sorted(self.provider.batches.unused_files(), key=lambda file: file.file_id):
            if file.result_of or parse_batch_name(file.input_of or file.batch_name):
                yield Candidate(file.file_id, partial(self._repair, file))
        yield Candidate(_LAST, self._note)

    def _note(self) -> bool:
        self.swept[self.provider.profile.name] = self.clock.now()
        return False

    def _repair(self, file: ProviderFile) -> bool:
        attempt = parse_batch_name(file.input_of)
        is_left = self._is_abandoned_input(file, attempt) if attempt else self._is_left_result(file)
        is_left = is_left and not file.is_read()
        if is_left:
            self.provider.batches.delete_file(file.file_id)
            log.warning("file.swept", extra={"file_id": file.file_id, "file_name": file.name})
        return is_left

    def _is_abandoned_input(self, file: ProviderFile, attempt: Attempt) -> bool:
        records = BucketRecords(self.store)
        if records.find_plan(attempt.job_id) is None:
            return False
        if self._is_decided(attempt):
            return True
        # In this order: ``submit`` drops its ticket once its submission names the batch.
        if self.clock.now() - file.created_at < ABANDONED_AFTER or records.find_ready(attempt):
            return False
        submission = records.find_submission(attempt)
        return not (submission and submission.batch_id)

    def _is_left_result(self, file: ProviderFile) -> bool:
        """Results are needed until they are collected, however old they are.

        They may outlive the provider's list of batches.
        """
        state = self.provider.batches.status(file.result_of) if file.result_of else None
        attempt = parse_batch_name(state.name if state else file.batch_name)
        if attempt is None or (state is not None and not state.status.is_terminal):
            return False
        return BucketRecords(self.store).find_plan(attempt.job_id) is not None and self._is_decided(attempt)

    def _is_decided(self, attempt: Attempt) -> bool:
        records = BucketRecords(self.store)
        return records.find_outcome(attempt) is not None or records.find_ledger(attempt.job_id) is not None
