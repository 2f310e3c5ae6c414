"""Chats that are told words: one that fails now and then, and one that may be dead for days."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from shared.board.model import Board
from shared.ports.channel import Channel, Word
from shared.problems.exceptions import ChannelRefused
from tests.simulation.bucket import Bucket
from tests.simulation.kernel import Kernel

TEAM, BOSS = "dingtalk:team", "email:boss"
NOTIFY = "notify: [{dingtalk: team}, {email: boss}]\n"
# In the other runs nobody is told, and all is as it was without words.
_TOLD_BY = ("", "", "", "folder", "recipe")
_DAY_S = 24 * 3600.0


@dataclass(frozen=True)
class Heard:
    """One delivery, with what the bucket held when the chat took it."""

    word: Word
    at_s: float
    ledger: bytes | None
    has_report: bool


@dataclass
class Chat:
    """One channel of a run.

    Attributes:
        heard: What it took, also where its answer was lost.
        dead_until_s: So long it takes nothing.
    """

    name: str
    kernel: Kernel
    bucket: Bucket
    heard: list[Heard] = field(default_factory=list)
    dead_until_s: float = 0.0

    def deliver(self, word: Word, _now: datetime) -> None:
        self.kernel.call(f"tell {self.name} {word.id}")
        where = f"{self.name} {word.id}"
        fails = self.kernel.faults.strikes("channel_fails", where, self.kernel.now_s)
        if fails or self.kernel.now_s < self.dead_until_s:
            raise ChannelRefused("no answer")
        self.heard.append(self._heard(word))
        if self.kernel.faults.strikes("channel_fails_after", where, self.kernel.now_s):
            raise ChannelRefused("it took it, but its answer was lost")

    def _heard(self, word: Word) -> Heard:
        ledger = self.bucket.objects.get(f"jobs/{word.data['job_id']}/ledger.json")
        return Heard(word, self.kernel.now_s, ledger, word.data["place"] in self.bucket.objects)


class Words:
    """The channels of one run, and what was seen to wait for somebody.

    Attributes:
        began: How often jobs began to wait for the same, by the boards.
        waited: By provider and code, when a job was first and last seen to wait for it.
    """

    def __init__(self, kernel: Kernel, bucket: Bucket) -> None:
        self._kernel = kernel
        self._bucket = bucket
        self.by_folder = False
        self.began: set[tuple[str, datetime]] = set()
        self.chats = {name: Chat(name, kernel, bucket) for name in (TEAM, BOSS)}
        self.waited: dict[tuple[str, str, datetime], list[float]] = defaultdict(lambda: [math.inf, 0.0])

    def told_by(self, choose: random.Random) -> str:
        """Whether a recipe or a folder says who is told, or nobody is."""
        told_by = choose.choice(_TOLD_BY)
        self.by_folder = told_by == "folder"
        if told_by and self._kernel.faults.strikes("channel_dead", BOSS, 0, likely=3):
            self.chats[BOSS].dead_until_s = choose.uniform(0, 3) * _DAY_S
        return told_by

    def channel(self, name: str) -> Channel:
        if name not in self.chats:
            raise ChannelRefused(f"there is no {name}")
        return self.chats[name]

    def see(self, board: Board | None) -> None:
        """What the board shows, and so what is told.

        It may leave out only what is closed, and must, or people are told that this waits.
        """
        self.began |= {(reason, each.began_at) for reason, each in board.held_up.items()} if board else set()
        for job in board.jobs if board else ():
            is_closed = f"jobs/{job.job_id}/ledger.json" in self._bucket.objects
            if job.waiting_for and job.notify and not job.cancelled and not (is_closed and job.closed):
                seen = self.waited[job.job_id, job.waiting_for.code, job.waiting_for.since]
                seen[:] = min(seen[0], self._kernel.now_s), self._kernel.now_s
