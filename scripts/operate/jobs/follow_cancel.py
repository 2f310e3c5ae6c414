"""Waits a while for a cancelled job to close, and tells how it stands then."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from scripts.operate.jobs.shards import waiting_lines
from scripts.operate.jobs.show import counts
from scripts.operate.texts.said import said
from scripts.terminal import named
from shared.board.read import OpenTickets, ReadBoard
from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan
from shared.bucket.tickets import WaitingFor
from shared.pipeline.jobs.cancel_job import CancelJob
from shared.ports.store import ObjectStore
from shared.problems.escapes import escaped_line


@dataclass(frozen=True)
class FollowCancel:
    """Wakes what moves from ``ready/`` to ``running/`` meanwhile; the timer does the rest."""

    store: ObjectStore
    board: Callable[[], ReadBoard]
    tell: Callable[[str], None]

    def __call__(self, plan: Plan, cancel: CancelJob, wait_s: float) -> None:
        job_id, records = JobId(plan.job_id), BucketRecords(self.store)
        until_s, pause_s = time.monotonic() + wait_s, 0.5
        while time.monotonic() < until_s and records.find_ledger(job_id) is None:
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 8)
            cancel.wake(job_id)
        if ledger := records.find_ledger(job_id):
            self.tell(said("closed", job=job_id, counts=counts(ledger), result=named(ledger.result_key)))
            return
        board = self.board()
        tickets = board.open_jobs().get(job_id, OpenTickets())
        reason = self._blocked_by(tickets, board.max_tickets)
        self.tell(said("still_blocked" if reason else "still_open", job=job_id, shards=len(tickets.heads)))
        for line in waiting_lines(job_id, reason) if reason else ():
            self.tell(escaped_line(line))

    def _blocked_by(self, tickets: OpenTickets, most: int) -> WaitingFor | None:
        """What somebody must mend, as ``running/`` tickets say, even if collect was just woken."""
        some = [attempt for attempt, *_ in tickets.heads.values()][:most]
        running = map(BucketRecords(self.store).find_running, some)
        return next((ticket.waiting_for for ticket in running if ticket and ticket.waiting_for), None)
