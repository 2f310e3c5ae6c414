"""A local OSS and a local Bailian, each in a process of its own, and what a stage finds in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from scripts.benchmarks.measure import Run
from scripts.benchmarks.paths.ours import JOB
from scripts.localcloud.access.own_keys import own_keys
from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.files_and_batches import Batch, RequestCounts, StoredFile
from scripts.localcloud.bailian.service_faults import BatchFault
from shared.bucket.attempt import Attempt
from shared.bucket.keys import Stage, attempt_key, ticket_key
from shared.bucket.records.submission import Submission
from shared.bucket.tickets import FinishedTicket
from shared.ports.profile import CHAT
from shared.stores.oss.store import OssStore, open_oss_store

ROOT = Path(__file__).resolve().parents[3]
BUCKET, REGION, API_KEY = "bench", "cn-beijing", "sk-local"
BATCH, OUTPUT_FILE = "batch_bench", "file-batch_output-bench"
ATTEMPT = Attempt(JOB, 1, 1)
FINISHED = ticket_key(Stage.FINISHED, ATTEMPT)
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Measured(Run):
    """One process: the time of its work, its peak memory, and what the function answered.

    ``services_cpu_s`` is what the local OSS and Bailian worked for it, on the same cores.
    """

    said: object
    services_cpu_s: float = 0.0


class StageCloud:
    """The two services, from ``with`` to its end; ``run`` measures a process that uses them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self._service_pids: list[int] = []
        self.store: OssStore

    def __enter__(self) -> StageCloud:
        self._keys = own_keys(self._folder / "oss")
        self._oss_url = self._start("scripts.localcloud.oss", "oss", "--bucket", BUCKET)
        self._bailian_url = self._start("scripts.benchmarks.stages.bailian", "bailian", API_KEY)
        self.store = open_oss_store(
            self._oss_url,
            REGION,
            BUCKET,
            access_key_id=self._keys.access_key_id,
            access_key_secret=self._keys.access_key_secret,
            security_token=None,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def run(self, what: str, subject: str) -> Measured:
        """Run one process and return what it measured.

        Raises:
            subprocess.CalledProcessError: It failed.
        """
        command = [sys.executable, "-m", "scripts.benchmarks.stages.process", what, subject]
        environment = {
            **os.environ,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": self._keys.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self._keys.access_key_secret,
            "BUCKET_NAME": BUCKET,
            "OSS_ENDPOINT": self._oss_url,
            "OSS_REGION": REGION,
            "DASHSCOPE_BASE_URL": self._bailian_url,
            "DASHSCOPE_API_KEY": API_KEY,
            "CALLBACK_SECRET": "0123456789abcdef",
            "PAGE_OPEN": "local",
            "LOG_LEVEL": "WARNING",
        }
        before_s = self._services_cpu_s()
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
        measured = json.loads(done.stdout[done.stdout.rfind(b"\n{", 0, -1) + 1 :])
        return Measured(**measured, services_cpu_s=self._services_cpu_s() - before_s)

    def put_file(self, key: str, path: Path) -> None:
        with self.store.open_writer(key) as writer, path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                writer.write(chunk)
            writer.commit()

    def clear(self, *prefixes: str) -> None:
        for prefix in prefixes:
            for head in list(self.store.list(prefix)):
                self.store.delete(head.key)

    def prepare_collect(self, folder: Path, results: Path, rows: int) -> None:
        """Set up a batch that has just ended: its shard is submitted, its result file waits."""
        self.clear("jobs/", "work/", "finished/", "running/", "results/")
        for path in sorted((*folder.glob(f"jobs/{JOB}/**/*"), *folder.glob(f"work/{JOB}/**/*"))):
            if path.is_file():
                self.put_file(path.relative_to(folder).as_posix(), path)
        now = datetime.now(timezone.utc)
        submission = Submission(
            batch_id=BATCH,
            batch_name=ATTEMPT.batch_name,
            submitted_at=now,
            deadline_at=now + timedelta(days=1),
        )
        self.store.put(attempt_key(ATTEMPT, "submission.json"), submission.to_bytes())
        self.store.put(FINISHED, FinishedTicket(heard_from="timer").to_bytes())
        self._put_batch(results, rows)

    def _put_batch(self, results: Path, rows: int) -> None:
        provider = Database(self._folder / "bailian" / ".localcloud" / "bailian")
        try:
            content = provider.uploads / "results"
            _link(results, content)
            stored = StoredFile(
                id=OUTPUT_FILE,
                bytes=results.stat().st_size,
                filename="results.jsonl",
                purpose="batch_output",
                created_at=0,
            )
            provider.add_file(stored, content)
            if provider.batch(BATCH) is None:
                asked = provider.uploads / "asked"
                asked.write_bytes(b"")
                batch = Batch(
                    id=BATCH,
                    endpoint=CHAT,
                    input_file_id="file-batch-asked",
                    completion_window="24h",
                    status="completed",
                    output_file_id=OUTPUT_FILE,
                    created_at=0,
                    request_counts=RequestCounts(total=rows, completed=rows),
                )
                provider.add_batch(batch, BatchFault(), asked)
        finally:
            provider.close()

    def _services_cpu_s(self) -> float:
        ticks = 0
        for pid in self._service_pids:
            # utime and stime are the 14th and 15th field:
            # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _start(self, module: str, name: str, *arguments: str) -> str:
        """Start a service in the folder of its name and return the address that it says."""
        command = [sys.executable, "-m", module, str(self._folder / name), *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        self._running.callback(_end, process)
        self._service_pids.append(process.pid)
        if process.stdout is None:  # never with PIPE; tells the type checker
            raise AssertionError
        address = process.stdout.readline().split()[1].decode()
        log = (self._folder / f"{name}.log").open("wb")
        self._running.callback(log.close)
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=log)  # the pipe must never fill
        self._running.callback(_end, drain)
        process.stdout.close()
        return address


def _link(source: Path, target: Path) -> None:
    """The provider deletes its files when they have been collected; the original stays."""
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy(source, target)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()
