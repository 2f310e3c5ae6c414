"""The programs that people start, as processes of their own, in a folder whose name has spaces."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.localcloud.answers.built_in_texts import answer_for
from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.localcloud.options import BAILIAN_URL
from scripts.localcloud.terminal.command_line import parse_options
from tests.support.processes import read_until, started
from tests.support.waiting import PATIENCE_S, wait_until


@contextmanager
def local_cloud(data_dir: Path, *arguments: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """``scripts/batchdrop cloud`` from its welcome to the end of the block."""
    command = [sys.executable, "-m", "scripts.operate", "cloud", "--data", str(data_dir), *arguments]
    with started(command, env={**os.environ, **env}) as process:
        read_until(process, "  logs")
        yield process


def started_by(pid: int) -> list[int]:
    """The processes below this one: functions, and the one that they are forked from."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return [*children, *(each for child in children for each in started_by(child))]


def bucket_of(data_dir: Path) -> str:
    return "bucket-" + re.sub(r"[^a-z0-9]", "", str(data_dir).lower())[-20:]


def drop(data_dir: Path, name: str, content: bytes) -> Path:
    bucket_dir = data_dir / bucket_of(data_dir)
    (bucket_dir / "inbox" / name).write_bytes(content)
    return bucket_dir / "results" / name


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_a_cloud_that_is_interrupted_leaves_no_process_and_goes_on_where_it_was(tmp_path: Path) -> None:
    data_dir = tmp_path / "my data"
    arguments = ("--bucket", bucket_of(data_dir), "--batch-delay", "600")
    with local_cloud(data_dir, *arguments) as process:
        result = drop(data_dir, "two.csv", b"1,hello\n")
        board = data_dir / bucket_of(data_dir) / "running"
        wait_until(lambda: list(board.rglob("1-00001")), "no batch is running")
        running = started_by(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_S) == 0

    assert len(running) > 1
    wait_until(lambda: not any(Path(f"/proc/{each}").exists() for each in running), "some of them go on")
    assert not result.exists()
    # The pace is the provider's: a new one without a delay goes on with the same batch.
    with local_cloud(data_dir, "--bucket", bucket_of(data_dir)):
        wait_until(result.exists, "no result appears after the restart")

    assert answer_for("hello") in result.read_text(encoding="utf-8-sig")


def test_the_provider_can_be_a_service_that_cannot_call_back(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    arguments = ("--bucket", bucket_of(data_dir), "--real", "bailian", "--base-url")
    with (
        LocalBailian(tmp_path / "service", "sk-real") as service,
        local_cloud(
            data_dir, *arguments, service.base_url, "--parameter", "PollAfterS=1", DASHSCOPE_API_KEY="sk-real"
        ),
    ):
        result = drop(data_dir, "two.csv", b"1,hello\n")
        wait_until(result.exists, "the timer does not find the end of the batch")

    assert answer_for("hello") in result.read_text(encoding="utf-8-sig")


def test_the_demo_draws_bars_on_a_terminal_and_ends_well(tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "scripts.operate", "demo", "--data", str(tmp_path / "demo data")]
    with started(command, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        shown = b"".join(iter(lambda: _read(controller), b"")).decode()

        os.close(controller)
        assert process.wait(timeout=PATIENCE_S) == 0, shown
    assert "━" in shown
    assert "120 rows: 120 answered" in shown
    assert "results/reviews/reviews.csv" in shown


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65536)
    except OSError:  # Linux's way to say that the other side is closed
        return b""


def test_the_real_provider_needs_a_key_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options(["--data", "x", "--real", "bailian"], {})

    assert "DASHSCOPE_API_KEY" in capsys.readouterr().err


def test_the_real_provider_is_asked_once_a_minute_at_most() -> None:
    options = parse_options(["--data", "x", "--real", "bailian"], {"DASHSCOPE_API_KEY": "k"})

    parameters = options.template_parameters()
    assert (options.base_url, parameters["PollAfterS"], options.api_key) == (BAILIAN_URL, "60", "k")
