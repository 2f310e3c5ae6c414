"""Who else is at work in a run: people with their commands, and attackers without any right."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path

import requests

from scripts.localcloud.access.own_keys import callback_secret
from scripts.localcloud.options import REPOSITORY
from shared.bucket.attempt import Attempt, parse_attempt, parse_batch_name
from shared.bucket.records.plan import Plan
from shared.events.callbacks import callback_path_for
from tests.chaos.cloud import BUCKET, KillableCloud
from tests.chaos.dropped import DroppedFile
from tests.chaos.evidence import Attack
from tests.support.waiting import PATIENCE_S

_KILLED = 0.3  # of the commands


class Plans:
    """The jobs' plans by the file that was dropped, as they appear."""

    def __init__(self, bucket_dir: Path) -> None:
        self._bucket_dir = bucket_dir
        self._known: dict[str, Plan] = {}

    def all(self) -> list[Plan]:
        for path in (self._bucket_dir / "jobs").glob("*/plan.json"):
            # An empty one is of an erasure, which lets no retry take the place.
            if path.parent.name not in self._known and path.stat().st_size:
                self._known[path.parent.name] = Plan.model_validate_json(path.read_bytes())
        return list(self._known.values())

    def newest_of(self, file: DroppedFile) -> Plan | None:
        plans = [plan for plan in self.all() if plan.source.key == file.key]
        return max(plans, key=lambda plan: plan.retries, default=None)

    def is_closed(self, plan: Plan) -> bool:
        return (self._bucket_dir / "jobs" / plan.job_id / "ledger.json").exists()


class People:
    """Does what each file's ``then`` says, one step after the other, as soon as it makes sense.

    Args:
        data_dir: The cloud's.
        before_erasing: Told of each file that is about to be erased.
        chance: Decides which commands are killed, and when.

    Attributes:
        plans: Of the jobs so far.
        dropped_s: When each file was dropped last, in epoch seconds.
        erased: The keys of the files whose jobs are erased.
        killed: How many commands were killed.
        retries: How often a retry of each file was asked for.
    """

    def __init__(
        self, data_dir: Path, before_erasing: Callable[[DroppedFile], None], chance: random.Random
    ) -> None:
        self.plans = Plans(data_dir / BUCKET)
        self.dropped_s: dict[str, float] = {}
        self.erased: set[str] = set()
        self.killed = 0
        self.retries: Counter[str] = Counter()
        self._chance = chance
        self._takes_s = 2.0  # a command, as the last one did
        self._steps: dict[str, deque[str]] = {}
        self._files: dict[str, DroppedFile] = {}
        self._meant: dict[tuple[str, str], str] = {}
        self._before_erasing = before_erasing

    def drop(self, cloud: KillableCloud, file: DroppedFile) -> None:
        self._files[file.key] = file
        self._steps[file.key] = deque(step for step in file.then if step != "twice")
        for _ in range(1 + ("twice" in file.then)):
            self.drop_again(cloud, file)

    def drop_again(self, cloud: KillableCloud, file: DroppedFile) -> None:
        self.dropped_s[file.key] = time.time()
        cloud.bucket.put_object(file.key, file.content)

    def are_done(self) -> bool:
        return not any(self._steps.values())

    def act(self, cloud: KillableCloud) -> None:
        """Take the steps that can be taken now."""
        for key, steps in self._steps.items():
            while steps and self._step(cloud, self._files[key], steps[0]):
                steps.popleft()

    def _step(self, cloud: KillableCloud, file: DroppedFile, step: str) -> bool:
        """Whether the step is done; otherwise it is tried again later."""
        plan = self.plans.newest_of(file)
        if plan is None or (step != "cancel" and not self.plans.is_closed(plan)):
            return False
        if step == "again":
            self.drop_again(cloud, file)
            return True
        if step == "erase":
            self._before_erasing(file)
        # A killed command is repeated as it was, although there may be a newer job by now.
        job_id = self._meant.setdefault((file.key, step), plan.job_id)
        more = {"cancel": ["--wait", "0"], "erase": ["--yes"]}.get(step, [])
        self.retries[file.key] += step == "retry"
        is_done = self._carried_out(cloud, [step, job_id, *more])
        if is_done and step == "erase":
            self.erased.add(file.key)
        return is_done

    def _carried_out(self, cloud: KillableCloud, command: list[str]) -> bool:
        """Whether ``scripts/batchdrop`` says that it is done; some are killed on the way."""
        started_s = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "scripts.operate", *command],
            cwd=REPOSITORY,
            env=os.environ | cloud.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        is_spared = self._chance.random() > _KILLED
        try:
            code = process.wait(PATIENCE_S if is_spared else self._chance.uniform(0.3, 1) * self._takes_s)
        except subprocess.TimeoutExpired:
            self.killed += 1
            return False
        finally:
            process.kill()
            process.wait()
        self._takes_s = time.monotonic() - started_s
        return code == 0


