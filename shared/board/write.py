"""Writes ``board.json``, for people: what is open, what it waits for, what the timer repaired."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from shared.board.model import Board, OpenJob, SpentMoney, held_up_by, repairs_with, total_of, untold_by
from shared.board.read import ReadBoard
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import BOARD, OUTBOX
from shared.bucket.records.plan import Plan
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.exceptions import PipelineError

log = logging.getLogger(__name__)

MAX_JOBS = 200
HELD_UP = "jobs.held_up"


@dataclass(frozen=True)
class WriteBoard:
    """Rewrites the board after a run of the timer. If that fails, the run has not failed.

    Attributes:
        budget: How long it may look at jobs. The rest are only counted.
        repairs_shown: How far back the timer's repairs are added up.
        money: What may still be spent.
        ceiling_of: The same of one job, by its recipe.
    """

    store: ObjectStore
    clock: Clock
    budget: timedelta
    repairs_shown: timedelta
    money: Callable[[], Iterable[SpentMoney]] = tuple
    ceiling_of: Callable[[Plan], SpentMoney | None] | None = None

    def __call__(self, repairs: Mapping[str, int]) -> Board | None:
        """Return the board; ``None`` if it could not be written."""
        try:
            board = self._board(repairs)
            self.store.put(BOARD, board.to_bytes())
        except PipelineError as error:
            log.warning("board.not_written", extra={"reason": str(error)})
            return None
        _tell_who_is_held_up(board)
        return board

    def _board(self, repairs: Mapping[str, int]) -> Board:
        now = self.clock.now()
        stop_at = now + self.budget
        # Two instances at once may lose each other's counts. The log has them all.
        earlier = BucketRecords(self.store).find(BOARD, Board)
        read = ReadBoard(self.store, self.clock, earlier=earlier, ceiling_of=self.ceiling_of)
        jobs: list[OpenJob] = []
        waiting = read.open_jobs()
        while waiting and len(jobs) < MAX_JOBS and self.clock.now() <= stop_at:
            job_id = next(iter(waiting))
            if found := read.look(job_id, waiting.pop(job_id)):
                jobs.append(found)
        untold = untold_by(head.key for head in self.store.list(OUTBOX))
        by_hour = repairs_with(earlier.repairs_by_hour if earlier else {}, repairs, now, self.repairs_shown)
        return Board(
            written_at=now,
            open_jobs=len(jobs) + len(waiting),
            more_jobs=len(waiting),
            jobs=tuple(jobs),
            held_up=held_up_by(
                jobs,
                earlier.held_up if earlier else {},
                now,
                remembered=self.repairs_shown,
                are_all=not waiting,
            ),
            untold=sum(each.words for each in untold.values()),
            untold_by=untold,
            money=tuple(self.money()),
            repairs=dict(repairs),
            repairs_24h=total_of(by_hour),
            repairs_by_hour=by_hour,
        )


def _tell_who_is_held_up(board: Board) -> None:
    """Once a minute while jobs wait for somebody; the alarm in ``template.yaml`` looks for it."""
    reasons = [job.waiting_for for job in board.jobs if job.waiting_for]
    if reasons:
        codes = sorted({reason.code for reason in reasons})
        since = min(reason.since for reason in reasons)
        log.warning(HELD_UP, extra={"jobs": len(reasons), "codes": codes, "since": since.isoformat()})
