"""Tells once what a person should know of a file on its way."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from scripts.operate.door.reply import Reply
from scripts.operate.jobs.approvals import awaited_line
from scripts.operate.jobs.shards import waiting_lines
from scripts.operate.jobs.show import quote_lines
from scripts.operate.texts.said import said
from scripts.operate.texts.spans import usual
from scripts.terminal import named
from shared.board.model import OpenJob
from shared.bucket.records.plan import Plan
from shared.pipeline.sample.records import Sample
from shared.problems.escapes import escaped_line


class Remarks:
    """What was told is not told again, however often it is seen.

    Args:
        reply: To whom.
        patience_s: How long nothing may be seen of a file before that is told.
    """

    def __init__(self, reply: Reply, patience_s: float) -> None:
        self._reply = reply
        self._patience_s = patience_s
        self._told: set[tuple[str, str]] = set()
        self._lasting: dict[str, tuple[str, float]] = {}
        self._is_interrupted = False

    def about(self, job: OpenJob) -> None:
        """How long it may take, and what somebody must mend before it goes on."""
        for code, lines in _remarks(job):
            if self._is_new(job.job_id, code):
                for line in lines:
                    self._reply.tell(line)

    def quoted(self, plan: Plan, sample: Sample | None) -> None:
        """What it is to cost, once nothing more will be known: of a sample, when it has ended."""
        is_whole = plan.sample is None or sample is not None
        if is_whole and self._is_new(plan.job_id, "quote"):
            for line in quote_lines(plan, sample):
                self._reply.tell(f"    {named(plan.source.key.rpartition('/')[2])} {line}")

    def nothing_seen(self, name: str, code: str, **values: object) -> None:
        """Why nothing is seen of a file at this look; it is told if it is so for long."""
        before, since = self._lasting.get(name, ("", 0.0))
        now = time.monotonic()
        if before != code:
            self._lasting[name] = code, (since := now)
        if now - since >= self._patience_s and self._is_new(name, code):
            self._reply.tell(said(code, file=named(name), **values))

    def seen(self, name: str) -> None:
        """Something is seen of a file again."""
        self._lasting.pop(name, None)

    def interrupted(self, reasons: Mapping[str, str]) -> None:
        """Why a local cloud cannot go on; it is told again if it happens again."""
        if reasons and not self._is_interrupted:
            self._reply.tell(said("run_interrupted", reason="; ".join(sorted({*reasons.values()}))))
        self._is_interrupted = bool(reasons)

    def _is_new(self, name: str, code: str) -> bool:
        is_new = (name, code) not in self._told
        self._told.add((name, code))
        return is_new


def _remarks(job: OpenJob) -> Iterator[tuple[str, list[str]]]:
    if job.estimate:
        yield "estimate", [f"    {text}" for text in usual(job.estimate)]
    if job.approve_until:
        yield "approval", [f"    {awaited_line(job.approve_until, job.job_id, is_outdated=job.is_outdated)}"]
    if job.waiting_for:
        yield job.waiting_for.code, [*map(escaped_line, waiting_lines(job.job_id, job.waiting_for))]
