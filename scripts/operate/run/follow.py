"""Shows how far dropped files are, until all have ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from scripts.operate.door.reply import Reply
from scripts.operate.jobs.facts import open_job_facts
from scripts.operate.jobs.show import states
from scripts.operate.run.progress_view import ProgressView
from scripts.operate.run.remarks import Remarks
from scripts.operate.run.watch import Seen
from shared.problems.exceptions import TransientError

Look = Callable[[], Seen]
Show = Callable[[Mapping[str, Seen]], None]
# A bucket in the cloud is asked less often: each look costs some requests.
LOCAL_S, CLOUD_S = 0.3, 5.0


@dataclass(frozen=True)
class Follow:
    """Looks at files again and again.

    Attributes:
        pause_s: Between two looks.
        check: Raises if what answers is not there any more.
        patience_s: How long nothing may be seen of a file before that is told.
        interrupted: What a local cloud cannot do at the moment, and why.
    """

    reply: Reply
    pause_s: float = LOCAL_S
    check: Callable[[], None] = lambda: None
    patience_s: float = 60.0
    interrupted: Callable[[], Mapping[str, str]] = dict

    def __call__(self, looks: Mapping[str, Look], deadline_s: float | None = None) -> dict[str, Seen] | None:
        """What each ended as, by its name; ``None`` after the deadline, by ``time.monotonic``."""
        seen = dict.fromkeys(looks, Seen())
        remarks = Remarks(self.reply, self.patience_s)
        with self._view() as show:
            while deadline_s is None or time.monotonic() < deadline_s:
                self.check()
                for name, look in looks.items():
                    if not seen[name].is_over:
                        seen[name] = _looked(name, look, seen[name], remarks)
                remarks.interrupted(self.interrupted())
                show(seen)
                if all(each.is_over for each in seen.values()):
                    return seen
                time.sleep(self.pause_s)
        return None

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


def _looked(name: str, look: Look, before: Seen, remarks: Remarks) -> Seen:
    try:
        now = look()
    except TransientError as error:  # the network, mostly for a moment
        remarks.nothing_seen(name, "run_not_reached", reason=error)
        return before
    if now == Seen():
        remarks.nothing_seen(name, "run_not_validated")
    else:
        remarks.seen(name)
    if now.plan:
        remarks.quoted(now.plan, now.sample)
    if now.job:
        remarks.about(now.job)
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
