"""One life of a local cloud in a process of its own; it can be killed, and so can its workers."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import oss2
import requests
from openai import OpenAI

from scripts.localcloud.access.own_keys import own_keys
from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.bailian.service_faults import BailianFaultOrder, BatchFault
from scripts.localcloud.options import REGION, REPOSITORY
from scripts.template.read import FUNCTION
from scripts.template.ros import read_template
from shared.formats.sizes import MIB
from tests.support.processes import started
from tests.support.waiting import PATIENCE_S

BUCKET = "batchdrop"
_PEAK = re.compile(rb"^VmHWM:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True)
class Memory:
    """What one worker had in use at most, so far, and what its function may have."""

    function: str
    peak_bytes: int
    limit_bytes: int


def memory_mb() -> dict[str, int]:
    """What the template gives each function."""
    resources = read_template(REPOSITORY / "template.yaml")["Resources"].items()
    return {name: each["Properties"]["MemorySize"] for name, each in resources if each["Type"] == FUNCTION}


class KillableCloud:
    """What people, attackers and the killer do with one life of a local cloud."""

    def __init__(self, process: subprocess.Popen[str], data_dir: Path) -> None:
        self.process = process
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())
        self.gateway: str = urls["gateway"]
        self.oss: str = urls["oss"]
        self.bailian: str = urls["bailian"]
        self.memory_mb = memory_mb()
        self.keys = own_keys(data_dir)
        self.headers = {"Authorization": f"Bearer {self.keys.api_key}"}
        auth = oss2.AuthV4(self.keys.access_key_id, self.keys.access_key_secret)
        self.bucket = oss2.Bucket(auth, self.oss, BUCKET, region=REGION)
        self.client = OpenAI(base_url=self.bailian, api_key=self.keys.api_key, max_retries=2)

    def environment(self) -> dict[str, str]:
        """By which ``scripts/batchdrop`` finds the bucket and the provider."""
        return {
            "BUCKET_NAME": BUCKET,
            "OSS_ENDPOINT": self.oss,
            "OSS_REGION": REGION,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": self.keys.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self.keys.access_key_secret,
            "DASHSCOPE_BASE_URL": self.bailian,
            "DASHSCOPE_API_KEY": self.keys.api_key,
        }

    def spoil(self, *faults: BatchFault | CallFault) -> None:
        batches = tuple(fault for fault in faults if isinstance(fault, BatchFault))
        calls = tuple(fault for fault in faults if isinstance(fault, CallFault))
        self._order(BailianFaultOrder(batches=batches, calls=calls))

    def spoil_no_more(self) -> None:
        """From now on events and calls arrive."""
        requests.delete(f"{self.gateway}/faults", headers=self.headers, timeout=PATIENCE_S).raise_for_status()
        self._order(BailianFaultOrder(clear=True))

    def _order(self, order: BailianFaultOrder) -> None:
        url = self.bailian.replace("/compatible-mode/v1", "/_faults")
        requests.post(
            url, json=order.model_dump(), headers=self.headers, timeout=PATIENCE_S
        ).raise_for_status()

    def workers(self) -> list[int]:
        """The functions' processes: the children of the one that the cloud forks them from."""
        forks = [pid for pid in _children(self.process.pid) if b"workers.forking" in _of(pid, "cmdline")]
        return [pid for each in forks for pid in _children(each)]

    def kill_worker(self, chance: random.Random) -> str | None:
        """Kill one of the workers, and say whose it was; ``None`` if there was none."""
        workers = self.workers()
        if not workers:
            return None
        pid = chance.choice(workers)
        function = _of(pid, "comm").decode().strip()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return function

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def memory(self) -> Iterator[Memory]:
        for pid in self.workers():
            peak, function = _PEAK.search(_of(pid, "status")), _of(pid, "comm").decode().strip()
            if peak and function in self.memory_mb:
                yield Memory(function, int(peak[1]) * 1024, self.memory_mb[function] * MIB)

    def keys_under(self, *prefixes: str) -> list[str]:
        return [each.key for prefix in prefixes for each in oss2.ObjectIterator(self.bucket, prefix)]


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in _read(task).split()]


def _of(pid: int, name: str) -> bytes:
    return _read(Path(f"/proc/{pid}/{name}"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just ended
        return b""


@contextmanager
def running(data_dir: Path, seed: int) -> Iterator[KillableCloud]:
    """Start a cloud; it and all that it started are gone at the end, however that comes."""
    command = [sys.executable, "-m", "tests.chaos.cloud_process", str(data_dir), str(seed)]
    with (
        (data_dir / "cloud.log").open("ab") as log,
        # A session of its own: Ctrl-C is for the run, which ends it.
        started(command, stdin=subprocess.PIPE, stderr=log) as process,
    ):
        yield KillableCloud(process, data_dir)
