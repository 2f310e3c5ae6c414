"""Shows how far dropped files are, until all have ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from scripts.operate.door.reply import Reply
from scripts.operate.jobs.facts import open_job_facts
from scripts.operate.jobs.show import states, waiting_lines
from scripts.operate.run.progress_view import ProgressView
from scripts.operate.run.watch import Seen
from scripts.operate.texts.spans import usual
from shared.board.model import OpenJob
from shared.problems.escapes import escaped_line
from shared.problems.exceptions import TransientError

Look = Callable[[], Seen]
Show = Callable[[Mapping[str, Seen]], None]
_LOCAL_S, _CLOUD_S = 0.3, 5.0


@dataclass(frozen=True)
class Follow:
    """Looks at files again and again.

    Attributes:
        is_local: A bucket in the cloud is asked less often: each look costs some requests.
        check: Raises if what answers is not there any more.
    """

    reply: Reply
    is_local: bool
    check: Callable[[], None] = lambda: None

    def __call__(self, looks: Mapping[str, Look], deadline_s: float | None = None) -> dict[str, Seen] | None:
        """What each ended as, by its name; ``None`` after the deadline, by ``time.monotonic``."""
        seen = dict.fromkeys(looks, Seen())
        told: set[tuple[str, str]] = set()
        with self._view() as show:
            while deadline_s is None or time.monotonic() < deadline_s:
                self.check()
                for name, look in looks.items():
                    if not seen[name].is_over:
                        seen[name] = _looked(look, seen[name])
                        self._tell_once(seen[name], told)
                show(seen)
                if all(each.is_over for each in seen.values()):
                    return seen
                time.sleep(_LOCAL_S if self.is_local else _CLOUD_S)
        return None

    def _tell_once(self, seen: Seen, told: set[tuple[str, str]]) -> None:
        """How long it may take, and what somebody must mend before it goes on."""
        if seen.job is None:
            return
        for about, lines in _remarks(seen.job):
            if (seen.job.job_id, about) not in told:
                told.add((seen.job.job_id, about))
                for line in lines:
                    self.reply.tell(line)

    @contextmanager
    def _view(self) -> Iterator[Show]:
        if self.reply.is_json:
            yield _Events(self.reply)
            return
        with ProgressView() as view:
            yield lambda seen: view.show(_line(name, each) for name, each in seen.items())


class _Events:
    """One JSON line for each change."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._last: dict[str, object] = {}

    def __call__(self, seen: Mapping[str, Seen]) -> None:
        for each in seen.values():
            if each.job:
                facts = open_job_facts(each.job) | {"answered": each.answered}
                if self._last.get(each.job.job_id) != facts:
                    self._last[each.job.job_id] = facts
                    self._reply.event(event="progress", job=facts)


def _looked(look: Look, before: Seen) -> Seen:
    try:
        now = look()
    except TransientError:
        return before  # the network, for a moment
    is_same = now.plan and before.plan and now.plan.job_id == before.plan.job_id
    # What a batch had answered is not counted between its end and its collection.
    return replace(now, answered=max(now.answered, before.answered)) if is_same else now


def _line(name: str, seen: Seen) -> tuple[str, int, int, str]:
    """Of ``ProgressView``."""
    if seen.report is not None:
        return name, 0, 0, "被退回 refused"
    if seen.ledger:
        return name, seen.ledger.rows_out, seen.ledger.rows_in, "完成 done"
    if seen.job is None:
        return name, 0, seen.plan.rows if seen.plan else 0, "检查中 being validated"
    return name, seen.answered, seen.job.rows, states(seen.job) or "排队中 planned"


def _remarks(job: OpenJob) -> Iterator[tuple[str, list[str]]]:
    if job.estimate:
        yield "estimate", [f"    {text}" for text in usual(job.estimate)]
    if job.waiting_for:
        yield job.waiting_for.code, [*map(escaped_line, waiting_lines(job.job_id, job.waiting_for))]
