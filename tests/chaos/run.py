"""One run: people drop files, processes are killed, and then all must come to its end."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.checks import broken_promises
from tests.chaos.cloud import KillableCloud, running
from tests.chaos.dropped import DroppedFile, files, recipes
from tests.chaos.evidence import Evidence
from tests.chaos.look import FOREIGN_BATCH, FOREIGN_FILE, Look
from tests.chaos.people import Attacker, People
from tests.chaos.provider_faults import fault

_KILLS_A_LIFE = 25
# Between two kills the workers write so much to their logs, or less. Killed by the clock, a busy
# machine would do nothing but start them.
_LOGGED_BYTES = 3000
_DROPPED_BY = 0.8  # of all kills: the last files are killed at, too
_OPEN_AT_ONCE = 16
_ATTACKED, _SPOILT = 0.1, 0.4  # how often a step has one
_UNFINISHED = "[validation_unfinished]"


@dataclass(frozen=True)
class Bounds:
    """How large a run may become.

    Attributes:
        jobs: How many files are dropped.
        kills: How many processes are killed.
        seconds: After so long nothing more is dropped and killed.
        seed: Decides the files, the faults and the moments.
        settle_s: So long all that is open may take to end once nobody kills any more.
    """

    jobs: int
    kills: int
    seconds: float
    seed: int
    settle_s: float = 120

    @property
    def lives(self) -> int:
        """How often the cloud is started; before every start but the first it is killed."""
        return max(2, self.kills // _KILLS_A_LIFE)


class Chaos:
    """A run on a data folder; ``evidence`` and ``counts`` are whole once ``run`` has ended."""

    def __init__(self, data_dir: Path, bounds: Bounds) -> None:
        self.evidence = Evidence()
        self.counts: Counter[str] = Counter()
        self._data_dir, self._bounds = data_dir, bounds
        self._chance = random.Random(bounds.seed)
        self._look = Look(data_dir)
        self._waiting = files(bounds.jobs, bounds.seed)
        self._dropped: list[DroppedFile] = []
        self._open: list[DroppedFile] = []
        self._next_kill_bytes = 0
        self._people = People(data_dir, self._keep_result, self._chance)
        self._ends_s = time.monotonic() + bounds.seconds

    def run(self) -> list[str]:
        """Kill until a bound is reached, let all come to its end, and say what is broken."""
        attacker = Attacker(self._data_dir, self._chance)
        for life in range(self._bounds.lives):
            with running(self._data_dir, self._bounds.seed + life) as cloud:
                if life == 0:
                    _prepare(cloud)
                self._live(cloud, attacker, (life + 1) * self._bounds.kills // self._bounds.lives)
                if life == self._bounds.lives - 1 or time.monotonic() > self._ends_s:
                    attacker.attack(cloud)  # in a short run chance may have left it out
                    self._settle(cloud)
                    break
                cloud.kill()
                self.counts["cloud kills"] += 1
        self._gather(attacker)
        return broken_promises(self.evidence)

    @property
    def _kills(self) -> int:
        return self.counts["worker kills"] + self.counts["cloud kills"]

    def _live(self, cloud: KillableCloud, attacker: Attacker, kills: int) -> None:
        """Until so many were killed in all, and, in the last life, all was dropped."""
        is_last = kills == self._bounds.kills
        while (self._kills < kills or (is_last and self._waiting)) and time.monotonic() < self._ends_s:
            time.sleep(self._chance.uniform(0.05, 0.5))
            self._drop_some(cloud)
            self._act(cloud)
            if self._chance.random() < _ATTACKED:
                attacker.attack(cloud)
            if self._chance.random() < _SPOILT:
                cloud.spoil(fault(self._chance))
                self.counts["provider faults"] += 1
            if self._kills < kills and self._look.logged_bytes() >= self._next_kill_bytes:
                function = cloud.kill_worker(self._chance)
                self.counts["worker kills"] += function is not None
                self.counts["of them of validate"] += (function or "").lower().endswith("validate")
                self._next_kill_bytes = self._look.logged_bytes() + self._chance.randint(0, _LOGGED_BYTES)

    def _drop_some(self, cloud: KillableCloud) -> None:
        """As many as there should be after so many kills, but never very many at once."""
        share = (self._kills + 1) / (_DROPPED_BY * self._bounds.kills)
        self._open = [file for file in self._open if not self._is_over(file)]
        while (
            self._waiting
            and len(self._open) < _OPEN_AT_ONCE
            and len(self._dropped) < share * self._bounds.jobs
        ):
            file = self._waiting.pop(0)
            self._dropped.append(file)
            self._open.append(file)
            self._people.drop(cloud, file)

    def _act(self, cloud: KillableCloud) -> None:
        self._measure(cloud)
        self._people.act(cloud)
        for file in self._dropped:
            if self._was_killed_in_validation(file):
                self.counts["dropped again"] += 1
                self._people.drop_again(cloud, file)

    def _measure(self, cloud: KillableCloud) -> None:
        for memory in cloud.memory():
            highest = self.evidence.memory.get(memory.function)
            if highest is None or highest.peak_bytes < memory.peak_bytes:
                self.evidence.memory[memory.function] = memory

    def _settle(self, cloud: KillableCloud) -> None:
        """Kill and spoil nothing more, and wait until all has ended."""
        cloud.spoil_no_more()
        ends_s = time.monotonic() + self._bounds.settle_s
        while time.monotonic() < ends_s and not self._is_settled():
            self._act(cloud)
            time.sleep(0.5)

    def _was_killed_in_validation(self, file: DroppedFile) -> bool:
        """So often that a new report says to drop it again."""
        is_new = self._look.time_of(file.rejection_key) > self._people.dropped_s[file.key]
        return is_new and _UNFINISHED in self._look.text(file.rejection_key)

    def _is_settled(self) -> bool:
        are_over = all(map(self._is_over, self._dropped)) and self._people.are_done()
        return are_over and not self._look.left() and self._look.batches_end()

    def _is_over(self, file: DroppedFile) -> bool:
        look = self._look
        if not look.was_looked_at(file, self._people.dropped_s[file.key]):
            return False
        if file.key in self._people.erased:
            return True
        report = look.text(file.rejection_key)
        return _UNFINISHED not in report and bool(report if file.says else look.ledger(file))

    def _keep_result(self, file: DroppedFile) -> None:
        """What an erased job had, for the checks."""
        content = self._look.content(file.result_key)
        if content is not None and (ledger := self._look.ledger(file)):
            self.evidence.results[file.result_key] = content
            self.evidence.ledgers[file.report_key] = ledger

    def _gather(self, attacker: Attacker) -> None:
        evidence, erased = self.evidence, self._people.erased
        self._look.gather(self._dropped, evidence)
        for file in self._dropped:
            told = self._look.told(file, self._people.dropped_s[file.key])
            if file.key in erased:
                evidence.left += self._look.quotes(file)
            elif told:
                evidence.told[file.key] = told
        # As they were read first: an erased job does not say any more what it was made of.
        evidence.sources |= {plan.job_id: plan.source.key for plan in self._people.plans.all()}
        evidence.attacks, evidence.retries = attacker.attacks, self._people.retries
        self.counts["command kills"] = self._people.killed
        self.counts["jobs"] = len(self._dropped)
        self.counts["rows"] = sum(len(file.rows) for file in self._dropped)
        self.counts["batches"] = len(evidence.batches)
        self.counts["spoilt batches"] = sum(batch.is_spoilt for batch in evidence.batches)
        self.counts["attacks"] = len(attacker.attacks)
        self.counts["false hints"] = attacker.hints
        self.counts["ticks to a report at most"] = max(
            (told.ticks for told in evidence.told.values()), default=0
        )


def _prepare(cloud: KillableCloud) -> None:
    """Recipes, and somebody else's batch at the same provider."""
    for key, content in recipes():
        cloud.bucket.put_object(key, content)
    body = {"model": "qwen-flash", "messages": [{"role": "user", "content": "not ours"}]}
    line = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": body}
    file = cloud.client.files.create(file=(FOREIGN_FILE, json.dumps(line).encode()), purpose="batch")
    cloud.client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"ds_name": FOREIGN_BATCH},
    )