class Attacker:
    """Tries what nobody may do; what is allowed to anybody must not change an outcome either."""

    def __init__(self, data_dir: Path, chance: random.Random) -> None:
        self.attacks: list[Attack] = []
        self.hints = 0
        self._secret = callback_secret(data_dir).encode()
        self._chance = chance

    def attack(self, cloud: KillableCloud) -> None:
        """Forge all that can be forged about the batches that run, and hint at what is not so."""
        running = [
            attempt
            for key in cloud.keys_under("running/")
            if (attempt := parse_attempt(key[len("running/") :]))
        ]
        for kind, about, answer in self._forged(cloud, running):
            self.attacks.append(Attack(kind, about, answer.status_code))
        for attempt in self._chance.sample(running, min(2, len(running))):
            self._hint(cloud, attempt)

    def _forged(
        self, cloud: KillableCloud, running: list[Attempt]
    ) -> Iterator[tuple[str, str, requests.Response]]:
        lie = {"status": "failed", "id": f"batch_{uuid.uuid4()}"}
        for attempt in running[:2]:
            of_another = callback_path_for(attempt.next_attempt(), self._secret).rpartition("/")[2]
            for kind, signature in (("a guessed signature", "0" * 64), ("another's signature", of_another)):
                url = f"{cloud.gateway}/Callback/finished/{attempt}/{signature}"
                yield kind, str(attempt), requests.post(url, json=lie, timeout=PATIENCE_S)
        result = f"{cloud.oss}/{BUCKET}/results/{self._chance.random()}.csv"
        yield "an unsigned upload", result, requests.put(result, data=b"forged", timeout=PATIENCE_S)
        headers = {**cloud.headers, "Origin": "http://evil.example"}
        yield (
            "a web page",
            "/faults",
            requests.delete(f"{cloud.gateway}/faults", headers=headers, timeout=PATIENCE_S),
        )
        yield (
            "a command without a key",
            "/faults",
            requests.delete(f"{cloud.gateway}/faults", timeout=PATIENCE_S),
        )
        yield "a call without a key", "/batches", requests.get(f"{cloud.bailian}/batches", timeout=PATIENCE_S)

    def _hint(self, cloud: KillableCloud, attempt: Attempt) -> None:
        """Say of a batch that runs that it has ended: by its true address, and by the event bus."""
        self.hints += 1
        path = callback_path_for(attempt, self._secret)
        requests.post(f"{cloud.gateway}/Callback{path}", json={"status": "failed"}, timeout=PATIENCE_S)
        listed = cloud.client.batches.list(limit=100).data or []
        theirs = [
            batch.id for batch in listed if not parse_batch_name(str((batch.metadata or {})["ds_name"]))
        ]
        named = [batch.id for batch in listed if attempt.batch_name in str(batch.metadata)]
        for batch_id in (*theirs[:1], *named, f"batch_{uuid.uuid4()}"):
            event = _event(batch_id)
            requests.post(
                f"{cloud.gateway}/eventbridge", json=event, headers=cloud.headers, timeout=PATIENCE_S
            )


def _event(batch_id: str) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "acs.dashscope",
        "type": "dashscope:System:BatchTaskFinish",
        "data": {"task_id": batch_id, "task_status": "FAILED"},
    }
