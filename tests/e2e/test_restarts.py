"""Jobs reach their end although workers, or the whole local cloud, are killed on the way."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import oss2
import pytest
import requests
from openai import OpenAI

from scripts.localcloud.access.own_keys import own_keys
from scripts.localcloud.bailian.batches.built_in_texts import answer_for
from scripts.localcloud.bailian.service_faults import BatchFault, CallFault
from scripts.localcloud.options import REGION, REPOSITORY
from shared.providers.bailian.profile import TEST_MODEL
from tests.support.waiting import wait_until

BUCKET = "batchdrop"
TICKETS = ("ready/", "running/", "finished/", "again/")


class KillableCloud:
    """One life of a local cloud, in a process that may be killed."""

    def __init__(self, process: subprocess.Popen[str], data_dir: Path) -> None:
        self.process = process
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())
        self.gateway: str = urls["gateway"]
        self._bailian: str = urls["bailian"]
        self._keys = own_keys(data_dir)
        auth = oss2.AuthV4(self._keys.access_key_id, self._keys.access_key_secret)
        self.bucket = oss2.Bucket(auth, urls["oss"], BUCKET, region=REGION)
        self.client = OpenAI(base_url=self._bailian, api_key=self._keys.api_key, max_retries=2)

    def spoil(self, *faults: BatchFault | CallFault) -> None:
        order = {
            "batches": [fault.model_dump() for fault in faults if isinstance(fault, BatchFault)],
            "calls": [fault.model_dump() for fault in faults if isinstance(fault, CallFault)],
        }
        url = self._bailian.replace("/compatible-mode/v1", "/_faults")
        headers = {"Authorization": f"Bearer {self._keys.api_key}"}
        answer = requests.post(url, json=order, headers=headers, timeout=30)
        answer.raise_for_status()

    def deliver_properly(self) -> None:
        requests.delete(f"{self.gateway}/faults", timeout=30).raise_for_status()

    def workers(self) -> list[int]:
        """The functions' processes: the cloud's own children."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        children = [int(pid) for task in tasks for pid in task.read_text().split()]
        return [pid for pid in children if b"shared.runtime.custom.server" in _command_of(pid)]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def tickets(self) -> list[str]:
        return [each.key for prefix in TICKETS for each in oss2.ObjectIterator(self.bucket, prefix)]

    def batch_names(self) -> Counter[str]:
        """How many batches the provider was ever asked for under each name."""
        return Counter(
            str((batch.metadata or {})["ds_name"]) for batch in self.client.batches.list(limit=100).data
        )

    def provider_files(self) -> list[str]:
        return [file.filename for file in self.client.files.list().data or []]


def _command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


@contextmanager
def running(data_dir: Path, seed: int) -> Iterator[KillableCloud]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.killable_cloud", str(data_dir), str(seed)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield KillableCloud(process, data_dir)
        finally:
            process.kill()


def jobs() -> dict[str, bytes]:
    """Files to drop, and one folder's recipe: one shard and several, with and without a recipe."""
    names = "".join(f"name {number}\n" for number in range(40))
    lines = "".join(
        json.dumps(
            {
                "custom_id": f"q-{number}",
                "method": "POST",
                "url": "/v1/chat/ds-test",
                "body": {"model": TEST_MODEL, "messages": [{"role": "user", "content": "hello"}]},
            }
        )
        + "\n"
        for number in range(250)
    )
    return {
        "recipe/batch.yaml": b"model: qwen-flash\nprompt: 'Say {{ name }}'\nattempts: 4\n",
        "recipe/names.csv": f"name\n{names}".encode(),
        "two.csv": "".join(f"{number},hello {number}\n" for number in range(30)).encode(),
        "lines.jsonl": lines.encode(),
    }


def check_results(cloud: KillableCloud) -> None:
    def rows(name: str) -> list[dict[str, str]]:
        content = cloud.bucket.get_object(f"results/{name}").read().decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(content, newline="")))

    assert [(row["name"], row["status"], row["content"]) for row in rows("recipe/names.csv")] == [
        (f"name {number}", "answered", answer_for(f"Say name {number}")) for number in range(40)
    ]
    assert [(row["id"], row["status"], row["content"]) for row in rows("two.csv")] == [
        (str(number), "answered", answer_for(f"hello {number}")) for number in range(30)
    ]
    assert [(row["custom_id"], row["status_code"], row["content"]) for row in rows("lines.csv")] == [
        (f"q-{number}", "200", "This is a test result.") for number in range(250)
    ]


def kill_workers(cloud: KillableCloud, chance: random.Random, *, for_s: float) -> int:
    """Kill workers at random moments, more slowly than they start, and say how many."""
    killed = 0
    ends_s = time.monotonic() + for_s
    while time.monotonic() < ends_s:
        time.sleep(chance.uniform(0.1, 0.6))
        workers = cloud.workers()
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)
            killed += 1
    return killed


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the workers outlive a killed local cloud")
@pytest.mark.parametrize("seed", [4])
def test_killed_workers_and_a_killed_cloud_cost_time_and_nothing_else(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with running(tmp_path, seed) as cloud:
        cloud.spoil(
            BatchFault(outcome="expire", match="-00001"),
            BatchFault(cut_connection=True),
            CallFault(route="files.upload", cut=True),
            CallFault(route="batches.create", status=500),
        )
        for name, content in jobs().items():
            cloud.bucket.put_object(f"inbox/{name}", content)
        killed = kill_workers(cloud, chance, for_s=4)
        cloud.kill()
    with running(tmp_path, seed + 1) as cloud:
        killed += kill_workers(cloud, chance, for_s=3)
        cloud.deliver_properly()
        reports = ("recipe/names", "two", "lines")

        for name in reports:
            key = f"results/{name}.report.json"
            wait_until(lambda key=key: cloud.bucket.object_exists(key), f"{key}; {cloud.tickets()}", 60)
        wait_until(lambda: not cloud.tickets(), f"no ticket; {cloud.tickets()}", 30)
        wait_until(
            lambda: not cloud.provider_files(), f"no file at the provider; {cloud.provider_files()}", 30
        )

        assert killed > 4
        check_results(cloud)
        assert max(cloud.batch_names().values()) == 1
