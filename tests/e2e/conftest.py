from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import oss2
import pytest
from openai import OpenAI

from scripts.localcloud.ark.local_ark import LocalArk
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.fc.workers.fork_server import SHARED
from scripts.localcloud.options import REGION, CloudOptions
from scripts.localcloud.tione.local_tione import LocalTione
from tests.support.waiting import wait_until


class RunningCloud:
    """A local cloud that delivers every event twice, and what a person does with it."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        auth = oss2.AuthV4(cloud.keys.access_key_id, cloud.keys.access_key_secret)
        self.bucket = oss2.Bucket(auth, cloud.oss.url, cloud.options.bucket, region=REGION)
        assert cloud.bailian is not None
        self.bailian = cloud.bailian
        self.client = OpenAI(base_url=self.bailian.base_url, api_key=cloud.api_key, max_retries=0)

    @property
    def ark(self) -> LocalArk:
        assert self.cloud.volcengine is not None
        return self.cloud.volcengine.ark

    @property
    def tione(self) -> LocalTione:
        assert self.cloud.tencent is not None
        return self.cloud.tencent.tione

    def drop(self, name: str, content: bytes) -> None:
        self.bucket.put_object(f"inbox/{name}", content)

    def path(self, name: str) -> Path:
        return self.cloud.bucket_dir / name

    def wait_for(self, name: str) -> bytes:
        """The object's content as soon as it is there."""
        path = self.path(name)
        wait_until(path.exists, lambda: f"{name} does not appear; {self.board()}")
        return path.read_bytes()

    def wait_for_rows(self, name: str, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
        """The result, once its ledger is closed."""
        self.wait_for(name.removesuffix(".csv") + ".report.json")
        return list(csv.DictReader(io.StringIO(self.wait_for(name).decode(encoding), newline="")))

    def wait_until_quiet(self) -> None:
        """Until no ticket is left and no event is under way."""
        invoker = self.cloud.invoker  # costs less to ask than the board
        wait_until(
            lambda: invoker.idle and not self.board() and invoker.idle,
            lambda: f"tickets are left: {self.board()}",
        )

    def board(self) -> list[str]:
        prefixes = ("ready/", "running/", "finished/")
        return [each.key for prefix in prefixes for each in oss2.ObjectIterator(self.bucket, prefix)]

    def batches_of(self, job_id: str) -> list[str]:
        """Every batch that the provider was ever asked to run for a job."""
        listed = self.client.batches.list(limit=100, extra_query={"ds_name": f"batchdrop-{job_id}"}).data
        return [batch.id for batch in listed or []]

    def refused_functions(self) -> list[str]:
        """The functions that were ever refused something, also where they went on regardless."""
        return [log.stem for log in self.cloud.logs_dir.glob("*.log") if b"AccessDenied" in log.read_bytes()]

    def provider_files(self) -> list[str]:
        return [file.id for file in self.client.files.list().data or []]


# The lease is long enough that no live submit outlasts it, on whatever machine: of two batches that
# are alive one would be too many. Only a test of a create whose answer is lost waits for its end.
IMPATIENT = {"ClaimLeaseS": "30", "ReadyOverdueS": "3", "PollAfterS": "3", "FinishedOverdueS": "3"}


@pytest.fixture(scope="session", autouse=True)
def _forks() -> Iterator[None]:
    """The functions of all clouds come from one process, which loads their modules once."""
    with SHARED.borrowed():
        yield


# Of one module: its timer and its look at folders would go on beside every later test.
@pytest.fixture(scope="module")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    data_dir = tmp_path_factory.mktemp("local cloud")
    options = CloudOptions(
        data_dir,
        providers=("bailian", "ark", "tione"),
        duplicates=2,
        timer_interval_s=2.0,
        parameters=IMPATIENT,
    )
    with LocalCloud(options) as cloud:
        yield RunningCloud(cloud)


@pytest.fixture
def cloud(running_cloud: RunningCloud) -> Iterator[RunningCloud]:
    yield running_cloud
    running_cloud.bailian.faults.clear()
    running_cloud.ark.faults.clear()
    running_cloud.tione.faults.clear()
    running_cloud.wait_until_quiet()
    assert running_cloud.cloud.invoker.dead_letters == ()
    assert running_cloud.refused_functions() == []
