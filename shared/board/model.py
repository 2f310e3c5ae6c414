"""What ``board.json`` shows: every open job at one moment, for people. Nothing is decided by it.

``read.py`` fills it in, and ``scripts/operate/jobs/show.py`` prints it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum

from shared.bucket.base import FIRST_PROVIDER, Record, RecordPart
from shared.bucket.keys import channel_in
from shared.bucket.money import Money
from shared.bucket.tickets import WaitingFor


class ShardState(str, Enum):
    """What an open job's shard is doing."""

    READY = "ready"
    WAITING = "waiting"  # for a slot, for its time, or for a person: see ``waiting_for``
    RUNNING = "running"
    FINISHED = "finished"  # collect is to look at it
    SETTLED = "settled"


class Estimate(RecordPart):
    """How long jobs like this one took from the drop to the result: the newest ``jobs`` of them.

    ``typical_s`` is the median, ``slow_s`` the ninetieth percentile.
    """

    typical_s: int
    slow_s: int
    jobs: int


class SettledRows(RecordPart):
    """The rows of those settled ``shards`` whose records were read, which is done once for each.

    ``borrowing``: by shard, how many were answered and how many failed of those that waited for
    answers of other shards when they were read. They are read again once they are whole.
    """

    shards: tuple[int, ...] = ()
    answered: int = 0
    failed: int = 0
    borrowing: Mapping[int, tuple[int, int]] = {}


class SpentMoney(RecordPart):
    """What may still be spent under one ceiling: this month, or by one job.

    ``folder`` is empty for all files and for a job's own. ``of_stack`` as of a ``Ceiling``.
    """

    folder: str = ""
    at_most: Money
    of_stack: Money | None = None
    spent: Money
    reserved: Money
    free: Money


class OpenJob(RecordPart):
    """One job that is not closed.

    ``by_state`` counts its shards by ``ShardState``. ``waiting_since`` is the oldest time that its
    tickets name, ``deadline_at`` when the last of its batches ends at the latest, if each open
    shard has one. Of very many tickets only the first 20 are read: while more batches run, there is
    no such time, and ``answered`` is too low.

    ``answered`` and ``failed`` count rows as far as is known without asking the provider: of
    settled shards by their records, of batches by the provider's counts as of the timer's last
    poll, which may be wrong; the newest is of ``counted_at``. ``estimate`` is ``None`` where too
    few jobs like this one are known, and of retries, cancelled jobs and such as wait for an
    approval, for money or for somebody.

    A job is ``closed`` if its result is there and its ticket waits all the same, for days perhaps:
    the provider does not let us clean up.
    """

    job_id: str
    source_key: str
    provider: str = FIRST_PROVIDER
    model: str = ""
    rows: int
    answered: int = 0
    failed: int = 0
    counted_at: datetime | None = None
    shards: int
    by_state: dict[str, int]
    waiting_since: datetime | None
    planned_at: datetime | None = None
    deadline_at: datetime | None = None
    estimate: Estimate | None = None
    batches: tuple[str, ...] = ()
    cancelled: bool = False
    closed: bool = False
    retry_of: str | None = None
    waiting_for: WaitingFor | None = None
    settled: SettledRows = SettledRows()
    notify: tuple[str, ...] = ()
    # While it waits for an approval: until when that may come, and whether another file lies there.
    approve_until: datetime | None = None
    is_outdated: bool = False
    # Of its recipe; ``None`` if that has none.
    ceiling: SpentMoney | None = None


class HeldUp(RecordPart):
    """Since when jobs wait for somebody, without a break, and when one of them was seen last."""

    began_at: datetime
    seen_at: datetime


# ``outbox/<job>/<event>/<channel>``
_SLASHES = 3


class UntoldWords(RecordPart):
    """How many words wait for a channel, and the key of the ticket of one of them."""

    words: int
    ticket: str


class Board(Record):
    """Open jobs, those that have waited longest first. ``more_jobs`` are open too, but not shown.

    ``repairs`` are those of the timer's last run. ``repairs_24h`` are those of the last day, added
    up from ``repairs_by_hour`` (UTC). ``untold`` counts the words that wait for their channels,
    ``untold_by`` those of each, which is named ``kind:name``.
    ``held_up``: by provider and code, for what jobs wait until somebody acts. ``money``: under each
    ceiling of this month.
    """

    written_at: datetime
    open_jobs: int
    more_jobs: int
    jobs: tuple[OpenJob, ...]
    untold: int = 0
    untold_by: Mapping[str, UntoldWords] = {}
    held_up: Mapping[str, HeldUp] = {}
    money: tuple[SpentMoney, ...] = ()
    repairs: Mapping[str, int] = {}
    repairs_24h: Mapping[str, int] = {}
    repairs_by_hour: Mapping[str, Mapping[str, int]] = {}


def reason_of(job: OpenJob) -> str:
    """What it waits for, if somebody waits for its rows, as ``held_up`` has it."""
    is_wanted = not job.cancelled and not job.closed
    if job.waiting_for is None or not is_wanted:
        return ""
    return f"{job.waiting_for.budget or job.provider} {job.waiting_for.code}"


def held_up_by(
    jobs: Iterable[OpenJob],
    earlier: Mapping[str, HeldUp],
    now: datetime,
    *,
    remembered: timedelta,
    are_all: bool,
) -> dict[str, HeldUp]:
    """What jobs wait for; until none does, it keeps the time at which it began.

    Once it is mended, its jobs go on one by one, for an hour and more. Where not all jobs are known
    (``are_all``), it is over when none was seen for as long as the board remembers.
    """
    known = {reason: each for reason, each in earlier.items() if now - each.seen_at < remembered}
    held = {} if are_all else dict(known)
    for job in jobs:
        reason = reason_of(job)
        if reason and job.waiting_for:
            times = [job.waiting_for.since, *([held[reason].began_at] if reason in held else ())]
            began_at = known[reason].began_at if reason in known else min(times)
            held[reason] = HeldUp(began_at=began_at, seen_at=now)
    return held


def untold_by(outbox: Iterable[str]) -> dict[str, UntoldWords]:
    """What waits below ``outbox/`` by its channel; a key that is no ticket's is passed over."""
    found: dict[str, UntoldWords] = {}
    for key in outbox:
        if key.count("/") != _SLASHES:
            continue
        channel = channel_in(key)
        first = found.get(channel, UntoldWords(words=0, ticket=key))
        found[channel] = UntoldWords(words=first.words + 1, ticket=first.ticket)
    return found


def repairs_with(
    earlier: Mapping[str, Mapping[str, int]],
    repairs: Mapping[str, int],
    now: datetime,
    kept_for: timedelta,
) -> dict[str, dict[str, int]]:
    """The sums by hour after one more run. Hours older than ``kept_for`` are dropped."""
    oldest = _hour(now - kept_for)
    by_hour = {hour: dict(counts) for hour, counts in earlier.items() if oldest < hour <= _hour(now)}
    for kind, count in repairs.items():
        counts = by_hour.setdefault(_hour(now), {})
        counts[kind] = counts.get(kind, 0) + count
    return by_hour


def total_of(by_hour: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    kinds = sorted({kind for counts in by_hour.values() for kind in counts})
    return {kind: sum(counts.get(kind, 0) for counts in by_hour.values()) for kind in kinds}


def _hour(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H}"
