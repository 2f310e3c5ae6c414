"""Instances that are forked: the same processes as started ones, only sooner."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud.fc.workers.fork_server import can_fork
from scripts.localcloud.fc.workers.pool import WorkerPool
from scripts.localcloud.fc.workers.process import WorkerProcess, WorkerSpec
from scripts.localcloud.options import REPOSITORY
from tests.support.processes import started
from tests.support.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.skipif(not can_fork(), reason="needs what Linux has since 5.3")


def spec_in(folder: Path) -> WorkerSpec:
    return WorkerSpec(
        "odd", "tests.support.odd_function.handler", folder / "odd.log", REPOSITORY, {"OWN": "value"}
    )


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    with WorkerPool(spec_in(tmp_path), size=2) as pool:
        yield pool


def about(pool: WorkerPool) -> dict[str, Any]:
    result = pool.invoke(b"about", "r-1")
    assert result.error_type is None, result.body
    return dict(json.loads(result.body))


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_a_forked_worker_is_told_what_a_started_one_is(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_A_PERSON", "secret")

    told = about(pool)

    assert told["environment"].keys() == pool.spec.full_environment().keys()
    assert (told["environment"]["OWN"], told["environment"]["FC_FUNCTION_NAME"]) == ("value", "odd")
    assert Path(told["directory"]) == REPOSITORY
    assert Path(f"/proc/{told['pid']}/comm").read_text() == "odd\n"
    assert os.getpgid(told["pid"]) == told["pid"]


def test_a_forked_worker_that_dies_is_replaced_and_leaves_no_zombie(pool: WorkerPool) -> None:
    before = about(pool)["pid"]

    assert pool.invoke(b"crash", "r-2").error_type == "CAExited"

    assert about(pool)["pid"] != before
    assert not is_there(before)


def test_workers_are_forked_again_after_what_they_come_from_was_killed(pool: WorkerPool) -> None:
    worker = about(pool)["pid"]
    origin = parent_of(worker)
    assert origin != os.getpid()

    os.kill(origin, signal.SIGKILL)
    wait_until(lambda: not is_there(worker), "the worker to end with it")

    assert about(pool)["pid"] != worker


def test_stop_ends_forked_workers_that_are_busy(pool: WorkerPool) -> None:
    worker = about(pool)["pid"]
    hanging = threading.Thread(target=pool.invoke, args=(b"hang", "r-2"))
    hanging.start()

    pool.stop()
    hanging.join(timeout=PATIENCE_S)

    assert not hanging.is_alive()
    assert not is_there(worker)
    assert pool.invoke(b"about", "r-3").error_type == "FunctionNotStarted"


def test_an_instance_can_be_killed_as_soon_as_it_is_there(tmp_path: Path, pool: WorkerPool) -> None:
    about(pool)  # its process has something to fork
    for _ in range(20):
        worker = WorkerProcess(spec_in(tmp_path), pool._forks)
        killing = threading.Thread(target=worker.kill, daemon=True)
        killing.start()
        killing.join(timeout=PATIENCE_S)

        assert not killing.is_alive()
        assert not is_there(worker.pid)


PARENT = """
import sys
from pathlib import Path
from scripts.localcloud.fc.workers.pool import WorkerPool
from tests.contract.test_forked_workers import about, spec_in

pool = WorkerPool(spec_in(Path(sys.argv[1])))
print(about(pool)["pid"], flush=True)
pool.invoke(b"hang", "r-2")
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_forked_workers_do_not_outlive_their_cloud(tmp_path: Path, ending: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with started(command, stderr=subprocess.PIPE) as parent:
        worker = int(parent.stdout.readline())
        origin = parent_of(worker)

        parent.send_signal(ending)
        parent.wait(timeout=PATIENCE_S)

    wait_until(lambda: not is_there(worker) and not is_there(origin), "all of it to end")
