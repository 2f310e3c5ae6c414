"""``python -m scripts.localcloud`` as a process: alone on its data, and gone once it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.localcloud.__main__ import EXAMPLE_RECIPE
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.data_lock import DataDirInUse, locked
from scripts.localcloud.options import REPOSITORY, CloudOptions
from tests.support.waiting import wait_until

COMMAND = (sys.executable, "-m", "scripts.localcloud", "--data")


@contextmanager
def started(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, str(data_dir)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    pytest.fail(f"it ended without saying {text!r}")


def test_a_second_local_cloud_on_the_same_data_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    with started(tmp_path) as first:
        read_until(first, "Ctrl-C stops it")
        second = subprocess.run(
            [*COMMAND, str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
        )

        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr == (
            f"python -m scripts.localcloud: another local cloud runs on {tmp_path} (process {first.pid});"
            " stop it, or choose another directory\n"
        )
        assert first.poll() is None

    with locked(tmp_path):
        assert (tmp_path / ".localcloud" / "lock").read_text() == f"{os.getpid()}\n"


def test_the_lock_is_held_from_the_constructor_until_the_stop(tmp_path: Path) -> None:
    cloud = LocalCloud(CloudOptions(tmp_path))
    with pytest.raises(DataDirInUse, match=f"process {os.getpid()}"):
        LocalCloud(CloudOptions(tmp_path))

    cloud.stop()

    with LocalCloud(CloudOptions(tmp_path)), pytest.raises(DataDirInUse):
        LocalCloud(CloudOptions(tmp_path))
    LocalCloud(CloudOptions(tmp_path)).stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("is_up", [False, True])
def test_a_signal_stops_all_of_it_also_while_it_starts(
    tmp_path: Path, number: signal.Signals, is_up: bool
) -> None:
    with started(tmp_path) as process:
        if is_up:
            read_until(process, "Ctrl-C stops it")
        else:
            wait_until((tmp_path / ".localcloud" / "lock").exists, "the start to begin")

        process.send_signal(number)

        assert process.wait(timeout=30) == 0
        with locked(tmp_path):
            pass


def test_the_example_recipe_of_a_fresh_inbox_starts_nothing_and_stays_away_once_deleted(
    tmp_path: Path,
) -> None:
    bucket = tmp_path / "batchdrop"
    example = bucket / "inbox" / "batch.yaml.example"
    log = tmp_path / ".localcloud" / "logs" / "validate.log"
    with started(tmp_path) as process:
        read_until(process, "Ctrl-C stops it")
        wait_until(
            lambda: log.exists() and "invocation.finished" in log.read_text(), "validate to look at it"
        )

        assert example.read_bytes() == EXAMPLE_RECIPE.read_bytes()
        assert not (bucket / "jobs").exists()
        assert not list((bucket / "rejected").iterdir())

    example.unlink()
    with started(tmp_path) as process:
        read_until(process, "Ctrl-C stops it")

        assert not example.exists()


class Interrupted(BaseException):
    pass


STEPS = ("oss.start", "bailian.start", "_open_gateway", "_start_functions", "_start_events")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("is_done", [False, True])
def test_an_interruption_of_the_start_stops_what_was_started(
    tmp_path: Path, step: str, is_done: bool
) -> None:
    before = set(threading.enumerate())
    cloud = LocalCloud(CloudOptions(tmp_path))
    path, _, name = step.rpartition(".")
    owner = getattr(cloud, path) if path else cloud
    original = getattr(owner, name)

    def interrupted(*arguments: object) -> object:
        if is_done:
            original(*arguments)
        raise Interrupted

    setattr(owner, name, interrupted)

    with pytest.raises(Interrupted):
        cloud.start()

    wait_until(lambda: not set(threading.enumerate()) - before, "its threads to end")
    assert not [pid for pool in cloud.host.pools.values() for pid in pool.pids]
    with locked(tmp_path):
        pass
