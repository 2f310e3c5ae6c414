"""``scripts/batchdrop`` as people run it: see a job, cancel it as it runs, retry what is open."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.localcloud.answers.built_in_texts import answer_for
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.options import REGION, CloudOptions
from scripts.operate.__main__ import main
from tests.e2e.conftest import IMPATIENT, RunningCloud
from tests.support.waiting import PATIENCE_S, wait_until

ROOT = Path(__file__).resolve().parents[2]
ROWS = 12


@pytest.fixture
def slow_cloud(tmp_path: Path) -> Iterator[RunningCloud]:
    """A local cloud whose batches take a moment for each row; every event is delivered twice."""
    options = CloudOptions(
        tmp_path / "slow cloud",
        duplicates=2,
        workers=1,
        batch_delay_s=4.0,
        timer_interval_s=1.0,
        parameters=IMPATIENT,
    )
    with LocalCloud(options) as cloud:
        yield RunningCloud(cloud)


def variables(cloud: RunningCloud) -> dict[str, str]:
    """The functions' own, as against a real bucket."""
    return {
        "BUCKET_NAME": cloud.cloud.options.bucket,
        "OSS_ENDPOINT": cloud.cloud.oss.url,
        "OSS_REGION": REGION,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": cloud.cloud.keys.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": cloud.cloud.keys.access_key_secret,
    }


def batchdrop(cloud: RunningCloud, *arguments: str) -> tuple[int, str]:
    """Run the program's ``main``; once is enough to start it as a process."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = main(arguments, variables(cloud))
    return status, said.getvalue()


def status_of_a_process(cloud: RunningCloud) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.operate", "status"],
        cwd=ROOT,
        env={**os.environ, **variables(cloud)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_running_job_is_cancelled_keeps_what_was_paid_and_is_retried(slow_cloud: RunningCloud) -> None:
    slow_cloud.drop("work/two.csv", b"".join(b"%d,hello %d\n" % (n, n) for n in range(ROWS)))
    answered_before = run_until_some_are_answered(slow_cloud)

    status, board = status_of_a_process(slow_cloud)
    assert (status, "inbox/work/two.csv" in board, "1 运行中 running" in board) == (0, True, True)
    written = json.loads(slow_cloud.path("board.json").read_bytes())
    assert [job["source_key"] for job in written["jobs"]] == ["inbox/work/two.csv"]

    status, told = batchdrop(slow_cloud, "cancel", "work/two.csv", "--wait", f"{PATIENCE_S:.0f}")
    assert status == 0, told
    assert "[closed]" in told
    rows = slow_cloud.wait_for_rows("results/work/two.csv")
    first = json.loads(slow_cloud.wait_for("results/work/two.report.json"))
    answered = [row["prompt"] for row in rows if row["status"] == "answered"]
    assert ROWS > len(answered) >= answered_before
    assert first["by_status"] == {"answered": len(answered), "cancelled": ROWS - len(answered)}
    assert first["adds_up"]
    assert batchdrop(slow_cloud, "cancel", first["job_id"])[0] == 0  # nothing to do

    slow_cloud.bailian.faults.paused = False
    status, told = batchdrop(slow_cloud, "retry", first["job_id"])
    assert status == 0, told
    assert f"{ROWS - len(answered)} unanswered row(s)" in told
    report = slow_cloud.path("results/work/two.report.json")
    wait_until(lambda: json.loads(report.read_bytes())["retry_of"], "the retry is never done")
    slow_cloud.wait_until_quiet()
    assert "[nothing_open]" in batchdrop(slow_cloud, "status")[1]

    again = json.loads(report.read_bytes())
    assert again["by_status"] == {"answered": ROWS}
    assert again["retry_of"] == first["job_id"]
    assert [row["content"] for row in slow_cloud.wait_for_rows("results/work/two.csv")] == [
        answer_for(f"hello {n}") for n in range(ROWS)
    ]
    counts = [slow_cloud.client.batches.retrieve(each).request_counts for each in again["batches"]]
    assert [each.total for each in counts if each] == [ROWS, ROWS - len(answered)]
    assert "[nothing_to_retry]" in batchdrop(slow_cloud, "retry", "work/two.csv")[1]
    assert slow_cloud.provider_files() == []
    assert slow_cloud.refused_functions() == []
    assert slow_cloud.cloud.invoker.dead_letters == ()


def run_until_some_are_answered(cloud: RunningCloud) -> int:
    """Let the batch answer a few rows, and hold it there; say how many at least."""

    def answered() -> int:
        batches = cloud.client.batches.list(limit=10).data or []
        return sum(batch.request_counts.completed for batch in batches if batch.request_counts)

    wait_until(answered, "no row is answered")
    cloud.bailian.faults.paused = True
    wait_until(cloud.path("board.json").exists, "the timer writes no board")
    wait_until(lambda: b"two.csv" in cloud.path("board.json").read_bytes(), "the job is not on the board")
    return answered()
