"""Writes the reports of a refused file under ``rejected/``, which triggers nothing."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.bucket.attempt import JobId
from shared.bucket.keys import INBOX, record_key
from shared.bucket.records import Rejection, Source
from shared.bucket.result_names import rejection_keys_for
from shared.inputs.rows import InputFacts
from shared.pipeline.jobs.report import render_report_csv, render_report_text
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.problem import Problem, ProblemList

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refused:
    """Why a file must not be sent, and what was detected in it if it was read."""

    problems: ProblemList
    facts: InputFacts | None = None

    @classmethod
    def because(cls, *problems: Problem) -> Refused:
        return cls(ProblemList(problems))


@dataclass(frozen=True)
class RefuseFile:
    """Writes the line-numbered report, as text for people and as CSV for a spreadsheet."""

    store: ObjectStore
    clock: Clock

    def __call__(
        self, source: Source, refused: Refused, job_id: JobId | None = None, *, is_guess: bool = False
    ) -> None:
        """Write the reports; a guess not over what another run has found out about this version."""
        problems = refused.problems
        name = source.key.removeprefix(INBOX)
        text_key, csv_key = rejection_keys_for(source.key)
        write = partial(self._write_first, dropped_at=source.dropped_at) if is_guess else self.store.put
        write(csv_key, render_report_csv(problems))
        write(text_key, render_report_text(name, problems, refused.facts))
        if job_id:
            # After the reports: with the record alone, a redelivered event would write no report.
            unnamed = source.model_copy(update={"key": "", "recipe_key": None})  # the job may be erased
            rejection = Rejection(source=unnamed, problems=problems.total, rejected_at=self.clock.now())
            self.store.put(record_key(job_id, "rejection.json"), rejection.to_bytes())
        log.info(
            "file.rejected",
            extra={
                "key": source.key,
                "job_id": job_id,
                "problems": problems.total,
                "by_code": problems.by_code,
            },
        )

    def _write_first(self, key: str, report: bytes, *, dropped_at: datetime) -> None:
        standing = self.store.head(key)
        if standing and standing.modified_at < dropped_at:
            self.store.delete(key)  # of an earlier version
        self.store.put_if_absent(key, report)

    def withdraw(self, source_key: str) -> None:
        """Remove the reports of an earlier, refused version of a file that is fine now."""
        for key in rejection_keys_for(source_key):
            self.store.delete(key)
