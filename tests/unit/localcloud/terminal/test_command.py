"""The local cloud's command line: what it refuses, and how it is interrupted."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.localcloud.options import REPOSITORY
from scripts.localcloud.terminal import command, command_line
from tests.support.waiting import PATIENCE_S

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--batch-delay -1", "--batch-delay takes seconds from 0 on, not -1.0"),
        ("--batch-delay nan", "--batch-delay takes seconds from 0 on, not nan"),
        ("--batch-delay inf", "--batch-delay takes seconds from 0 on, not inf"),
        ("--concurrency 0", "--concurrency is at least 1, not 0"),
        ("--upstream-model qwen3:4b", "--upstream-model needs the server's URL in --upstream"),
        ("--upstream localhost", "--upstream takes a URL such as http://127.0.0.1:11434/v1, not 'localhost'"),
        ("--port 65536", "a port is a number from 0 to 65535, not 65536"),
        ("--parameter DefaultModel", "--parameter takes NAME=VALUE, not 'DefaultModel'"),
        ("--providers arc", "--providers takes bailian, ark and tione, with commas between them, not 'arc'"),
        (
            "--providers ark,ark",
            "--providers takes bailian, ark and tione, with commas between them, not 'ark,ark'",
        ),
        (
            "--providers ark, --real bailian",
            "--providers takes bailian, ark and tione, with commas between them, not 'ark,'",
        ),
        (
            "--real bailian --providers ark",
            "Ark and TI-ONE are on this machine only; leave --real or --providers out",
        ),
        ("--real bailian", "needs your API key in the environment variable DASHSCOPE_API_KEY"),
    ],
)
def test_options_that_mean_nothing_are_refused_in_both_languages(
    capsys: pytest.CaptureFixture[str], arguments: str, said: str
) -> None:
    with pytest.raises(SystemExit) as refusal:
        command_line.parse_options(["--data", "x", *arguments.split()], {})

    told = capsys.readouterr().err
    assert refusal.value.code == 2
    assert said in told
    assert CHINESE.search(told)


@pytest.mark.parametrize("written", ["--provider bailian", "--rea bailian"])
def test_no_option_is_guessed_from_half_of_it(capsys: pytest.CaptureFixture[str], written: str) -> None:
    """One that costs and one that does not may begin alike."""
    with pytest.raises(SystemExit):
        command_line.parse_options(["--data", "x", *written.split()], {"DASHSCOPE_API_KEY": "sk-x"})

    assert f"No such option '{written.split(maxsplit=1)[0]}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "arguments", "said"),
    [
        ("a file", [], "--data must be a folder that can be written to"),
        ("a file/below", [], "--data must be a folder that can be written to"),
        ("data", ["--parameter", "Foo=1"], "are wrong: there is no parameter Foo. Correct --parameter"),
        ("data", ["--bucket", "A_B"], "A name is 3 to 63 lower-case letters"),
    ],
)
def test_a_cloud_that_cannot_start_says_why_in_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str, arguments: list[str], said: str
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # it stays the test's
    (tmp_path / "a file").touch()

    with pytest.raises(SystemExit) as refusal:
        command.main(["--data", str(tmp_path / data), *arguments], {})

    zh, en = str(refusal.value.code).split("\n")
    assert CHINESE.search(zh)
    assert said in en
    assert not CHINESE.search(en)
    assert ".." not in en


class Stopping:
    """A cloud that is to stop; somebody presses Ctrl-C once more at one moment of it."""

    def __init__(self, rows: int) -> None:
        self.calls_under_way = rows
        self.heard: list[str] = []

    def hurry(self) -> None:
        self.heard.append("hurry")

    def stop(self) -> None:
        if not self.calls_under_way:
            signal.raise_signal(signal.SIGINT)
        self.heard.append("stopped")


@pytest.mark.parametrize("rows", [0, 2])
def test_ctrl_c_again_as_soon_as_it_is_told_of_stops_the_cloud_all_the_same(rows: int) -> None:
    cloud = Stopping(rows)
    before = signal.signal(signal.SIGINT, lambda *_: cloud.heard.append("broken off"))
    try:
        command.stop(cloud, lambda _: signal.raise_signal(signal.SIGINT))  # type: ignore[arg-type]
        signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)

    assert cloud.heard == ["hurry", "stopped", "broken off"]


def test_ctrl_c_during_the_imports_shows_nothing_of_them() -> None:
    interrupted = """
import runpy, signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == "scripts.localcloud.terminal.command":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
runpy.run_module("scripts.localcloud", run_name="__main__")
"""

    done = subprocess.run(
        [sys.executable, "-c", interrupted],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
