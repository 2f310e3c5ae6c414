"""A server behind ``--upstream`` that is down: jobs wait, say so, and go on by themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.options import CloudOptions
from tests.e2e.conftest import RunningCloud
from tests.e2e.test_batchdrop_command import batchdrop
from tests.support.upstream_server import UpstreamServer
from tests.support.waiting import wait_until

ROWS = 12


@pytest.fixture
def upstream() -> Iterator[UpstreamServer]:
    upstream = UpstreamServer(is_up=False)
    yield upstream
    upstream.close()


@pytest.fixture
def cloud(tmp_path: Path, upstream: UpstreamServer) -> Iterator[RunningCloud]:
    options = CloudOptions(
        tmp_path,
        upstream=upstream.url,
        workers=1,
        timer_interval_s=1.0,
        parameters={"PollAfterS": "1", "ReadyOverdueS": "3"},
    )
    with LocalCloud(options) as cloud:
        yield RunningCloud(cloud)


def test_a_job_waits_for_the_upstream_says_so_and_goes_on(
    cloud: RunningCloud, upstream: UpstreamServer
) -> None:
    rows = "".join(f"row {number}\n" for number in range(ROWS))
    cloud.drop("late/batch.yaml", b"model: qwen-flash\nprompt: '{{ text }}'\n")
    cloud.drop("late/rows.csv", f"text\n{rows}".encode())
    wait_until(lambda: "upstream_unavailable" in batchdrop(cloud, "status")[1], "status does not say why")

    _, said = batchdrop(cloud, "status")
    _, of_the_job = batchdrop(cloud, "status", "late/rows.csv")
    wait_until(lambda: b"upstream_unavailable" in cloud.path("board.json").read_bytes(), "the board does not")
    upstream.start()
    answers = cloud.wait_for_rows("results/late/rows.csv")

    assert f"{upstream.url}/chat/completions: Connection refused" in said
    assert "开始等待时间 waiting since 20" in said
    assert f"{upstream.url}/chat/completions: Connection refused" in of_the_job
    assert {(row["status"], row["error_code"]) for row in answers} == {("answered", "")}
    assert [row["content"] for row in answers] == [f"ROW {number}" for number in range(ROWS)]
    report = json.loads(cloud.wait_for("results/late/rows.report.json"))
    assert (len(report["batches"]), report["by_status"]) == (1, {"answered": ROWS})
    cloud.wait_until_quiet()
    assert "nothing_open" in batchdrop(cloud, "status")[1]
