"""Shows what is open, again and again, until nothing is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.live import Live
from rich.text import Text

from scripts.operate.access import OpenBucket
from scripts.operate.door.reply import Reply
from scripts.operate.jobs.commands import Commands
from scripts.terminal import say, shown
from shared.problems.exceptions import TransientError

# A bucket in the cloud is asked less often: each look costs some requests.
_LOCAL_S, _CLOUD_S = 1.0, 10.0
Facts = list[dict[str, object]]
Show = Callable[[Facts, Sequence[str]], None]


def follow_board(bucket: OpenBucket, reply: Reply) -> None:
    """Raise ``TransientError`` only if the bucket cannot be read at first."""
    (jobs, files), lines = _look(bucket)
    with _screen(reply) as show:
        while True:
            show(jobs, lines)
            if not jobs and not files:
                return
            time.sleep(_LOCAL_S if bucket.folder else _CLOUD_S)
            with suppress(TransientError):  # the network, for a moment: what was seen last stays
                (jobs, files), lines = _look(bucket)


def _look(bucket: OpenBucket) -> tuple[tuple[Facts, int], list[str]]:
    lines: list[str] = []
    return Commands(bucket, lines.append).open_now(), lines


@contextmanager
def _screen(reply: Reply) -> Iterator[Show]:
    if sys.stdout.isatty() and not reply.is_json:
        with Live(console=Console(highlight=False), auto_refresh=False) as live:
            yield lambda _, lines: live.update(_drawn(lines), refresh=True)
        return
    last: tuple[Facts, Sequence[str]] | None = None

    def print_changes(jobs: Facts, lines: Sequence[str]) -> None:
        nonlocal last
        # Without jobs the line says how many files there are.
        now = (jobs, () if jobs else lines)
        if now == last:
            return
        last = now
        reply.event(event="board", jobs=jobs)
        if not reply.is_json:
            say("\n".join(lines))

    yield print_changes


def _drawn(lines: Sequence[str]) -> Text:
    return Text(shown("\n".join(lines)), no_wrap=True, overflow="ellipsis")
