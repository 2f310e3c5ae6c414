"""The program itself: its table, what programs read of it, what the shell completes."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from scripts.localcloud.options import REPOSITORY
from scripts.operate import access
from scripts.operate.__main__ import main
from scripts.operate.access import OpenBucket
from scripts.operate.door.commands import COMMANDS, batchdrop
from scripts.operate.door.completion import SHELLS, VARIABLE, script_for
from tests.support.builders import JOB
from tests.support.pipeline import Pipeline

FILE = "inbox/a/names.csv"


@pytest.fixture(autouse=True)
def _without_logs() -> Iterator[None]:
    """As the program is started: what the services log is for operators of functions."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Of the bucket that is meant."""
    job = Pipeline()
    monkeypatch.setattr(access, "open_bucket", lambda *_: OpenBucket(job.store, "drop"))
    return job


def answered(capsys: pytest.CaptureFixture[str], *arguments: str, **env: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the last line; nothing but JSON is printed, and nothing beside it."""
    status = main([*arguments, "--json"], env)
    told = capsys.readouterr()
    assert told.err == ""
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert lines[-1]["exit_code"] == status
    return status, lines[-1]


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def commands(group: click.Group, *above: str) -> list[list[str]]:
    context = click.Context(group)
    found = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    below = [commands(each, *above, name) for name, each in found if isinstance(each, click.Group)]
    return [[*above, name] for name, _ in found] + [path for paths in below for path in paths]


@pytest.mark.parametrize("path", commands(batchdrop), ids=" ".join)
def test_every_command_is_there_and_explains_itself(
    path: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*path, "--help"], {}) == 0

    assert f"scripts/batchdrop {' '.join(path)}" in capsys.readouterr().out


def test_the_help_lists_every_command_and_loads_none() -> None:
    program = (
        "import sys; from scripts.operate.__main__ import main; main(['--help'], {});"
        "print([name for name in sys.modules if name in ('pydantic', 'oss2', 'rich', 'scripts.operate.access')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    *told, loaded = done.stdout.splitlines()
    assert [name for name in COMMANDS if not any(f"  {name} " in line for line in told)] == []
    assert loaded == "[]"


def test_programs_read_what_is_open(job: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = answered(capsys, "status")

    assert status == 0
    assert [(each["job_id"], each["source_key"]) for each in told["jobs"]] == [(JOB, job.plan.source.key)]


def test_programs_read_how_a_job_ended(job: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    assert answered(capsys, "cancel", JOB, "--wait", "0")[1]["job_id"] == JOB
    job.drain(lambda: None)

    status, told = answered(capsys, "status", JOB)

    assert status == 0
    assert told["jobs"][0]["state"] == "closed"
    assert set(told["jobs"][0]["by_status"]) == {"cancelled"}


def test_programs_read_why_something_is_not_possible(
    job: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = answered(capsys, "retry", JOB)

    assert (status, told["error"]["code"]) == (1, "not_closed")
    assert JOB in told["error"]["zh"]


def test_programs_must_say_yes_themselves(job: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    before = dict(job.store.objects)

    status, told = answered(capsys, "erase", JOB, DASHSCOPE_API_KEY="sk-x")

    assert (status, told["error"]["code"]) == (1, "nothing_erased")
    assert job.store.objects == before


def test_programs_read_what_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    status, told = answered(capsys, "cancel")

    assert (status, told["error"]["code"]) == (2, "usage")


@pytest.mark.parametrize(
    ("arguments", "zh"),
    [
        (["doctor"], "缺少 --bucket。"),
        (["cancel"], "缺少 JOB|FILE。"),
        (["status", "--folow"], "没有 --folow 这个选项。"),
        (["link", "a", "--days", "x"], "--days 的值不对。"),
        (["upgarde"], "命令写得不对。"),
    ],
)
def test_wrong_usage_is_told_in_both_languages_before_anything_is_installed(
    arguments: list[str], zh: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, {}) == 2

    usage, *told = capsys.readouterr().err.splitlines()
    assert usage.startswith("Usage: scripts/batchdrop")
    assert told[0] == zh
    assert len(told[1]) > len("No such")


@pytest.mark.parametrize("arguments", [["--json", "init", "a.csv"], ["init", "a.csv", "--json"]])
def test_json_may_stand_before_the_command_and_after_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("CALLED_FROM", str(tmp_path))
    (tmp_path / "a.csv").write_text("id,comment\n1,a long text of somebody\n", encoding="utf-8")

    assert main(arguments, {}) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["recipe"] == str(tmp_path / "batch.yaml")
    assert [each["code"] for each in told["said"]] == ["recipe_written"]


@pytest.mark.parametrize(("arguments", "goes_on"), [(["retry", JOB], True), (["status"], False)])
def test_a_person_who_interrupts_is_told_whether_the_command_goes_on(
    job: Pipeline, capsys: pytest.CaptureFixture[str], arguments: list[str], goes_on: bool
) -> None:
    job.store.before = interrupt

    assert main(arguments, {}) == 130

    told = capsys.readouterr().err
    assert "[interrupted]" in told
    assert ("[goes_on]" in told) is goes_on


def test_how_a_command_ended_is_not_told_as_done_if_nobody_reads_it() -> None:
    nobody_reads, out = os.pipe()
    os.close(nobody_reads)
    command = [sys.executable, "-m", "scripts.operate", "status", "--data", "/nowhere"]
    try:
        done = subprocess.run(command, cwd=REPOSITORY, stdout=out, stderr=out, check=False)
    finally:
        os.close(out)

    assert done.returncode == 141


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("can", ["cancel"]), ("recipe ", ["show"]), ("cancel --wa", ["--wait"]), ("status na", [])],
)
def test_bash_completes_what_is_typed(typed: str, offered: list[str]) -> None:
    words = ["scripts/batchdrop", *typed.split(" ")]
    program = f"""
{script_for("bash", "/nowhere")}
COMP_WORDS=({" ".join(words)} {'""' if typed.endswith(" ") else ""}); COMP_CWORD={len(words) - 1}
{{ compopt() {{ :; }}; }}
_batchdrop_completion scripts/batchdrop
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        [shutil.which("bash") or "", "-c", program],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == offered


def test_nothing_is_installed_while_somebody_types(tmp_path: Path) -> None:
    """As after an update, with other packages than those that are installed."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(REPOSITORY / "scripts" / "batchdrop", tmp_path / "scripts")
    installs = tmp_path / "scripts" / "venv"
    installs.write_text("#!/bin/sh\ntouch installed\n", encoding="utf-8")
    installs.chmod(0o755)
    (tmp_path / "requirements.lock").write_text("new", encoding="utf-8")

    done = subprocess.run(
        [tmp_path / "scripts" / "batchdrop"], env={**os.environ, VARIABLE: "bash_complete"}, check=False
    )

    assert (done.returncode, (tmp_path / "installed").exists()) == (0, False)


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_shell_runs_asks_the_program(shell: str) -> None:
    script = script_for(shell, "/a b/scripts/batchdrop")

    assert VARIABLE in script
    assert "commands[" not in script
    assert shell != "zsh" or "zsh_complete '/a b/scripts/batchdrop')" in script
