"""Writes the reports of a refused file under ``rejected/``, which triggers nothing."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.bucket.keys import INBOX
from shared.bucket.records.plan import Source
from shared.bucket.result_names import rejection_keys_for
from shared.inputs.rows import InputFacts
from shared.pipeline.jobs.report import render_report_csv, render_report_text
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
    """Writes the line-numbered report, as text for people and as CSV for a spreadsheet.

    A report is about what lies in ``inbox/`` now, and nobody comes back to it. So callers ask
    ``is_replaced`` before they write or remove one, and look again if it is afterwards.
    """

    store: ObjectStore

    def __call__(self, source: Source, refused: Refused, *, is_guess: bool = False) -> None:
        """Write the reports; a guess not over what another run has found out about this version."""
        problems = refused.problems
        name = source.key.removeprefix(INBOX)
        text_key, csv_key = rejection_keys_for(source.key)
        write = partial(self._write_first, dropped_at=source.dropped_at) if is_guess else self.store.put
        write(csv_key, render_report_csv(problems))
        write(text_key, render_report_text(name, problems, refused.facts))
        log.info(
            "file.rejected",
            extra={
                "key": source.key,
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

    def is_replaced(self, source: Source) -> bool:
        """Whether another version lies there, or the same was dropped again."""
        head = self.store.head(source.key)
        return head is not None and (head.etag, head.modified_at) != (source.etag, source.dropped_at)
