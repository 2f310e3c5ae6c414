"""``python -m scripts.localcloud`` as a process: alone on its data, and gone once it is stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from scripts.localcloud import data_lock
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.data_lock import DataDirGone, DataDirInUse, locked
from scripts.localcloud.options import REPOSITORY, CloudOptions, volcengine_dir
from scripts.localcloud.servers.local_server import LocalServer, PortTaken
from scripts.localcloud.terminal.command import EXAMPLE_RECIPE
from tests.support.processes import read_until, started
from tests.support.waiting import PATIENCE_S, wait_until

COMMAND = (sys.executable, "-m", "scripts.localcloud", "--data")
LOCAL_OSS, LOCAL_TOS = ((sys.executable, "-m", f"scripts.localcloud.{name}") for name in ("oss", "tos"))


def started_on(
    data_dir: Path, program: tuple[str, ...] = COMMAND
) -> AbstractContextManager[subprocess.Popen[str]]:
    return started([*program, str(data_dir)], stderr=subprocess.STDOUT)


def test_a_second_local_cloud_on_the_same_data_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    with started_on(tmp_path) as first:
        read_until(first, "Ctrl-C stops it")
        second = subprocess.run(
            [*COMMAND, str(tmp_path)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr == (
            f"python -m scripts.localcloud: 文件夹 {tmp_path} 上已有本地云在运行（进程 {first.pid}）。请先停止它，或换一个文件夹。\n"
            f"Another local cloud runs on {tmp_path} (process {first.pid}). Stop it, or choose another folder.\n"
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


def test_the_second_clouds_own_folder_is_held_too(tmp_path: Path) -> None:
    cloud = LocalCloud(CloudOptions(tmp_path, providers=("ark",)))

    with pytest.raises(DataDirInUse), locked(volcengine_dir(tmp_path)):
        pass

    cloud.stop()
    with locked(volcengine_dir(tmp_path)):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("is_up", [False, True])
def test_a_signal_stops_all_of_it_also_while_it_starts(
    tmp_path: Path, number: signal.Signals, is_up: bool
) -> None:
    with started_on(tmp_path) as process:
        if is_up:
            read_until(process, "Ctrl-C stops it")
        else:
            wait_until((tmp_path / ".localcloud" / "lock").exists, "the start to begin")

        process.send_signal(number)

        assert process.wait(timeout=PATIENCE_S) == 0
        with locked(tmp_path):
            pass


def test_the_example_recipe_of_a_fresh_inbox_starts_nothing_and_stays_away_once_deleted(
    tmp_path: Path,
) -> None:
    bucket = tmp_path / "batchdrop"
    example = bucket / "inbox" / "batch.yaml.example"
    log = tmp_path / ".localcloud" / "logs" / "validate.log"
    with started_on(tmp_path) as process:
        read_until(process, "Ctrl-C stops it")
        wait_until(
            lambda: log.exists() and "invocation.finished" in log.read_text(), "validate to look at it"
        )

        assert example.read_bytes() == EXAMPLE_RECIPE.read_bytes()
        assert not (bucket / "jobs").exists()
        assert not list((bucket / "rejected").iterdir())

    example.unlink()
    with started_on(tmp_path) as process:
        read_until(process, "Ctrl-C stops it")

        assert not example.exists()


class Interrupted(BaseException):
    pass


STEPS = ("oss.start", "bailian.start", "_open_gateway", "_start_functions", "events.start")


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


def gone(data_dir: Path) -> None:
    while data_dir.exists():  # a running cloud may put a file into a folder that is being deleted
        shutil.rmtree(data_dir, ignore_errors=True)


def moved(data_dir: Path) -> None:
    data_dir.rename(data_dir.with_name("elsewhere"))


def without_its_own(data_dir: Path) -> None:
    gone(data_dir / ".localcloud")


def replaced(data_dir: Path) -> None:
    moved(data_dir)
    # Again, a running cloud may have put something there.
    shutil.copytree(data_dir.with_name("elsewhere"), data_dir, dirs_exist_ok=True)


def test_a_cloud_whose_bucket_is_gone_stops_with_a_sentence_and_can_start_again(tmp_path: Path) -> None:
    for _ in range(2):
        with started_on(tmp_path) as process:
            read_until(process, "  logs")

            gone(tmp_path / "batchdrop")

            assert process.stdout is not None
            said = process.stdout.read()
            assert process.wait(timeout=PATIENCE_S) == 1
        assert f"The folder {tmp_path / 'batchdrop'} was deleted" in said
        assert "Traceback" not in said


# Every way for the program that starts fastest, and every program.
@pytest.mark.parametrize(
    ("lose", "program"),
    [
        *((lose, LOCAL_OSS) for lose in (gone, moved, without_its_own, replaced)),
        (gone, LOCAL_TOS),
        (gone, COMMAND),
        (replaced, COMMAND),
    ],
)
def test_a_cloud_whose_folder_is_gone_stops_with_a_sentence(
    tmp_path: Path, lose: Callable[[Path], None], program: tuple[str, ...]
) -> None:
    data_dir = tmp_path / "data"
    with started_on(data_dir, program) as process:
        read_until(process, "secret")

        lose(data_dir)

        assert process.stdout is not None
        said = process.stdout.read()
        assert process.wait(timeout=PATIENCE_S) == 1
    # Which of the two it misses first, depends on how far the deletion was.
    names = [data_dir / ".localcloud"] + [data_dir] * (lose is not without_its_own)
    assert any(f"The folder {name} was deleted, moved or replaced" in said for name in names)
    assert any(f"文件夹 {name} 被删除" in said for name in names)
    assert "Traceback" not in said
    assert len(said.strip().split("\n")) <= 10, said
    with locked(data_dir):
        pass


@pytest.mark.parametrize("lose", [gone, moved, without_its_own, replaced])
def test_a_second_cloud_on_the_path_of_one_that_lost_its_folder_is_refused(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    data_dir = tmp_path / "data"
    with locked(data_dir) as lock:
        lock.check()
        lose(data_dir)

        with pytest.raises(DataDirInUse, match=f"process {os.getpid()}"), locked(data_dir):
            pass
        with pytest.raises(DataDirGone):
            lock.check()
    with locked(data_dir) as lock:
        lock.check()


def test_what_breaks_in_a_cloud_is_told_unless_it_is_only_its_folder_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    def defect() -> None:
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()

    with locked(tmp_path / "data") as lock, lock.told_once():
        defect()
        before = len(told)
        moved(tmp_path / "data")
        defect()

    assert (before, len(told)) == (1, 1)


def test_who_blocks_the_lock_of_a_path_keeps_nobody_from_a_folder(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("not to be emptied")
    place = data_lock._path_lock_file(tmp_path / "data")
    place.symlink_to(precious)
    try:
        with locked(tmp_path / "data") as lock:
            lock.check()
            with pytest.raises(DataDirInUse), locked(tmp_path / "data"):
                pass
    finally:
        place.unlink()

    assert precious.read_text() == "not to be emptied"


def test_a_folder_that_was_moved_takes_its_lock_along(tmp_path: Path) -> None:
    with locked(tmp_path / "data"):
        moved(tmp_path / "data")

        with pytest.raises(DataDirInUse), locked(tmp_path / "elsewhere"):
            pass


@pytest.mark.parametrize(
    ("program", "option"),
    [
        (COMMAND, "--port"),
        (COMMAND, "--web-port"),
        (LOCAL_OSS, "--port"),
        (LOCAL_TOS, "--port"),
    ],
)
def test_a_port_that_is_taken_is_named(tmp_path: Path, program: tuple[str, ...], option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        done = subprocess.run(
            [*program, str(tmp_path), option, str(port)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    assert (done.returncode, done.stdout) == (1, "")
    assert f"Port {port} cannot be used: another program listens there" in done.stderr
    assert f"端口 {port} 不可用" in done.stderr
    assert "Traceback" not in done.stderr
    with locked(tmp_path):
        pass


def test_the_console_shows_the_name_of_its_folder_and_does_not_obey_it(tmp_path: Path) -> None:
    data_dir = tmp_path / "a\x1b[2J\u202e\nb"
    with started_on(data_dir) as first:
        assert first.stdout is not None
        welcome = ""
        for line in first.stdout:
            welcome += line
            if line.startswith("  logs"):
                break
        second = subprocess.run(
            [*COMMAND, str(data_dir)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    for said in (welcome, second.stderr):
        assert "a\\u001b[2J\\u202e" in said
        assert not {"\x1b", "\u202e"} & set(said)


@pytest.mark.parametrize("port", [65536, 99999])
def test_a_number_that_is_no_port_is_named(port: int) -> None:
    with pytest.raises(PortTaken, match=f"Port {port} cannot be used"):
        LocalServer(("127.0.0.1", port), BaseHTTPRequestHandler)
